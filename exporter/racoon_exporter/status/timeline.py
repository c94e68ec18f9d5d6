"""A peer's time as stretches in one state, for the drawing. Pure; what is counted, `availability` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from racoon_exporter.availability.spans import Span, gaps, without

Counted = Literal["up", "down", "planned", "unknown"]


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
    begin: float, end: float, *, up: Sequence[Span], planned: Sequence[Span], known: Sequence[Span]
) -> tuple[Stretch, ...]:
    """Divide the time from `begin` to `end` without holes: what is known and neither up nor planned is down."""
    down = without(without(known, up), planned) if known else []
    told: dict[Counted, Sequence[Span]] = {"up": up, "planned": planned, "down": down, "unknown": gaps(known, begin, end)}
    return tuple(sorted(_named(told), key=lambda one: one.begin))


def _named(told: dict[Counted, Sequence[Span]]) -> Iterator[Stretch]:
    for state, spans in told.items():
        for begin, end in spans:
            yield Stretch(state, begin, end)


__all__ = ["Stretch", "stretches"]
