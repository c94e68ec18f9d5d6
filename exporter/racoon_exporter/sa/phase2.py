"""What each phase 2 event does: negotiations and IPsec SAs."""

from __future__ import annotations

from typing import Final

from racoon_exporter.sa import evidence
from racoon_exporter.sa.model import UNATTRIBUTED, IpsecSa, Negotiation
from racoon_exporter.sa.phase1 import address_of
from racoon_exporter.sa.racoon import GRACE, ORPHAN_LIFETIME, SOFT_SHARE, Racoon
from racoon_exporter.sa.tables import IPSEC, move
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
from racoon_parsers.reader import Record
from racoon_parsers.reasons import more_telling, severity_and_reason

_HALF_OPEN: Final = 30.0
"""Seconds the outbound half of a pair may come after the inbound one; a half that never comes spoils no later pair."""
_NO_SOONER: Final = 2.0
"""Seconds after the inbound half from which on a negotiation that begins tells that the outbound one never came."""
_NEARLY: Final = 0.97
"""Share of its lifetime from which on an SA's first expiry line can only be the hard one."""
_MUCH: Final = 1.1
"""How many times as long as known an SA must live for its soft expiry to tell: times have whole seconds."""
_JUST_NOW: Final = 2.0
_QUICK: Final = 5.0
"""Seconds within which a quick mode comes to its end, unless packets are lost."""


def queued(racoon: Racoon, record: Record, event: Phase2Queued) -> None:
    """Traffic wants an IPsec SA and waits for phase 1."""
    address = address_of(record, event.peer)
    if address is not None:
        waiting = Negotiation(2, racoon.gateway, None, address, "initiator", "quick", record.time, state="waiting")
        racoon.begin(waiting)


def started(racoon: Racoon, record: Record, event: Phase2Started) -> None:
    """Quick mode begins: for one that waited, or anew."""
    if event.peer is None:
        return
    local, address = event.local.address if event.local else None, event.peer.address
    if local:
        racoon.locals.add(local)
    waiting = racoon.waiting.get(address) if event.role == "initiator" else None
    if waiting:
        negotiation = waiting[0]
        racoon.stop_waiting(negotiation)
        negotiation.local = local
    else:
        negotiation = Negotiation(2, racoon.gateway, local, address, event.role, "quick", record.time)
        racoon.begin(negotiation)
    racoon.clues.context = negotiation
    racoon.count(address, "phase2_negotiations", event.role or "unknown")


def failed(racoon: Racoon, record: Record, event: Phase2Failed) -> None:
    """A negotiation, or a step of it, failed."""
    message = record.message
    if message is None:
        return
    _, reason = severity_and_reason(message, event)
    address = address_of(record, event.peer) or racoon.peer_of_cookies.get(event.cookies or "")
    if message.stage == "waiting":
        _stopped_waiting(racoon, record, address)
    elif message.stage == "refusal":
        _refused(racoon, record, event, address, reason or "no_phase1")
    elif message.stage == "step" or (message.stage == "begin" and event.role != "responder"):
        evidence.add(racoon, address, evidence.Evidence(record.time, reason, 2))
    else:
        _ended(racoon, address, reason, newest=message.stage == "begin")


def _ended(racoon: Racoon, address: str | None, reason: str | None, *, newest: bool) -> None:
    if address is None:
        peers = {negotiation.peer for negotiation in racoon.unfinished(2)}
        address = peers.pop() if len(peers) == 1 else UNATTRIBUTED
    evidence.land(racoon, address)
    candidates = racoon.of_peer(address, 2)
    begun = [negotiation for negotiation in candidates if not negotiation.half] or candidates
    if begun:
        racoon.fail(begun[-1 if newest else 0], reason)
        return
    lost = Negotiation(2, racoon.gateway, None, address, None, "quick", None)
    racoon.begin(lost)
    racoon.fail(lost, more_telling(evidence.recent_reason(racoon, address), reason))


def _refused(racoon: Racoon, record: Record, event: Phase2Failed, address: str | None, reason: str) -> None:
    if address is None:
        evidence.add(racoon, None, evidence.Evidence(record.time, reason, 2, refusal=True))
    else:
        evidence.land(racoon, address)
        evidence.refuse(racoon, address, 2, reason, "responder", event.cookies, event.message_id)


def _stopped_waiting(racoon: Racoon, record: Record, address: str | None) -> None:
    """Traffic's wish is given up: no phase 1 came in time, or none could be begun."""
    if address is None and racoon.clues.larval is not None and evidence.close_in_time(racoon.clues.larval[0], record.time):
        address = racoon.clues.larval[1]
    if address is None:
        latest = [negotiation for negotiations in racoon.waiting.values() for negotiation in negotiations]
        just_now = [one for one in latest if evidence.close_in_time(one.begun, record.time)]
        peers = {one.peer for one in (just_now or latest)}
        address = peers.pop() if len(peers) == 1 else None
    waiting = racoon.waiting.get(address or "")
    if waiting:
        racoon.fail(waiting[0], "no_phase1")
    elif address is not None:
        _given_up(racoon, address)
    elif (refused := _refused_just_now(racoon, record)) is not None:
        evidence.refuse(racoon, refused.peer, 2, refused.reason or "no_phase1", "initiator")
    else:
        evidence.refuse(racoon, UNATTRIBUTED, 2, "no_phase1", "initiator")


def _given_up(racoon: Racoon, address: str) -> None:
    """The kernel gave a wish up whose negotiation had begun, or that was never seen."""
    begun = racoon.of_peer(address, 2, "initiator")
    if not begun:
        evidence.refuse(racoon, address, 2, "no_phase1", "initiator")


def _refused_just_now(racoon: Racoon, record: Record) -> Negotiation | None:
    """Give the phase 1 that could not be begun, told by the line before."""
    for negotiation in reversed(racoon.clues.refusals.values()):
        if negotiation.phase == 1 and evidence.close_in_time(negotiation.ended, record.time):
            return negotiation
    return None


def record_expired(racoon: Racoon, record: Record, _event: Phase2Expired) -> None:
    """A phase 2 record is gone. Only one that still negotiated or waited is a failure."""
    if record.message is not None and record.message.stage == "waiting":
        _stopped_waiting(racoon, record, None)


def rekey_failed(racoon: Racoon, record: Record, event: Phase2RekeyFailed) -> None:
    """Renewal could not begin."""
    _stopped_waiting(racoon, record, address_of(record, event.peer))


# IPsec SAs


def established(racoon: Racoon, record: Record, event: IpsecSaEstablished) -> None:
    """An IPsec SA was installed."""
    if event.source is None or event.destination is None or event.spi is None or event.protocol is None:
        return
    local, address = racoon.ends(event.source, event.destination)
    same = racoon.ipsec.get(event.spi)
    if same is not None and any(sa.protocol == event.protocol and sa.peer == address for sa in same):
        return  # printed twice, or read twice
    direction = _direction(racoon, event, local, address)
    source, destination = (address, local) if direction == "in" else (local, address)
    peer = racoon.acquaint(address)
    sa = IpsecSa(
        racoon.gateway,
        event.protocol,
        event.mode,
        source,
        destination,
        event.spi,
        address,
        direction,
        record.time,
        lifetime=peer.phase2_lifetime or racoon.knowledge.lifetime,
    )
    racoon.add_ipsec(sa)
    if record.time is not None:
        peer.phase2_last_established = record.time
    _pair(racoon, sa)


def _direction(racoon: Racoon, event: IpsecSaEstablished, local: str, address: str) -> str:
    """Tell the direction of an SA from its established line.

    0.5 to 0.7 print it. From 0.8 on both lines read local->peer, and of each protocol the inbound one comes first.
    """
    assert event.source is not None
    if event.source.address != local:
        racoon.true_arrows = True
        return "in"
    if racoon.true_arrows:
        return "out"
    half = racoon.halves.get(address, {}).get(event.protocol or "")
    return "out" if half is not None and _may_be_completed(racoon, *half) else "in"


def _may_be_completed(racoon: Racoon, inbound: IpsecSa, negotiation: Negotiation | None) -> bool:
    """Whether the outbound half of a pair may still come: the kernel has not refused it, and no later pair is on its way."""
    if negotiation is not None and negotiation.evidence == "kernel_error":
        return False
    if evidence.close_in_time(inbound.established, racoon.now, _NO_SOONER):
        return True
    later = any(not one.half and one is not negotiation for one in racoon.of_peer(inbound.peer, 2))
    return not later and evidence.close_in_time(inbound.established, racoon.now, _HALF_OPEN)


def _pair(racoon: Racoon, sa: IpsecSa) -> None:
    """Join the two halves of a pair; the second one ends the negotiation."""
    if sa.direction == "in":
        _abandon_half(racoon, sa)
        negotiation = _negotiation_of(racoon, sa)
        if negotiation is not None:
            negotiation.half = True
        racoon.halves.setdefault(sa.peer, {})[sa.protocol] = (sa, negotiation)
        return
    halves = racoon.halves.get(sa.peer, {})
    half = halves.pop(sa.protocol, None)
    if half is not None and not halves:
        del racoon.halves[sa.peer]
    negotiation = half[1] if half is not None else _negotiation_of(racoon, sa)
    if negotiation is None:
        racoon.count(sa.peer, "phase2_established", "unknown")
    elif negotiation.outcome is None:
        racoon.finish(negotiation, "came_up")
        racoon.count(sa.peer, "phase2_established", negotiation.role or "unknown")


def _abandon_half(racoon: Racoon, sa: IpsecSa) -> None:
    """End the negotiation whose outbound SA never came, now that there is a new pair: failed if a line told why."""
    halves = racoon.halves.get(sa.peer, {})
    half = halves.pop(sa.protocol, None)
    if half is not None and half[1] is not None and half[1].ended is None:
        racoon.abandon(half[1], "half_left")


def _negotiation_of(racoon: Racoon, sa: IpsecSa) -> Negotiation | None:
    """Choose the negotiation an SA comes from: that of the bundle it belongs to, else the oldest that lacks its SAs.

    Quick mode takes no longer than its few packets, and one that was refused waits for nothing but its end. Lines about
    proposals that do not match stand before a success, too: then it follows at once.
    """
    halves = racoon.halves.get(sa.peer)
    if halves:
        for protocol, (other, negotiation) in halves.items():
            if protocol != sa.protocol and evidence.close_in_time(other.established, sa.established, _JUST_NOW):
                return negotiation
    candidates = [negotiation for negotiation in racoon.of_peer(sa.peer, 2) if not negotiation.half]
    recent = [one for one in candidates if evidence.close_in_time(one.begun, racoon.now, _QUICK)]
    for likely in (_unblamed(recent), recent, _unblamed(candidates), candidates):
        if likely:
            return likely[0]
    return None


def _unblamed(negotiations: list[Negotiation]) -> list[Negotiation]:
    return [negotiation for negotiation in negotiations if negotiation.evidence is None]


def expired(racoon: Racoon, record: Record, event: IpsecSaExpired) -> None:
    """A lifetime of an SA ran out: the soft one first, then the hard one."""
    if event.source is None or event.destination is None:
        return
    local, address = racoon.ends(event.source, event.destination)
    if event.spi is None:
        racoon.clues.larval = (record.time, address, local)
        return
    sa = _find(racoon, event, address) or _revive(racoon, event.spi, address)
    if sa is None:
        return  # a larval inbound SA of a phase 2 that failed, or one from before the first line
    direction = "in" if event.destination.address == local else "out"
    if sa.direction != direction:
        racoon.correct_direction(sa, direction)
    _outlive(racoon, sa, record.time)
    if _was_hard(sa, record.time) or not move(IPSEC, sa, "soft_expired"):
        if sa.dying is not None and sa.established is not None and record.time is not None:
            _learn_lifetime(racoon, sa, record.time - sa.established)
        racoon.end_ipsec(sa, "hard_expired", "expired")
        return
    sa.dying = record.time
    racoon.bound_ipsec(sa)
    known = racoon.peer(sa.peer).phase2_lifetime
    if known is not None and sa.lifetime is not None and sa.lifetime > known * _MUCH and not sa.orphan:
        _learn_lifetime(racoon, sa, sa.lifetime)


def _was_hard(sa: IpsecSa, now: float | None) -> bool:
    return (
        now is not None
        and sa.established is not None
        and sa.lifetime is not None
        and now - sa.established >= sa.lifetime * _NEARLY
    )


def _outlive(racoon: Racoon, sa: IpsecSa, now: float | None) -> None:
    """Take back what was guessed of a peer's other SAs where this one proves that nothing was flushed while it lived.

    The peer may have pairs of several lifetimes. One whose soft expiry was due within a time without a flush, and did not
    come, lives longer than was learned from the others.
    """
    if sa.established is None or now is None:
        return
    peer = racoon.peer(sa.peer)
    since, until = peer.unflushed or (now, now)
    since, until = peer.unflushed = (min(since, sa.established) if sa.established <= until else sa.established, now)
    for other in racoon.ipsec_of.get(sa.peer, ()):
        if other.established is None or other.lifetime is None or other.dying is not None or other.orphan:
            continue
        if since <= other.established and other.established + other.lifetime * SOFT_SHARE + GRACE <= until:
            other.lifetime = None
            racoon.timer_at(other.established + ORPHAN_LIFETIME, "ipsec", other)


def _learn_lifetime(racoon: Racoon, sa: IpsecSa, lifetime: float) -> None:
    """Remember how long this peer's SAs live. Only longer ones are believed: bytes may end an SA early."""
    peer = racoon.peer(sa.peer)
    if peer.phase2_lifetime is not None and peer.phase2_lifetime >= lifetime:
        return
    before, peer.phase2_lifetime = peer.phase2_lifetime, lifetime
    for other in racoon.ipsec_of.get(sa.peer, ()):
        if other is not sa and other.dying is None and other.lifetime == before:
            other.lifetime = lifetime
            racoon.bound_ipsec(other)


def _find(racoon: Racoon, event: IpsecSaExpired | IpsecSaDeleted, address: str) -> IpsecSa | None:
    """Find an SA by protocol, SPI and its two ends in either order: established lines may print them swapped."""
    for sa in racoon.ipsec.get(event.spi or -1, ()):
        if sa.protocol == event.protocol and sa.peer == address:
            return sa
    return None


def _revive(racoon: Racoon, spi: int, address: str) -> IpsecSa | None:
    """Bring an SA back that was taken to be over, as a line proves that it lives: its lifetime was longer than thought."""
    sa = racoon.presumed.get(spi)
    if sa is None or sa.peer != address:
        return None
    del racoon.presumed[spi]
    racoon.archive.ipsec.remove(sa)
    racoon.archive.changed()
    move(IPSEC, sa, "heard_of")
    sa.end, sa.ended, sa.lifetime = None, None, None
    racoon.add_ipsec(sa)
    return sa


def purged(racoon: Racoon, record: Record, event: IpsecSaPurged) -> None:
    """racoon removed an SA. A delete of the peer names the protocol and takes the outbound one."""
    if event.spi is None or (record.message is not None and record.message.stage == "step"):
        return
    sas = list(racoon.ipsec.get(event.spi, ()))
    if event.protocol is not None:
        outbound = [sa for sa in sas if sa.protocol == event.protocol]
        sas = [sa for sa in outbound if sa.direction == "out"] or outbound
    if event.source is not None and event.destination is not None:
        _, address = racoon.ends(event.source, event.destination)
        sas = [sa for sa in sas if sa.peer == address]
    sas.sort(key=lambda sa: not _is_torn_down(racoon, sa.peer))
    for sa in sas[:1]:
        if event.protocol is not None:
            racoon.correct_direction(sa, "out")
        racoon.end_ipsec(sa, "purged", _why_purged(racoon, sa, event))


def _is_torn_down(racoon: Racoon, peer: str) -> bool:
    """Whether a line has just said that what there is with a peer goes: SPIs are of either end's choice, and may be equal."""
    return _made_contact(racoon, peer) or any(isakmp.state == "purging" for isakmp in racoon.isakmp_of.get(peer, ()))


def _made_contact(racoon: Racoon, peer: str) -> bool:
    contact = racoon.clues.initial_contact
    return contact is not None and contact[1] == peer and evidence.close_in_time(contact[0], racoon.now, _JUST_NOW)


def _why_purged(racoon: Racoon, sa: IpsecSa, event: IpsecSaPurged) -> str:
    if event.protocol is not None:
        return "deleted_by_peer"
    if _made_contact(racoon, sa.peer):
        return "initial_contact"
    torn_down = [isakmp.cookies for isakmp in racoon.isakmp_of.get(sa.peer, ()) if isakmp.state == "purging"]
    return racoon.teardown_cause(*torn_down, sa.peer) or "purged"


def deleted(racoon: Racoon, _record: Record, event: IpsecSaDeleted) -> None:
    """Somebody else removed an SA from the kernel."""
    if event.source is None or event.destination is None:
        return
    _, address = racoon.ends(event.source, event.destination)
    sa = _find(racoon, event, address)
    if sa is not None:
        racoon.end_ipsec(sa, "deleted", "deleted_in_kernel")
