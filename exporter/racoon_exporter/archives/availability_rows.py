"""What old logs tell of availability: the table `outages`, and what each gateway gives to the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.formats import RowFormat
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.reading import PartOfEngine, Reading, Row, in_rounds
from racoon_exporter.availability.log import GatewayLog, PeerLog, Place
from racoon_exporter.availability.past import Past
from racoon_exporter.availability.peer import Availability, Outage, availability
from racoon_exporter.availability.spans import Span
from racoon_exporter.history import outage_row
from racoon_exporter.sa.model import PSEUDO_PEERS, UNATTRIBUTED
from racoon_parsers.record import Origin, Record
from racoon_parsers.stems import Number, Stem

_ENDING: Final = frozenset(
    {
        "ipsec_sa_expired",
        "ipsec_sa_purged",
        "ipsec_sa_deleted",
        "dpd_dead",
        "initial_contact",
        "admin_command",
        "daemon_start",
        "daemon_shutdown",
        "daemon_signal",
    }
)
"""Classes of lines that end SAs."""
_MOST_PLACES: Final = 100_000
Planned = tuple[tuple[float, float, str], ...]
"""Begin, end, gateway (empty for all) of planned work."""


class AttentiveEngine(PartOfEngine):
    """An engine that notes where lines stand that end SAs, and lets nothing go of what it notes of availability."""

    def __init__(self, share: int, shares: int, zone: Any, **settings: Any) -> None:
        super().__init__(share, shares, zone, **settings)
        self.past = Past()
        self.places: dict[tuple[str, float], Place] = {}

    def hear(self, time: float, origin: Origin, stem: Stem, number: Number, ending: str, line: int) -> None:
        """Take a message of a stem."""
        if self.minds(origin.gateway or self._stream):
            self.note_line(origin.gateway, time, stem.level, stem.message.event, line)
        super().hear(time, origin, stem, number, ending, line)

    def take(self, record: Record) -> None:
        """Take a record."""
        if record.time is not None and self.minds(record.gateway or self._stream):
            event = "" if record.message is None else record.message.event
            self.note_line(record.gateway, record.time, record.level, event, record.number)
        super().take(record)

    def note_line(self, gateway: str, time: float, level: str, event: str, line: int) -> None:  # noqa: ARG002  for engines above
        """Note a line, before what it tells is believed."""
        if event in _ENDING:
            key = self.state.gateways.shown(gateway, self._stream), time
            if key not in self.places:
                self.places[key] = Place(self._source, abs(line))
                if len(self.places) > _MOST_PLACES:
                    del self.places[next(iter(self.places))]


@dataclass(frozen=True, slots=True)
class AvailabilityRows:
    """What availability is made of a unit's logs; `form` writes outages, without one each gateway is a JSON text."""

    reading: Reading
    form: RowFormat | None = None
    planned: Planned = ()

    def can_share(self, unit: Unit) -> bool:
        """Whether several workers may mind a part of the gateways each."""
        return unit.splits_by_gateway

    def rounds(self, once: LinesOnce, share: int, shares: int) -> Iterator[list[Row]]:
        """Give nothing until the end, as an outage is none if a later line tells of an SA."""
        engine = self.reading.engine(share, shares, AttentiveEngine)
        assert isinstance(engine, AttentiveEngine)
        for _ in in_rounds(engine, once, self.reading.round_size):
            once.heard |= bool(engine.messages)
            collect(engine, engine.state.take_settled())
            yield []
        collect(engine, engine.state.history())
        for gateway, log in engine.past.gateways.items():
            racoons = engine.state.of_gateway(gateway)
            lives = (life.begin for peer in log.peers.values() for lived in peer.lived.values() for life in lived)
            log.quiet((one.life.quiet_since(one.now) for one in racoons), lives)
        rows = [row for gateway, log in engine.past.gateways.items() for row in self._rows(gateway, log)]
        yield sorted(rows, key=lambda row: row[0])

    def _rows(self, gateway: str, log: GatewayLog) -> Iterator[Row]:
        if not self.reading.selection.has_gateway(gateway):
            return
        found = list(self._peers(gateway, log))
        if self.form is None:
            yield [gateway], "report", json.dumps(self._fragment(gateway, log, found))
            return
        for address, peer in found:
            for outage in peer.outages:
                if self.reading.selection.has_reason(outage.last_reason):
                    values = self._outage(gateway, address, outage)
                    yield [0, outage.begin, gateway, address], "outages", self.form.text("outages", values)

    def _peers(self, gateway: str, log: GatewayLog) -> Iterator[tuple[str, Availability]]:
        known, planned = log.known(), [*log.stops(), *self._planned(gateway)]
        window = self._window(log)
        knowledge = self.reading.knowledge.at(gateway)
        peers = dict.fromkeys(knowledge.peers) | dict.fromkeys(address for address, peer in log.peers.items() if peer.is_known)
        for address in peers:
            if address in PSEUDO_PEERS or not self.reading.selection.has_peer(address, knowledge):
                continue
            known_as = knowledge.expected(address)
            counted = availability(
                log.peers.get(address) or PeerLog(),
                known=known,
                planned=planned,
                window=window,
                roaming=known_as is not None and known_as.kind == "roaming",
            )
            if counted is not None:
                yield address, counted

    def _window(self, log: GatewayLog) -> Span:
        selection = self.reading.selection
        first = selection.since if selection.since is not None else log.first or 0.0
        last = selection.until if selection.until is not None else log.last or 0.0
        return first, last

    def _planned(self, gateway: str) -> list[Span]:
        return [(begin, end) for begin, end, whose in self.planned if whose in ("", gateway)]

    def _outage(self, gateway: str, address: str, outage: Outage) -> dict[str, Any]:
        name = self.reading.knowledge.at(gateway).name(address)
        values = {
            "gateway": gateway,
            "peer": address,
            "name": None if name == address else name,
            **outage_row(outage, self.reading.shown_zone),
            "file": None if outage.place is None else outage.place.file,
            "line": None if outage.place is None else outage.place.line,
        }
        return {key: value for key, value in values.items() if key != "name" or value is not None}

    def _fragment(self, gateway: str, log: GatewayLog, found: list[tuple[str, Availability]]) -> dict[str, Any]:
        window = self._window(log)
        return {
            "gateway": gateway,
            "window": window,
            "known": log.known(),
            "planned": [*log.stops(), *self._planned(gateway)],
            "peers": [self._peer(gateway, address, peer, log.peers.get(address) or PeerLog()) for address, peer in found],
            "daemons": [[run.started, run.stopped, run.version, run.end] for run in log.runs],
            "strangers": sum(1 for address, peer in log.peers.items() if not peer.is_known and address != UNATTRIBUTED),
            "unattributed": sum(one.count for one in log.peer(UNATTRIBUTED).failed),
        }

    def _peer(self, gateway: str, address: str, peer: Availability, log: PeerLog) -> dict[str, Any]:
        knowledge = self.reading.knowledge.at(gateway)
        expected = knowledge.expected(address)
        return {
            "address": address,
            "name": knowledge.name(address),
            "kind": "unlisted" if expected is None else expected.kind,
            "exchange": log.exchange,
            "established": log.established,
            "share": peer.share,
            "known": peer.known,
            "up": peer.up,
            "down": peer.down,
            "unknown": peer.unknown,
            "planned": peer.planned,
            "longest": peer.longest,
            "mttr": peer.repaired_in,
            "mtbf": peer.between,
            "flaps": peer.flaps,
            "failures": peer.failures,
            "first": peer.first,
            "last": peer.last,
            "up_spans": peer.up_spans,
            "outages": [
                [one.begin, one.end, one.seconds, one.cause, one.last_reason, one.told_by, *(one.place or (None, None))]
                for one in peer.outages
            ],
        }


def collect(engine: AttentiveEngine, records: dict[str, list[Any]]) -> None:
    """Take ended records, each to its gateway."""
    for ended in records.values():
        for record in ended:
            log = engine.past.of(record.gateway)
            over = getattr(record, "ended", None)
            log.take(record, None if over is None else engine.places.get((record.gateway, over)))
