"""When to look at something again, by the log's time."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Any, Final, Protocol

FEW: Final = 65_536
"""Looks below which those at what is over are left alone."""
NEVER: Final = float("inf")


class Owner(Protocol):
    """Whoever wants to look at something again."""

    def due(self, what: Any, now: float) -> None:
        """Look at it: the time has come."""


class Timers:
    """Looks to come, in the order of their times, and those of one time in the order in which they were set."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, int, Owner, Any]] = []
        self._sequence = count()
        self._most = FEW

    def at(self, when: float, owner: Owner, what: Any) -> None:
        """Let an owner look at something again at a time."""
        if len(self._looks) >= self._most:
            self._forget_what_is_over()
        heapq.heappush(self._looks, (when, next(self._sequence), owner, what))

    def _forget_what_is_over(self) -> None:
        """Forget looks at what has ended: they would keep it in memory until their time."""
        self._looks = [look for look in self._looks if not getattr(look[3], "ended", None)]
        heapq.heapify(self._looks)
        self._most = max(FEW, 2 * len(self._looks))

    def run(self, now: float) -> None:
        """Take all looks that are due, those that they set among them."""
        looks = self._looks
        while looks and looks[0][0] <= now:
            _, _, owner, what = heapq.heappop(looks)
            owner.due(what, now)

    @property
    def next(self) -> float:
        """Time of the next look; infinity for none."""
        return self._looks[0][0] if self._looks else NEVER
