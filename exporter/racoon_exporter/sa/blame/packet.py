"""Which negotiation a line without an address belongs to.

racoon handles one packet at a time and prints what it finds in order, so a line without an address belongs to the packet
whose other lines stand around it. Three ways lead to its peer, the surest first: the address on the line itself; the only
peer that negotiates at all; the next line with an address, if it follows at once. What none of them reaches is counted under
`unattributed`, never under a wrong peer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from racoon_exporter.sa.blame.refusals import Refusals, close_in_time
from racoon_exporter.sa.model import UNATTRIBUTED, Negotiation, from_json, to_json
from racoon_exporter.sa.negotiations import Negotiations
from racoon_exporter.sa.peers import Peers
from racoon_parsers.reasons import more_telling

_MOST_FLOATING: Final = 64


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


class Packet:
    """What the lines of the packet that racoon handles just now have told."""

    __slots__ = ("_began", "_negotiations", "_peers", "_refusals", "floating", "larval", "login_asked", "refused")

    def __init__(self, negotiations: Negotiations, peers: Peers, refusals: Refusals) -> None:
        self.floating: list[Evidence] = []
        """Evidence that no line has tied to a peer yet."""
        self.larval: tuple[float | None, str, str] | None = None
        """The larval SA that expired last: time, peer, local end."""
        self.login_asked = False
        """Whether an XAuth login was asked for since the last ISAKMP SA."""
        self.refused: tuple[float | None, str] | None = None
        """When a line ended a peer's refused negotiation, and whose, in case another line says so again."""
        self._began: Negotiation | None = None
        self._negotiations = negotiations
        self._peers = peers
        self._refusals = refusals

    @property
    def context(self) -> Negotiation | None:
        """The negotiation whose start was the last line with an address, while it lasts: what follows may belong to it."""
        began = self._began
        return began if began is not None and began.state == "negotiating" else None

    def begins(self, negotiation: Negotiation) -> None:
        """Note the negotiation that a line begins."""
        self._began = negotiation

    def forget(self) -> None:
        """The daemon ended: nothing of its packets goes on."""
        self.floating.clear()
        self._began = None
        self.login_asked = False

    # evidence

    def add(self, address: str | None, evidence: Evidence, now: float | None) -> None:
        """Take evidence, with the address on its line if there is one."""
        if address is not None:
            self._attach(address, evidence, now, now)
        elif evidence.refusal and evidence.phase == 1:
            self._unattributed(evidence, now, now)  # a first packet was refused: no negotiation is open that it could belong to
        elif (only := self._only_peer(evidence)) is not None:
            self._attach(only, evidence, now, now)
        elif len(self.floating) < _MOST_FLOATING:
            self.floating.append(evidence)
        else:
            self._unattributed(evidence, now, now)

    def _only_peer(self, evidence: Evidence) -> str | None:
        """Give the peer that negotiates, if there is one only; a refused phase 2 is no matter of its phase 1."""
        under_way = self._negotiations.open
        if len(under_way) != 1:
            return None
        ((peer, negotiations),) = under_way.items()
        fits = not evidence.refusal or any(negotiation.phase == evidence.phase for negotiation in negotiations)
        return peer if fits else None

    def land(self, address: str, now: float | None) -> None:
        """Tie what floats to a peer whose line has just come."""
        if not self.floating:
            return
        floating, self.floating = self.floating, []
        for evidence in floating:
            if close_in_time(evidence.time, now) and (self._negotiations.open.get(address) or evidence.reason is None):
                self._attach(address, evidence, now, now)
            else:
                self._tie_late(evidence, now)

    def expire(self, now: float | None) -> None:
        """Decide what floats for longer than a packet takes."""
        if self.floating and not close_in_time(self.floating[0].time, now):
            self.decide(now)

    def decide(self, now: float | None) -> None:
        """Tie what floats to the negotiation that began just before it, or to nobody."""
        floating, self.floating = self.floating, []
        for evidence in floating:
            self._tie_late(evidence, now)

    def _tie_late(self, evidence: Evidence, now: float | None) -> None:
        context = self.context
        if context is not None and close_in_time(context.begun, evidence.time):
            self._attach(context.peer, evidence, evidence.time, now)
        else:
            self._unattributed(evidence, evidence.time, now)

    def _unattributed(self, evidence: Evidence, at: float | None, now: float | None) -> None:
        if evidence.count:
            self._peers.count(UNATTRIBUTED, at, *evidence.count)
        if evidence.refusal and evidence.reason is not None:
            self._refusals.refuse(UNATTRIBUTED, evidence.phase or 1, evidence.reason, None, at=at, now=now)

    def _attach(self, address: str, evidence: Evidence, at: float | None, now: float | None) -> None:
        if evidence.count:
            self._peers.count(address, at, *evidence.count)
        if evidence.reason is None:
            return
        negotiation = self._speaks_of(address, evidence)
        if negotiation is not None:
            negotiation.evidence = more_telling(negotiation.evidence, evidence.reason)
            self._negotiations.touch(negotiation, at)
        elif evidence.refusal:
            self._refusals.refuse(address, evidence.phase or 1, evidence.reason, None, at=at, now=now)
        else:
            self._refusals.remember_reason(address, evidence.reason, at)

    def _speaks_of(self, address: str, evidence: Evidence) -> Negotiation | None:
        """Choose a peer's negotiation: the newest, of the phase the evidence speaks of if one is open.

        Several phase 2 of a peer run side by side, one for each of its policies, and each is refused for itself.
        """
        negotiations = self._negotiations.open.get(address, [])
        fitting = [negotiation for negotiation in negotiations if negotiation.phase == evidence.phase]
        chosen = fitting or negotiations
        if evidence.phase == 2:
            chosen = [negotiation for negotiation in chosen if negotiation.evidence != evidence.reason] or chosen
        return chosen[-1] if chosen else None

    # keeping

    def to_json(self, negotiations: list[Negotiation]) -> dict[str, Any]:
        """Give everything, for a checkpoint. `negotiations` are those under way, in the order in which they are kept."""
        context = self.context
        return {
            "context": next((place for place, one in enumerate(negotiations) if one is context), None),
            "floating": [to_json(one) | {"count": list(one.count)} for one in self.floating],
            "larval": self.larval,
            "xauth_asked": self.login_asked,
            "refused": self.refused,
        }

    def restore(self, given: dict[str, Any], negotiations: list[Negotiation]) -> None:
        """Go on from what `to_json` gave."""
        self._began = None if given["context"] is None else negotiations[given["context"]]
        self.floating = [
            from_json(Evidence, {"reason": None, "phase": None, **one, "count": tuple(one["count"])})
            for one in given["floating"]
        ]
        larval = given["larval"]
        self.larval = None if larval is None else (larval[0], larval[1], larval[2])
        self.login_asked = given["xauth_asked"]
        refused = given.get("refused")
        self.refused = None if refused is None else (refused[0], refused[1])
