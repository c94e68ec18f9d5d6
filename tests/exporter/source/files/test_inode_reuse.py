"""Another file with the inode of the old one: the content tells them apart."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from racoon_exporter.source import SYSTEM, FileSource, Fingerprint, Past, Position, SourceCounts
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.stored_bytes import PlainReader
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
    source.resume(replace(position, offset=10 * len(record(1)), inode=status.st_ino, marks=()))
    assert lines(source) == records(1)


@pytest.mark.parametrize("count", [1, 2, 5], ids=["smaller", "same size", "larger"])
def test_the_next_log_may_have_the_inode_of_a_file_that_nobody_could_read(log: Log, source: FileSource, count: int) -> None:
    """That was counted as lost, up to its size: this is none of it."""
    fresh = range(20, 20 + count)
    log.write(*fresh)
    status, size = log.path.stat(), len(b"".join(records(11, 12)))
    given_up = Position(status.st_dev, status.st_ino, size, 0, size, Fingerprint(0, ""))
    before = replace(position_in(log, 11, 12), inode=status.st_ino + 1, past=Past(0, "", (given_up,)))
    source.resume(before)
    assert lines(source) == records(*fresh)
    position = source.position()
    assert position is not None
    assert Position.from_json(position.to_json()) == position


def test_so_may_a_rotated_file(log: Log, source: FileSource) -> None:
    """What nobody could read was counted as lost up to the end of a line; here none ends."""
    log.write(20, 21, 22)
    status, size = log.path.stat(), len(record(11)) + 7
    log.rename()
    log.write(30)
    given_up = Position(status.st_dev, status.st_ino, size, 0, size, Fingerprint(0, ""))
    source.resume(replace(position_in(log, 11, 12), inode=1, past=Past(0, "", (given_up,))))
    assert lines(source) == records(20, 21, 22, 30)


def test_of_a_rotated_file_that_was_given_up_what_was_added_is_read(log: Log, source: FileSource) -> None:
    log.write(20, 21)
    status = log.path.stat()
    log.write(22)
    log.rename()
    log.write(30)
    given_up = Position(status.st_dev, status.st_ino, status.st_size, 0, status.st_size, Fingerprint(0, ""))
    source.resume(replace(position_in(log, 11, 12), inode=1, past=Past(0, "", (given_up,))))
    assert lines(source) == records(22, 30)


@pytest.mark.parametrize("suffix", ["", ".1", ".1.gz"])
def test_a_copy_may_have_the_inode_of_a_file_of_which_nothing_was_read(log: Log, source: FileSource, suffix: str) -> None:
    """Such a file has nothing to be known by."""
    copy = log.sibling(suffix)
    text = b"".join(records(11, 12))
    copy.append(gzip.compress(text) if suffix.endswith(".gz") else text)
    status = copy.path.stat()
    read = replace(position_in(log.sibling(suffix), 11, 12), inode=1)
    source.resume(Position(status.st_dev, status.st_ino, 0, 0, 0, Fingerprint(0, ""), past=Past(0, "", (read,))))
    log.write(13)
    assert lines(source) == records(13)


def test_nothing_stands_behind_the_end_of_a_file(log: Log) -> None:
    log.write(1)
    file = OpenFile(PlainReader(log.name, SYSTEM), SourceCounts())
    size = log.path.stat().st_size
    assert [file.stand_behind(offset) for offset in (size + 1, size + 5000)] == [False, False]
    assert file.stand_behind(size)
    file.close()
