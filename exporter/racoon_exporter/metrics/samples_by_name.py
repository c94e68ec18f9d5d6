"""Samples of one name at one gateway, apart from all others: for whoever takes them again only where they may have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from racoon_exporter.metrics.current import collect_reasons_of, collect_since, trouble_of
from racoon_exporter.metrics.peers import collect_expected, collect_peer, collect_phase1_up
from racoon_exporter.metrics.samples import Samples
from racoon_exporter.sa import Expectation
from racoon_exporter.sa.current_reason import credit
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.text import visible

Members = Sequence[tuple[Racoon, str]]
"""Racoons of a gateway, and an address that each knows under the name."""


def samples_of_name(
    gateway: str, members: Members, expected: Mapping[str, Expectation], *, told: bool, begun: float | None
) -> Samples:
    """Take the samples of a name. `told` is whether phase 2 is told of, `begun` when what is read of the gateway begins."""
    samples = Samples()
    for racoon, address in members:
        collect_peer(samples, racoon, address)
    collect_expected(samples, visible(gateway), expected, told=told)
    collect_phase1_up(samples)
    known = [(racoon, racoon.peers[address]) for racoon, address in members if address in racoon.peers]
    collect_since(samples, known, lambda _gateway: begun)
    collect_reasons_of(samples, known)
    return samples


def key_of(members: Members) -> tuple[object, ...]:
    """Give what tells, at a fraction of the cost, whether the samples of a name are what they were: all they are made of."""
    return (*(part for racoon, address in members for part in _key(racoon, address)), *_credits(members))


def _key(racoon: Racoon, address: str) -> tuple[object, ...]:
    peer = racoon.peers.get(address)
    sas = (
        racoon.life.phase2_told,
        len(racoon.isakmp.of_peer.get(address, ())),
        *[(sa.protocol, sa.state) for sa in racoon.ipsec.of_peer.get(address, ())],
    )
    if peer is None:
        return sas
    failed = peer.phase1_last_failure is not None or peer.phase2_last_failure is not None
    return (
        *peer.counters.values(),
        peer.phase1_last_established,
        peer.phase1_last_failure,
        peer.phase1_duration,
        peer.phase1_up,
        peer.phase1_since,
        peer.phase2_last_established,
        peer.phase2_last_failure,
        peer.phase2_up,
        peer.since,
        peer.nat,
        trouble_of(racoon, peer) if failed else None,
        *sas,
    )


def _credits(members: Members) -> Iterator[object]:
    """Give what tells who is believed of a peer, where there is a choice."""
    if len(members) > 1:
        yield from (credit(racoon.peers[address]) for racoon, address in members if address in racoon.peers)
