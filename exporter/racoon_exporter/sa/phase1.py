"""What each phase 1 event does: negotiations and ISAKMP SAs."""

from __future__ import annotations

from typing import Final

from racoon_exporter.sa import evidence
from racoon_exporter.sa.model import UNATTRIBUTED, IsakmpSa, Negotiation, Peer, Phase1End
from racoon_exporter.sa.racoon import DURATION_BUCKETS, GRACE, Racoon, TimedOut
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
from racoon_parsers.message import Message
from racoon_parsers.reader import Record
from racoon_parsers.reasons import more_telling, severity_and_reason

_NO_ANSWER: Final = "0" * 16
_GIVE_UP: Final = 50.0
"""Seconds after which racoon gives phase 1 up by default: `timer { counter 5; interval 10 sec; }`."""
_GIVE_UP_TOLERANCE: Final = 3.0
AMBIGUOUS_FOR: Final = 60.0
"""Seconds for which a time-out that several peers could claim waits for what tells whose it is."""
_MOST_WAITING: Final = 256
_FEW: Final = 64
"""Peers under way up to which all are looked at where none has the age of a time-out."""
_LEAST_GIVE_UP: Final = 2.0
"""Seconds no configured timer falls below: what is younger has not timed out."""
_PROOFS: Final = 2
"""ISAKMP SAs that must have lived for a time before it ends others: a peer's delete may come after any time."""
_LIFETIME_STEP: Final = 30.0
"""Seconds; lifetimes are whole multiples of half a minute wherever people choose them."""
_TOLERANCE: Final = 2.0
_QUIET: Final = 1.0


def address_of(record: Record, endpoint: Endpoint | None) -> str | None:
    """Give the peer's address from a value of the message or from the tag before the level."""
    if endpoint is not None:
        return endpoint.address
    if record.tag and record.message is not None and record.message.tag != "local":
        return record.tag
    return None


def started(racoon: Racoon, record: Record, event: Phase1Started) -> None:
    """A negotiation begins."""
    if event.peer is None:
        return
    local = event.local.address if event.local else None
    if local:
        racoon.locals.add(local)
    negotiation = Negotiation(1, racoon.gateway, local, event.peer.address, event.role, None, record.time)
    racoon.begin(negotiation)
    racoon.clues.context = negotiation
    if event.exchange is not None:
        mode(racoon, record, Phase1Mode(event.exchange))


def mode(racoon: Racoon, _record: Record, event: Phase1Mode) -> None:
    """The exchange type of the negotiation that began just before."""
    context = racoon.clues.context
    if context is not None and context.phase == 1 and context.exchange is None:
        context.exchange = event.exchange
        racoon.count(context.peer, "phase1_negotiations", context.role or "unknown", event.exchange or "unknown")


def established(racoon: Racoon, record: Record, event: Phase1Established) -> None:
    """An ISAKMP SA is up."""
    if event.cookies is None:
        return
    address = event.peer.address if event.peer else racoon.peer_of_cookies.get(event.cookies)
    if address is None or event.cookies in racoon.isakmp:
        return
    peer = racoon.acquaint(address)
    negotiation = next(iter(reversed(racoon.of_peer(address, 1))), None)
    local = event.local.address if event.local else None
    if negotiation is None:
        negotiation = Negotiation(1, racoon.gateway, local, address, event.role, None, None)
        racoon.begin(negotiation)
    negotiation.cookies = event.cookies
    negotiation.local = local or negotiation.local
    if local:
        racoon.locals.add(local)
    racoon.finish(negotiation, "came_up")
    if racoon.clues.ambiguous:
        claim(racoon)
    racoon.remember_cookies(event.cookies, address)
    sa = IsakmpSa(
        racoon.gateway, negotiation.local, address, event.cookies, negotiation.role, negotiation.exchange, record.time
    )
    sa.lifetime = peer.phase1_lifetime
    sa.xauth, racoon.clues.xauth_asked = racoon.clues.xauth_asked, False
    racoon.add_isakmp(sa)
    bound(racoon, sa)
    peer.phase1_last_established = record.time if record.time is not None else peer.phase1_last_established
    racoon.count(address, "phase1_established", negotiation.role or "unknown")
    if negotiation.begun is not None and record.time is not None:
        _observe_duration(racoon, negotiation.role or "unknown", record.time - negotiation.begun)


def _observe_duration(racoon: Racoon, role: str, seconds: float) -> None:
    counts = racoon.durations.setdefault(role, [0.0] * (len(DURATION_BUCKETS) + 2))
    place = next((index for index, bound in enumerate(DURATION_BUCKETS) if seconds <= bound), len(DURATION_BUCKETS))
    counts[place] += 1
    counts[-1] += max(0.0, seconds)


def bound(racoon: Racoon, sa: IsakmpSa) -> None:
    """Set the time at which an ISAKMP SA whose end nobody logs is taken to have ended.

    A teardown says no more where the kernel holds no IPsec SA (`isakmp.c: purge_remote()`).
    """
    if sa.purging is not None:
        racoon.timer_at(sa.purging + GRACE, "isakmp", sa)
    if sa.established is not None and sa.lifetime is not None and is_proven(racoon, sa):
        racoon.timer_at(sa.established + sa.lifetime + max(10.0, sa.lifetime / 20), "isakmp", sa)


def is_configured(racoon: Racoon, sa: IsakmpSa) -> bool:
    """Whether its lifetime is what the configuration says, not what was learned."""
    expected = racoon.knowledge.expected(sa.peer)
    return expected is not None and expected.phase1_lifetime is not None


def is_proven(racoon: Racoon, sa: IsakmpSa) -> bool:
    """Whether its lifetime is known well enough to end it."""
    return is_configured(racoon, sa) or racoon.peer(sa.peer).phase1_proofs >= _PROOFS


def _find(racoon: Racoon, cookies: str | None) -> IsakmpSa | None:
    """Give the ISAKMP SA of these cookies, if it is alive. A line about one that was taken to be over proves that it is."""
    sa = racoon.isakmp.get(cookies or "") or racoon.revive_isakmp(cookies or "")
    if sa is None or sa.established is None or sa.lifetime is None or racoon.now is None:
        return sa
    if racoon.now - sa.established > _latest(sa.lifetime) and not is_configured(racoon, sa):
        _doubt(racoon.peer(sa.peer), sa)
    return sa


def _doubt(peer: Peer, sa: IsakmpSa) -> None:
    """An SA lived longer than was learned. What was proven may still be true, as clocks step; one guess was wrong."""
    if peer.phase1_proofs < _PROOFS:
        peer.phase1_lifetime = sa.lifetime = None
    peer.phase1_proofs = 0


def _latest(lifetime: float) -> float:
    return lifetime + _TOLERANCE + lifetime / 100


def rekeying(racoon: Racoon, record: Record, event: Phase1Rekeying) -> None:
    """The old ISAKMP SA is near its end; a new one is negotiated."""
    named = _find(racoon, event.cookies)
    address = address_of(record, event.peer)
    for sa in [named] if named is not None else racoon.isakmp_of.get(address or "", []):
        move(ISAKMP, sa, "rekeying")
        sa.dying = sa.dying or record.time


def expired(racoon: Racoon, _record: Record, event: Phase1Expired) -> None:
    """An ISAKMP SA's lifetime is over, or the peer deleted it: racoon prints the same."""
    sa = _find(racoon, event.cookies)
    if sa is not None:
        racoon.end_isakmp(sa, "expired", _why_expired(racoon, sa))


def _why_expired(racoon: Racoon, sa: IsakmpSa) -> Phase1End:
    told = racoon.teardown_cause(sa.cookies, sa.peer)
    if told is not None:
        return told
    if sa.established is None or racoon.now is None:
        return "expired"
    age = racoon.now - sa.established
    peer = racoon.peer(sa.peer)
    if sa.lifetime is not None and abs(age - sa.lifetime) <= _TOLERANCE + sa.lifetime / 100:
        _prove(racoon, peer)
        return "expired"
    if sa.lifetime is not None:
        return "expired" if age > sa.lifetime else "deleted_by_peer"
    whole = round(age / _LIFETIME_STEP) * _LIFETIME_STEP
    last, peer.phase1_age = peer.phase1_age, age
    if whole > 0 and abs(age - whole) <= _QUIET:
        peer.phase1_lifetime, peer.phase1_proofs = whole, 1
    elif last is not None and abs(age - last) <= _TOLERANCE:
        peer.phase1_lifetime, peer.phase1_proofs = age, 1
    else:
        return "deleted_by_peer"
    return "expired"


def _prove(racoon: Racoon, peer: Peer) -> None:
    """One more lived as long as was learned; from the second on that ends SAs, those that are there already as well."""
    peer.phase1_proofs += 1
    if peer.phase1_proofs == _PROOFS:
        for sa in racoon.isakmp_of.get(peer.address, ()):
            bound(racoon, sa)


def purging(racoon: Racoon, _record: Record, event: Phase1Purging) -> None:
    """The daemon begins to tear an ISAKMP SA down."""
    sa = _find(racoon, event.cookies)
    if sa is not None:
        move(ISAKMP, sa, "teardown")
        sa.purging = racoon.now
        bound(racoon, sa)
        racoon.explain_teardown(sa.cookies, racoon.teardown_cause(sa.cookies, sa.peer) or "purged")


def purged(racoon: Racoon, record: Record, event: Phase1Purged | Phase1Deleted) -> None:
    """The teardown of an ISAKMP SA is over."""
    sa = _find(racoon, event.cookies)
    if sa is not None and record.message is not None:
        happened: IsakmpEvent = "purged" if record.message.event == "phase1_purged" else "deleted"
        racoon.end_isakmp(sa, happened, racoon.teardown_cause(sa.cookies, sa.peer) or "purged")


def failed(racoon: Racoon, record: Record, event: Phase1Failed) -> None:
    """A negotiation, or a step of it, failed."""
    message = record.message
    if message is None:
        return
    _, reason = severity_and_reason(message, event)
    address = address_of(record, event.peer)
    if event.cookies is not None:
        _timed_out(racoon, event.cookies, reason or "timeout")
    elif message.stage == "refusal":
        _refused(racoon, record, message, address, reason or "no_config")
    elif message.stage == "step" or _ends_phase2(racoon, record, message):
        evidence.add(racoon, address, evidence.Evidence(record.time, reason, 1))
    else:
        _ended(racoon, address, reason)


def _ends_phase2(racoon: Racoon, record: Record, message: Message) -> bool:
    """Whether 0.7's `failed to pre-process packet.` is about a phase 2 that a peer has just begun, and end that."""
    if message.stage != "begin":
        return False
    context = racoon.clues.context
    if context is not None and context.phase == 2 and evidence.close_in_time(context.begun, record.time):
        evidence.land(racoon, context.peer)
        racoon.fail(context, None)
    return True


def _refused(racoon: Racoon, record: Record, message: Message, address: str | None, reason: str) -> None:
    """A peer, or our own traffic, asked for a phase 1 that the configuration does not allow."""
    evidence.land(racoon, address) if address else None
    refused = evidence.Evidence(record.time, reason, 1, refusal=True)
    if address is None:
        evidence.add(racoon, None, refused)
    else:
        role = "responder" if message.tag == "yes" else "initiator"
        evidence.refuse(racoon, address, 1, reason, role)


def _ended(racoon: Racoon, address: str | None, reason: str | None) -> None:
    """`phase1 negotiation failed.`: it names at most the peer."""
    if address is None:
        peers = {negotiation.peer for negotiation in racoon.unfinished(1)}
        address = (
            racoon.clues.context.peer if racoon.clues.context is not None else peers.pop() if len(peers) == 1 else UNATTRIBUTED
        )
    evidence.land(racoon, address)
    negotiation = next(iter(reversed(racoon.of_peer(address, 1))), None)
    if negotiation is None:
        negotiation = Negotiation(1, racoon.gateway, None, address, None, None, None)
        racoon.begin(negotiation)
        reason = more_telling(evidence.recent_reason(racoon, address), reason)
    racoon.fail(negotiation, reason)


def _timed_out(racoon: Racoon, cookies: str, reason: str) -> None:
    """`phase1 negotiation failed due to …`: it names the cookies, which no line before did."""
    known = racoon.peer_of_cookies.get(cookies)
    candidates = _could_time_out(racoon, known, reason, answered=_answered(cookies))
    if len({candidate.peer for candidate in candidates}) > 1:
        _wait(racoon, (racoon.now, cookies, reason))
    elif candidates:
        _fail_timed_out(racoon, candidates[0], cookies, reason)
    else:
        _fail_unseen(racoon, known or UNATTRIBUTED, cookies, reason)
    if racoon.clues.ambiguous:
        claim(racoon)


def _answered(cookies: str) -> bool:
    return not cookies.endswith(_NO_ANSWER)


def _wait(racoon: Racoon, end: TimedOut) -> None:
    """Put a time-out off until it is clear whose it is, for as long as a like negotiation may take to fail as well."""
    waiting = racoon.clues.ambiguous
    if len(waiting) >= _MOST_WAITING:
        _settle(racoon, waiting[0], None)
    waiting.append(end)
    if racoon.now is not None and (len(waiting) == 1 or waiting[-2][0] != racoon.now):
        racoon.timer(AMBIGUOUS_FOR, "ambiguous", racoon.now)


def _fail_unseen(racoon: Racoon, peer: str, cookies: str, reason: str) -> None:
    """Count a failure whose start no line told."""
    unseen = Negotiation(1, racoon.gateway, None, peer, None, None, None, cookies)
    racoon.begin(unseen)
    racoon.fail(unseen, reason)


def _fail_timed_out(racoon: Racoon, negotiation: Negotiation, cookies: str, reason: str) -> None:
    if negotiation.begun is not None and racoon.now is not None and reason != "send_error":
        racoon.clues.give_up_after[_answered(cookies)] = racoon.now - negotiation.begun
    negotiation.cookies = cookies
    racoon.fail(negotiation, reason)


def _could_time_out(racoon: Racoon, known: str | None, reason: str, *, answered: bool) -> list[Negotiation]:
    """Give the negotiations that a failure with cookies may be about, the likeliest first.

    A responder always has cookies of its own, so a zero responder cookie means that we were the initiator. A send error
    comes at once, and the only negotiation that was begun in the same second is its own. A time-out comes when racoon's
    retries are used up, which takes the same time for every negotiation that never got an answer.
    """
    if known is not None:
        return [one for one in racoon.of_peer(known, 1) if answered or one.role != "responder"]
    now = racoon.now
    if reason == "send_error":
        context = racoon.clues.context
        if context is not None and context.phase == 1:
            return [context]
    elif now is not None and len(racoon.open) > 1:
        of_age = _of_age(racoon, now, answered=answered)
        if of_age or len(racoon.open) > _FEW:
            return of_age
    return [
        one
        for one in racoon.unfinished(1)
        if (answered or one.role != "responder") and (reason == "send_error" or _age(one, now) >= _LEAST_GIVE_UP)
    ]


def _of_age(racoon: Racoon, now: float, *, answered: bool) -> list[Negotiation]:
    """Give the negotiations whose retries are used up by now: those to the second, else those about that old."""
    begun = now - racoon.clues.give_up_after.get(answered, _GIVE_UP)
    for tolerance in (_QUIET, _GIVE_UP_TOLERANCE):
        found = [
            one
            for second in range(int(begun - tolerance), int(begun + tolerance) + 1)
            for one in racoon.begun_at.get(second, {}).values()
            if abs((one.begun or 0.0) - begun) <= tolerance and (answered or one.role != "responder")
        ]
        if found:
            return found
    return []


def _age(negotiation: Negotiation, now: float | None) -> float:
    """Give the seconds since a negotiation began; infinity where no line told."""
    return float("inf") if now is None or negotiation.begun is None else now - negotiation.begun


def claim(racoon: Racoon) -> None:
    """Decide time-outs that several peers' negotiations could claim.

    Where as many failed as could have, each of them did. That shows as further ones fail, and as others succeed.
    """
    for answered in (False, True):
        ends = [end for end in racoon.clues.ambiguous if _answered(end[1]) == answered]
        candidates = {id(one): one for end in ends for one in _could_have_been(racoon, end)}
        if ends and len(candidates) <= len(ends):
            by_age = sorted(candidates.values(), key=lambda one: one.begun or 0.0)
            for end, negotiation in zip(ends, by_age, strict=False):
                _settle(racoon, end, negotiation)
            for end in ends[len(by_age) :]:
                _settle(racoon, end, None)


def settle_ambiguous(racoon: Racoon, when: float | None) -> None:
    """Give up on time-outs of which nobody can say whose they are: they stay unattributed."""
    claim(racoon)
    for end in [end for end in racoon.clues.ambiguous if end[0] == when]:
        _settle(racoon, end, None)


def _could_have_been(racoon: Racoon, end: TimedOut) -> list[Negotiation]:
    """Give the negotiations still under way that a time-out of some time ago may be about."""
    now, racoon.now = racoon.now, end[0]
    candidates = _could_time_out(racoon, None, end[2], answered=_answered(end[1]))
    racoon.now = now
    return candidates


def _settle(racoon: Racoon, end: TimedOut, negotiation: Negotiation | None) -> None:
    """Fail a negotiation, or one that nobody knows, at the time when it timed out."""
    racoon.clues.ambiguous.remove(end)
    now, racoon.now = racoon.now, end[0]
    if negotiation is None:
        _fail_unseen(racoon, UNATTRIBUTED, end[1], end[2])
    else:
        _fail_timed_out(racoon, negotiation, end[1], end[2])
    racoon.now = now
