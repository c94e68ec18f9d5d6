"""Checkpoints of partitions in files."""

from pathlib import Path

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.source.kafka.checkpoints import CheckpointError, FileCheckpoints, Place

PLACE = Place("racoon", 7)


def test_what_was_saved_is_taken_as_it_was(tmp_path: Path) -> None:
    content = {"version": 1, "next": 3, "state": {}}
    checkpoints = FileCheckpoints(tmp_path / "partitions", "group")
    assert checkpoints.take(PLACE) is None
    checkpoints.save(PLACE, content)
    assert checkpoints.take(PLACE) == content
    assert checkpoints.take(Place("racoon", 8)) is None


@pytest.mark.parametrize("content", [{}, {"partition": []}])
def test_a_file_that_holds_no_checkpoint_is_set_aside(content: dict[str, object], tmp_path: Path) -> None:
    checkpoints = FileCheckpoints(tmp_path, "group")
    checkpoints.save(PLACE, {})
    (file,) = tmp_path.iterdir()
    checkpoint.write(file, content)
    with pytest.raises(CheckpointError, match="holds no checkpoint of a partition; it was moved"):
        checkpoints.take(PLACE)
    assert checkpoints.take(PLACE) is None


def test_without_a_directory_nothing_is_kept() -> None:
    checkpoints = FileCheckpoints(None, "group")
    checkpoints.save(PLACE, {"next": 3})
    assert checkpoints.take(PLACE) is None
