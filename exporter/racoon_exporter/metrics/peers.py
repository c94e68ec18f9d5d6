"""Samples of peers: what is counted and believed of those that were heard of, and of those that are configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
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


def addresses_of(racoon: Racoon) -> Iterable[str]:
    """Give the peers of which a racoon has anything to tell."""
    return dict.fromkeys(chain(racoon.peers, racoon.isakmp.of_peer, racoon.ipsec.of_peer))


def collect_peer(samples: Samples, racoon: Racoon, address: str) -> None:
    """Take what is believed of a peer of a racoon, and counted for it. `key_of` tells whether it may have changed."""
    gateway, name, peer = visible(racoon.gateway), name_of(racoon, address), racoon.peers.get(address)
    if peer is not None:
        _collect_counts(samples, gateway, peer, name)
        if racoon.life.phase2_told and address not in PSEUDO_PEERS:
            samples.put("racoon_phase2_up", float(peer.phase2_up), gateway, name)
    collect_sas(samples, racoon, address, name)


def collect_phase1_up(samples: Samples) -> None:
    """Say of each peer whose ISAKMP SAs are counted whether there is one."""
    for labels, count in list(samples.values["racoon_phase1_sas"].items()):
        samples.put("racoon_phase1_up", float(count > 0), *labels)


def _collect_counts(samples: Samples, gateway: str, peer: Peer, name: str) -> None:
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


def collect_sas(samples: Samples, racoon: Racoon, address: str, name: str) -> None:
    """Take the SAs of a racoon with a peer that are alive."""
    gateway = visible(racoon.gateway)
    if address in racoon.isakmp.of_peer:
        samples.add("racoon_phase1_sas", len(racoon.isakmp.of_peer[address]), gateway, name)
    for sa in racoon.ipsec.of_peer.get(address, ()):
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
