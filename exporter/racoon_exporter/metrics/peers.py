"""Samples of peers: what is counted and believed of those that were heard of, and of those that are configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from racoon_exporter.metrics.rows import METRICS
from racoon_exporter.metrics.samples import Samples
from racoon_exporter.sa import Expectation
from racoon_exporter.sa.model import PSEUDO_PEERS, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.text import visible
from racoon_parsers.reasons import zero_for_expected

ROLES: Final = ("initiator", "responder")
_COUNTERS: Final = {row.counter: row for row in METRICS if row.counter and row.labels[:1] == ("peer",)}


def name_of(racoon: Racoon, address: str) -> str:
    """Name a peer as labels show it: an address is what a line says, a name what a comment in racoon.conf does."""
    return visible(racoon.knowledge.name(address))


def collect_peer(samples: Samples, gateway: str, peer: Peer, name: str) -> None:
    """Take what is counted for a peer, and when it last came up and failed."""
    for key, count in peer.counters.items():
        samples.add(_COUNTERS[key[0]].name, count, gateway, name, *key[1:])
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


def collect_sas(samples: Samples, racoon: Racoon) -> None:
    """Take the SAs of a racoon that are alive."""
    gateway = visible(racoon.gateway)
    for address, isakmp in racoon.isakmp.of_peer.items():
        samples.add("racoon_phase1_sas", len(isakmp), gateway, name_of(racoon, address))
    for address, sas in racoon.ipsec.of_peer.items():
        name = name_of(racoon, address)
        for sa in sas:
            samples.add("racoon_ipsec_sas", 1, gateway, name, sa.protocol, sa.state)


def collect_expected(samples: Samples, gateway: str, peers: Mapping[str, Expectation], *, told: bool) -> None:
    """Give configured peers their series, whether their racoon was heard of or not; but no phase 2 where none is told of."""
    for address, expected in peers.items():
        name = visible(expected.name)
        samples.put("racoon_peer_expected", 1, gateway, name, expected.kind)
        samples.put("racoon_peer_info", 1, gateway, name, address)
        if told:
            samples.put("racoon_phase2_up", 0, gateway, name)
        for metric in ("racoon_phase1_sas", "racoon_phase2_flaps", "racoon_dead_peers"):
            samples.add(metric, 0, gateway, name)
        for role in ROLES:
            samples.add("racoon_phase1_established", 0, gateway, name, role)
            samples.add("racoon_phase2_established", 0, gateway, name, role)
        for reason in zero_for_expected(1):
            samples.add("racoon_phase1_failures", 0, gateway, name, reason)
        for reason in zero_for_expected(2):
            samples.add("racoon_phase2_failures", 0, gateway, name, reason)
