"""Samples of peers: what is counted and believed of those that were heard of, and of those that are configured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from racoon_exporter.metrics.copies import PeerCopy
from racoon_exporter.metrics.rows import METRICS
from racoon_exporter.metrics.samples import Samples
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.sa.model import PSEUDO_PEERS
from racoon_exporter.text import visible
from racoon_parsers.reasons import zero_for_expected

ROLES: Final = ("initiator", "responder")
_COUNTERS: Final = {row.counter: row.name for row in METRICS if row.counter and row.labels[:1] == ("peer",)}
_REASONS: Final = {f"racoon_phase{phase}_failures": tuple(zero_for_expected(phase)) for phase in (1, 2)}


def name_of(knowledge: Knowledge, address: str) -> str:
    """Name a peer as labels show it: an address is what a line says, a name what a comment in racoon.conf does."""
    return visible(knowledge.name(address))


def collect_peer(samples: Samples, gateway: str, name: str, peer: PeerCopy) -> None:
    """Take what is believed of a peer, and counted for it."""
    if peer.known:
        _collect_counts(samples, gateway, name, peer)
        if peer.phase2_told and peer.address not in PSEUDO_PEERS:
            samples.put("racoon_phase2_up", float(peer.phase2_up), gateway, name)
    if peer.isakmp is not None:
        samples.add("racoon_phase1_sas", peer.isakmp, gateway, name)
    for protocol, state in peer.ipsec:
        samples.add("racoon_ipsec_sas", 1, gateway, name, protocol, state)


def collect_phase1_up(samples: Samples) -> None:
    """Say of each peer whose ISAKMP SAs are counted whether there is one."""
    up = samples.values["racoon_phase1_up"]
    for labels, count in samples.values["racoon_phase1_sas"].items():
        up[labels] = float(count > 0)


def _collect_counts(samples: Samples, gateway: str, name: str, peer: PeerCopy) -> None:
    for key, count in peer.counters.items():
        samples.add(_COUNTERS[key[0]], count, gateway, name, *key[1:])
    if peer.address not in PSEUDO_PEERS:
        samples.put("racoon_peer_info", 1, gateway, name, visible(peer.address))
        samples.add("racoon_phase1_sas", 0, gateway, name)
        samples.add("racoon_phase2_flaps", 0, gateway, name)
        if peer.nat is not None:
            samples.put("racoon_peer_nat", float(peer.nat), gateway, name)
    for value, metric in (
        (peer.phase1_last_established, "racoon_phase1_last_established_timestamp_seconds"),
        (peer.phase1_last_failure, "racoon_phase1_last_failure_timestamp_seconds"),
        (peer.phase2_last_established, "racoon_phase2_last_established_timestamp_seconds"),
        (peer.phase2_last_failure, "racoon_phase2_last_failure_timestamp_seconds"),
        (peer.phase1_duration, "racoon_phase1_last_negotiation_duration_seconds"),
    ):
        if value is not None:
            samples.put(metric, value, gateway, name)


def collect_expected(
    samples: Samples, gateway: str, name: str, peers: Iterable[tuple[str, Expectation]], *, told: bool
) -> None:
    """Give a configured name its series, whether its racoon was heard of or not; but no phase 2 where none is told of."""
    for address, expected in peers:
        samples.put("racoon_peer_expected", 1, gateway, name, expected.kind)
        samples.put("racoon_peer_info", 1, gateway, name, address)
        if told:
            samples.put("racoon_phase2_up", 0, gateway, name)
        for metric in ("racoon_phase1_sas", "racoon_phase2_flaps", "racoon_dead_peers"):
            samples.add(metric, 0, gateway, name)
        for role in ROLES:
            samples.add("racoon_phase1_established", 0, gateway, name, role)
            samples.add("racoon_phase2_established", 0, gateway, name, role)
        for metric, reasons in _REASONS.items():
            for reason in reasons:
                samples.add(metric, 0, gateway, name, reason)
