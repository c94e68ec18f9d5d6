"""What is copied out of the engine while the reader waits: little work, no rendering, nothing that changes afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Final, NamedTuple

from racoon_exporter.availability.log import GatewayLog
from racoon_exporter.engine import Engine
from racoon_exporter.metrics import gateways_of
from racoon_exporter.sa import DaemonRun, IpsecSa, IsakmpSa, Known, Negotiation
from racoon_exporter.sa.model import PSEUDO_PEERS, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.source import SourceStatus
from racoon_exporter.witness import Shown

Failures = Mapping[int, Mapping[str, int]]
"""By phase and reason: how many negotiations failed."""

_FAILURES: Final = {"phase1_failures": 1, "phase2_failures": 2}


class PeerFacts(NamedTuple):
    """What one racoon knows of one peer; times as in `sa.model.Peer`."""

    gateway: str
    address: str
    stranger: bool
    last_seen: float | None
    phase1_last_established: float | None
    phase1_last_failure: float | None
    phase1_last_reason: str | None
    phase1_last_told_by: str | None
    phase2_last_established: float | None
    phase2_last_failure: float | None
    phase2_last_reason: str | None
    phase2_last_told_by: str | None
    authentication: str | None
    nat: bool | None
    phase2_up: bool
    since: float | None
    trying: float | None
    """Since when phase 1 is negotiated, where it is just now."""
    counters: Mapping[tuple[str, ...], int]

    @property
    def flaps(self) -> int:
        """Times phase 2 went from up to down."""
        return self.counters.get(("phase2_flaps",), 0)

    @property
    def failures(self) -> Failures:
        """Failed negotiations."""
        found: dict[int, dict[str, int]] = {1: {}, 2: {}}
        for key, number in self.counters.items():
            phase = _FAILURES.get(key[0])
            if phase is not None:
                found[phase][key[1]] = number
        return found


_PEER: Final = attrgetter(*PeerFacts._fields[1:-2])
_ISAKMP: Final = attrgetter(*(item.name for item in fields(IsakmpSa)))
_IPSEC: Final = attrgetter(*(item.name for item in fields(IpsecSa)))


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """A racoon."""

    gateway: str
    ident: str
    stream: str
    now: float | None
    """Time of its last line."""
    run: DaemonRun | None
    stopped: bool
    quiet_since: float | None
    """Since when it logs too little to see an SA; None where it logs enough."""
    rule: str
    """The logging rule that would show phase 2, where its system hides it; else ""."""

    @property
    def quiet(self) -> bool:
        """Whether it logs too little to see an SA."""
        return self.quiet_since is not None

    @property
    def name(self) -> str:
        """What tells it from others: its host, else the log it writes."""
        return self.gateway or self.stream or self.ident


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the page and the API show, as of one moment."""

    peers: tuple[PeerFacts, ...]
    isakmp: tuple[IsakmpSa, ...]
    ipsec: tuple[IpsecSa, ...]
    ended_isakmp: tuple[IsakmpSa, ...]
    ended_ipsec: tuple[IpsecSa, ...]
    negotiations: tuple[Negotiation, ...]
    """Ended ones, in the order of their ends."""
    daemons: tuple[DaemonFacts, ...]
    knowledge: Known
    """What is configured."""
    gateways: frozenset[str]
    """Gateways heard of, and those of the sources, of which nothing was heard yet; "" where no line and no source names one."""
    named: tuple[str, ...]
    """Gateways that the configuration names."""
    sources: tuple[SourceStatus, ...]
    first_line: Mapping[str, float]
    last_line: Mapping[str, float]
    unknown_messages: int
    runs: tuple[DaemonRun, ...]
    """Lives of racoons that ended."""
    past: Mapping[str, GatewayLog]
    """What is kept of the past beside these, by gateway."""
    witnessed: Shown | None = None
    """What witnesses beside the log say; None without one."""

    def log_begins(self) -> float | None:
        """Give the time of the first line, which stays what it is; None if nothing was read.

        A state file of an older version does not tell it: then it is the first thing that is remembered.
        """
        seen = [run.started for run in self.runs]
        seen += [daemon.run.started for daemon in self.daemons if daemon.run is not None]
        seen += [negotiation.begun for negotiation in self.negotiations]
        seen += [sa.established for sas in (self.ended_ipsec, self.ipsec, self.ended_isakmp, self.isakmp) for sa in sas]
        return min((time for time in (*self.first_line.values(), *seen) if time is not None), default=None)


def take_facts(engine: Engine, statuses: tuple[SourceStatus, ...]) -> Facts:
    """Copy what is shown. Ended records no longer change and are shared; living ones are copied."""
    state = engine.state
    archive = state.archive
    racoons = list(state.racoons.values())
    return Facts(
        peers=tuple(_peer(racoon, peer) for racoon in racoons for peer in racoon.peers.values()),
        isakmp=tuple([IsakmpSa(*_ISAKMP(sa)) for sa in state.isakmp_sas()]),
        ipsec=tuple([IpsecSa(*_IPSEC(sa)) for sa in state.ipsec_sas()]),
        ended_isakmp=tuple(archive.phase1),
        ended_ipsec=tuple(archive.ipsec),
        negotiations=tuple(archive.negotiations),
        daemons=tuple(map(_daemon, racoons)),
        knowledge=state.knowledge,
        gateways=gateways_of(engine, statuses),
        named=tuple(map(state.gateways.spelled, state.knowledge.gateways)),
        sources=statuses,
        first_line=dict(engine.first_line),
        last_line=dict(engine.last_line),
        unknown_messages=engine.unparsed["unknown_message"],
        runs=tuple(archive.daemon),
        past={gateway: log.copy() for gateway, log in engine.past.gateways.items()},
    )


def _peer(racoon: Racoon, peer: Peer) -> PeerFacts:
    trying = next((negotiation.begun for negotiation in racoon.negotiations.of_peer(peer.address, 1)), None)
    return PeerFacts._make((racoon.gateway, *_PEER(peer), trying, dict(peer.counters)))


def _daemon(racoon: Racoon) -> DaemonFacts:
    run = racoon.life.run
    return DaemonFacts(
        racoon.gateway,
        racoon.ident,
        racoon.stream,
        racoon.now,
        None if run is None else replace(run),
        racoon.life.stopped,
        quiet_since=racoon.life.quiet_since(racoon.now),
        rule="" if racoon.life.phase2_told else racoon.life.dialect.phase2_rule,
    )


__all__ = ["PSEUDO_PEERS", "DaemonFacts", "Facts", "Failures", "PeerFacts", "take_facts"]
