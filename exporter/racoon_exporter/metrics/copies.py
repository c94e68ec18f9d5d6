"""Copies of what samples are made of, taken while the reader waits. Of equal copies follow equal samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from racoon_exporter.sa.current_reason import Trouble, credit, current_trouble
from racoon_exporter.sa.model import Peer
from racoon_exporter.sa.racoon import Racoon

_NOTHING: Final[Mapping[tuple[str, ...], int]] = {}


class PeerCopy(NamedTuple):
    """A peer as a racoon knows it; times as in `sa.model.Peer`."""

    address: str
    phase2_told: bool
    """Whether the racoon's log tells of phase 2."""
    isakmp: int | None
    """ISAKMP SAs alive; None where there never was one."""
    ipsec: tuple[tuple[str, str], ...]
    """Protocol and state of each IPsec SA that is alive."""
    known: bool = False
    """Whether there is more than SAs: all that follows."""
    trouble: Trouble | None = None
    credit: tuple[bool, float] | None = None
    """By which a racoon is believed of a peer that several know."""
    phase1_last_established: float | None = None
    phase1_last_failure: float | None = None
    phase1_duration: float | None = None
    phase1_up: bool = False
    phase1_since: float | None = None
    phase2_last_established: float | None = None
    phase2_last_failure: float | None = None
    phase2_up: bool = False
    since: float | None = None
    nat: bool | None = None
    counters: Mapping[tuple[str, ...], int] = _NOTHING


_OF_PEER: Final = attrgetter(*PeerCopy._fields[PeerCopy._fields.index("phase1_last_established") : -1])


class DaemonCopy(NamedTuple):
    """A racoon itself, and what is counted for it without a peer."""

    up: bool
    quiet: bool
    phase2_told: bool
    run: tuple[float | None, str | None, str | None] | None
    """When it started, its version and that of its OpenSSL."""
    counters: Mapping[tuple[str, ...], int]
    durations: Mapping[str, tuple[float, ...]]


def addresses_of(racoon: Racoon) -> Iterable[str]:
    """Give the peers of which a racoon has anything to tell."""
    return dict.fromkeys(chain(racoon.peers, racoon.isakmp.of_peer, racoon.ipsec.of_peer))


def copy_peer(racoon: Racoon, address: str, *, of_several: bool) -> PeerCopy:
    """Copy a peer of a racoon, which may be one of several at its gateway."""
    isakmp, peer = racoon.isakmp.of_peer.get(address), racoon.peers.get(address)
    sas = (
        address,
        racoon.life.phase2_told,
        None if isakmp is None else len(isakmp),
        tuple([(sa.protocol, sa.state) for sa in racoon.ipsec.of_peer.get(address, ())]),
    )
    if peer is None:
        return PeerCopy(*sas)
    trouble = None if peer.phase1_last_failure is None and peer.phase2_last_failure is None else _trouble(racoon, peer)
    believed = credit(peer) if of_several else None
    return PeerCopy._make((*sas, True, trouble, believed, *_OF_PEER(peer), dict(peer.counters)))


def _trouble(racoon: Racoon, peer: Peer) -> Trouble | None:
    """Tell why a peer is not up, or what fails with it."""
    expected = racoon.knowledge.expected(peer.address)
    permanent = expected is not None and expected.kind != "roaming"
    return None if racoon.now is None else current_trouble(peer, racoon.now, permanent=permanent)


def copy_daemon(racoon: Racoon) -> DaemonCopy:
    """Copy a racoon without its peers."""
    life, run = racoon.life, racoon.life.run
    return DaemonCopy(
        life.up,
        life.is_quiet(racoon.now),
        life.phase2_told,
        None if run is None else (run.started, run.version, run.openssl),
        dict(racoon.counters),
        {role: tuple(counts) for role, counts in racoon.durations.items()},
    )
