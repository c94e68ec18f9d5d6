"""Samples by metric, and what they are taken of."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from racoon_exporter.engine import Engine
from racoon_exporter.source.contract import SourceStatus
from racoon_exporter.witness import Shown

T = TypeVar("T")
_LOGGER: Final = logging.getLogger("racoon_exporter")


@dataclass(frozen=True, slots=True)
class OwnState:
    """What the exporter reports of itself."""

    sources: tuple[SourceStatus, ...] = ()
    checkpoint_time: float = 0.0
    checkpoint_failures: int = 0
    web_config_ok: bool = True
    config_ok: bool = True
    witnesses: Shown | None = None
    is_settling: Callable[[str], bool] = lambda _gateway: False
    """Whether a gateway that is not held may be on its way to or from here."""
    families_told: set[str] = field(default_factory=set)
    """Families that failed at the last scrape, which is logged once."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What samples are taken of."""

    engine: Engine
    own: OwnState
    gateways: frozenset[str]


@dataclass(slots=True)
class Samples:
    """Samples by metric: label values to value. Values of equal labels add up, as for a peer with two addresses."""

    values: dict[str, dict[tuple[str, ...], float]] = field(default_factory=lambda: defaultdict(dict))
    durations: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add to a sample."""
        values = self.values[name]
        values[labels] = values.get(labels, 0) + value

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a sample; of two values the larger stands."""
        values = self.values[name]
        known = values.get(labels)
        if known is None or value > known:
            values[labels] = value

    def unite(self, other: Samples) -> None:
        """Add what was counted of other things."""
        for name, taken in other.values.items():
            values = self.values[name]
            for labels, value in taken.items():
                values[labels] = values.get(labels, 0) + value
        self.durations.update(other.durations)

    def take(self, family: str, take: Callable[[Samples, Scrape], None], scrape: Scrape) -> None:
        """Take the samples of a family. If that fails none of them is given, and the others are: a part would be wrong."""
        told = scrape.own.families_told

        def taken() -> Samples:
            part = Samples()
            take(part, scrape)
            return part

        part = attempt(family, told, taken)
        if part is not None:
            self.values.update(part.values)
            self.durations.update(part.durations)
            told.discard(family)
        self.put("racoon_exporter_family_ok", float(family not in told), "", family)


def attempt(family: str, told: set[str], work: Callable[[], T]) -> T | None:
    """Do what the samples of a family need; where that fails it is logged once, and None is given."""
    try:
        return work()
    except Exception:  # whatever it is: the other families are served
        if family not in told:
            _LOGGER.exception("the metrics of %s cannot be taken; the others are served", family)
        told.add(family)
        return None
