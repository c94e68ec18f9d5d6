"""Which negotiation a line without cookies or address belongs to, and why negotiations fail.

racoon handles one packet at a time and prints what it finds in order, so a line without an address belongs to the packet
whose other lines stand around it. Three ways lead to its peer, the surest first: the address on the line itself; the only
peer that negotiates at all; the next line with an address, if it follows at once. What none of them reaches is counted under
`unattributed`, never under a wrong peer.
"""

from __future__ import annotations

from dataclasses import dataclass

from racoon_exporter.sa.model import UNATTRIBUTED, Negotiation
from racoon_exporter.sa.racoon import Racoon
from racoon_parsers.reasons import more_telling

_SAME_PACKET = 1.0
"""Seconds between the lines of one packet: times have whole seconds."""
_RECENT = 60.0
"""Seconds for which evidence about a peer without a negotiation waits for its failure line."""
_MOST_FLOATING = 64
_MOST_RECENT = 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a line tells about a negotiation."""

    time: float | None
    reason: str | None
    """None where it only is to be counted, such as a tolerated certificate error."""
    phase: int | None
    count: tuple[str, ...] = ()
    """What to count for the peer, once it is known: metric and label values."""
    refusal: bool = False
    """Whether it is a failure of its own where no negotiation was begun."""


def close_in_time(one: float | None, other: float | None, seconds: float = _SAME_PACKET) -> bool:
    """Whether two times are at most some seconds apart; lines without time are in order and close."""
    return one is None or other is None or abs(one - other) <= seconds


def add(racoon: Racoon, address: str | None, evidence: Evidence) -> None:
    """Take evidence, with the address on its line if there is one."""
    if address is not None:
        _attach(racoon, address, evidence)
        return
    if evidence.refusal and evidence.phase == 1:
        _unattributed(racoon, evidence)  # a first packet was refused: no negotiation is open that it could belong to
    elif (only := _only_peer(racoon, evidence)) is not None:
        _attach(racoon, only, evidence)
    elif len(racoon.clues.floating) < _MOST_FLOATING:
        racoon.clues.floating.append(evidence)
    else:
        _unattributed(racoon, evidence)


def _only_peer(racoon: Racoon, evidence: Evidence) -> str | None:
    """Give the peer that negotiates, if there is one only; a refused phase 2 is no matter of its phase 1."""
    if len(racoon.open) != 1:
        return None
    ((peer, negotiations),) = racoon.open.items()
    fits = not evidence.refusal or any(negotiation.phase == evidence.phase for negotiation in negotiations)
    return peer if fits else None


def land(racoon: Racoon, address: str) -> None:
    """Tie what floats to a peer whose line has just come."""
    if not racoon.clues.floating:
        return
    floating, racoon.clues.floating = racoon.clues.floating, []
    for evidence in floating:
        if close_in_time(evidence.time, racoon.now) and (racoon.open.get(address) or evidence.reason is None):
            _attach(racoon, address, evidence)
        else:
            _settle_late(racoon, evidence)


def expire(racoon: Racoon) -> None:
    """Settle what floats for longer than a packet takes."""
    if racoon.clues.floating and not close_in_time(racoon.clues.floating[0].time, racoon.now):
        floating, racoon.clues.floating = racoon.clues.floating, []
        for evidence in floating:
            _settle_late(racoon, evidence)


def _settle_late(racoon: Racoon, evidence: Evidence) -> None:
    """Tie evidence to the negotiation that began just before it, or to nobody."""
    context = racoon.clues.context
    now, racoon.now = racoon.now, evidence.time
    if context is not None and close_in_time(context.begun, evidence.time):
        _attach(racoon, context.peer, evidence)
    else:
        _unattributed(racoon, evidence)
    racoon.now = now


def _unattributed(racoon: Racoon, evidence: Evidence) -> None:
    if evidence.count:
        racoon.count(UNATTRIBUTED, *evidence.count)
    if evidence.refusal and evidence.reason is not None:
        refuse(racoon, UNATTRIBUTED, evidence.phase or 1, evidence.reason, None)


def _attach(racoon: Racoon, address: str, evidence: Evidence) -> None:
    if evidence.count:
        racoon.count(address, *evidence.count)
    if evidence.reason is None:
        return
    negotiation = _speaks_of(racoon, address, evidence)
    if negotiation is not None:
        negotiation.evidence = more_telling(negotiation.evidence, evidence.reason)
        negotiation.touched = racoon.now
    elif evidence.refusal:
        refuse(racoon, address, evidence.phase or 1, evidence.reason, None)
    else:
        racoon.clues.recent[address] = (racoon.now, evidence.reason)
        racoon.clues.recent.move_to_end(address)
        if len(racoon.clues.recent) > _MOST_RECENT:
            racoon.clues.recent.popitem(last=False)


def _speaks_of(racoon: Racoon, address: str, evidence: Evidence) -> Negotiation | None:
    """Choose a peer's negotiation: the newest, of the phase the evidence speaks of if one is open.

    Several phase 2 of a peer run side by side, one for each of its policies, and each is refused for itself.
    """
    negotiations = racoon.open.get(address, [])
    fitting = [negotiation for negotiation in negotiations if negotiation.phase == evidence.phase]
    chosen = fitting or negotiations
    if evidence.phase == 2:
        chosen = [negotiation for negotiation in chosen if negotiation.evidence != evidence.reason] or chosen
    return chosen[-1] if chosen else None


def recent_reason(racoon: Racoon, address: str) -> str | None:
    """Give evidence about a peer that found no negotiation, if it is recent, and forget it."""
    told = racoon.clues.recent.pop(address, None)
    return told[1] if told is not None and close_in_time(told[0], racoon.now, _RECENT) else None


def refuse(racoon: Racoon, address: str, phase: int, reason: str, role: str | None, *key: str | None) -> None:
    """Count a negotiation that was refused before it began. The peer's retries are the same refusal."""
    name = (phase, address, reason, *key)
    refused = racoon.clues.refusals.get(name)
    if refused is not None and close_in_time(refused.begun, racoon.now, _RECENT):
        refused.ended = racoon.now
        racoon.archive.changed()
        return
    negotiation = Negotiation(phase, racoon.gateway, None, address, role, None, racoon.now)
    racoon.begin(negotiation)
    racoon.fail(negotiation, reason)
    racoon.clues.refusals[name] = negotiation
    if len(racoon.clues.refusals) > _MOST_RECENT:
        racoon.clues.refusals.popitem(last=False)
