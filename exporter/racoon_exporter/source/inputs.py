"""All that is read, as one.

The loop asks `read` until it gives nothing, then sleeps in `wait`. Every source has its turn, so a busy one does not starve
the others. One thread reads; `wake` may be called from anywhere, and `statuses` from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, Polled, Source, SourceStatus
from racoon_exporter.source.kinds import HERE, Surroundings, Wanted, groups, make
from racoon_exporter.source.paths import Paths
from racoon_exporter.source.wake_up import WakeUp, WatchedFiles
from racoon_exporter.source.watch import Watcher

POLL_SECONDS = 0.05
"""How often sources are asked that no descriptor tells of."""
GAP_SECONDS = 0.05
"""Least time between two returns of `wait` for descriptors: what comes in small pieces is read in larger ones."""


class Inputs:
    """Several sources, read in turn."""

    def __init__(
        self,
        wanted: Sequence[Wanted],
        around: Surroundings = HERE,
        *,
        watcher: Callable[[Iterable[str]], Watcher] = Watcher,
    ) -> None:
        """Read what is wanted. `watcher` is for tests. Raises ValueError for a path that no file can have, and the like."""
        self._watcher = watcher
        self._around = around
        self._groups = _made(groups(wanted), around)
        self._clock = around.clock
        self._returned = self._clock() - GAP_SECONDS
        self._wake_up = WakeUp()
        self._watched: WatchedFiles | None = None
        self._unwatched: list[str] = []
        """What is to be watched from the next sleep on: the web endpoint has its threads first, where there are few."""
        self._line_up()

    def _line_up(self) -> None:
        """Read all sources in turn, and watch what they want watched."""
        self._sources = list(self._groups.values())
        self._polled = [source for source in self._sources if isinstance(source, Polled)]
        self._turn = 0
        self._unwatched = [path for source in self._sources for path in source.watched()]
        if self._watched is not None:
            self._watched.close()
            self._watched = None

    def change(self, wanted: Sequence[Wanted], positions: Mapping[str, object], most_open: int | None = None) -> frozenset[str]:
        """Read what is wanted from now on; gives the names of streams that count on, all others count from 0.

        What was wanted before goes on: pipes, sockets and connections stay open. Files are read on from `positions`, which hold
        all that `positions` gave. Raises ValueError or OSError, with nothing changed, for what cannot be read.
        """
        around = self._around if most_open is None else replace(self._around, most_open=most_open)
        before = self._groups
        made = _made([group for group in groups(wanted) if group not in before], around)
        for source in made.values():
            for other in before.values():
                if isinstance(source, Paths) and isinstance(other, Paths):
                    source.take_over(other)
            source.restore({name: position for name, position in positions.items() if source.reads(name)})
        self._groups = {group: (before | made)[group] for group in groups(wanted)}
        for group in before.keys() - self._groups.keys():
            before[group].close()
        stay = [before[group] for group in self._groups.keys() & before.keys()]
        self._line_up()
        return frozenset(status.name for source in stay for status in source.statuses())

    @property
    def finished(self) -> bool:
        """Whether all sources have an end, and it was reached: only standard input has one."""
        return all(source.finished for source in self._sources)

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next block of whichever source has one, in turn; None when none has. Never waits, never raises OSError."""
        for step in range(len(self._sources)):
            at = (self._turn + step) % len(self._sources)
            if block := self._sources[at].read(limit):
                self._turn = at + 1
                return block
        return None

    def reads(self, name: str) -> bool:
        """Whether a stream of this name is asked for, by itself or by a pattern."""
        return any(source.reads(name) for source in self._sources)

    def positions(self) -> dict[str, object]:
        """Where each stream stands after the last block it gave, as JSON values by name; only of those that have positions."""
        return {name: position for source in self._sources for name, position in source.positions().items()}

    def check(self, positions: Mapping[str, object]) -> None:
        """Raise ValueError where one of these is no position that a source could go on from."""
        for source in self._sources:
            source.check(positions)

    def resume(self, positions: Mapping[str, object]) -> None:
        """Go on from what `positions` gave, all of which `check` has taken; to be called before the first read."""
        for source in self._sources:
            source.restore(positions)

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How each stream is doing; one for each name."""
        return tuple(status for source in self._sources for status in source.statuses())

    def wait(self, timeout: float) -> bool:
        """Sleep until something may be there, until `wake`, or for `timeout` seconds; True if it was not the time.

        Read afterwards whatever the answer is.
        """
        early = min(self._returned + GAP_SECONDS - self._clock(), timeout)
        if early > 0 and self._wake_up.sleep(early):
            return True
        woken = self._sleep(timeout - max(0.0, early))
        if woken:
            self._returned = self._clock()
        return woken

    def _watch(self) -> None:
        """Begin to watch what is not watched yet; what happened to it before makes the sleep end at once."""
        names, self._unwatched = self._unwatched, []
        if names:
            self._watched = WatchedFiles(self._watcher(names), self._wake_up.wake)

    def _sleep(self, seconds: float) -> bool:
        self._watch()
        if not self._polled:
            return self._wake_up.sleep(seconds, self._descriptors())
        until = self._clock() + seconds
        while not any(source.arrived() for source in self._polled):
            left = until - self._clock()
            if left <= 0:
                return False
            if self._wake_up.sleep(min(POLL_SECONDS, left), self._descriptors()):
                return True
        return True

    def _descriptors(self) -> list[int]:
        return [descriptor for source in self._sources for descriptor in source.descriptors()]

    def wake(self) -> None:
        """Make the present wait, or else the next one, return at once. From any thread, or a signal handler."""
        self._wake_up.wake()

    def close(self) -> None:
        """Let go of everything; may be called twice. Positions stay."""
        if self._watched is not None:
            self._watched.close()
            self._watched = None
        for source in self._sources:
            source.close()
        self._wake_up.close()


def _made(wanted: Iterable[tuple[Wanted, ...]], around: Surroundings) -> dict[tuple[Wanted, ...], Source]:
    """Make all sources, or none where one cannot be."""
    made: dict[tuple[Wanted, ...], Source] = {}
    try:
        for group in wanted:
            made[group] = make(group, around)
    except (ValueError, OSError):
        for source in made.values():
            source.close()
        raise
    return made
