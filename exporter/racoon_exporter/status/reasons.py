"""What a failure reason and the end of an SA mean, in a sentence, and which runbook goes on from there."""

from __future__ import annotations

from typing import Final, NamedTuple

from racoon_parsers.reasons import REASONS, known, told

RUNBOOKS: Final = "runbooks/"
"""Where the exporter serves them, relative to its root."""


class Explanation(NamedTuple):
    """A reason for people."""

    gloss: str
    """What happened."""
    advice: str
    """What to do."""
    runbook: str
    """Address of the page that goes on from there, relative to the exporter's root."""


_GENERAL: Final = {1: "RacoonPhase1Failing", 2: "RacoonPhase2Failing"}

ENDINGS: Final[dict[str, str]] = {
    "expired": "its lifetime was over and it was not renewed",
    "lifetime": "its lifetime was over, and no line told of its end",
    "deleted_by_peer": "the peer deleted it",
    "dead_peer": "the peer stopped answering to dead peer detection",
    "deleted_locally": "a command on this side deleted it",
    "purged": "racoon removed it",
    "initial_contact": "the peer had restarted and began anew",
    "deleted_in_kernel": "something other than racoon removed it from the kernel",
    "restart": "racoon stopped or was restarted",
    "vanished": "it was gone without a line: something flushed it",
}
"""How an SA ended, as the end of the sentence `The last IPsec SA ended: …`."""


def runbook(name: str) -> str:
    """Give the address of a runbook."""
    return f"{RUNBOOKS}{name}"


def explain(reason: str, phase: int, authentication: str | None = None) -> Explanation:
    """Say what a failure of a phase for a reason means; a reason from a newer state file is `unknown`."""
    page = REASONS[known(reason)].runbook or _GENERAL[phase]
    return Explanation(*told(reason, phase, authentication), f"{runbook(page)}#{known(reason)}")


__all__ = ["ENDINGS", "RUNBOOKS", "Explanation", "explain", "runbook"]
