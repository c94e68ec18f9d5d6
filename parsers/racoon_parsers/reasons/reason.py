"""The closed list of failure reasons: one row each in `reasons.tsv`, and in `advice.tsv` what differs by phase and method.

The rows of `reasons.tsv` stand in their order, the most telling first. Whatever else is known by reason follows from these
tables: labels, ranks, zeros, alerts, pages, docs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from racoon_parsers.tsv import NAME, TableError, no_such, optional, read_table, text_of

Kind = Literal["cause", "silence", "consequence"]
_KINDS: Final[dict[str, Kind]] = {"cause": "cause", "silence": "silence", "consequence": "consequence"}
PHASES: Final = (1, 2)
COUNTED: Final = frozenset({"1", "2", "certificate"})
"""What the alerts of a reason count: failures of a phase, or certificate problems."""
COLUMNS: Final = (
    "reason",
    "phases",
    "kind",
    "passing",
    "zero_for_expected",
    "alert",
    "runbook",
    "classes",
    "gloss",
    "advice",
)
ADVICE_COLUMNS: Final = ("reason", "phase", "authentication", "gloss", "advice")
_FOLDER: Final = files(__package__ or "")
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


def read_reasons(text: str, file: str) -> Iterator[Reason]:
    """Read the table of reasons. Raises TableError where it is wrong."""
    classes: dict[str, int] = {}
    for line, row in read_table(text, file, COLUMNS, key=("reason",)):
        wrong = next(_wrong_reason(row, classes), None)
        if wrong is not None:
            raise TableError(file, line, wrong)
        reason = Reason(
            name=row["reason"],
            rank=line - 1,
            phases=_phases(row["phases"]),
            kind=_KINDS[row["kind"]],
            passing=_phases(row["passing"]),
            zero_for_expected=_phases(row["zero_for_expected"]),
            alerts=tuple(_alert(item) for item in optional(row["alert"]).split()),
            runbook=optional(row["runbook"]),
            classes=tuple(optional(row["classes"]).split()),
            told=Told(row["gloss"], row["advice"]),
        )
        classes |= dict.fromkeys(reason.classes, line)
        yield reason


def _wrong_reason(row: Mapping[str, str], classes: Mapping[str, int]) -> Iterator[str]:
    if not NAME.fullmatch(row["reason"]):
        yield f"no name of a reason: {row['reason']!r}; small letters, digits and _"
    if row["kind"] not in _KINDS:
        yield no_such("kind", row["kind"], _KINDS)
    for item in optional(row["alert"]).split():
        counted, name = _alert(item)
        if counted not in COUNTED or not name:
            yield f"no alert: {item}; written 1:ALERT or 2:ALERT, for failures of a phase, or certificate:ALERT"
    for kind in optional(row["classes"]).split():
        if kind in classes:
            yield f"the class {kind} means the reason of line {classes[kind]} already; a class has one reason"
    yield from _wrong_phases(row)
    yield from _wrong_told(row)


def _wrong_phases(row: Mapping[str, str]) -> Iterator[str]:
    for column in ("phases", "passing", "zero_for_expected"):
        if not set(optional(row[column]).split()) <= {"1", "2"}:
            yield f"the column {column} holds {row[column]!r}; 1, 2 or both, - for none"
    phases, zeros = _phases(row["phases"]), _phases(row["zero_for_expected"])
    if not phases:
        yield "the column phases is empty: in which phases may a negotiation fail for it, 1, 2 or both?"
    if not zeros <= phases:
        yield "zero_for_expected names a phase in which nothing fails for it; add it to phases, or take it out"
    for phase in sorted(_alerted(row["alert"]) - zeros):
        yield f"zero_for_expected lacks {phase}, which an alert counts: a counter that first appears at 1 shows no increase"


def _wrong_told(row: Mapping[str, str]) -> Iterator[str]:
    for column in ("gloss", "advice"):
        text = row[column]
        if not text.endswith((".", "?")) or not (text[0].isupper() or text.startswith("racoon")):
            yield f"the {column} is no whole sentence, from a capital letter to a full stop: {text!r}"


def read_advice(text: str, file: str, reasons: Mapping[str, Reason]) -> Iterator[tuple[tuple[str, int | None, str], Told]]:
    """Read what is said otherwise in a phase, with a method of authentication. Raises TableError where the table is wrong."""
    for line, row in read_table(text, file, ADVICE_COLUMNS, key=("reason", "phase", "authentication")):
        wrong = next(_wrong_advice(row, reasons), None)
        if wrong is not None:
            raise TableError(file, line, wrong)
        phase = int(row["phase"]) if optional(row["phase"]) else None
        yield (row["reason"], phase, optional(row["authentication"])), Told(row["gloss"], row["advice"])


def _wrong_advice(row: Mapping[str, str], reasons: Mapping[str, Reason]) -> Iterator[str]:
    reason = reasons.get(row["reason"])
    if reason is None:
        yield f"{no_such('reason', row['reason'], reasons)} (reasons.tsv has a row for each)"
    elif row["phase"] not in {str(phase) for phase in reason.phases}:
        yield f"no phase: {row['phase']}; {reason.name} has {' '.join(map(str, sorted(reason.phases)))} in reasons.tsv"
    methods = set(AUTHENTICATION.values())
    if (method := optional(row["authentication"])) and method not in methods:
        yield no_such("authentication", method, methods)
    yield from _wrong_told(row)


def _phases(text: str) -> frozenset[int]:
    return frozenset(map(int, optional(text).split()))


def _alert(item: str) -> tuple[str, str]:
    counted, _, name = item.partition(":")
    return counted, name


def _alerted(cell: str) -> set[int]:
    """Give the phases whose failures an alert of its own counts."""
    return {int(counted) for counted, _ in map(_alert, optional(cell).split()) if counted.isdecimal()}


REASONS: Final[dict[str, Reason]] = {reason.name: reason for reason in read_reasons(*text_of(_FOLDER.joinpath("reasons.tsv")))}
"""Every reason, by name."""
UNKNOWN: Final = "unknown"
FAILURE_REASONS: Final = tuple(REASONS)
"""Every value of a `reason` label, the most telling first."""
REASON_OF_CLASS: Final[dict[str, str]] = {kind: reason.name for reason in REASONS.values() for kind in reason.classes}
"""The catalogue's finer reason classes as reasons. `replaced` and `by_code` are none of their own."""
ADVICE: Final = dict(read_advice(*text_of(_FOLDER.joinpath("advice.tsv")), REASONS))
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
