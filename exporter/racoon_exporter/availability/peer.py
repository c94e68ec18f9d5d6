"""A peer's availability: how its time is counted, and its outages.

Up is an IPsec SA alive in each direction. What is planned, and what the log does not tell of, counts neither way.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from racoon_exporter.availability.log import Failed, Lived, PeerLog, Place, together
from racoon_exporter.availability.spans import Span, among, common, gaps, is_within, seconds, union, without

_JUST_BEFORE: Final = 60.0
"""Seconds before a fall within which a failure belongs to it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From up to down to up."""

    begin: float
    end: float | None
    """None while it lasts."""
    seconds: float
    """Of them those that count: neither planned nor unknown."""
    cause: str | None
    """How the last SA ended."""
    first_reason: str | None
    last_reason: str | None
    told_by: str | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class Availability:
    """A peer's time."""

    known: float
    up: float
    down: float
    unknown: float
    planned: float
    outages: tuple[Outage, ...]
    flaps: int
    failures: dict[str, int]
    up_spans: tuple[Span, ...]
    first: float
    last: float

    @property
    def share(self) -> float | None:
        """Up of all time that counts; None where none does."""
        counted = self.up + self.down
        return self.up / counted if counted else None

    @property
    def longest(self) -> float | None:
        """Seconds of the longest outage."""
        return max((outage.seconds for outage in self.outages), default=None)

    @property
    def repaired_in(self) -> float | None:
        """Mean seconds of the outages that are over (MTTR)."""
        over = [outage.seconds for outage in self.outages if outage.end is not None]
        return sum(over) / len(over) if over else None

    @property
    def between(self) -> float | None:
        """Mean seconds up for each outage (MTBF)."""
        return self.up / len(self.outages) if self.outages else None


def availability(
    log: PeerLog,
    *,
    known: Sequence[Span],
    planned: Sequence[Span],
    window: Span,
    roaming: bool = False,
) -> Availability | None:
    """Count a peer's time within a window; None where the window ends before the peer was first up, or first failed."""
    first = max(window[0], log.first if log.first is not None else window[0])
    last = window[1]
    if first >= last:
        return None
    span = [(first, last)]
    told = common(known, [(first if log.kept_from is None else max(first, log.kept_from), last)])
    aside = common(union(planned), span)
    counted = without(told, aside)
    lives = {direction: together(log.lived.get(direction, [])) for direction in ("in", "out")}
    up = common(_spans(lives["in"]), _spans(lives["out"]))
    ups = common(up, counted)
    outages = () if roaming else tuple(_outages(up, counted, lives, log.failed, (first, last)))
    return Availability(
        known=seconds(told),
        up=seconds(ups),
        down=0.0 if roaming else seconds(without(counted, up)),
        unknown=seconds(without(span, told)),
        planned=seconds(common(aside, told)),
        outages=outages,
        flaps=sum(1 for _, end in up if first <= end < last and is_within(counted, end)),
        failures=_failures(log.failed, first, last),
        up_spans=tuple(common(up, span)),
        first=first,
        last=last,
    )


def _spans(lives: Sequence[Lived]) -> list[Span]:
    return union((life.begin, life.end) for life in lives)


def _outages(
    up: Sequence[Span], counted: Sequence[Span], lives: dict[str, list[Lived]], failed: Sequence[Failed], window: Span
) -> list[Outage]:
    ends = {life.end: life for lived in lives.values() for life in lived}
    found = []
    failures = _Failures(failed)
    for begin, end in gaps(up, *window):
        down = common([(begin, end)], among(counted, begin, end))
        if not down:
            continue
        life = ends.get(begin)
        within = failures.within(begin - _JUST_BEFORE, end)
        found.append(
            Outage(
                down[0][0],
                None if end >= window[1] else down[-1][1],
                seconds(down),
                life.cause if life is not None else None,
                within[0].reason if within else None,
                within[-1].reason if within else None,
                next((one.told_by for one in within if one.told_by is not None), None),
                life.place if life is not None else None,
            )
        )
    return found


class _Failures:
    """Runs of failures, nearly in the order of time, of which each outage asks for its own."""

    def __init__(self, failed: Sequence[Failed]) -> None:
        self._failed = failed
        self._last_so_far = list(accumulate((one.last for one in failed), max))
        firsts = list(accumulate((one.first for one in reversed(failed)), min))
        self._first_from_here = firsts[::-1]

    def within(self, begin: float, end: float) -> list[Failed]:
        """Give those that reach into a time, its bounds included. None before the first place, or from the second on, does."""
        places = slice(bisect_left(self._last_so_far, begin), bisect_right(self._first_from_here, end))
        return [one for one in self._failed[places] if one.last >= begin and one.first <= end]


def _failures(failed: Sequence[Failed], first: float, last: float) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for one in failed:
        if one.last >= first and one.first < last:
            counts[one.reason] += one.count
    return dict(counts.most_common())
