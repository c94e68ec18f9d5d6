"""Negotiations under way: from the line that begins one to the line, or the silence, that ends it."""

from __future__ import annotations

from bisect import insort_left
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, Literal

from racoon_exporter.sa.archive import Archive
from racoon_exporter.sa.model import Negotiation, from_json, to_json
from racoon_exporter.sa.shared_bounds import Crowd
from racoon_exporter.sa.tables import NEGOTIATION, NegotiationEvent, move, with_own_code
from racoon_exporter.sa.timers import NEVER
from racoon_parsers.reasons import more_telling

GIVEN_UP_AFTER: Final = 600.0
"""Seconds after which an unfinished negotiation is given up without a verdict: its end was not logged."""
MOST_UNDER_WAY: Final = 4096
"""Unfinished negotiations of one daemon; beyond it the one of the longest-waiting peer is given up."""

_MOST_NEWEST: Final = 256
"""Negotiations among which one is looked for that has just begun."""

OnFailure = Callable[[Negotiation, float | None], None]
"""Takes a negotiation that failed, and the present time."""
OfPeer = dict[str, list[Negotiation]]
"""By peer, oldest first."""
Look = tuple[float, Negotiation]
"""When to look whether a negotiation is to be given up."""
_move: Final = with_own_code(move)


class Negotiations:
    """The negotiations of one racoon that have not ended."""

    __slots__ = (
        "_all",
        "_archive",
        "_begun_at",
        "_crowd",
        "_horizon",
        "_looks",
        "_on_failure",
        "next_look",
        "open",
        "over",
        "waiting",
    )

    def __init__(self, archive: Archive, on_failure: OnFailure, crowd: Crowd) -> None:
        self.open: OfPeer = {}
        """Those that have begun."""
        self.waiting: OfPeer = {}
        """Wishes for phase 2 that wait for a phase 1."""
        self._begun_at: dict[int, dict[Negotiation, None]] = {}
        """Phase 1 by the second of its beginning: time-outs go by age."""
        self._all: dict[Negotiation, None] = {}
        """All, in the order in which they began: a restart must find them in it."""
        self.over = 0
        """How many phase 1 have ended so far."""
        self._looks: list[Look] = []
        """When to look at those of which something was heard before the horizon was set, the soonest last."""
        self._horizon = NEVER
        """When to set looks anew. What is heard of later is given up later still, and most end long before: they need none."""
        self.next_look = NEVER
        """When one is to be looked at again; infinity for never."""
        self._archive = archive
        self._on_failure = on_failure
        self._crowd = crowd

    def __iter__(self) -> Iterator[Negotiation]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def newest(self) -> Iterator[Negotiation]:
        """Give some of those that began last, the newest first."""
        return islice(reversed(self._all), _MOST_NEWEST)

    # their lives

    def begin(self, negotiation: Negotiation, now: float | None) -> None:
        """Begin a negotiation."""
        if len(self._all) >= MOST_UNDER_WAY:
            self._drop_oldest(now)
        self._enter(negotiation)
        self.touch(negotiation, now)
        self._crowd.grown()

    def touch(self, negotiation: Negotiation, at: float | None) -> None:
        """Take note that something was heard of one. Its beginning may have had no time, and clocks step back."""
        if at is None:
            return
        before, negotiation.touched = negotiation.touched, at
        end = at + GIVEN_UP_AFTER
        if end < self._horizon and (before is None or at < before):
            self._look_at(negotiation, end)

    def _look_at(self, negotiation: Negotiation, when: float) -> None:
        """Look at one before the horizon; the first that there is sets it."""
        if self._horizon == NEVER:
            self._horizon = self.next_look = when
        elif len(self._looks) < 4 * MOST_UNDER_WAY:
            insort_left(self._looks, (when, negotiation), key=_later)
            self.next_look = self._looks[-1][0]
        else:  # a clock that goes back and forth sets looks at one as often as it likes
            self._set_looks()

    def _set_looks(self) -> None:
        """Set a look at each, and the horizon behind the last of them."""
        looks = [(one.touched + GIVEN_UP_AFTER, one) for one in reversed(self._all) if one.touched is not None]
        self._looks = sorted(looks, key=_later)
        self._horizon, self.next_look = (self._looks[0][0], self._looks[-1][0]) if looks else (NEVER, NEVER)

    def _enter(self, negotiation: Negotiation) -> None:
        table = self.waiting if negotiation.state == "waiting" else self.open
        of_peer = table.get(negotiation.peer)
        if of_peer is None:
            table[negotiation.peer] = [negotiation]
        else:
            of_peer.append(negotiation)
        self._all[negotiation] = None
        if negotiation.phase == 1 and negotiation.begun is not None:
            self._begun_at.setdefault(int(negotiation.begun), {})[negotiation] = None

    def take_up(self, negotiation: Negotiation, now: float | None) -> None:
        """Let a wish become a negotiation."""
        _remove(self.waiting, negotiation)
        del self._all[negotiation]
        self._all[negotiation] = None  # it is the newest that has begun
        _move(NEGOTIATION, negotiation, "begun")
        self.touch(negotiation, now)
        self.open.setdefault(negotiation.peer, []).append(negotiation)

    def let_go(self, number: int, now: float | None) -> None:
        """Give so many up, those of the longest-waiting peers first: there are too many of all racoons."""
        for _ in range(number):
            self._drop_oldest(now)

    def _drop_oldest(self, now: float | None) -> None:
        table = self.open or self.waiting
        self.finish(next(iter(table.values()))[0], "crowded_out", now)

    def finish(
        self,
        negotiation: Negotiation,
        event: NegotiationEvent,
        at: float | None,
        *,
        reason: str | None = None,
        late: bool = False,
    ) -> bool:
        """End a negotiation, with a verdict or without one, and tell whether that ended it.

        What is told `late` ended before others that were told already.
        """
        table = self.waiting if negotiation.state == "waiting" else self.open
        if not _move(NEGOTIATION, negotiation, event):
            return False
        _remove(table, negotiation)
        self._all.pop(negotiation, None)
        if negotiation.phase == 1:
            self.over += 1
            if negotiation.begun is not None:
                self._forget_second(negotiation, int(negotiation.begun))
        begun = negotiation.begun
        negotiation.ended = at if begun is None or at is None or begun <= at else begun  # lines may be out of order
        negotiation.reason = reason
        if late:
            self._archive.insert(self._archive.negotiations, negotiation)
        else:
            self._archive.add(self._archive.negotiations, negotiation)
        return True

    def _forget_second(self, negotiation: Negotiation, begun: int) -> None:
        second = self._begun_at.get(begun)
        if second is not None:
            second.pop(negotiation, None)
            if not second:
                del self._begun_at[begun]

    def fail(
        self,
        negotiation: Negotiation,
        reason: str | None,
        at: float | None,
        *,
        now: float | None,
        event: Literal["failed", "half_failed"] = "failed",
    ) -> None:
        """End a negotiation as failed, for its most telling reason, and count it. It may be told later than it failed."""
        reason = more_telling(negotiation.evidence, reason) or "unknown"
        if self.finish(negotiation, event, at, reason=reason, late=at != now):
            self._on_failure(negotiation, now)

    def abandon(
        self, negotiation: Negotiation, event: Literal["silence", "half_left"], at: float | None, now: float | None
    ) -> None:
        """End a negotiation of which nothing more will come: half a pair and a line that tells why make it a failure."""
        if negotiation.half and negotiation.evidence is not None:
            self.fail(negotiation, None, at, now=now, event="half_failed")
        else:
            self.finish(negotiation, event, at, late=at != now)

    # looking

    def of_phase(self, phase: int) -> Iterator[Negotiation]:
        """Give the negotiations of a phase that have begun."""
        for negotiations in self.open.values():
            for negotiation in negotiations:
                if negotiation.phase == phase:
                    yield negotiation

    def of_peer(self, address: str, phase: int, role: str | None = None) -> list[Negotiation]:
        """Give a peer's negotiations of a phase that have begun, oldest first."""
        return [
            negotiation
            for negotiation in self.open.get(address, ())
            if negotiation.phase == phase and (role is None or negotiation.role in (role, None))
        ]

    def without_sas(self, address: str) -> list[Negotiation]:
        """Give a peer's phase 2 negotiations that have begun and of whose SAs none is there, oldest first."""
        return [one for one in self.open.get(address, ()) if one.phase == 2 and not one.half]

    def only_peer(self, phase: int) -> str | None:
        """Give the peer that negotiates a phase, if there is one only."""
        only: str | None = None
        for negotiation in self.of_phase(phase):
            if only not in (None, negotiation.peer):
                return None
            only = negotiation.peer
        return only

    def begun_in(self, first: int, last: int) -> Iterator[Negotiation]:
        """Give the phase 1 negotiations that began in one of these seconds."""
        for second in range(first, last + 1):
            yield from self._begun_at.get(second, ())

    # time

    def pass_time(self, now: float) -> None:
        """Give up those of which nothing was heard for so long that nothing will be, at the time when that was clear."""
        while self.next_look <= now:
            while self._looks and self._looks[-1][0] <= now:
                negotiation = self._looks.pop()[1]
                if negotiation.ended is not None:
                    continue
                assert negotiation.touched is not None  # only then it is looked at
                end = negotiation.touched + GIVEN_UP_AFTER
                if end <= now:
                    self.abandon(negotiation, "silence", end, now)
                elif end < self._horizon:
                    insort_left(self._looks, (end, negotiation), key=_later)
            if self._horizon <= now:
                self._set_looks()
            else:
                self.next_look = self._looks[-1][0] if self._looks else self._horizon

    # keeping

    def to_json(self) -> list[dict[str, Any]]:
        """Give everything, for a checkpoint."""
        return [to_json(negotiation) for negotiation in self]

    def restore(self, given: list[dict[str, Any]]) -> list[Negotiation]:
        """Go on from what `to_json` gave, and give the negotiations in its order."""
        negotiations = [from_json(Negotiation, item) for item in given]
        for negotiation in negotiations:
            self._enter(negotiation)
            if negotiation.touched is None:  # an older version let it lose its time
                negotiation.touched = negotiation.begun
        self._set_looks()
        return negotiations


def _later(look: Look) -> float:
    """Order looks: the later, the nearer to the beginning."""
    return -look[0]


def _remove(table: OfPeer, negotiation: Negotiation) -> None:
    negotiations = table.get(negotiation.peer)
    if negotiations is None or negotiation not in negotiations:
        return
    negotiations.remove(negotiation)
    if not negotiations:
        del table[negotiation.peer]
