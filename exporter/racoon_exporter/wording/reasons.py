"""What a failure reason and the end of an SA mean, in a sentence, and which runbook goes on from there."""

from __future__ import annotations

from typing import Final, NamedTuple

from racoon_parsers.reasons import BRING_UP, REASONS, known, told

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


GENERAL: Final = {1: "RacoonPhase1Failing", 2: "RacoonPhase2Failing"}
"""The runbook of a phase, for reasons that have none of their own."""

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

AFTER_ENDING: Final[dict[str, str]] = {
    "expired": f"Nothing asked for a new one in time, or the renewal found no answer. {BRING_UP}",
    "lifetime": f"No line told of its end: it was flushed without one, or lines are missing. {BRING_UP}",
    "deleted_by_peer": f"Ask whoever runs the peer whether it was meant: its log says why. {BRING_UP}",
    "dead_peer": told("dead_peer").advice,
    "deleted_locally": f"Somebody here took it down with racoonctl. If it was not meant: {BRING_UP[0].lower()}{BRING_UP[1:]}",
    "purged": f"racoon took it down with its phase 1: look at the lines before it in the log. {BRING_UP}",
    "initial_contact": f"The peer began anew and should be back at once; if not, look at its log. {BRING_UP}",
    "deleted_in_kernel": "See what else manages SAs on this host (setkey -F in a script, another IKE daemon, a firewall "
    f"reload). {BRING_UP}",
    "restart": f"racoon came back without its SAs. {BRING_UP}",
    "vanished": f"See what flushed it (racoonctl flush-sa, setkey -F, another IKE daemon). {BRING_UP}",
}
"""What to do about a peer that is down since its last SA ended so, and of whom no failure is known."""
TRYING: Final = (
    "racoon says why when its retries are used up, after a minute by default. Is the peer up, is its racoon running, do UDP "
    "500 and 4500 pass in both directions?"
)
"""What to do while phase 1 is still being negotiated."""


def runbook(name: str) -> str:
    """Give the address of a runbook."""
    return f"{RUNBOOKS}{name}"


def explain(reason: str, phase: int, authentication: str | None = None, told_by: str | None = None) -> Explanation:
    """Say what a failure of a phase for a reason means; a reason from a newer state file is `unknown`.

    What the other end's log named is said from its side: the peer is then this one.
    """
    page = REASONS[known(reason)].runbook or GENERAL[phase]
    gloss, advice = told(reason, phase, authentication)
    if told_by is not None:
        gloss = f"{gloss} The other end's log says so ({told_by})."
        advice = f"Seen from the other end: {advice}"
    return Explanation(gloss, advice, f"{runbook(page)}#{known(reason)}")


__all__ = ["AFTER_ENDING", "ENDINGS", "GENERAL", "RUNBOOKS", "TRYING", "Explanation", "explain", "runbook"]
