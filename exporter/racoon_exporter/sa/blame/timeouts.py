"""Time-outs of phase 1: each is somebody's, at once or once later lines tell whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from racoon_exporter.sa.blame.rules import MOST_WEIGHED, Question, TimeOut, candidates, too_many_to_search
from racoon_exporter.sa.model import Negotiation
from racoon_exporter.sa.negotiations import Negotiations
from racoon_exporter.sa.timers import Timers

_WAITS_FOR: Final = 60.0
"""Seconds for which a time-out that several peers could claim waits for what tells whose it is: as long as a like negotiation
may take to fail as well."""
_MOST_WAITING: Final = 256
_MANY_LOOKS: Final = 4096
"""Looks at negotiations in one weighing of all that wait; behind more, some lines pass before the next."""
_MOST_LOOKS: Final = 4 * _MANY_LOOKS
_REST: Final = 64
"""Time-outs or ends of negotiations that pass behind a weighing that took many looks."""


class Verdict(NamedTuple):
    """Whose time-out it was."""

    timeout: TimeOut
    negotiation: Negotiation | None
    """None where nobody knows, or where its start was not seen."""
    peer: str | None = None
    """Whose it is where its start was not seen."""
    rule: str = ""
    """The rule of `rules.py` that told."""


class TimeOuts:
    """Decides whose each time-out is. Each verdict is to be executed before the next is asked for."""

    __slots__ = ("_ask_again", "_heard", "_negotiations", "_patience", "_rest", "_timers", "waiting")

    def __init__(self, negotiations: Negotiations, timers: Timers) -> None:
        self.waiting: list[TimeOut] = []
        """Those that several peers' negotiations could claim, in order."""
        self._patience: dict[bool, float] = {}
        """By whether the peer ever answered: seconds after which this racoon gave phase 1 up, once that was seen."""
        self._heard = 0
        """How many were taken so far."""
        self._ask_again: dict[bool, tuple[int, tuple[bool, dict[bool, float]]]] = {}
        """By whether the peer ever answered: as long as less has happened, nothing can be decided in these circumstances."""
        self._rest: dict[bool, int] = {}
        """By whether the peer ever answered: as long as less has happened, nothing is weighed again, as it was much work."""
        self._negotiations = negotiations
        self._timers = timers

    def heard(self, timeout: TimeOut, peer: str | None, context: Negotiation | None, owner: Any) -> Iterator[Verdict]:
        """Take a time-out; `peer` is whose cookies these are, if that is known."""
        self._heard += 1
        rule, picked = candidates(self._question(timeout, peer, context))
        if len({one.peer for one in picked}) > 1 or (peer is None and len(picked) >= MOST_WEIGHED):
            if len(self.waiting) >= _MOST_WAITING:
                yield self._taken(self.waiting[0], None, "too_many_wait")
            self._wait(timeout, owner)
        else:
            yield Verdict(timeout, picked[0] if picked else None, peer, rule)
        yield from self.claims(context)

    def awaits(self, at: float | None, when: float) -> bool:
        """Whether a time-out of a moment waits until then."""
        return at is not None and at + _WAITS_FOR == when and any(timeout.at == at for timeout in self.waiting)

    def _question(self, timeout: TimeOut, peer: str | None, context: Negotiation | None) -> Question:
        return Question(timeout, self._negotiations, peer, context, self._patience)

    def _wait(self, timeout: TimeOut, owner: Any) -> None:
        waiting = self.waiting
        waiting.append(timeout)
        if timeout.at is not None and (len(waiting) == 1 or waiting[-2].at != timeout.at):
            self._timers.at(timeout.at + _WAITS_FOR, owner, timeout.at)

    def _taken(self, timeout: TimeOut, negotiation: Negotiation | None, rule: str) -> Verdict:
        self.waiting.remove(timeout)
        self._ask_again.clear()
        return Verdict(timeout, negotiation, None, rule)

    def claims(self, context: Negotiation | None) -> Iterator[Verdict]:
        """Decide what several could claim: where as many failed as could have, each of them did.

        That shows as further ones fail, and as others succeed.
        """
        if not self.waiting:
            return
        for answered in (False, True):
            ends = [timeout for timeout in self.waiting if timeout.answered == answered]
            if ends and not self._undecided(answered):
                yield from self._claims(answered, ends, context)

    def _claims(self, answered: bool, ends: list[TimeOut], context: Negotiation | None) -> Iterator[Verdict]:  # noqa: FBT001  a kind, no switch
        picked = self._weigh(answered, ends, context)
        if picked is None:
            return
        if len(picked) > len(ends):
            self._note_undecided(answered, ends, len(picked) - len(ends))
            return
        by_age = sorted(picked.values(), key=lambda one: one.begun or 0.0)
        for timeout, negotiation in zip(ends, by_age, strict=False):
            yield self._taken(timeout, negotiation, "as_many_as_could")
        for timeout in ends[len(by_age) :]:
            yield self._taken(timeout, None, "nobody_left")

    def _weigh(
        self,
        answered: bool,  # noqa: FBT001  a kind, no switch
        ends: list[TimeOut],
        context: Negotiation | None,
    ) -> dict[int, Negotiation] | None:
        """Give, by `id`, the negotiations that these could be; of far too many, some; None if it is too much work."""
        looks = 0
        picked: dict[int, Negotiation] = {}
        unlike = {(timeout.at, timeout.reason == "send_error"): timeout for timeout in ends}  # the rules go by no more
        for timeout in unlike.values():
            if looks >= _MOST_LOOKS:
                return None
            question = self._question(timeout, None, context)
            picked |= {id(one): one for one in candidates(question)[1]}
            looks += question.looks
            if looks >= _MANY_LOOKS:
                self._rest[answered] = self._happened + _REST
            if len(picked) >= len(ends) + _REST:
                break
        return picked

    def _note_undecided(self, answered: bool, ends: list[TimeOut], lacking: int) -> None:  # noqa: FBT001  a kind, no switch
        """So many negotiations must end, or time-outs come, before those that wait can be decided; nothing else tells sooner.

        Where it is a matter of the packet that is handled just now, another line may tell.
        """
        if all(timeout.reason != "send_error" for timeout in ends):
            self._ask_again[answered] = (self._happened + lacking, self._circumstances)

    def _undecided(self, answered: bool) -> bool:  # noqa: FBT001  a kind, no switch
        if self._happened < self._rest.get(answered, 0):
            return True
        happened, circumstances = self._ask_again.get(answered, (0, None))
        return self._happened < happened and circumstances == self._circumstances

    @property
    def _happened(self) -> int:
        return self._heard + self._negotiations.over

    @property
    def _circumstances(self) -> tuple[bool, dict[bool, float]]:
        """What else the rules go by."""
        return too_many_to_search(self._negotiations), self._patience

    def give_up(self, at: float | None, context: Negotiation | None) -> Iterator[Verdict]:
        """Give up on the time-outs of a moment of which nobody can say whose they are: they stay unattributed."""
        yield from self.claims(context)
        for timeout in [timeout for timeout in self.waiting if timeout.at == at]:
            yield self._taken(timeout, None, "waited_in_vain")

    def learn(self, verdict: Verdict) -> None:
        """Learn this racoon's patience from a negotiation that timed out, unless the clock was set back while it lasted."""
        timeout, negotiation = verdict.timeout, verdict.negotiation
        if (
            negotiation is not None
            and negotiation.begun is not None
            and timeout.at is not None
            and timeout.at >= negotiation.begun
            and timeout.reason != "send_error"
        ):
            self._patience = {**self._patience, timeout.answered: timeout.at - negotiation.begun}

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give everything, for a checkpoint."""
        return {
            "ambiguous": self.waiting,
            "give_up_after": [[answered, seconds] for answered, seconds in self._patience.items()],
        }

    def restore(self, given: dict[str, Any], owner: Any) -> None:
        """Go on from what `to_json` gave."""
        self.waiting = [TimeOut(at, cookies, reason) for at, cookies, reason in given["ambiguous"]]
        self._patience = {bool(answered): seconds for answered, seconds in given["give_up_after"]}
        for at in {timeout.at for timeout in self.waiting if timeout.at is not None}:
            self._timers.at(at + _WAITS_FOR, owner, at)
