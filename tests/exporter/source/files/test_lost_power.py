"""A log whose end is gone, or is NULs, after the host lost power: what is left of it was read, and is not read again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from racoon_exporter.source import FileSource, Position
from racoon_exporter.source.files.marks import DENSE, MOST_MARKS
from tests.exporter.source.files.logs import Log, again, blocks, lines, record, records

Restart = Callable[[FileSource], FileSource]

restarted = pytest.mark.parametrize("restart", [lambda source: source, again], ids=["live", "over a restart"])


def put_back(log: Log, text: bytes, *, same_file: bool) -> None:
    """Make the log hold a text: in its place, or as another file (a disk to which a log in memory is written now and then)."""
    if not same_file:
        fresh = log.sibling(".fresh")
        fresh.append(text)
        fresh.path.rename(log.path)
        return
    with log.path.open("r+b") as file:
        file.truncate(0)
        file.write(text)


@restarted
@pytest.mark.parametrize("same_file", [True, False], ids=["the same file", "another file"])
@pytest.mark.parametrize("torn", [0, 1, 60])
@pytest.mark.parametrize("gone", [1, 7, DENSE - 1])
def test_a_log_that_lost_its_end_goes_on_behind_what_is_left(
    log: Log, source: FileSource, restart: Restart, gone: int, torn: int, *, same_file: bool
) -> None:
    log.write(*range(100))
    assert lines(source) == records(*range(100))
    left = b"".join(records(*range(100 - gone)))
    put_back(log, left + record(100 - gone)[:torn], same_file=same_file)
    log.write(200, 201)
    source = restart(source)
    assert b"".join(lines(source)) == record(100 - gone)[:torn] + record(200) + record(201)
    assert source.status().counts.lost_bytes == 0
    source.close()


@restarted
@pytest.mark.parametrize("torn", [0, 1, 60])
@pytest.mark.parametrize("gone", [1, 7, DENSE - 1])
@pytest.mark.parametrize("more", [0, 5000])
def test_a_log_that_has_nuls_where_its_end_was_goes_on_behind_them(
    log: Log, source: FileSource, restart: Restart, gone: int, torn: int, more: int
) -> None:
    log.write(*range(100))
    assert lines(source) == records(*range(100))
    left = b"".join(records(*range(100 - gone))) + record(100 - gone)[:torn]
    hole = log.path.stat().st_size - len(left) + more
    put_back(log, left + b"\0" * hole, same_file=True)
    log.write(200, 201)
    source = restart(source)
    assert lines(source) == records(200, 201)
    assert source.status().counts.lost_bytes == hole
    source.close()


@restarted
@pytest.mark.parametrize("limit", [1, 5000, 256 * 1024])
@pytest.mark.parametrize("left", [1100, 1500, 1900, 1960])
def test_of_a_log_that_lost_much_about_as_much_counts_again(
    log: Log, source: FileSource, restart: Restart, left: int, limit: int
) -> None:
    log.append(b"".join(records(*range(2000))))
    assert lines(source, limit) == records(*range(2000))
    put_back(log, b"".join(records(*range(left))), same_file=True)
    log.write(3000)
    source = restart(source)
    found = lines(source)
    assert found[-1] == record(3000)
    again_from = left - (len(found) - 1)
    assert found[:-1] == records(*range(again_from, left))
    assert left - again_from <= 2 * (2000 - left)
    source.close()


@pytest.mark.parametrize("restart", [again], ids=["over a restart"])
def test_a_rotated_file_may_have_lost_its_end_too(log: Log, source: FileSource, restart: Restart) -> None:
    log.write(*range(50))
    assert lines(source) == records(*range(50))
    log.rename()
    log.write(50)
    assert lines(source) == records(50)
    log.path.unlink()
    put_back(log.sibling(".1"), b"".join(records(*range(45))), same_file=True)
    source = restart(source)
    assert lines(source) == []
    log.write(51)
    assert lines(source) == records(51)
    source.close()


@pytest.mark.parametrize("hole", [16, 4000, 70_000, 1_000_000])
@pytest.mark.parametrize("limit", [1, 256 * 1024])
def test_a_line_that_was_torn_by_a_hole_hides_none_behind_it(log: Log, source: FileSource, hole: int, limit: int) -> None:
    torn = record(2)[:40]
    log.append(record(1) + torn + b"\0" * hole + record(3) + record(4))
    found = blocks(source, limit)
    assert b"".join(block.data for block in found) == record(1) + torn + b"\n" + record(3) + record(4)
    counts = source.status().counts
    assert (counts.lost_bytes, counts.too_long, counts.lines) == (hole, 0, 4)
    assert counts.bytes + hole == log.path.stat().st_size


def test_marks_are_few_however_long_a_log_is(log: Log, source: FileSource) -> None:
    for first in range(0, 20_000, 100):
        log.append(b"".join(records(*range(first, first + 100))))
        assert len(lines(source, limit=700)) == 100
    position = source.position()
    assert position is not None
    assert DENSE < len(position.marks) <= DENSE + 24 < MOST_MARKS


@pytest.mark.parametrize(
    "marks",
    [7, [7], [[1, 1]], [[1, 1, "x"]], [[-1, 1, "0" * 16]], [[101, 1, "0" * 16], [101, 1, "0" * 16]], [[10**9, 1, "0" * 16]]],
    ids=repr,
)
def test_marks_that_none_could_have_are_refused(log: Log, source: FileSource, marks: object) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    position = source.position()
    assert position is not None
    told = json.loads(json.dumps(position.to_json()))
    assert Position.from_json(told).marks == position.marks != ()
    with pytest.raises(ValueError, match="position: "):
        Position.from_json(told | {"marks": marks})


def test_a_log_that_was_truncated_and_begins_otherwise_is_read_as_a_whole(log: Log, source: FileSource) -> None:
    log.write(*range(10))
    assert lines(source) == records(*range(10))
    os.truncate(log.path, 0)
    log.write(*range(100, 105))
    assert lines(source) == records(*range(100, 105))
