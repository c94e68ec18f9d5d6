"""From facts to what a person wants to know: each peer's state, since when, why, and whether all this can be trusted. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar

from racoon_exporter.sa import Expectation, IpsecSa, IsakmpSa, Negotiation
from racoon_exporter.sa.current_reason import Failing, Trouble, credit, current_trouble, is_failing, last_trouble
from racoon_exporter.status.overview.availability import DAY, Kept
from racoon_exporter.status.overview.facts import PSEUDO_PEERS, Facts, Failures, PeerFacts
from racoon_exporter.status.overview.timeline import Stretch
from racoon_exporter.wording.natural_order import Natural, natural

State = Literal["down", "failing", "unknown", "gone", "up", "idle"]
Kind = Literal["permanent", "roaming", "unexpected", "stranger"]
Sa = TypeVar("Sa", IsakmpSa, IpsecSa)

STATES: Final[dict[State, str]] = {
    "down": "A permanent peer without an IPsec SA in each direction.",
    "failing": "The last negotiation failed, within the last hour.",
    "unknown": "The log does not tell: racoon logs too little, or no line of it was read.",
    "gone": "Nobody configured the peer; it was up and is no longer.",
    "up": "An IPsec SA is alive in each direction.",
    "idle": "Not connected, and nothing says that it should be.",
}
"""Every state, the most urgent first."""
_SHORTEST: Final = 60.0
"""Seconds that a timeline shows at least."""
_RANKS: Final = {state: rank for rank, state in enumerate(STATES)}


class Known(Failing, Protocol):
    """What kind and state of a peer follow from; as in `sa.model.Peer`."""

    @property
    def stranger(self) -> bool:
        """Nobody configured it and it never completed a phase 1."""

    @property
    def since(self) -> float | None:
        """When phase 2 last came up or went down."""


@dataclass(frozen=True, slots=True)
class End:
    """How a peer's last IPsec SA ended."""

    time: float | None
    cause: str


@dataclass(frozen=True, slots=True)
class PeerView:
    """A peer as it is shown. `name` is the value of the label `peer` in the metrics."""

    gateway: str
    address: str
    name: str
    kind: Kind
    state: State
    since: float | None
    """When phase 2 last came up or went down; None if it never did."""
    phase1_last_established: float | None
    phase2_up: bool
    phase2_last_established: float | None
    nat: bool | None
    last_seen: float | None
    last_failure: Trouble | None
    trying: float | None
    """Since when phase 1 is negotiated, where it is just now."""
    authentication: str | None
    """What it proves itself with, where that is known."""
    told_by: tuple[str | None, str | None]
    """By phase: the gateway whose log named the last reason, where it was the other end's."""
    trouble: Trouble | None
    """Why it is not up, or what fails with it: the metric `racoon_peer_reason`."""
    last_end: End | None
    flaps: int
    failures: Failures
    isakmp: tuple[IsakmpSa, ...]
    ipsec: tuple[IpsecSa, ...]
    history: tuple[IpsecSa, ...]
    """IPsec SAs that ended, as far as they are remembered."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.gateway, self.address

    def alive(self, direction: str) -> int:
        """How many IPsec SAs live in a direction."""
        return sum(1 for sa in self.ipsec if sa.direction == direction)


@dataclass(frozen=True, slots=True)
class Unattributed:
    """Failures that no line ties to a peer, and those of peers beyond the limit."""

    gateway: str
    peer: str
    failures: Failures


@dataclass(frozen=True, slots=True)
class Overview:
    """All peers in the order of urgency, and what stands beside them."""

    facts: Facts
    now: float
    peers: tuple[PeerView, ...]
    unattributed: tuple[Unattributed, ...]
    log_begins: float | None
    """When the first line was written; None if nothing was read."""
    kept: Kept
    """What is known of the past."""

    @property
    def known_from(self) -> float | None:
        """From when on no IPsec SA is missing; None if nothing is known at all."""
        return self.kept.begin

    @property
    def timeline_begins(self) -> float:
        """When the timelines begin: a day ago, or with what is known."""
        if self.known_from is None:
            return self.now - DAY
        return max(self.now - DAY, min(self.known_from, self.now - _SHORTEST))

    def timeline(self, peer: PeerView) -> tuple[Stretch, ...]:
        """Give the last day of a peer, or what of it is known."""
        return self.kept.timeline(peer, self.timeline_begins, self.now)

    def name_of(self, gateway: str, address: str) -> str:
        """Give the name of an address at a gateway."""
        return self.facts.knowledge.at(gateway).name(address)


def overview(facts: Facts, now: float) -> Overview:
    """Work out what is shown from a copy of the engine's facts."""
    known = _merged(facts.peers)
    isakmp = _by_peer(facts.isakmp)
    ipsec = _by_peer(facts.ipsec)
    ended = _by_peer(facts.ended_ipsec)
    seeing = {daemon.gateway for daemon in facts.daemons if not daemon.quiet}
    keys = dict.fromkeys((*_expected_keys(facts), *known))
    at = {gateway: facts.knowledge.at(gateway) for gateway, _ in keys}
    peers = [
        _peer(
            key,
            known.get(key),
            at[key[0]].expected(key[1]),
            isakmp.get(key, ()),
            ipsec.get(key, ()),
            ended.get(key, ()),
            now,
            blind=key[0] not in seeing,
        )
        for key in keys
    ]
    unattributed = [
        Unattributed(peer.gateway, peer.address, peer.failures)
        for peer in facts.peers
        if peer.address in PSEUDO_PEERS and any(peer.failures.values())
    ]
    kept = Kept(facts, _known_to(facts, now))
    return Overview(facts, now, tuple(sorted(peers, key=_urgency)), tuple(unattributed), facts.log_begins(), kept)


def _known_to(facts: Facts, now: float) -> float | None:
    """Give until when SAs would have been seen: now, or the last line where no source can be read."""
    if any(status.up for status in facts.sources) or not facts.sources:
        return now
    return max(facts.last_line.values(), default=None)


def _urgency(peer: PeerView) -> tuple[bool, int, Natural, Natural]:
    return peer.kind == "stranger", _RANKS[peer.state], natural(peer.gateway), natural(peer.name)


def _expected_keys(facts: Facts) -> Iterable[tuple[str, str]]:
    """Give every configured peer on every gateway it may belong to, as the metrics do."""
    for gateway in sorted(facts.gateways):
        for address in facts.knowledge.at(gateway).peers:
            yield gateway, address
    for gateway in facts.named:
        for address in facts.knowledge.at(gateway).own:
            yield gateway, address


def _merged(peers: Iterable[PeerFacts]) -> dict[tuple[str, str], PeerFacts]:
    """Of several racoons of a gateway that know a peer, believe the one with which it is up, else that heard of it last."""
    merged: dict[tuple[str, str], PeerFacts] = {}
    for peer in peers:
        key = peer.gateway, peer.address
        other = merged.get(key)
        if peer.address not in PSEUDO_PEERS and (other is None or credit(peer) > credit(other)):
            merged[key] = peer
    return merged


def _by_peer(sas: Iterable[Sa]) -> dict[tuple[str, str], tuple[Sa, ...]]:
    found: defaultdict[tuple[str, str], list[Sa]] = defaultdict(list)
    for sa in sas:
        found[sa.gateway, sa.peer].append(sa)
    return {key: tuple(values) for key, values in found.items()}


def _peer(
    key: tuple[str, str],
    facts: PeerFacts | None,
    expected: Expectation | None,
    isakmp: tuple[IsakmpSa, ...],
    ipsec: tuple[IpsecSa, ...],
    ended: tuple[IpsecSa, ...],
    now: float,
    *,
    blind: bool,
) -> PeerView:
    gateway, address = key
    kind = kind_of(facts, expected)
    return PeerView(
        gateway=gateway,
        address=address,
        name=address if expected is None else expected.name or address,
        kind=kind,
        state=state_of(kind, facts, now, blind=blind),
        since=None if facts is None else facts.since,
        phase1_last_established=None if facts is None else facts.phase1_last_established,
        phase2_up=facts is not None and facts.phase2_up,
        phase2_last_established=None if facts is None else facts.phase2_last_established,
        nat=None if facts is None else facts.nat,
        last_seen=None if facts is None else facts.last_seen,
        last_failure=None if facts is None else last_trouble(facts),
        trying=None if facts is None else facts.trying,
        authentication=None if facts is None else facts.authentication,
        told_by=(None, None) if facts is None else (facts.phase1_last_told_by, facts.phase2_last_told_by),
        trouble=None if facts is None else current_trouble(facts, now, permanent=kind == "permanent"),
        last_end=_last_end(ended),
        flaps=0 if facts is None else facts.flaps,
        failures={1: {}, 2: {}} if facts is None else facts.failures,
        isakmp=isakmp,
        ipsec=ipsec,
        history=ended,
    )


def kind_of(facts: Known | None, expected: Expectation | None) -> Kind:
    """Tell what a peer is to us. Of a configured network nobody can say which address ought to be there."""
    if expected is not None:
        return "roaming" if expected.kind == "roaming" else "permanent"
    return "stranger" if facts is not None and facts.stranger else "unexpected"


def state_of(kind: Kind, facts: Known | None, now: float, *, blind: bool) -> State:
    """Tell the state of a peer; `blind` where the log of its gateway does not tell of SAs."""
    up = facts is not None and facts.phase2_up
    if blind and not up:
        return "unknown"  # silence is not "no SAs"
    if kind == "permanent" and not up:
        return "down"
    if facts is not None and is_failing(facts, now):
        return "failing"
    if up:
        return "up"
    return "gone" if kind == "unexpected" and facts is not None and facts.since is not None else "idle"


def _last_end(ended: tuple[IpsecSa, ...]) -> End | None:
    last = max(ended, key=lambda sa: sa.ended or 0.0, default=None)
    return None if last is None or last.end is None else End(last.ended, last.end)


def recent_failures(negotiations: Iterable[Negotiation]) -> list[Negotiation]:
    """Give the failed negotiations, those that ended last first."""
    failed = [one for one in negotiations if one.outcome == "failed"]
    return sorted(failed, key=lambda one: one.ended or 0.0, reverse=True)


def expected_expiry(sa: IsakmpSa | IpsecSa) -> float | None:
    """Give the time of an SA's hard expiry, where its lifetime is known."""
    return None if sa.established is None or sa.lifetime is None else sa.established + sa.lifetime


def totals(peers: Iterable[PeerView]) -> Mapping[State, int]:
    """Count the peers by state; strangers are not counted."""
    counted: dict[State, int] = dict.fromkeys(STATES, 0)
    for peer in peers:
        if peer.kind != "stranger":
            counted[peer.state] += 1
    return counted
