"""What each phase 1 event does: negotiations and ISAKMP SAs."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from racoon_exporter.sa.blame import Evidence, TimeOut, close_in_time
from racoon_exporter.sa.heard import Heard
from racoon_exporter.sa.model import UNATTRIBUTED, IsakmpSa, Negotiation, Peer
from racoon_exporter.sa.racoon import DURATION_BUCKETS, Racoon
from racoon_exporter.sa.tables import ISAKMP, IsakmpEvent, move
from racoon_parsers.events import (
    Phase1Deleted,
    Phase1Established,
    Phase1Expired,
    Phase1Failed,
    Phase1Mode,
    Phase1Purged,
    Phase1Purging,
    Phase1Rekeying,
    Phase1Started,
)
from racoon_parsers.fields import Endpoint
from racoon_parsers.reasons import more_telling

_FIRST_PACKET: Final = 3.0
"""Seconds that racoon may take over a peer's first packet."""
_NAT_T_PORT: Final = 4500


def started(racoon: Racoon, heard: Heard[Phase1Started]) -> None:
    """A negotiation begins."""
    event = heard.event
    if event.peer is None:
        return
    local = event.local.address if event.local else None
    if local:
        racoon.own(local)
    negotiation = Negotiation(1, racoon.gateway, local, event.peer.address, event.role, None, racoon.now)
    racoon.begin(negotiation)
    racoon.blame.packet.begins(negotiation)
    if event.exchange is not None:
        _name_exchange(racoon, event.exchange)


def mode(racoon: Racoon, heard: Heard[Phase1Mode]) -> None:
    """The exchange type of the negotiation that began just before."""
    _name_exchange(racoon, heard.event.exchange)


def _name_exchange(racoon: Racoon, exchange: str | None) -> None:
    context = racoon.blame.packet.context
    if context is not None and context.phase == 1 and context.exchange is None:
        context.exchange = exchange
        racoon.count(context.peer, "phase1_negotiations", context.role or "unknown", exchange or "unknown")


def established(racoon: Racoon, heard: Heard[Phase1Established]) -> None:
    """An ISAKMP SA is up."""
    event = heard.event
    if event.cookies is None:
        return
    address = event.peer.address if event.peer else racoon.peers.of_cookies(event.cookies)
    if address is None or racoon.isakmp.oldest(event.cookies) is not None:
        return
    peer = racoon.peers.acquaint(address, racoon.now)
    _learn_nat(peer, event.local)
    negotiation = _established_negotiation(racoon, event, address)
    negotiation.cookies = event.cookies
    racoon.negotiations.finish(negotiation, "came_up", racoon.now)
    racoon.blame.came_up(racoon.now)
    racoon.peers.remember_cookies(event.cookies, address)
    sa = IsakmpSa(racoon.gateway, negotiation.local, address, event.cookies, negotiation.role, negotiation.exchange, racoon.now)
    sa.lifetime = peer.phase1_lifetime
    packet = racoon.blame.packet
    sa.xauth, packet.login_asked = packet.login_asked, False
    racoon.life.stopped = False
    racoon.isakmp.add(sa, peer, racoon.now)
    if sa.xauth:
        racoon.isakmp.ask_login(sa)
    peer.phase1_last_established = racoon.now if racoon.now is not None else peer.phase1_last_established
    peer.counters["phase1_established", negotiation.role or "unknown"] += 1
    if negotiation.begun is not None and racoon.now is not None:
        peer.phase1_duration = max(0.0, racoon.now - negotiation.begun)
        _observe_duration(racoon, negotiation.role or "unknown", peer.phase1_duration)


def _learn_nat(peer: Peer, local: Endpoint | None) -> None:
    """Only a NAT moves a negotiation to port 4500 (RFC 3947 section 4), where no line told of one."""
    if peer.nat is None and local is not None and local.port == _NAT_T_PORT:
        peer.nat = True


def _established_negotiation(racoon: Racoon, event: Phase1Established, address: str) -> Negotiation:
    """Give the negotiation that came up: the peer's newest, or one whose start no line told."""
    local = event.local.address if event.local else None
    if local:
        racoon.own(local)
    negotiation = next(iter(reversed(racoon.negotiations.of_peer(address, 1))), None)
    if negotiation is None:
        negotiation = Negotiation(1, racoon.gateway, local, address, event.role, None, None)
        racoon.begin(negotiation)
    negotiation.local = local or negotiation.local
    return negotiation


def _observe_duration(racoon: Racoon, role: str, seconds: float) -> None:
    counts = racoon.durations.get(role)
    if counts is None:
        counts = racoon.durations[role] = [0.0] * (len(DURATION_BUCKETS) + 2)
    counts[bisect_left(DURATION_BUCKETS, seconds)] += 1
    counts[-1] += seconds


def _alive(racoon: Racoon, cookies: str | None) -> IsakmpSa | None:
    """Give the ISAKMP SA a line speaks of, if it is alive; then so is its daemon."""
    sa = racoon.isakmp.find(cookies, racoon.now)
    if sa is not None:
        racoon.life.stopped = False
    return sa


def rekeying(racoon: Racoon, heard: Heard[Phase1Rekeying]) -> None:
    """The old ISAKMP SA is near its end; a new one is negotiated."""
    named = _alive(racoon, heard.event.cookies)
    for sa in [named] if named is not None else racoon.isakmp.of_peer.get(heard.address or "", []):
        move(ISAKMP, sa, "rekeying")
        sa.dying = sa.dying or racoon.now


def expired(racoon: Racoon, heard: Heard[Phase1Expired]) -> None:
    """An ISAKMP SA's lifetime is over, or the peer deleted it: racoon prints the same."""
    if heard.event.local is not None:
        racoon.own(heard.event.local.address)
    sa = _alive(racoon, heard.event.cookies)
    if sa is not None:
        told = racoon.blame.teardowns.cause(sa.cookies, sa.peer, now=racoon.now)
        racoon.isakmp.end(sa, "expired", told or racoon.isakmp.why_expired(sa, racoon.now), racoon.now, racoon.now)


def purging(racoon: Racoon, heard: Heard[Phase1Purging]) -> None:
    """The daemon begins to tear an ISAKMP SA down."""
    sa = _alive(racoon, heard.event.cookies)
    if sa is not None:
        move(ISAKMP, sa, "teardown")
        sa.purging = racoon.now
        sa.purging_cause = racoon.blame.teardowns.cause(sa.cookies, sa.peer, now=racoon.now) or "purged"
        racoon.isakmp.schedule_end(sa)
        racoon.blame.teardowns.explain(sa.cookies, sa.purging_cause, racoon.now)


def purged(racoon: Racoon, heard: Heard[Phase1Purged | Phase1Deleted]) -> None:
    """The teardown of an ISAKMP SA is over."""
    local = getattr(heard.event, "local", None)
    if local is not None:
        racoon.own(local.address)
    sa = _alive(racoon, heard.event.cookies)
    if sa is not None:
        happened: IsakmpEvent = "purged" if heard.message.event == "phase1_purged" else "deleted"
        cause = racoon.blame.teardowns.cause(sa.cookies, sa.peer, now=racoon.now) or "purged"
        racoon.isakmp.end(sa, happened, cause, racoon.now, racoon.now)


def failed(racoon: Racoon, heard: Heard[Phase1Failed]) -> None:
    """A negotiation, or a step of it, failed."""
    cookies, stage, reason = heard.event.cookies, heard.message.stage, heard.reason
    if cookies is not None:
        racoon.blame.timed_out(TimeOut(racoon.now, cookies, reason or "timeout"), heard.address)
    elif stage == "refusal":
        _refused(racoon, heard, reason or "no_config")
    elif stage == "first" and _ends_first_packet(racoon):
        return
    elif stage in {"step", "first"} or _ends_phase2(racoon, stage):
        racoon.blame.packet.add(heard.address, Evidence(racoon.now, reason, 1), racoon.now)
    else:
        _ended(racoon, heard.address, reason)


def _ends_first_packet(racoon: Racoon) -> bool:
    """Whether a packet that failed was the first one of a peer, and end its negotiation: 0.5 and 0.6 say no more of it.

    `isakmp.c: isakmp_ph1begin_r()` drops the handle. Of a later packet `phase1 negotiation failed.` follows at once.
    """
    packet = racoon.blame.packet
    context = packet.context
    if context is None or (context.phase, context.role) != (1, "responder"):
        return False
    if not close_in_time(context.begun, racoon.now, _FIRST_PACKET):
        return False
    packet.land(context.peer, racoon.now)
    racoon.fail(context, None)
    packet.refused = racoon.now, context.peer
    return True


def _said_already(racoon: Racoon, address: str | None) -> bool:
    """Whether `phase1 negotiation failed.` says again what the line just before it said."""
    packet = racoon.blame.packet
    refused, packet.refused = packet.refused, None
    if refused is None or address not in (refused[1], None):
        return False
    return close_in_time(refused[0], racoon.now) and not racoon.negotiations.of_peer(refused[1], 1, "responder")


def _ends_phase2(racoon: Racoon, stage: str) -> bool:
    """Whether 0.7's `failed to pre-process packet.` is about a phase 2 that a peer has just begun, and end that."""
    if stage != "begin":
        return False
    context = racoon.blame.packet.context
    if context is not None and context.phase == 2 and close_in_time(context.begun, racoon.now):
        racoon.blame.packet.land(context.peer, racoon.now)
        racoon.fail(context, None)
    return True


def _refused(racoon: Racoon, heard: Heard[Phase1Failed], reason: str) -> None:
    """A peer, or our own traffic, asked for a phase 1 that the configuration does not allow."""
    address = heard.address
    if address is None:
        racoon.blame.packet.add(None, Evidence(racoon.now, reason, 1, refusal=True), racoon.now)
    else:
        racoon.blame.packet.land(address, racoon.now)
        role = "responder" if heard.message.tag == "yes" else "initiator"
        racoon.refuse(address, 1, reason, role)


def _ended(racoon: Racoon, address: str | None, reason: str | None) -> None:
    """`phase1 negotiation failed.`: it names at most the peer."""
    if _said_already(racoon, address):
        return
    if address is None:
        context = racoon.blame.packet.context
        address = context.peer if context is not None else racoon.negotiations.only_peer(1) or UNATTRIBUTED
    racoon.blame.packet.land(address, racoon.now)
    negotiation = next(iter(reversed(racoon.negotiations.of_peer(address, 1))), None)
    if negotiation is None:
        negotiation = Negotiation(1, racoon.gateway, None, address, None, None, None)
        racoon.begin(negotiation)
        reason = more_telling(racoon.blame.refusals.take_reason(address, racoon.now), reason)
    racoon.fail(negotiation, reason)
