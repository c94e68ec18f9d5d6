"""A peer's time as stretches in one state, for the drawing. Pure; what is counted, `availability` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from racoon_exporter.availability.spans import Span, gaps, without

Counted = Literal["up", "down", "planned", "before", "unknown"]
"""`before`: before its first SA or failure a peer does not count, though it is known that it was not up."""


class Stretch(NamedTuple):
    """A stretch of time in one state."""

    state: Counted
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.begin


def stretches(
    begin: float, end: float, *, up: Sequence[Span], planned: Sequence[Span], counted: Sequence[Span], known: Sequence[Span]
) -> tuple[Stretch, ...]:
    """Divide the time from `begin` to `end` without holes: what is counted and neither up nor planned is down."""
    told: dict[Counted, Sequence[Span]] = {
        "up": up,
        "planned": planned,
        "down": _without(_without(counted, up), planned),
        "before": _without(known, counted),
        "unknown": gaps(known, begin, end),
    }
    return tuple(sorted(_named(told), key=lambda one: one.begin))


def _without(one: Sequence[Span], other: Sequence[Span]) -> Sequence[Span]:
    return without(one, other) if one else []


def _named(told: dict[Counted, Sequence[Span]]) -> Iterator[Stretch]:
    for state, spans in told.items():
        for begin, end in spans:
            yield Stretch(state, begin, end)


__all__ = ["Stretch", "stretches"]
