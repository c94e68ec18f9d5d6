"""Which negotiations a time-out may be about: named rules in order, the first that has an answer decides.

racoon prints `phase1 negotiation failed due to time up. COOKIES` (`isakmp.c: isakmp_ph1expire()`, 0.8: `isakmp_ph1resend()`)
with the cookies as the only name, and prints no cookies where a negotiation begins. So a time-out goes by what is known else:
whose cookies these are, whether the peer ever answered, and how long racoon waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from racoon_exporter.sa.model import Negotiation
from racoon_exporter.sa.negotiations import Negotiations

_NO_ANSWER: Final = "0" * 16
_PATIENCE: Final = 50.0
"""Seconds after which racoon gives phase 1 up by default: `timer { counter 5; interval 10 sec; }`."""
_WHOLE_SECONDS: Final = 1.0
"""Seconds by which an age is wrong that follows from times of whole seconds."""
_ABOUT: Final = 3.0
"""Seconds by which a busy racoon is late."""
_LEAST_PATIENCE: Final = 2.0
"""Seconds no configured timer falls below: what is younger has not timed out."""
_PEERS_SEARCHED_ONE_BY_ONE: Final = 64
"""Peers under way up to which all are looked at where none has the age of a time-out."""
MOST_WEIGHED: Final = 320
"""Negotiations that a time-out may be about, more than time-outs may wait: of more, nobody could say whose it is."""


class TimeOut(NamedTuple):
    """A phase 1 that racoon gave up, as the line tells it."""

    at: float | None
    cookies: str
    reason: str

    @property
    def answered(self) -> bool:
        """Whether the peer ever answered: a responder always has cookies of its own, so zeros are those of nobody."""
        return not self.cookies.endswith(_NO_ANSWER)

    def may_be(self, negotiation: Negotiation) -> bool:
        """Whether a negotiation could end so: without a responder cookie we were the initiator."""
        return self.answered or negotiation.role != "responder"


@dataclass(slots=True)
class Question:
    """A time-out, and what is known when it is asked whose it is."""

    timeout: TimeOut
    negotiations: Negotiations
    peer: str | None = None
    """Whose cookies these are, if a line told it."""
    context: Negotiation | None = None
    """What the last line with an address began."""
    patience: Mapping[bool, float] | None = None
    """By whether the peer answered: seconds after which this racoon gave up, once that was seen."""

    looks: int = 0
    """Negotiations that were looked at for an answer."""

    def fitting(
        self, negotiations: Iterable[Negotiation], is_one: Callable[[Negotiation], bool] = lambda _: True
    ) -> list[Negotiation]:
        """Give those that the time-out may be about."""
        found: list[Negotiation] = []
        for one in negotiations:
            self.looks += 1
            if self.timeout.may_be(one) and is_one(one):
                found.append(one)
                if len(found) == MOST_WEIGHED:
                    break
        return found

    def of_age(self, tolerance: float) -> list[Negotiation]:
        """Give those whose retries are used up at the time of the time-out."""
        timeout = self.timeout
        if timeout.at is None or timeout.reason == "send_error" or len(self.negotiations.open) <= 1:
            return []
        begun = timeout.at - (self.patience or {}).get(timeout.answered, _PATIENCE)
        found = self.negotiations.begun_in(int(begun - tolerance), int(begun + tolerance))
        return self.fitting(found, lambda one: abs((one.begun or 0.0) - begun) <= tolerance)


def _known_cookies(question: Question) -> list[Negotiation] | None:
    return None if question.peer is None else question.fitting(question.negotiations.of_peer(question.peer, 1))


def _packet_not_sent(question: Question) -> list[Negotiation] | None:
    context = question.context
    if question.timeout.reason == "send_error" and context is not None and context.phase == 1:
        return [context]
    return None


def _of_age_to_the_second(question: Question) -> list[Negotiation] | None:
    return question.of_age(_WHOLE_SECONDS) or None


def _of_about_that_age(question: Question) -> list[Negotiation] | None:
    return question.of_age(_ABOUT) or None


def too_many_to_search(negotiations: Negotiations) -> bool:
    """Whether so many peers are under way that one that has another age than a time-out is not looked for."""
    return len(negotiations.open) > _PEERS_SEARCHED_ONE_BY_ONE


def _too_many_to_guess(question: Question) -> list[Negotiation] | None:
    timeout = question.timeout
    if timeout.reason == "send_error" or timeout.at is None:
        return None
    return [] if too_many_to_search(question.negotiations) else None


def _old_enough(question: Question) -> list[Negotiation] | None:
    timeout = question.timeout
    under_way = question.negotiations.of_phase(1)
    if timeout.reason == "send_error":
        return question.fitting(under_way)
    return question.fitting(under_way, lambda one: _age(one, timeout.at) >= _LEAST_PATIENCE)


def _age(negotiation: Negotiation, at: float | None) -> float:
    """Give the seconds since a negotiation began; infinity where no line told."""
    return float("inf") if at is None or negotiation.begun is None else at - negotiation.begun


class Rule(NamedTuple):
    """A rule: the negotiations it picks, likeliest first; None where it has no answer, an empty list where it is nobody's."""

    name: str
    why: str
    picks: Callable[[Question], list[Negotiation] | None]


RULES: Final = (
    Rule("known_cookies", "A line with an address had these cookies before.", _known_cookies),
    Rule(
        "packet_not_sent",
        "A send error comes at once (`isakmp.c: isakmp_send()`): it is of the negotiation that the lines before began.",
        _packet_not_sent,
    ),
    Rule(
        "of_age_to_the_second",
        "racoon's retries take the same time for every negotiation: `retry_counter` times `retry_interval`, 50 s unless it was "
        "seen to be more patient.",
        _of_age_to_the_second,
    ),
    Rule("of_about_that_age", "A busy racoon is some seconds late.", _of_about_that_age),
    Rule("too_many_to_guess", "Of so many, one that has another age is not looked for.", _too_many_to_guess),
    Rule("old_enough", "Any that is under way and older than any timer somebody would set.", _old_enough),
)
"""The rules in their order."""


def candidates(question: Question) -> tuple[str, list[Negotiation]]:
    """Give the rule that decides, and the negotiations that a time-out may be about, the likeliest first."""
    for rule in RULES:
        picked = rule.picks(question)
        if picked is not None:
            return rule.name, picked
    return "", []
