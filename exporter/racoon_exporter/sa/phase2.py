"""What each phase 2 event does: negotiations and IPsec SAs."""

from __future__ import annotations

from typing import Final

from racoon_exporter.sa.arrow import Arrow, arrow_of
from racoon_exporter.sa.blame import Evidence, close_in_time
from racoon_exporter.sa.heard import Heard
from racoon_exporter.sa.mended_ends import pair_tells
from racoon_exporter.sa.model import UNATTRIBUTED, IpsecSa, Negotiation, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_parsers.events import (
    IpsecSaDeleted,
    IpsecSaEstablished,
    IpsecSaExpired,
    IpsecSaPurged,
    Phase2Expired,
    Phase2Failed,
    Phase2Queued,
    Phase2RekeyFailed,
    Phase2Started,
)
from racoon_parsers.reasons import more_telling

_MOST_ALIKE: Final = 128
"""SAs of one SPI, the oldest, among which the one is chosen that a line without addresses speaks of."""


def queued(racoon: Racoon, heard: Heard[Phase2Queued]) -> None:
    """Traffic wants an IPsec SA and waits for phase 1."""
    address = heard.address
    if address is not None:
        waiting = Negotiation(2, racoon.gateway, None, address, "initiator", "quick", racoon.now, state="waiting")
        racoon.begin(waiting)


def started(racoon: Racoon, heard: Heard[Phase2Started]) -> None:
    """Quick mode begins: for one that waited, or anew."""
    event = heard.event
    if event.peer is None:
        return
    racoon.life.phase2_told = True
    now = racoon.now
    local, address = event.local.address if event.local else None, event.peer.address
    if local:
        racoon.own(local)
    waiting = racoon.negotiations.waiting.get(address) if event.role == "initiator" else None
    if waiting:
        negotiation = waiting[0]
        racoon.negotiations.take_up(negotiation, now)
        negotiation.local = local
    else:
        negotiation = Negotiation(2, racoon.gateway, local, address, event.role, "quick", now)
        racoon.negotiations.begin(negotiation, now)
    racoon.blame.packet.begins(negotiation)
    racoon.peer(address).counters["phase2_negotiations", event.role or "unknown"] += 1


def failed(racoon: Racoon, heard: Heard[Phase2Failed]) -> None:
    """A negotiation, or a step of it, failed."""
    event, stage, reason = heard.event, heard.message.stage, heard.reason
    address = heard.address or racoon.peers.of_cookies(event.cookies)
    if stage == "waiting":
        _stopped_waiting(racoon, address)
    elif stage == "refusal":
        _refused(racoon, event, address, reason or "no_phase1")
    elif stage == "step" or (stage == "begin" and event.role != "responder"):
        racoon.blame.packet.add(address, Evidence(racoon.now, reason, 2), racoon.now)
    else:
        _ended(racoon, address, reason, newest=stage == "begin")


def _ended(racoon: Racoon, address: str | None, reason: str | None, *, newest: bool) -> None:
    if address is None:
        address = racoon.negotiations.only_peer(2) or UNATTRIBUTED
    racoon.blame.packet.land(address, racoon.now)
    candidates = racoon.negotiations.of_peer(address, 2)
    begun = [negotiation for negotiation in candidates if not negotiation.half] or candidates
    if begun:
        racoon.fail(begun[-1 if newest else 0], reason)
        return
    lost = Negotiation(2, racoon.gateway, None, address, None, "quick", None)
    racoon.begin(lost)
    racoon.fail(lost, more_telling(racoon.blame.refusals.take_reason(address, racoon.now), reason))


def _refused(racoon: Racoon, event: Phase2Failed, address: str | None, reason: str) -> None:
    if address is None:
        racoon.blame.packet.add(None, Evidence(racoon.now, reason, 2, refusal=True), racoon.now)
    else:
        racoon.blame.packet.land(address, racoon.now)
        racoon.refuse(address, 2, reason, "responder", event.cookies, event.message_id)


def _stopped_waiting(racoon: Racoon, address: str | None) -> None:
    """Traffic's wish is given up: no phase 1 came in time, or none could be begun."""
    if address is None:
        address = _whose_wish(racoon)
    waiting = racoon.negotiations.waiting.get(address or "")
    if waiting:
        racoon.fail(waiting[0], "no_phase1")
    elif address is not None:
        _given_up(racoon, address)
    elif (refused := racoon.blame.refusals.just_now(1, racoon.now)) is not None:
        racoon.refuse(refused.peer, 2, refused.reason or "no_phase1", "initiator")
    else:
        racoon.refuse(UNATTRIBUTED, 2, "no_phase1", "initiator")


def _whose_wish(racoon: Racoon) -> str | None:
    """Name the peer of a wish that is given up: its larval SA has just expired, or nobody else waits, at least of late."""
    larval = racoon.blame.packet.larval
    if larval is not None and close_in_time(larval[0], racoon.now):
        return larval[1]
    waiting = racoon.negotiations.waiting
    if len(waiting) == 1:
        return next(iter(waiting))
    peers = {one.peer for one in racoon.negotiations.newest() if one.waiting and close_in_time(one.begun, racoon.now)}
    return peers.pop() if len(peers) == 1 else None


def _given_up(racoon: Racoon, address: str) -> None:
    """The kernel gave a wish up whose negotiation had begun, or that was never seen."""
    begun = racoon.negotiations.of_peer(address, 2, "initiator")
    if not begun:
        racoon.refuse(address, 2, "no_phase1", "initiator")


def record_expired(racoon: Racoon, heard: Heard[Phase2Expired]) -> None:
    """A phase 2 record is gone. Only one that still negotiated or waited is a failure."""
    if heard.message.stage == "waiting":
        _stopped_waiting(racoon, None)


def rekey_failed(racoon: Racoon, heard: Heard[Phase2RekeyFailed]) -> None:
    """Renewal could not begin."""
    _stopped_waiting(racoon, heard.address)


# IPsec SAs


def established(racoon: Racoon, heard: Heard[IpsecSaEstablished]) -> None:
    """An IPsec SA was installed."""
    arrow = arrow_of(heard.event)
    if arrow is not None:
        sa_established(racoon, arrow, heard.event.spi)


def sa_established(racoon: Racoon, arrow: Arrow, spi: int | None) -> None:
    """An IPsec SA was installed: `established` for a line whose ends were read before."""
    protocol = arrow.protocol
    if spi is None or protocol is None:
        return
    now, peers = racoon.now, racoon.peers
    sas = racoon.ipsec
    racoon.life.phase2_told = True
    sure = arrow.sure is peers.certainty
    if not sure:
        pair_tells(racoon, arrow.source, arrow.destination, protocol)
        peers.tell_ends(arrow)
    local, address = arrow.local, arrow.remote
    if sas.find(spi, protocol, address) is not None:
        return  # printed twice, or read twice
    direction = _direction(racoon, arrow, protocol)
    peer = arrow.peer
    if peer is None or peer.stranger or not sure:
        peer = peers.acquaint(address, now)
    peer.last_seen = now
    source, destination = (address, local) if direction == "in" else (local, address)
    sa = IpsecSa(racoon.gateway, protocol, arrow.mode, source, destination, spi, address, direction, now)
    sa.lifetime = peer.phase2_lifetime or peers.knowledge.lifetime  # given by its name it would take half as long again
    sas.add(sa, peer, now)
    if not sure:
        peers.guesses.note(sa, arrow.source, arrow.destination)
    if now is not None:
        peer.phase2_last_established = now
    _pair(racoon, sa, peer)


def _direction(racoon: Racoon, arrow: Arrow, protocol: str) -> str:
    """Tell the direction of an SA from its established line.

    0.5 to 0.7 print it. From 0.8 on both lines read local->peer, and of each protocol the inbound one comes first.
    """
    life = racoon.life
    if arrow.source != arrow.local:
        life.true_arrows = True
        return "in"
    return "out" if life.true_arrows or racoon.pairs.awaits_outbound(arrow.remote, protocol, racoon.now) else "in"


def _pair(racoon: Racoon, sa: IpsecSa, peer: Peer) -> None:
    """Join the two halves of a pair; the second one ends the negotiation, which is counted for the peer."""
    if sa.direction == "in":
        racoon.pairs.begin(sa, racoon.now)
        return
    negotiation = racoon.pairs.complete(sa, racoon.now)
    if negotiation is None:
        peer.counters["phase2_established", "unknown"] += 1
    elif racoon.negotiations.finish(negotiation, "came_up", racoon.now):
        peer.counters["phase2_established", negotiation.role or "unknown"] += 1


def expired(racoon: Racoon, heard: Heard[IpsecSaExpired]) -> None:
    """A lifetime of an SA ran out: the soft one first, then the hard one."""
    arrow = arrow_of(heard.event)
    if arrow is not None:
        sa_expired(racoon, arrow, heard.event.spi)


def sa_expired(racoon: Racoon, arrow: Arrow, spi: int | None) -> None:
    """A lifetime of an SA ran out: `expired` for a line whose ends were read before."""
    now, peers, sas = racoon.now, racoon.peers, racoon.ipsec
    if arrow.sure is not peers.certainty:
        peers.tell_ends(arrow)
    address = arrow.remote
    sa = sas.named.get(spi)
    if sa is None or sa.peer != address or sa.protocol != arrow.protocol:
        if spi is None:
            racoon.blame.packet.larval = (now, address, arrow.local)
            return
        sa = sas.find(spi, arrow.protocol, address) or sas.believe_alive(spi, address, now)
        if sa is None:
            return  # a larval inbound SA of a phase 2 that failed, or one from before the first line
    peer = arrow.peer
    if peer is None or arrow.sure is None:
        peer = peers.entry(address, now)
    peer.last_seen = now
    if sa.direction != arrow.direction:
        sas.correct_direction(sa, arrow.direction, now)
    sas.expire(sa, peer, now, racoon.life.run)


def purged(racoon: Racoon, heard: Heard[IpsecSaPurged]) -> None:
    """racoon removed an SA. A delete of the peer names the protocol and takes the outbound one."""
    event = heard.event
    sa = None if heard.message.stage == "step" else _purged_sa(racoon, event)
    if sa is None:
        return
    racoon.life.phase2_told = True
    if event.protocol is not None and not racoon.life.dialect.true_arrows:
        racoon.ipsec.correct_direction(sa, "out", racoon.now)
    racoon.peer(sa.peer)
    racoon.ipsec.end(sa, "purged", _why_purged(racoon, sa, event), racoon.now, racoon.now)


def _purged_sa(racoon: Racoon, event: IpsecSaPurged) -> IpsecSa | None:
    """Choose the SA a line speaks of, among those of its SPI: of the protocol, outbound, between its ends, of a teardown."""
    sas = racoon.ipsec.of_name(event.spi)[:_MOST_ALIKE]
    if event.protocol is not None:
        outbound = [sa for sa in sas if sa.protocol == event.protocol]
        named = racoon.life.dialect.true_arrows  # each SA of a pair has a purge line of its own
        sas = outbound if named else [sa for sa in outbound if sa.direction == "out"] or outbound
    arrow = arrow_of(event)
    if arrow is not None:
        sas = _with_peer(sas, racoon.peers.ends(arrow.source, arrow.destination)[1])
    torn_down = [sa for sa in sas if _is_torn_down(racoon, sa.peer)]
    return next(iter(torn_down or sas), None)


def _with_peer(sas: list[IpsecSa], address: str) -> list[IpsecSa]:
    return [sa for sa in sas if sa.peer == address]


def _is_torn_down(racoon: Racoon, peer: str) -> bool:
    """Whether a line has just said that what there is with a peer goes: SPIs are of either end's choice, and may be equal."""
    made_contact = racoon.blame.teardowns.made_contact(peer, racoon.now)
    return made_contact or any(isakmp.state == "purging" for isakmp in racoon.isakmp.of_peer.get(peer, ()))


def _why_purged(racoon: Racoon, sa: IpsecSa, event: IpsecSaPurged) -> str:
    if event.protocol is not None and not racoon.life.dialect.true_arrows:
        return "deleted_by_peer"
    if racoon.blame.teardowns.made_contact(sa.peer, racoon.now):
        return "initial_contact"
    torn_down = [isakmp.cookies for isakmp in racoon.isakmp.of_peer.get(sa.peer, ()) if isakmp.state == "purging"]
    return racoon.blame.teardowns.cause(*torn_down, sa.peer, now=racoon.now) or "purged"


def deleted(racoon: Racoon, heard: Heard[IpsecSaDeleted]) -> None:
    """Somebody else removed an SA from the kernel."""
    event = heard.event
    if event.source is None or event.destination is None:
        return
    _, address = racoon.peers.ends(event.source.address, event.destination.address)
    sa = racoon.ipsec.find(event.spi, event.protocol, address)
    if sa is not None:
        racoon.ipsec.end(sa, "deleted", "deleted_in_kernel", racoon.now, racoon.now)
