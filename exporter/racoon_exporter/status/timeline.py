"""When an IPsec SA was alive in each direction: the last day of a peer as spans of up, down and unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from racoon_exporter.sa.model import IpsecSa

DAY: Final = 86400.0

Interval = tuple[float, float]


class Span(NamedTuple):
    """A stretch of time in one state."""

    state: Literal["up", "down", "unknown"]
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.begin


def spans(
    sas: Iterable[IpsecSa], begin: float, end: float, known_from: float | None, known_to: float | None
) -> tuple[Span, ...]:
    """Divide the time from `begin` to `end` into spans without holes.

    Up is where an SA was alive in each direction; one that is dying still carries traffic. Before `known_from` and after
    `known_to` nothing is known; None means that nothing is known at all, or nothing after the last line.
    """
    if known_from is None or known_to is None:
        return (Span("unknown", begin, end),)
    low, high = min(max(begin, known_from), end), max(min(end, known_to), begin)
    if high <= low:
        return (Span("unknown", begin, end),)
    known = list(sas)
    up = _intersection(*(_union(_lives(known, direction, low, high)) for direction in ("in", "out")))
    return tuple(_with_gaps(up, begin, end, low, high))


def _lives(sas: Iterable[IpsecSa], direction: str, low: float, high: float) -> Iterator[Interval]:
    for sa in sas:
        if sa.direction != direction:
            continue
        since = low if sa.established is None else max(sa.established, low)
        until = high if sa.ended is None else min(sa.ended, high)
        if until > since:
            yield since, until


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    """Join what overlaps or touches."""
    joined: list[Interval] = []
    for begin, end in sorted(intervals):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _intersection(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    found: list[Interval] = []
    first = second = 0
    while first < len(one) and second < len(other):
        begin, end = max(one[first][0], other[second][0]), min(one[first][1], other[second][1])
        if begin < end:
            found.append((begin, end))
        if one[first][1] <= other[second][1]:
            first += 1
        else:
            second += 1
    return found


def _with_gaps(up: Iterable[Interval], begin: float, end: float, low: float, high: float) -> Iterator[Span]:
    if begin < low:
        yield Span("unknown", begin, low)
    at = low
    for since, until in up:
        if at < since:
            yield Span("down", at, since)
        yield Span("up", since, until)
        at = until
    if at < high:
        yield Span("down", at, high)
    if high < end:
        yield Span("unknown", high, end)
