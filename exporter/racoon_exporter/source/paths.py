"""The paths that somebody named: files and globs, and FIFOs where they stand, now or later."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, SourceStatus, StartAt
from racoon_exporter.source.files.folders import regular
from racoon_exporter.source.files.held_files import HeldFiles
from racoon_exporter.source.files.patterns import MANY_OPEN, SourceSet, is_pattern, matches
from racoon_exporter.source.files.position import Position
from racoon_exporter.source.files.system import SYSTEM, System
from racoon_exporter.source.streams.fifo_stdin import FifoSource, is_fifo


class Paths:
    """Files and FIFOs by path or pattern, read in turn. Implements `Source`."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        start_at: StartAt = "beginning",
        backfill: bool = False,
        clock: Callable[[], float] = time.monotonic,
        system: System = SYSTEM,
        most_open: int = MANY_OPEN,
    ) -> None:
        """Read `paths`; `start_at`, `backfill` and `most_open` as in `SourceSet`. Raises ValueError for what is no path."""
        self._given = dict.fromkeys(paths)
        self._patterns = tuple(path for path in self._given if is_pattern(path))
        self._plain = tuple(path for path in self._given if not is_pattern(path))
        self._fifos = {path: FifoSource(path) for path in self._plain if is_fifo(path)}
        self._system = _without_fifos(system)
        self._clock = clock
        self._most_open = most_open
        self._held_files = HeldFiles()
        self._turn = 0
        at_start = [path for path in self._given if path not in self._fifos]
        self._covered = {*at_start}
        self._files = [self._set(at_start, start_at, backfill=backfill)] if at_start else []

    def _set(self, paths: Sequence[str], start_at: StartAt, *, backfill: bool) -> SourceSet:
        return SourceSet(
            paths,
            start_at=start_at,
            backfill=backfill,
            system=self._system,
            clock=self._clock,
            most_open=self._most_open,
            held_files=self._held_files,
        )

    def take_over(self, other: Paths) -> None:
        """Take the FIFOs that both read: one that is closed for a moment may end its writer."""
        for path in self._fifos.keys() & other._fifos.keys():
            self._fifos[path].close()
            self._fifos = self._fifos | {path: other._fifos[path]}
            other._fifos = {name: fifo for name, fifo in other._fifos.items() if name != path}

    @property
    def finished(self) -> bool:
        """Whether there is nothing to read: files and FIFOs go on for ever."""
        return not self._given

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next block of whichever has one, in turn."""
        block = self._round(limit)
        if block is None and self._look_for_fifos():
            block = self._round(limit)
        return block

    def reads(self, name: str) -> bool:
        """Whether the name is one of the paths, or matches one."""
        return name in self._given or any(matches(pattern, name) for pattern in self._patterns)

    def positions(self) -> dict[str, object]:
        """Return those of the files."""
        return {name: position.to_json() for files in self._files for name, position in files.positions().items()}

    def check(self, positions: Mapping[str, object]) -> None:
        """Raise ValueError where a file's is none."""
        self._usable(positions)

    def restore(self, positions: Mapping[str, object]) -> None:
        """Go on from them."""
        usable = self._usable(positions)
        for files in self._files:
            files.resume(usable)

    def _usable(self, positions: Mapping[str, object]) -> dict[str, Position]:
        return {name: Position.from_json(value) for name, value in positions.items() if self.reads(name)}

    def statuses(self) -> tuple[SourceStatus, ...]:
        """Return one for each file, pattern without a file, and FIFO."""
        fifos = [each.status() for each in tuple(self._fifos.values())]
        names = {status.name for status in fifos}
        files = [status for each in self._files for status in each.statuses() if status.name not in names]
        return (*files, *fifos)

    def descriptors(self) -> Iterable[int]:
        """Return those of the FIFOs."""
        return [descriptor for each in self._fifos.values() for descriptor in each.descriptors()]

    def watched(self) -> Iterable[str]:
        """Return the paths: directories tell of changes."""
        return self._given

    def close(self) -> None:
        """Close all; positions stay."""
        for files in self._files:
            files.close()
        for fifo in self._fifos.values():
            fifo.close()

    def _round(self, limit: int) -> Block | None:
        members: list[SourceSet | FifoSource] = [*self._files, *self._fifos.values()]
        for step in range(len(members)):
            at = (self._turn + step) % len(members)
            if block := members[at].read(limit):
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
                    self._files.append(self._set([path], "beginning", backfill=False))
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
