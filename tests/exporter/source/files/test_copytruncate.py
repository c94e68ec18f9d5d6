"""copytruncate: the copy holds what was not read yet; without a copy the loss is counted."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable

import pytest

from racoon_exporter.source import FileSource, System
from tests.exporter.source.files.logs import Log, again, blocks, lines, record, records


def test_after_the_truncation_the_file_is_read_from_its_beginning(log: Log, source: FileSource) -> None:
    log.write(1, 2, 3)
    assert lines(source) == records(1, 2, 3)
    log.copytruncate()
    log.write(4)
    assert lines(source) == records(4)
    assert source.status().counts.rotations == 1
    assert source.status().counts.lost_bytes == 0


def test_the_unread_rest_is_read_from_the_copy(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.append(b"half a li")
    log.copytruncate()
    log.write(3)
    found = blocks(source)
    assert b"".join(block.data for block in found) == record(2) + b"half a li" + record(3)
    assert [block.final for block in found] == [False, True, False]
    assert [block.first_line for block in found] == [2, 3, 1]


def test_the_unread_rest_is_read_from_a_compressed_copy(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.copytruncate()
    copy = log.sibling(".1")
    copy.sibling(".gz").append(gzip.compress(copy.path.read_bytes()))
    copy.path.unlink()
    log.write(3)
    assert lines(source) == records(2, 3)
    assert source.status().counts.lost_bytes == 0


def test_older_compressed_files_are_not_unpacked_in_search_of_a_copy(log: Log) -> None:
    opened: list[str] = []

    def note(path: str) -> int:
        opened.append(path.removeprefix(log.name))
        return System().open(path)

    for number in range(1, 5):
        old = log.sibling(f".{number}.gz")
        old.append(gzip.compress(record(number)))
        os.utime(old.path, (1, 1))
    log.write(10)
    source = FileSource(log.name, system=System(open=note))
    assert lines(source) == records(10)
    os.truncate(log.path, 0)
    log.write(11)
    assert lines(source) == records(11)
    assert set(opened) == {""}
    source.close()


def test_two_truncations_between_two_looks_lose_nothing(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.copytruncate()
    log.write(3)
    log.copytruncate()
    log.write(4)
    assert lines(source) == records(2, 3, 4)


def test_without_a_copy_the_known_rest_is_counted_as_lost(log: Log, source: FileSource) -> None:
    log.write(1, 2, 3)
    block = source.read(len(record(1)))
    assert block is not None
    assert block.data == record(1)
    os.truncate(log.path, 0)
    assert lines(source) == []
    assert source.status().counts.lost_bytes == len(record(2)) + len(record(3))
    assert source.status().lag_bytes == 0
    log.write(4)
    assert lines(source) == records(4)


def test_an_incomplete_line_that_was_seen_is_given_although_it_was_truncated_away(log: Log, source: FileSource) -> None:
    log.write(1)
    log.append(b"half")
    assert lines(source) == records(1)
    os.truncate(log.path, 0)
    log.write(2)
    found = blocks(source)
    assert [(block.data, block.final) for block in found] == [(b"half", True), (record(2), False)]
    assert source.status().counts.lost_bytes == 0


def test_what_the_copy_lacks_is_counted_as_lost(log: Log, source: FileSource) -> None:
    """Records written between copying and truncating are in neither file."""
    log.write(1, 2, 3)
    assert source.read(len(record(1))) is not None
    log.sibling(".1").append(record(1) + record(2))
    os.truncate(log.path, 0)
    log.write(4)
    assert lines(source) == records(2, 4)
    assert source.status().counts.lost_bytes == len(record(3))


@pytest.mark.parametrize("restart", [lambda source: source, again], ids=["live", "over a restart"])
def test_what_a_log_held_that_was_empty_before_and_is_again_is_read_at_once(
    log: Log, restart: Callable[[FileSource], FileSource]
) -> None:
    log.path.touch()
    source = FileSource(log.name)
    assert lines(source) == []
    log.write(1)
    log.copytruncate()
    source = restart(source)
    assert lines(source) == records(1)
    assert source.status().lag_bytes == 0
    source.close()
