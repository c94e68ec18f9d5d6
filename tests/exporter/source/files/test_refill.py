"""Truncated and filled again between two looks, to any size: told by the content before the offset."""

from __future__ import annotations

import os

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, lines, records


def refill(log: Log, *numbers: int) -> None:
    os.truncate(log.path, 0)
    log.write(*numbers)


@pytest.mark.parametrize("count", [1, 3, 7], ids=["smaller", "same size", "larger"])
def test_a_refilled_file_is_read_from_its_beginning(log: Log, source: FileSource, count: int) -> None:
    log.write(11, 12, 13)
    assert lines(source) == records(11, 12, 13)
    fresh = range(20, 20 + count)
    refill(log, *fresh)
    assert lines(source) == records(*fresh)
    assert source.status().counts.rotations == 1


@pytest.mark.parametrize("count", [1, 3, 7], ids=["smaller", "same size", "larger"])
def test_a_file_refilled_during_a_stop_is_read_from_its_beginning(log: Log, source: FileSource, count: int) -> None:
    log.write(11, 12, 13)
    assert lines(source) == records(11, 12, 13)
    fresh = range(20, 20 + count)
    refill(log, *fresh)
    resumed = again(source)
    assert lines(resumed) == records(*fresh)
    resumed.close()


def test_a_refill_is_seen_where_only_an_incomplete_line_had_been_read(log: Log, source: FileSource) -> None:
    log.append(b"abcde")
    assert lines(source) == []
    os.truncate(log.path, 0)
    log.append(b"xyz the new\n")
    assert lines(source) == [b"abcde", b"xyz the new\n"]


def test_a_touched_file_is_not_read_again(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    os.utime(log.path, (1, 1))
    assert lines(source) == []
    assert source.status().counts.rotations == 0
