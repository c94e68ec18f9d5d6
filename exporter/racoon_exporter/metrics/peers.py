"""Samples of peers: what is counted and believed of those that were heard of, and of those that are configured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from racoon_exporter.metrics.copies import PeerCopy
from racoon_exporter.metrics.rows import METRICS
from racoon_exporter.metrics.samples import Samples
from racoon_exporter.sa import Expectation
from racoon_exporter.sa.model import PSEUDO_PEERS, UNATTRIBUTED
from racoon_exporter.text import visible
from racoon_parsers.reasons import zero_for_expected

ROLES: Final = ("initiator", "responder")
_COUNTERS: Final = {row.counter: row.name for row in METRICS if row.counter and row.labels[:1] == ("peer",)}
_REASONS: Final = {f"racoon_phase{phase}_failures": tuple(zero_for_expected(phase)) for phase in (1, 2)}


def collect_peer(samples: Samples, gateway: str, name: str, peer: PeerCopy) -> None:
    """Take what is believed of a peer, and counted for it."""
    for key, count in peer.counters.items():
        samples.add(_COUNTERS[key[0]], count, gateway, name, *key[1:])
    if peer.address != UNATTRIBUTED:
        samples.add("racoon_phase1_sas", peer.isakmp, gateway, name)
    for protocol, state in peer.ipsec:
        samples.add("racoon_ipsec_sas", 1, gateway, name, protocol, state)
    if peer.address not in PSEUDO_PEERS:
        _collect_of_one(samples, gateway, name, peer)
    for value, metric in (
        (peer.phase1_last_established, "racoon_phase1_last_established_timestamp_seconds"),
        (peer.phase1_last_failure, "racoon_phase1_last_failure_timestamp_seconds"),
        (peer.phase2_last_established, "racoon_phase2_last_established_timestamp_seconds"),
        (peer.phase2_last_failure, "racoon_phase2_last_failure_timestamp_seconds"),
        (peer.phase1_duration, "racoon_phase1_last_negotiation_duration_seconds"),
    ):
        if value is not None:
            samples.put(metric, value, gateway, name)


def _collect_of_one(samples: Samples, gateway: str, name: str, peer: PeerCopy) -> None:
    """Take what only a single peer can be."""
    samples.put("racoon_peer_info", 1, gateway, name, visible(peer.address))
    samples.put("racoon_phase1_up", float(peer.isakmp > 0), gateway, name)
    if peer.phase2_told:
        samples.put("racoon_phase2_up", float(peer.phase2_up), gateway, name)
    samples.add("racoon_phase2_flaps", 0, gateway, name)
    if peer.nat is not None:
        samples.put("racoon_peer_nat", float(peer.nat), gateway, name)


def collect_expected(
    samples: Samples, gateway: str, name: str, peers: Iterable[tuple[str, Expectation]], *, told: bool
) -> None:
    """Give a configured name its series, whether its racoon was heard of or not; but no phase 2 where none is told of."""
    for address, expected in peers:
        samples.put("racoon_peer_expected", 1, gateway, name, expected.kind)
        samples.put("racoon_peer_info", 1, gateway, name, address)
        samples.put("racoon_phase1_up", 0, gateway, name)
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
