"""What is copied out of the engine while the reader waits: little work, no rendering, nothing that changes afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from racoon_exporter.engine import Engine
from racoon_exporter.metrics import QUIET_AFTER
from racoon_exporter.sa import DaemonRun, Expectation, IpsecSa, IsakmpSa, Negotiation
from racoon_exporter.sa.model import OTHER, UNATTRIBUTED, Peer
from racoon_exporter.sa.racoon import Archive, Racoon
from racoon_exporter.source import SourceStatus

Failures = Mapping[int, Mapping[str, int]]
"""By phase and reason: how many negotiations failed."""

PSEUDO_PEERS: Final = frozenset({OTHER, UNATTRIBUTED})
_FAILURES: Final = {"phase1_failures": 1, "phase2_failures": 2}


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """What one racoon knows of one peer; times as in `sa.model.Peer`."""

    gateway: str
    address: str
    stranger: bool
    last_seen: float | None
    phase1_last_established: float | None
    phase1_last_failure: float | None
    phase1_last_reason: str | None
    phase2_last_established: float | None
    phase2_last_failure: float | None
    phase2_last_reason: str | None
    nat: bool | None
    phase2_up: bool
    since: float | None
    flaps: int
    failures: Failures


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
    quiet: bool
    """It logs too little to see an SA."""

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
    expected: Mapping[str, Expectation]
    sources: tuple[SourceStatus, ...]
    last_line: Mapping[str, float]
    unknown_messages: int
    known_from: float | None
    """From when on every IPsec SA is remembered; None if nothing is known at all."""


def take_facts(engine: Engine, statuses: tuple[SourceStatus, ...]) -> Facts:
    """Copy what is shown. Ended records no longer change and are shared; living ones are copied."""
    state = engine.state
    archive = state.archive
    racoons = list(state.racoons.values())
    return Facts(
        peers=tuple(_peer(racoon.gateway, peer) for racoon in racoons for peer in racoon.peers.values()),
        isakmp=tuple(map(replace, state.isakmp_sas())),
        ipsec=tuple(map(replace, state.ipsec_sas())),
        ended_isakmp=tuple(archive.phase1),
        ended_ipsec=tuple(archive.ipsec),
        negotiations=tuple(archive.negotiations),
        daemons=tuple(map(_daemon, racoons)),
        expected=state.knowledge.peers,
        sources=statuses,
        last_line=dict(engine.last_line),
        unknown_messages=engine.unparsed["unknown_message"],
        known_from=_known_from(archive, racoons, state.knowledge.limits.history),
    )


def _peer(gateway: str, peer: Peer) -> PeerFacts:
    return PeerFacts(
        gateway,
        peer.address,
        peer.stranger,
        peer.last_seen,
        peer.phase1_last_established,
        peer.phase1_last_failure,
        peer.phase1_last_reason,
        peer.phase2_last_established,
        peer.phase2_last_failure,
        peer.phase2_last_reason,
        peer.nat,
        peer.phase2_up,
        peer.since,
        peer.counters["phase2_flaps",],
        _failures(peer),
    )


def _failures(peer: Peer) -> Failures:
    found: dict[int, dict[str, int]] = {1: {}, 2: {}}
    for key, number in peer.counters.items():
        phase = _FAILURES.get(key[0])
        if phase is not None:
            found[phase][key[1]] = number
    return found


def _daemon(racoon: Racoon) -> DaemonFacts:
    run = racoon.run
    return DaemonFacts(
        racoon.gateway,
        racoon.ident,
        racoon.stream,
        racoon.now,
        None if run is None else replace(run),
        racoon.stopped,
        quiet=run is not None and not racoon.run_listens and _longer_than(QUIET_AFTER, run.started, racoon.now),
    )


def _longer_than(seconds: float, since: float | None, now: float | None) -> bool:
    return since is not None and now is not None and now - since > seconds


def _known_from(archive: Archive, racoons: list[Racoon], limit: int | None) -> float | None:
    """Give the time from which on no IPsec SA can be missing.

    That is the first thing that was seen, or the oldest end that is remembered once older ones were let go.
    """
    if limit is not None and len(archive.ipsec) >= limit - limit // 10 > 0:
        return archive.ipsec[0].ended
    seen = [run.started for run in archive.daemon] + [racoon.run.started for racoon in racoons if racoon.run is not None]
    seen += [negotiation.begun for negotiation in archive.negotiations]
    seen += [sa.established for sa in archive.ipsec]
    seen += [sa.established for racoon in racoons for sas in racoon.ipsec.values() for sa in sas]
    seen += [negotiation.begun for racoon in racoons for open_ in racoon.open.values() for negotiation in open_]
    return min((time for time in seen if time is not None), default=None)


__all__ = ["PSEUDO_PEERS", "DaemonFacts", "Facts", "Failures", "PeerFacts", "take_facts"]
