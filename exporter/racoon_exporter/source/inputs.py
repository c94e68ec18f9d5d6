"""All inputs of the exporter as one: files and globs, FIFOs, standard input, the journal, syslog.

The loop asks `read` until it gives nothing, then sleeps in `wait`. Every input has its turn, so a busy one does not starve
the others. One thread reads; `wake` may be called from anywhere, and `statuses` from any thread.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from racoon_exporter.source.base import DEFAULT_LIMIT, Block, Position, SourceStatus, StartAt
from racoon_exporter.source.bell import Bell, WatchedFiles
from racoon_exporter.source.glob import MANY_OPEN, SourceSet, is_pattern, matches
from racoon_exporter.source.journal import JournalOptions, JournalSource
from racoon_exporter.source.live import LiveInput
from racoon_exporter.source.siblings import regular
from racoon_exporter.source.stream import FifoSource, StdinSource, is_fifo
from racoon_exporter.source.syslog import SyslogSource
from racoon_exporter.source.system import SYSTEM, System
from racoon_exporter.source.whole import STDIN
from racoon_exporter.watch import Watcher

logger = logging.getLogger(__name__)

GAP_SECONDS = 0.05
"""Least time between two returns of `wait` for descriptors: what comes in small pieces is read in larger ones."""

_Input = SourceSet | LiveInput


class Inputs:
    """Several inputs, read in turn."""

    def __init__(
        self,
        paths: Sequence[str] = (),
        *,
        journal: JournalOptions | None = None,
        syslog: Sequence[str] = (),
        start_at: StartAt = "beginning",
        backfill: bool = False,
        stdin: Callable[[], StdinSource] = StdinSource,
        watcher: Callable[[Iterable[str]], Watcher] = Watcher,
        clock: Callable[[], float] = time.monotonic,
        system: System = SYSTEM,
        most_open: int = MANY_OPEN,
    ) -> None:
        """Read `paths` (files, globs, FIFOs, `-` for standard input), the journal, and what arrives at syslog addresses.

        `start_at` and `backfill` hold for files and the journal where no position is known. Of the files `most_open` are open
        at once. `stdin`, `watcher`, `clock` and `system` are for tests. Raises ValueError for a path that no file can have and
        for an address that is none.
        """
        given = tuple(dict.fromkeys(paths))
        self._given = given
        self._plain = tuple(path for path in given if path != STDIN and not is_pattern(path))
        self._fifos = {path: FifoSource(path) for path in self._plain if is_fifo(path)}
        self._system = _without_fifos(system)
        at_start = [path for path in given if path != STDIN and path not in self._fifos]
        self._covered = {*at_start}
        self._files = (
            [SourceSet(at_start, start_at=start_at, backfill=backfill, system=self._system, most_open=most_open)]
            if at_start
            else []
        )
        self._journal = JournalSource(journal, start_at=start_at, clock=clock) if journal else None
        self._syslog: list[SyslogSource] = []
        self._clock = clock
        self._turn = 0
        self._returned = clock() - GAP_SECONDS
        self._bell = Bell()
        self._watched: WatchedFiles | None = None
        self._stdin = stdin() if STDIN in given else None
        try:
            for address in dict.fromkeys(syslog):
                self._syslog.append(SyslogSource(address, clock=clock))
        except ValueError:
            self.close()
            raise
        names = [path for path in given if path != STDIN]
        if names:
            self._watched = WatchedFiles(watcher(names), self._bell.ring)

    @property
    def finished(self) -> bool:
        """Whether all inputs have an end, and it was reached: only standard input has one."""
        return not self._files and bool(live := self._live()) and all(each.finished for each in live)

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next block of whichever input has one, in turn; None when none has. Never waits, never raises OSError."""
        block = self._round(limit)
        if block is None and self._look_for_fifos():
            block = self._round(limit)
        return block

    def reads(self, name: str) -> bool:
        """Whether a source of this name is asked for, by itself or by a pattern."""
        return (
            name in self._given
            or any(name == live.name for live in self._live())
            or any(matches(path, name) for path in self._given if is_pattern(path))
        )

    def positions(self) -> dict[str, object]:
        """Where each input stands after the last block it gave, as JSON values by name; only of those that have positions."""
        found: dict[str, object] = {
            name: position.to_json() for files in self._files for name, position in files.positions().items()
        }
        if self._journal is not None and (position := self._journal.position()) is not None:
            found[self._journal.name] = position
        return found

    def resume(self, positions: Mapping[str, object]) -> None:
        """Go on from what `positions` gave; to be called before the first read.

        What is no position is left out with a warning: that input is begun as if it were not known.
        """
        usable: dict[str, Position] = {}
        for name, value in positions.items():
            try:
                if self._journal is not None and name == self._journal.name:
                    self._journal.resume(value)
                elif self._files:
                    usable[name] = Position.from_json(value)
            except ValueError as error:
                logger.warning("%s is read as if for the first time: %s", name, error)
        for files in self._files:
            files.resume(usable)

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How each input is doing; one for each name."""
        live = [each.status() for each in self._live()]
        names = {status.name for status in live}
        files = [status for each in self._files for status in each.statuses() if status.name not in names]
        return (*files, *live)

    def wait(self, timeout: float) -> bool:
        """Sleep until something may be there, until `wake`, or for `timeout` seconds; True if it was not the time.

        Read afterwards whatever the answer is.
        """
        early = min(self._returned + GAP_SECONDS - self._clock(), timeout)
        if early > 0 and self._bell.sleep(early):
            return True
        woken = self._bell.sleep(timeout - max(0.0, early), self._descriptors())
        if woken:
            self._returned = self._clock()
        return woken

    def wake(self) -> None:
        """Make the present wait, or else the next one, return at once. From any thread, or a signal handler."""
        self._bell.ring()

    def close(self) -> None:
        """Let go of everything; may be called twice. Positions stay."""
        if self._watched is not None:
            self._watched.close()
            self._watched = None
        for files in self._files:
            files.close()
        for live in self._live():
            live.close()
        self._bell.close()

    def _live(self) -> list[LiveInput]:
        alone: list[LiveInput | None] = [self._stdin, self._journal]
        return [*(each for each in alone if each is not None), *tuple(self._fifos.values()), *self._syslog]

    def _descriptors(self) -> list[int]:
        return [descriptor for each in self._live() for descriptor in each.descriptors()]

    def _round(self, limit: int) -> Block | None:
        inputs: list[_Input] = [*self._files, *self._live()]
        for step in range(len(inputs)):
            at = (self._turn + step) % len(inputs)
            if block := inputs[at].read(limit):
                self._turn = at + 1
                return block
        return None

    def _look_for_fifos(self) -> bool:
        """Take note of paths where a FIFO came, or a file in place of one; True if there is something new to read."""
        changed = False
        for path in self._plain:
            known = self._fifos.get(path)
            if known is None and is_fifo(path):
                self._fifos = self._fifos | {path: FifoSource(path)}
                changed = True
            elif known is not None and regular(path, SYSTEM) is not None:
                known.close()
                self._fifos = {name: each for name, each in self._fifos.items() if name != path}
                if path not in self._covered:
                    self._covered.add(path)
                    self._files.append(SourceSet([path], system=self._system))
                changed = True
        return changed


def _without_fifos(system: System) -> System:
    """Look at paths as if no FIFO were there: those are read as streams, and are no trouble for who reads files."""

    def look(path: str) -> os.stat_result:
        status = system.stat(path)
        if stat.S_ISFIFO(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return status

    return replace(system, stat=look)
