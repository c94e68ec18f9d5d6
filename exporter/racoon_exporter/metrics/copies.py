"""Copies of what samples are made of, taken while the reader waits. Of equal copies follow equal samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from racoon_exporter.sa import Knowledge
from racoon_exporter.sa.current_reason import Trouble, credit, current_trouble
from racoon_exporter.sa.model import OTHER, IpsecSa, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.text import visible


class PeerCopy(NamedTuple):
    """A peer as a racoon knows it; times as in `sa.model.Peer`."""

    address: str
    name: str
    """As labels show it."""
    phase2_told: bool
    """Whether the racoon's log tells of phase 2."""
    isakmp: int
    """ISAKMP SAs alive."""
    ipsec: tuple[tuple[str, str], ...]
    """Protocol and state of each IPsec SA that is alive."""
    trouble: Trouble | None
    credit: tuple[bool, float] | None
    """By which a racoon is believed of a peer that several know."""
    phase1_last_established: float | None
    phase1_last_failure: float | None
    phase1_duration: float | None
    phase1_up: bool
    phase1_since: float | None
    phase2_last_established: float | None
    phase2_last_failure: float | None
    phase2_up: bool
    since: float | None
    nat: bool | None
    counters: dict[tuple[str, ...], int]


_NONE: Final[Mapping[str, PeerCopy]] = {}
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


def _everyone(_address: str) -> bool:
    return True


def copy_peers(
    racoon: Racoon,
    *,
    of_several: bool,
    wants: Callable[[str], bool] = _everyone,
    before: Mapping[str, PeerCopy] = _NONE,
) -> dict[str, PeerCopy]:
    """Copy the peers of a racoon, which may be one of several at its gateway, if they are wanted; gives them by address.

    Of those that are as they were the copy of `before` is given, which was made with the same knowledge. SAs of peers that have
    no place are `other`'s.
    """
    known, isakmp, ipsec = racoon.peers, racoon.isakmp.of_peer, racoon.ipsec.of_peer
    copied = {
        address: _copy_peer(
            racoon, peer, len(isakmp.get(address, ())), ipsec.get(address, ()), before.get(address), of_several=of_several
        )
        for address, peer in known.items()
        if address != OTHER and wants(address)
    }
    if wants(OTHER):
        named = known.keys()
        folded = sum([len(sas) for address, sas in isakmp.items() if address not in named])
        more = [sa for address, sas in ipsec.items() if address not in named for sa in sas]
        other = known.get(OTHER) or (Peer(OTHER) if folded or more else None)
        if other is not None:
            copied[OTHER] = _copy_peer(racoon, other, folded, more, before.get(OTHER), of_several=of_several)
    return copied


def _copy_peer(
    racoon: Racoon, peer: Peer, isakmp: int, ipsec: Sequence[IpsecSa], before: PeerCopy | None, *, of_several: bool
) -> PeerCopy:
    address, counters = peer.address, peer.counters
    shown = (
        address,
        name_of(racoon.knowledge, address) if before is None else before.name,
        racoon.life.phase2_told,
        isakmp,
        tuple([(sa.protocol, sa.state) for sa in ipsec]) if ipsec else (),
        None if peer.phase1_last_failure is None and peer.phase2_last_failure is None else _trouble(racoon, peer),
        credit(peer) if of_several else None,
        *_OF_PEER(peer),
    )
    if before is not None and before[:-1] == shown and dict.__eq__(before.counters, counters):  # Counter's own is slow
        return before
    return PeerCopy._make((*shown, dict(counters)))


def name_of(knowledge: Knowledge, address: str) -> str:
    """Name a peer as labels show it: an address is what a line says, a name what a comment in racoon.conf does."""
    return visible(knowledge.name(address))


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
