"""How much all racoons together remember: each has bounds of its own, and whoever writes the log names any gateway.

Of too many SAs or negotiations, the racoons that have most let their oldest go: a flood at one gateway, or at a thousand, takes
nothing of the others. What is only remembered for lines to come is a share for each racoon.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Any, Final, Protocol

from racoon_exporter.sa.configured import Limits

MOST: Final = {"ipsec": 65_536, "isakmp": 32_768, "negotiations": 16_384}
"""By part of a racoon: how many there may be of all racoons."""
_OF_A_GATEWAY: Final = {"ipsec": 64, "isakmp": 16, "negotiations": 16}
"""How many more where more gateways are let in."""
_LET_GO: Final = 64
"""One part in so many goes at once: to find who has most takes a look at all."""
_AT_ONCE: Final = 8
"""One part in so many of what a racoon has goes before it is looked again who has most."""
LEAST: Final = 64
"""What a racoon may remember of a kind, however many there are."""


class Members(Protocol):
    """SAs or negotiations of a racoon."""

    def __len__(self) -> int:
        """Give how many there are."""

    def let_go(self, number: int, now: float | None) -> None:
        """End so many, the oldest first."""


class Holder(Protocol):
    """A racoon."""

    @property
    def now(self) -> float | None:
        """Time of its last line."""

    def changed(self) -> None:
        """Take note that something may have changed that is shown."""


Holders = Mapping[Any, Holder]
Share = Callable[[int], int]
"""Gives how much of a kind a racoon may remember now, of which it could remember so much if it were alone."""


def whole(most: int) -> int:
    """Give all of it to one that is alone."""
    return most


class Crowd:
    """The SAs, or the negotiations, of all racoons."""

    __slots__ = ("_holders", "_number", "_part", "most")

    def __init__(self, part: str, holders: Callable[[], Iterable[Holder]], most: int = sys.maxsize) -> None:
        self.most = most
        self._part = part
        self._holders = holders
        self._number = most
        """No fewer than there were when they were counted last, and came since."""

    def bound(self, most: int) -> None:
        """Let there be so many from now on."""
        self.most = self._number = most

    def grown(self) -> None:
        """Take note that there is one more."""
        self._number += 1
        if self._number > self.most:
            self._count()

    def _count(self) -> None:
        few = self.most - self.most // _LET_GO
        crowd: list[tuple[Holder, Members]] = [(holder, getattr(holder, self._part)) for holder in self._holders()]
        number = sum(len(members) for _, members in crowd)
        if number > self.most:
            _thin_out(crowd, number - few)
            number = few
        self._number = max(number, few)  # others that share the bound do not say when they have one more


def _thin_out(crowd: list[tuple[Holder, Members]], excess: int) -> None:
    """Let so many go, of those that have most."""
    largest = [(-len(members), place) for place, (_, members) in enumerate(crowd)]
    heapify(largest)
    while excess > 0:
        size, place = heappop(largest)
        holder, members = crowd[place]
        number = min(max(1, -size // _AT_ONCE), excess)
        members.let_go(number, holder.now)
        holder.changed()
        heappush(largest, (size + number, place))
        excess -= number


class SharedBounds:
    """What racoons share: how many SAs and negotiations there may be of them, and what each may remember beside."""

    def __init__(self, ours: Holders | None = None) -> None:
        self._ours: Holders = {} if ours is None else ours
        self.elsewhere: Callable[[], Iterable[Holders]] = tuple
        """Racoons of others that share the bounds."""
        self.ipsec = Crowd("ipsec", self._holders)
        self.isakmp = Crowd("isakmp", self._holders)
        self.negotiations = Crowd("negotiations", self._holders)

    def learn(self, limits: Limits) -> None:
        """Take what a changed configuration says. An old log is read once, gateway by gateway: there each bound is its own."""
        for crowd, part in ((self.ipsec, "ipsec"), (self.isakmp, "isakmp"), (self.negotiations, "negotiations")):
            most = sys.maxsize if limits.history is None else max(MOST[part], limits.gateways * _OF_A_GATEWAY[part])
            crowd.bound(most)

    def share(self, most: int) -> int:
        """Give how much of a kind a racoon may remember now, of which it could remember so much if it were alone."""
        number = len(self._ours) + sum(map(len, self.elsewhere()))
        return most if number <= 1 else max(most // number, min(most, LEAST))

    def _holders(self) -> Iterable[Holder]:
        return chain(self._ours.values(), *(each.values() for each in self.elsewhere()))


__all__ = ["LEAST", "MOST", "Crowd", "Share", "SharedBounds", "whole"]
