"""`history` over old logs: rows of ended negotiations and SAs as they end, those that are alive at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.formats import RowFormat
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.reading import Reading, Row, in_rounds
from racoon_exporter.history import row

_BEGIN: Final = {"phase1": "established", "ipsec": "established", "negotiations": "begun", "daemon": "started"}
_END: Final = {"phase1": "ended", "ipsec": "ended", "negotiations": "ended", "daemon": "stopped"}
_NAMES: Final[dict[str, Callable[[Any], str]]] = {
    "phase1": lambda sa: str(sa.cookies),
    "ipsec": lambda sa: f"{sa.direction or ''} {sa.protocol} {sa.spi:010d}",
    "negotiations": lambda one: f"{one.phase} {one.role or ''} {one.cookies or ''} {one.reason or ''}",
    "daemon": lambda run: str(run.version or ""),
}
"""What tells records of a table apart that began at the same time with the same peer."""
SHOWN: Final = ("phase1", "ipsec", "negotiations", "daemon")


@dataclass(frozen=True, slots=True)
class HistoryRows:
    """What `history` makes of a unit's logs."""

    reading: Reading
    form: RowFormat

    def can_share(self, unit: Unit) -> bool:
        """Whether several workers may mind a part of the gateways each."""
        return unit.splits_by_gateway

    def rounds(self, once: LinesOnce, share: int, shares: int) -> Iterator[list[Row]]:
        """Give the rows of each round in an order that does not depend on how many share the work."""
        engine = self.reading.engine(share, shares)
        for _ in in_rounds(engine, once, self.reading.round_size):
            once.heard |= bool(engine.messages)
            yield self._rows(engine.state.take_settled())
        yield self._rows(engine.state.history())

    def _rows(self, records: dict[str, list[Any]]) -> list[Row]:
        rows = [self._row(name, record) for name in self.form.tables for record in records[name] if self._wanted(name, record)]
        return sorted(rows, key=lambda item: item[0])

    def _row(self, name: str, record: Any) -> Row:
        values = row(name, record, self.reading.shown_zone)
        peer = values.get("peer")
        known = None if peer is None else self.reading.knowledge.at(record.gateway).name(peer)
        if known not in (None, peer):
            values["name"] = known
        return _place(name, record), name, self.form.text(name, values)

    def _wanted(self, name: str, record: Any) -> bool:
        selection = self.reading.selection
        return (
            selection.spans(getattr(record, _BEGIN[name]), getattr(record, _END[name]))
            and selection.has_gateway(record.gateway)
            and (name == "daemon" or selection.has_peer(record.peer, self.reading.knowledge.at(record.gateway)))
            and selection.has_reason(getattr(record, "reason", None))
        )


def _place(name: str, record: Any) -> list[Any]:
    """Give what a record's place among those of its round follows from: nothing but the record itself."""
    begin, end = getattr(record, _BEGIN[name]), getattr(record, _END[name])
    peer = getattr(record, "peer", "")
    return [SHOWN.index(name), begin or 0.0, record.gateway, peer, end or 0.0, _NAMES[name](record)]
