"""A process, or a system, without descriptors for a while: that says nothing about a file, so nothing is lost by it."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable, Iterator
from itertools import count, takewhile

import pytest

from racoon_exporter.source import FileSource, System
from racoon_exporter.source.files.trouble import PATIENCE_NS
from tests.exporter.source.files.logs import Log, again, lines, records


class Exhausted:
    """A system whose calls that need a descriptor fail, from the n-th on, as long as there are said to be none."""

    def __init__(self, first: int, error: int) -> None:
        self.first, self.error, self.calls, self.none_left, self.now = first, error, 0, False, 0

    @property
    def was(self) -> bool:
        """Whether it came to that."""
        return self.calls >= self.first

    @property
    def system(self) -> System:
        return System(open=self.open, listdir=self.listdir, monotonic_ns=lambda: self.now)

    def open(self, path: str) -> int:
        self._take(path)
        return System().open(path)

    def listdir(self, path: str) -> list[str]:
        self._take(path)
        return System().listdir(path)

    def _take(self, path: str) -> None:
        self.calls += 1
        self.none_left = self.none_left or self.calls == self.first
        if self.none_left:
            raise OSError(self.error, os.strerror(self.error), path)


def rotated(log: Log) -> None:
    for number in (2, 3, 4):
        log.write(number)
        log.rename()
    log.write(5)


def truncated(log: Log) -> None:
    for number in (2, 3, 4):
        log.write(number)
        log.copytruncate()
    log.write(5)


def compressed(log: Log) -> None:
    rotated(log)
    for number in (2, 3):
        plain = log.sibling(f".{number}")
        times = plain.path.stat()
        plain.sibling(".gz").append(gzip.compress(plain.path.read_bytes()))
        plain.path.unlink()
        os.utime(plain.sibling(".gz").path, ns=(times.st_atime_ns, times.st_mtime_ns))


def gone(log: Log) -> None:
    """The file in which reading stood is there as a copy that was begun before."""
    log.write(2)
    log.sibling(".4").append(log.path.read_bytes())
    log.path.unlink()
    for number in (3, 4):
        log.write(number)
        log.rename()
    log.write(5)


def everything_read(source: FileSource, exhausted: Exhausted) -> list[bytes]:
    """Read until there is nothing more, past a time without descriptors that is longer than anything is waited for."""
    found = lines(source)
    for _ in range(3):
        exhausted.now += PATIENCE_NS
        found += lines(source)
        assert source.status().counts.lost_bytes == 0
    exhausted.none_left = False
    return found + lines(source) + lines(source)


def moments(error: int) -> Iterator[Exhausted]:
    return (Exhausted(first, error) for first in count(1))


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOMEM], ids=errno.errorcode.get)
@pytest.mark.parametrize("happens", [rotated, truncated, compressed, gone])
@pytest.mark.parametrize("restarted", [False, True], ids=["live", "over a restart"])
def test_nothing_is_lost_or_read_twice_whenever_there_are_none(
    log: Log, happens: Callable[[Log], None], error: int, *, restarted: bool
) -> None:
    def reached(exhausted: Exhausted) -> bool:
        for path in log.path.parent.iterdir():
            path.unlink()
        log.write(1)
        source = FileSource(log.name, system=exhausted.system)
        first, exhausted.first = exhausted.first, 1_000_000
        assert lines(source) == records(1)
        exhausted.calls, exhausted.first = 0, first
        source = again(source, system=exhausted.system) if restarted else source
        happens(log)
        assert everything_read(source, exhausted) == records(2, 3, 4, 5)
        source.close()
        return exhausted.was

    tried = list(takewhile(reached, moments(error)))
    assert len(tried) > 4


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOMEM], ids=errno.errorcode.get)
def test_old_logs_are_filled_in_afterwards(log: Log, error: int) -> None:
    log.write(1)
    rotated(log)

    def reached(exhausted: Exhausted) -> bool:
        source = FileSource(log.name, backfill=True, system=exhausted.system)
        assert everything_read(source, exhausted) == records(1, 2, 3, 4, 5)
        source.close()
        return exhausted.was

    tried = list(takewhile(reached, moments(error)))
    assert len(tried) > 4
