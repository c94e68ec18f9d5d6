"""When to look at something again, by the log's time."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, Final, Protocol

FEW: Final = 1024
"""Looks below which those that nobody waits for any more are left alone."""
NEVER: Final = float("inf")


class Owner(Protocol):
    """Whoever wants to look at something again."""

    def due(self, what: Any, now: float) -> None:
        """Look at it: the time has come."""

    def awaits(self, what: Any, when: float) -> bool:
        """Whether a look at it at this time is still wanted: it is over, or was to be looked at sooner, if not."""


class Timers:
    """Looks to come, in the order of their times, and those of one time in the order in which they were set."""

    __slots__ = ("_looks", "_most", "_number", "_times", "next")

    def __init__(self) -> None:
        self._looks: dict[float, list[tuple[Owner, Any]]] = {}
        """By time: a log's times are whole seconds, so that many looks share one."""
        self._times: list[float] = []
        """The times, a heap."""
        self.next = NEVER
        """Time of the next look; infinity for none."""
        self._number = 0
        self._most = FEW

    def at(self, when: float, owner: Owner, what: Any) -> None:
        """Let an owner look at something again at a time."""
        if self._number >= self._most:
            self._forget_what_nobody_awaits()
        looks = self._looks.get(when)
        if looks is None:
            self._looks[when] = [(owner, what)]
            heappush(self._times, when)
            self.next = self._times[0]
        else:
            looks.append((owner, what))
        self._number += 1

    def _forget_what_nobody_awaits(self) -> None:
        """Forget looks that are not wanted: they would stay until their time, which a forged one puts off for ever."""
        left = {
            when: [(owner, what) for owner, what in looks if owner.awaits(what, when)] for when, looks in self._looks.items()
        }
        self._looks = {when: looks for when, looks in left.items() if looks}
        self._times = list(self._looks)
        heapify(self._times)
        self.next = self._times[0] if self._times else NEVER
        self._number = len(self)
        self._most = max(FEW, 2 * self._number)

    def run(self, now: float) -> None:
        """Take all looks that are due, those that they set among them."""
        while self._times and self._times[0] <= now:
            when = heappop(self._times)
            self.next = self._times[0] if self._times else NEVER
            looks = self._looks.pop(when)
            self._number -= len(looks)
            left = iter(looks)
            try:
                for owner, what in left:
                    owner.due(what, now)
            except Exception:
                for owner, what in left:
                    self.at(when, owner, what)
                raise

    def __len__(self) -> int:
        """Give the number of looks to come."""
        return sum(map(len, self._looks.values()))
