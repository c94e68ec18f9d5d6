"""SAs whose ends were guessed wrongly, turned round once a line tells which end is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from racoon_exporter.sa.blame import close_in_time
from racoon_exporter.sa.guessed_ends import Guessed
from racoon_exporter.sa.model import IpsecSa

if TYPE_CHECKING:
    from racoon_exporter.sa.racoon import Racoon


def pair_tells(racoon: Racoon, source: str, destination: str, protocol: str) -> None:
    """Let an established line of one second with another tell which end is ours, if their arrows are opposite.

    That is old style, inbound first. Equal arrows prove nothing: they are new style, as is guessed, or two inbound SAs.
    """
    before = racoon.peers.guesses.newest(protocol, destination, source)
    if before is not None and close_in_time(before.established, racoon.now):
        racoon.own(source)


def prove_local(racoon: Racoon, address: str) -> None:
    """An address is ours: turn round what was made of the guess that it is a peer's."""
    wrong = racoon.peers.guesses.take_wrong(address)
    if not wrong:
        return
    guessed = racoon.peers.get(address)
    since = None if guessed is None else guessed.since
    racoon.peers.forget_guessed(address)
    racoon.pairs.forget_peer(address)
    for one in wrong:
        _turn_round(racoon, one, address, since)


def _turn_round(racoon: Racoon, one: Guessed, local: str, since: float | None) -> None:
    """Give an SA its true ends. One whose arrow comes from the peer shows that arrows are true."""
    peer = one.source if one.destination == local else one.destination
    if one.source == peer:
        racoon.life.true_arrows = True
    inbound = one.source == peer if racoon.life.true_arrows else one.sa.direction == "in"
    _rehome(racoon, one.sa, local, peer, "in" if inbound else "out")
    known = racoon.peers.get(peer)
    if known is not None:  # else it is counted with others, as there are too many
        known.since = since


def _rehome(racoon: Racoon, sa: IpsecSa, local: str, peer: str, direction: str) -> None:
    """Give an SA its true ends, and its true peer what is counted of it."""
    alive = sa.state != "ended"
    if alive:
        racoon.ipsec.leave(sa)
    sa.peer, sa.direction = peer, direction
    sa.source, sa.destination = (peer, local) if direction == "in" else (local, peer)
    counted = racoon.peers.acquaint(peer, racoon.now)
    counted.phase2_last_established = sa.established
    if direction == "out":
        racoon.count(peer, "phase2_established", "unknown")
    if alive:
        racoon.ipsec.add(sa, counted, racoon.now)
        if direction == "in":
            racoon.pairs.begin(sa, racoon.now)
        else:
            racoon.pairs.forget_peer(peer)
        return
    racoon.archive.changed()
    if sa.end is not None:
        racoon.count(peer, "ipsec_sa_ended", sa.end)
