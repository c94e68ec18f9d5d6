"""What a witness beside the log makes of SAs: an end that no line told, an SA whose line was lost, a direction.

Applied in `serve` only: `history` is what the log alone tells. A witness is believed about what is there, never about why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from racoon_exporter.sa.model import PSEUDO_PEERS, IpsecSa, IsakmpSa
from racoon_exporter.sa.racoon import Racoon

VANISHED: Final = "vanished"
"""End of an SA that is not there any more, and whose end no line told."""


@dataclass(frozen=True, slots=True)
class Believed:
    """What the log believes of one racoon, as of one moment."""

    gateway: str
    locals: frozenset[str] = frozenset()
    peers: frozenset[str] = frozenset()
    """Addresses of peers with series of their own."""
    ipsec: Mapping[tuple[str, int], str | None] = field(default_factory=dict)
    """IPsec SAs alive: direction by protocol and SPI."""
    isakmp: frozenset[str] = frozenset()
    """ISAKMP SAs alive, by cookies."""


@dataclass(frozen=True, slots=True)
class UnloggedIpsec:
    """An IPsec SA whose line was lost."""

    protocol: str
    mode: str | None
    source: str
    destination: str
    spi: int
    peer: str
    direction: str
    established: float | None


@dataclass(frozen=True, slots=True)
class UnloggedIsakmp:
    """An ISAKMP SA whose line was lost."""

    cookies: str
    local: str | None
    peer: str
    role: str | None
    exchange: str | None
    established: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What follows from a look, of one gateway."""

    gateway: str
    vanished_ipsec: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """By protocol and SPI: since when it is gone."""
    unlogged_ipsec: tuple[UnloggedIpsec, ...] = ()
    turned: tuple[tuple[tuple[str, int], str], ...] = ()
    """SAs whose direction is another one, with that."""
    vanished_isakmp: Mapping[str, float] = field(default_factory=dict)
    unlogged_isakmp: tuple[UnloggedIsakmp, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything follows."""
        return bool(self.vanished_ipsec or self.unlogged_ipsec or self.turned or self.vanished_isakmp or self.unlogged_isakmp)


def witnessed(racoons: Iterable[Racoon], gateway: str | None) -> Racoon | None:
    """Find the racoon that a witness of a gateway speaks of; of the only one there is, where the witness names none.

    Of several on one gateway nobody can say which one's SAs the kernel's are: then there is none.
    """
    found = [racoon for racoon in racoons if gateway in (None, racoon.gateway)]
    return found[0] if len(found) == 1 else None


def believed(racoon: Racoon) -> Believed:
    """Copy what is compared with a look."""
    return Believed(
        racoon.gateway,
        frozenset(racoon.peers.locals),
        _peers(racoon),
        {(sa.protocol, sa.spi): sa.direction for sa in racoon.ipsec},
        frozenset(sa.cookies for sa in racoon.isakmp),
    )


def _peers(racoon: Racoon) -> frozenset[str]:
    """Name the peers that have series of their own here."""
    return frozenset({*racoon.peers, *racoon.knowledge.peers} - PSEUDO_PEERS)


def take_findings(racoon: Racoon, findings: Findings) -> None:
    """Take what a witness made sure of. What the log told meanwhile stands: such an SA is not among the living any more."""
    racoon.changed()
    for (protocol, spi), since in findings.vanished_ipsec.items():
        for sa in _named(racoon, protocol, spi):
            racoon.ipsec.end(sa, VANISHED, VANISHED, _not_before(sa.established, since), racoon.now)
    for cookies, since in findings.vanished_isakmp.items():
        for isakmp in racoon.isakmp.of_name(cookies):
            racoon.isakmp.end(isakmp, VANISHED, VANISHED, _not_before(isakmp.established, since), racoon.now)
    for (protocol, spi), direction in findings.turned:
        for sa in _named(racoon, protocol, spi):
            racoon.ipsec.correct_direction(sa, direction, racoon.now)
    for one in findings.unlogged_ipsec:
        _add_ipsec(racoon, one)
    for unlogged in findings.unlogged_isakmp:
        _add_isakmp(racoon, unlogged)


def _named(racoon: Racoon, protocol: str, spi: int) -> list[IpsecSa]:
    return [sa for sa in racoon.ipsec.of_name(spi) if sa.protocol == protocol]


def _not_before(established: float | None, since: float) -> float:
    return since if established is None else max(established, since)


def _add_ipsec(racoon: Racoon, one: UnloggedIpsec) -> None:
    if any(sa.protocol == one.protocol for sa in racoon.ipsec.of_name(one.spi)):
        return
    sa = IpsecSa(
        racoon.gateway, one.protocol, one.mode, one.source, one.destination, one.spi, one.peer, one.direction, one.established
    )
    peer = racoon.peer(one.peer)
    sa.lifetime = peer.phase2_lifetime
    racoon.ipsec.add(sa, peer, racoon.now)


def _add_isakmp(racoon: Racoon, one: UnloggedIsakmp) -> None:
    if racoon.isakmp.oldest(one.cookies) is not None:
        return
    peer = racoon.peers.acquaint(one.peer, racoon.now)
    racoon.life.stopped = False
    sa = IsakmpSa(racoon.gateway, one.local, one.peer, one.cookies, one.role, one.exchange, one.established)
    racoon.isakmp.add(sa, peer, racoon.now)


__all__ = ["VANISHED", "Believed", "Findings", "UnloggedIpsec", "UnloggedIsakmp", "believed", "take_findings", "witnessed"]
