"""What was found: ok, a warning or an error; what it means, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from racoon_exporter.text import visible

Status: TypeAlias = Literal["ok", "warning", "error"]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
"""From good to bad; their places are the exit status."""
SOON: Final = 14 * 86400.0
"""Seconds before its end at which a certificate wants to be renewed."""

Area: TypeAlias = Literal[
    "user",
    "unit",
    "configuration",
    "log",
    "messages",
    "level",
    "clock",
    "doubled lines",
    "rotation",
    "daemon",
    "racoon.conf",
    "policies",
    "peers",
    "state",
    "web",
    "certificate",
    "port",
    "witness",
    "doctor",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. What is not ok says what it means and how to mend it."""

    area: Area
    status: Status
    subject: str
    """What it is about: a path, an address, a peer."""
    found: str
    meaning: str = ""
    mend: str = ""

    def __post_init__(self) -> None:
        assert self.status == "ok" or (self.meaning and self.mend), self

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values, without anything that could move a cursor."""
        return {key: visible(value) for key, value in asdict(self).items()}


Findings: TypeAlias = Iterator[Finding]


def ok(area: Area, subject: object, found: str) -> Finding:
    """Find that something is as it should be."""
    return Finding(area, "ok", str(subject), found)


def warning(area: Area, subject: object, found: str, meaning: str, mend: str) -> Finding:
    """Find what will do harm, or does some."""
    return Finding(area, "warning", str(subject), found, meaning, mend)


def error(area: Area, subject: object, found: str, meaning: str, mend: str) -> Finding:
    """Find what makes the answer wrong, or keeps it from being given."""
    return Finding(area, "error", str(subject), found, meaning, mend)


def worst(findings: Iterable[Finding]) -> Status:
    """Give the worst status; ok where nothing was found."""
    return max((finding.status for finding in findings), key=STATUSES.index, default="ok")


def several(names: Sequence[str], most: int = 5) -> str:
    """Name the first few."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
