"""The closed list of failure reasons: one row each in `reasons.tsv`, and in `advice.tsv` what differs by phase and method.

Whatever else is known by reason follows from these tables: labels, ranks, zeros, alerts, pages, docs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from racoon_parsers.tsv import optional, read_table

Kind = Literal["cause", "silence", "consequence"]
_KINDS: Final[dict[str, Kind]] = {"cause": "cause", "silence": "silence", "consequence": "consequence"}
PHASES: Final = (1, 2)
AUTHENTICATION: Final = {
    "pre_shared_key": "psk",
    "rsasig": "signature",
    "dsssig": "signature",
    "hybrid_rsa_client": "signature",
    "hybrid_rsa_server": "signature",
    "hybrid_dss_client": "signature",
    "hybrid_dss_server": "signature",
    "xauth_psk_client": "psk",
    "xauth_psk_server": "psk",
    "xauth_rsa_client": "signature",
    "xauth_rsa_server": "signature",
}
"""racoon.conf's `authentication_method`: what a peer proves itself with, a pre-shared key or a signature."""


class Told(NamedTuple):
    """What is said of a failure."""

    gloss: str
    """What happened."""
    advice: str
    """What to do."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A failure reason: a value of the label `reason`."""

    name: str
    rank: int
    """Place among all, the most telling first: of a negotiation's evidence the foremost is its reason."""
    phases: frozenset[int]
    """Phases that may fail for it."""
    kind: Kind
    """Whether it names the cause, says that there is none on this side, or follows from another failure."""
    passing: frozenset[int]
    """Phases in which it may pass by itself, so that nobody is warned of peers that may be away."""
    zero_for_expected: frozenset[int]
    """Phases whose series exist at 0 for every expected peer, so that a first failure is an increase."""
    alerts: tuple[tuple[str, str], ...]
    """Alerts of its own: what is counted (`1` and `2` failures of a phase, `certificate` problems) and the alert's name."""
    runbook: str
    """The page that goes on from there; empty where the phase's general one does."""
    classes: tuple[str, ...]
    """Finer classes of the catalogue that mean it."""
    told: Told


def _read_reasons() -> Iterator[Reason]:
    for _, row in read_table(_text("reasons.tsv"), "reasons.tsv"):
        yield Reason(
            name=row["reason"],
            rank=int(row["rank"]),
            phases=_phases(row["phases"]),
            kind=_kind(row["kind"]),
            passing=_phases(row["passing"]),
            zero_for_expected=_phases(row["zero_for_expected"]),
            alerts=tuple(_alert(item) for item in optional(row["alert"]).split()),
            runbook=optional(row["runbook"]),
            classes=tuple(optional(row["classes"]).split()),
            told=Told(row["gloss"], row["advice"]),
        )


def _read_advice() -> Iterator[tuple[tuple[str, int | None, str], Told]]:
    for _, row in read_table(_text("advice.tsv"), "advice.tsv"):
        phase = int(row["phase"]) if optional(row["phase"]) else None
        yield (row["reason"], phase, optional(row["authentication"])), Told(row["gloss"], row["advice"])


def _text(name: str) -> str:
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _phases(text: str) -> frozenset[int]:
    return frozenset(map(int, optional(text).split()))


def _kind(text: str) -> Kind:
    return _KINDS[text]


def _alert(item: str) -> tuple[str, str]:
    counted, _, name = item.partition(":")
    return counted, name


REASONS: Final[dict[str, Reason]] = {reason.name: reason for reason in _read_reasons()}
"""Every reason, by name."""
UNKNOWN: Final = "unknown"
FAILURE_REASONS: Final = tuple(REASONS)
"""Every value of a `reason` label."""
MOST_TELLING: Final = tuple(sorted(REASONS, key=lambda name: REASONS[name].rank))
"""Reasons, the most telling first."""
REASON_OF_CLASS: Final[dict[str, str]] = {kind: reason.name for reason in REASONS.values() for kind in reason.classes}
"""The catalogue's finer reason classes as reasons. `replaced` and `by_code` are none of their own."""
ADVICE: Final = dict(_read_advice())
"""What is said otherwise in a phase, with a method of authentication; the narrower first."""
BRING_UP: Final = "Traffic that matches the policy brings it up again (a ping), or racoonctl establish-sa does."
"""What to do about a peer that is down, and of which no failure is known."""
NEVER_UP: Final = (
    "Nothing was tried yet. Does traffic match a policy for it (setkey -DP)? A ping into its network, or racoonctl "
    "establish-sa, begins the negotiation; a peer that should call us must have this address right."
)
"""What to do about a peer that was never up, and of which no failure is known."""


def known(name: str | None) -> str:
    """Give a reason of the list; one of a newer version, and none at all, is `unknown`."""
    return name if name in REASONS else UNKNOWN


def more_telling(one: str | None, other: str | None) -> str | None:
    """Give the more telling of two reasons; None is no reason."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda name: REASONS[known(name)].rank)


def told(name: str | None, phase: int | None = None, authentication: str | None = None) -> Told:
    """Say what a reason means and what to do: in a phase where it is known, for a peer that proves itself in some way."""
    reason = known(name)
    for key in ((reason, phase, authentication or ""), (reason, phase, "")):
        if key in ADVICE:
            return ADVICE[key]
    return REASONS[reason].told


def zero_for_expected(phase: int) -> tuple[str, ...]:
    """Give the reasons whose series exist at 0 for every expected peer, as a phase's failures."""
    return tuple(reason.name for reason in REASONS.values() if phase in reason.zero_for_expected)
