"""Another file with the inode of the old one: the content tells them apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from racoon_exporter.source import FileSource, Position
from tests.exporter.source.files.logs import Log, lines, record, records


def position_in(log: Log, *numbers: int) -> Position:
    """Return the position after these lines, as if they had stood in a file with the inode of the present one."""
    other = log.sibling(".other")
    other.write(*numbers)
    before = FileSource(other.name)
    assert lines(before) == records(*numbers)
    position = before.position()
    before.close()
    other.path.unlink()
    assert position is not None
    status = log.path.stat()
    return replace(position, device=status.st_dev, inode=status.st_ino)


@pytest.mark.parametrize("count", [1, 2, 5], ids=["smaller", "same size", "larger"])
def test_a_file_with_a_reused_inode_is_read_from_its_beginning(log: Log, source: FileSource, count: int) -> None:
    fresh = range(20, 20 + count)
    log.write(*fresh)
    source.resume(position_in(log, 11, 12))
    assert lines(source) == records(*fresh)
    assert source.status().counts.rotations == 1


def test_the_old_file_is_found_although_the_new_one_has_its_inode(log: Log, source: FileSource) -> None:
    """copytruncate, or a restored directory: the rest stands in the rotated file."""
    log.write(21)
    position = position_in(log, 11, 12)
    log.sibling(".1").write(11, 12, 13)
    source.resume(position)
    assert lines(source) == records(13, 21)
    assert source.status().counts.lost_bytes == 0


def test_a_position_behind_the_end_is_not_believed(log: Log, source: FileSource) -> None:
    log.write(1)
    status = log.path.stat()
    position = position_in(log, 1)
    source.resume(replace(position, offset=10 * len(record(1)), inode=status.st_ino))
    assert lines(source) == records(1)
