"""Files that were changed in the future: the clock was set back since."""

from __future__ import annotations

import os
import time

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, lines, record, records

DAY = 86_400


def date(log: Log, seconds: int) -> None:
    """Have a file changed so many seconds from now."""
    at = time.time_ns() + seconds * 1_000_000_000
    os.utime(log.path, ns=(at, at))


def read_in_the_future(log: Log) -> FileSource:
    """Return a source of a log of two files from before the clock was set back, and a third, which is the log."""
    source = FileSource(log.name)
    for number, seconds in enumerate((DAY, DAY + 60), 1):
        log.write(number)
        date(log, seconds)
        assert lines(source) == records(number)
        log.rename()
    log.write(3)
    date(log, -3600)
    assert lines(source) == records(3)
    return source


def rotate_in_the_past(log: Log) -> None:
    """Go on with the clock that was set back."""
    for number in (4, 5, 6):
        log.rename()
        log.write(number)
        date(log, 60 * number - 3600)


def test_what_was_rotated_during_a_stop_is_read(log: Log) -> None:
    source = read_in_the_future(log)
    rotate_in_the_past(log)
    source = again(source)
    assert lines(source) == records(4, 5, 6)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_what_was_rotated_between_two_looks_is_read(log: Log) -> None:
    source = read_in_the_future(log)
    rotate_in_the_past(log)
    assert lines(source) == records(4, 5, 6)
    source.close()


def test_what_was_old_is_not_read(log: Log) -> None:
    """It stood beside the log before that was first looked at, whatever its date."""
    old = [log.sibling(f".{number}") for number in (8, 9)]
    for each, seconds in zip(old, (3600, -DAY), strict=True):
        each.append(record(99))
        date(each, seconds)
    source = read_in_the_future(log)
    for number in (4, 5):
        log.rename()
        log.write(number)
        date(log, 60 * number - 3600)
    source = again(source)
    assert lines(source) == records(4, 5)
    source.close()
