"""The path is a symbolic link, and is switched to another file."""

from __future__ import annotations

from pathlib import Path

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, lines, records


def switch(link: Path, target: Path) -> None:
    """Replace the link in one step, as `ln -sfn` does."""
    fresh = link.with_name("fresh-link")
    fresh.symlink_to(target)
    fresh.rename(link)


def test_the_old_target_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    monday, tuesday, link = Log(tmp_path / "monday"), Log(tmp_path / "tuesday"), tmp_path / "current"
    monday.write(1)
    switch(link, monday.path)
    source = FileSource(str(link))
    assert lines(source) == records(1)
    monday.write(2)
    tuesday.write(3)
    switch(link, tuesday.path)
    assert lines(source) == records(2, 3)
    assert source.status().counts.rotations == 1
    source.close()


def test_a_link_switched_during_a_stop_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    monday, tuesday, link = Log(tmp_path / "logs" / "monday"), Log(tmp_path / "logs" / "tuesday"), tmp_path / "current"
    monday.write(1)
    switch(link, monday.path)
    source = FileSource(str(link))
    assert lines(source) == records(1)
    monday.write(2)
    tuesday.write(3)
    switch(link, tuesday.path)
    resumed = again(source)
    assert lines(resumed) == records(2, 3)
    resumed.close()


def test_rotation_beside_the_target_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    log, link = Log(tmp_path / "data" / "racoon.log"), tmp_path / "racoon.log"
    log.write(1)
    link.symlink_to(log.path)
    source = FileSource(str(link))
    assert lines(source) == records(1)
    log.write(2)
    log.rename()
    log.write(3)
    log.rename()
    log.write(4)
    resumed = again(source)
    assert lines(resumed) == records(2, 3, 4)
    resumed.close()


def test_a_link_that_leads_nowhere_for_a_while_is_told(tmp_path: Path) -> None:
    log, link = Log(tmp_path / "target"), tmp_path / "link"
    link.symlink_to(log.path)
    source = FileSource(str(link))
    assert source.read() is None
    assert source.status().error == f"{link}: No such file or directory"
    log.write(1)
    assert lines(source) == records(1)
    source.close()
