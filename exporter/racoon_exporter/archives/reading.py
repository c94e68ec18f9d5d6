"""How old logs are read: zone, what is known of peers, whose logs they are. It goes to each worker as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import lru_cache, partial
from typing import Any, Final

from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.plan import in_share
from racoon_exporter.archives.selection import Selection
from racoon_exporter.archives.survey import changed
from racoon_exporter.engine import Engine
from racoon_exporter.sa import Knowledge, Known
from racoon_exporter.source.files.patterns import matches
from racoon_exporter.zone import read_zone
from racoon_parsers.record import Origin, Record
from racoon_parsers.stems import Number, Stem

ROUND: Final = 1024 * 1024
"""Bytes of log after which what is over leaves."""
AS_THEY_COME: Final = 1
"""The same for a pipe, whose writer may take its time."""

Row = tuple[list[Any], str, str]
"""Where it stands among the rows of its round, its table, its text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings that all commands over old logs share."""

    zone_name: str = "UTC"
    """By name, since a zone read from a file cannot be sent to another process."""
    shown_in_utc: bool = False
    knowledge: Known = field(default_factory=Knowledge)
    gateways: tuple[tuple[str, str], ...] = ()
    """Patterns of paths, and the gateway whose logs are there."""
    selection: Selection = field(default_factory=Selection)
    round_size: int = ROUND

    @property
    def zone(self) -> tzinfo:
        """The zone of the logs."""
        return read_zone(self.zone_name)

    @property
    def shown_zone(self) -> tzinfo:
        """The zone in which times are shown."""
        return UTC if self.shown_in_utc else self.zone

    def gateway_of(self, path: str) -> str:
        """Name the gateway whose log stands at a path; empty where nobody said so."""
        return next((gateway for pattern, gateway in self.gateways if pattern == path or matches(pattern, path)), "")

    def engine(self, share: int = 0, shares: int = 1, kind: type[PartOfEngine] | None = None) -> Engine:
        """Make an engine that minds its share of the gateways."""
        engine = Engine if shares == 1 and kind is None else partial(kind or PartOfEngine, share, shares)
        return engine(self.zone, knowledge=self.knowledge, gateway_of=self.gateway_of, reference_of=changed)


class PartOfEngine(Engine):
    """An engine that reads all lines and minds those of its share of the gateways."""

    hears_each = True

    def __init__(self, share: int, shares: int, zone: tzinfo, **settings: Any) -> None:
        super().__init__(zone, **settings)
        self.minds = lru_cache(maxsize=4096)(partial(in_share, share=share, shares=shares))

    def hear(self, time: float, origin: Origin, stem: Stem, number: Number, ending: str, line: int) -> None:
        """Take a message of a stem."""
        if self.minds(origin.gateway or self._stream):
            super().hear(time, origin, stem, number, ending, line)

    def take(self, record: Record) -> None:
        """Take a record."""
        if self.minds(record.gateway or self._stream):
            super().take(record)


def in_rounds(engine: Engine, once: LinesOnce, size: int, *, live: bool = False) -> Iterator[None]:
    """Feed an engine all lines; stop at the end of each round, and once more at the very end.

    With `live` it believes what it would have believed as the lines were written: what another log tells is not waited for.
    """
    engine.state.two_ends.catching_up = once.both_ends and not live
    left = size
    for block in once.blocks(lambda: _latest(engine)):
        engine.feed(block)
        left -= len(block.data)
        if left <= 0:
            left = size
            yield
    engine.finish()
    yield


def _latest(engine: Engine) -> float | None:
    """Give the time of the newest line, as far as the lines are in order."""
    return max(engine.last_line.values(), default=None)
