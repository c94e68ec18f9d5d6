"""How good it was, as far as is remembered: counted by `availability`, as `report` does.

What was kept of the past, and what the engine remembers, are put together when somebody asks, peer by peer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from racoon_exporter.availability.log import GatewayLog, PeerLog, lapses
from racoon_exporter.availability.peer import Availability, Outage, availability
from racoon_exporter.availability.spans import Span, common, without
from racoon_exporter.sa import DaemonRun, IpsecSa, Negotiation
from racoon_exporter.status.overview.facts import DaemonFacts, Facts
from racoon_exporter.status.overview.timeline import Stretch, stretches

DAY: Final = 86400.0
WINDOWS: Final = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
"""Of which availability is shown beside a peer, in seconds."""


class Asked(Protocol):
    """A peer, as it is shown."""

    @property
    def key(self) -> tuple[str, str]:
        """Gateway and address."""

    @property
    def kind(self) -> str:
        """`roaming` for one that comes and goes."""

    @property
    def history(self) -> tuple[IpsecSa, ...]:
        """IPsec SAs that ended."""

    @property
    def ipsec(self) -> tuple[IpsecSa, ...]:
        """Those that are alive."""


class _Gateway(NamedTuple):
    log: GatewayLog
    known: list[Span]
    planned: list[Span]


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts of one gateway."""

    ended: list[IpsecSa] = field(default_factory=list)
    alive: list[IpsecSa] = field(default_factory=list)
    runs: list[DaemonRun] = field(default_factory=list)
    daemons: list[DaemonFacts] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """What is known of the past at a moment."""

    facts: Facts
    known_to: float | None
    """Until when SAs would have been seen."""

    @cached_property
    def begin(self) -> float | None:
        """From when on something is known."""
        return min((log.begin for log in self.facts.past.values() if log.begin is not None), default=None)

    @cached_property
    def _gateways(self) -> dict[str, _Gateway]:
        return {}

    @cached_property
    def _of_gateway(self) -> Mapping[str, _Facts]:
        """What is a gateway's: one of thousands must not look through what is of all."""
        found: defaultdict[str, _Facts] = defaultdict(_Facts)
        for ended in self.facts.ended_ipsec:
            found[ended.gateway].ended.append(ended)
        for alive in self.facts.ipsec:
            found[alive.gateway].alive.append(alive)
        for run in self.facts.runs:
            found[run.gateway].runs.append(run)
        for daemon in self.facts.daemons:
            found[daemon.gateway].daemons.append(daemon)
        return found

    @cached_property
    def _failed(self) -> Mapping[tuple[str, str], list[Negotiation]]:
        found: defaultdict[tuple[str, str], list[Negotiation]] = defaultdict(list)
        for one in self.facts.negotiations:
            if one.state == "failed":
                found[one.gateway, one.peer].append(one)
        return found

    def _gateway(self, name: str) -> _Gateway:
        known = self._gateways.get(name)
        if known is None:
            known = self._gateways[name] = self._look_at(name)
        return known

    def _look_at(self, name: str) -> _Gateway:
        """Add to what was kept of a gateway what is remembered; until now its log said what it said."""
        of, kept = self._of_gateway[name], self.facts.past.get(name) or GatewayLog()
        log = replace(
            kept,  # with its peers as they are: `_log` adds to one of them in a log of its own
            lapsed=[*kept.lapsed, *lapses(of.ended, name)],
            runs=[*kept.runs, *of.runs, *(one.run for one in of.daemons if one.run is not None)],
            silences=kept.silences.copy(),
            rhythm=kept.rhythm.copy(),
        )
        if self.known_to is not None and log.first is not None:
            log.passed(self.known_to, alive=bool(of.alive))
        log.quiet((one.quiet_since for one in of.daemons), (sa.established for sa in (*of.ended, *of.alive)))
        return _Gateway(log, log.known(), log.stops())

    def _log(self, peer: Asked) -> PeerLog:
        """Add to what was kept of a peer what is remembered, in a log of its own: requests ask side by side."""
        gateway, address = peer.key
        log = self._gateway(gateway).log
        known = log.peers.get(address)
        of_it = replace(log, peers={} if known is None else {address: known.copy()}, lapsed=[])
        for record in (*peer.history, *peer.ipsec, *self._failed.get(peer.key, ())):
            of_it.take(record)
        return of_it.peer(address)

    def availability(self, peer: Asked, begin: float | None, end: float) -> Availability | None:
        """Count a peer's time; from when on it is known where no begin is given."""
        gateway = self._gateway(peer.key[0])
        since = begin if begin is not None else gateway.log.begin
        if since is None:
            return None
        return availability(
            self._log(peer),
            known=gateway.known,
            planned=gateway.planned,
            window=(since, end),
            roaming=peer.kind == "roaming",
        )

    def outages(self, peer: Asked, end: float) -> tuple[Outage, ...]:
        """Give all outages that are known."""
        counted = self.availability(peer, None, end)
        return () if counted is None else counted.outages

    def timeline(self, peer: Asked, begin: float, end: float) -> tuple[Stretch, ...]:
        """Divide a time of a peer into what is counted."""
        gateway = self._gateway(peer.key[0])
        known = common(gateway.known, [(begin, end)])
        counted = self.availability(peer, begin, end)
        if counted is None:
            return stretches(begin, end, up=(), planned=(), counted=(), known=known)
        told = common(known, [(counted.first, counted.last)])
        return stretches(
            begin,
            end,
            up=common(counted.up_spans, told),
            planned=without(common(gateway.planned, told), counted.up_spans),
            counted=told,
            known=known,
        )

    def windows(self, peer: Asked, now: float) -> dict[str, Availability]:
        """Count a peer's last day, week and month; a longer one only where more is known than in the one before."""
        counted: dict[str, Availability] = {}
        reached = 0.0
        known = 0.0 if self.begin is None else now - self.begin
        for name, seconds in WINDOWS.items():
            if known > reached:
                found = self.availability(peer, now - seconds, now)
                if found is not None and found.share is not None:
                    counted[name] = found
            reached = seconds
        return counted


__all__ = ["DAY", "WINDOWS", "Kept"]
