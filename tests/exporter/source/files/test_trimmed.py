"""`tail -n 500 log > new; mv new log`: a log that loses its beginning now and then, as on a box with little room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, lines, records

Restart = Callable[[FileSource], FileSource]

restarted = pytest.mark.parametrize("restart", [lambda source: source, again], ids=["live", "over a restart"])


def trim(log: Log, keep: int, *, in_place: bool) -> None:
    left = b"".join(log.path.read_bytes().splitlines(keepends=True)[-keep:])
    if in_place:
        log.path.write_bytes(left)
        return
    fresh = log.sibling(".new")
    fresh.append(left)
    fresh.path.rename(log.path)


@restarted
@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "another file"])
def test_what_is_left_of_a_trimmed_log_counts_no_second_time(
    log: Log, source: FileSource, restart: Restart, *, in_place: bool
) -> None:
    log.write(*range(50))
    assert lines(source) == records(*range(50))
    for first in (50, 60, 70):
        trim(log, 20, in_place=in_place)
        log.write(*range(first, first + 10))
        source = restart(source)
        assert lines(source) == records(*range(first, first + 10))
    assert source.status().counts.lost_bytes == 0
    source.close()


@restarted
@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "another file"])
def test_what_was_written_before_it_was_trimmed_is_read(
    log: Log, source: FileSource, restart: Restart, *, in_place: bool
) -> None:
    log.write(*range(50))
    assert lines(source) == records(*range(50))
    log.write(*range(50, 55))
    trim(log, 20, in_place=in_place)
    log.write(55)
    source = restart(source)
    assert lines(source) == records(*range(50, 56))
    assert source.status().counts.lost_bytes == 0
    source.close()


@restarted
def test_a_log_that_was_trimmed_to_what_was_not_read_is_read_as_a_whole(log: Log, source: FileSource, restart: Restart) -> None:
    log.write(*range(50))
    assert lines(source) == records(*range(50))
    log.write(*range(50, 80))
    trim(log, 20, in_place=True)
    source = restart(source)
    assert lines(source) == records(*range(60, 80))
    source.close()
