"""The closed list of event classes: one row each in `event_classes.tsv`. Those that carry values have a type in `events.py`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

from racoon_parsers.tsv import NAME, TableError, optional, read_table, text_of

COLUMNS: Final = ("event", "phase", "meaning")
_PHASES: Final = {"1": 1, "2": 2, "": None}


class EventClass(NamedTuple):
    """What a message of racoon tells of."""

    name: str
    phase: int | None
    """The phase it speaks of, where a row's mark `phase` does not say otherwise; None where it does not tell."""
    meaning: str


def read_event_classes(text: str, file: str) -> Iterator[EventClass]:
    """Read the table of event classes. Raises TableError where it is wrong."""
    for line, row in read_table(text, file, COLUMNS, key=("event",)):
        if not NAME.fullmatch(row["event"]):
            raise TableError(file, line, f"no name of an event class: {row['event']!r}; small letters, digits and _")
        if not row["meaning"].endswith("."):
            raise TableError(file, line, f"the meaning is no sentence that ends with a full stop: {row['meaning']!r}")
        phase = optional(row["phase"])
        if phase not in _PHASES:
            raise TableError(file, line, f"no phase: {phase}; 1 or 2, or - where it does not tell")
        yield EventClass(row["event"], _PHASES[phase], row["meaning"])


EVENT_CLASSES: Final[dict[str, EventClass]] = {
    kind.name: kind for kind in read_event_classes(*text_of(files(__package__ or "").joinpath("event_classes.tsv")))
}
"""Every event class, by name."""

__all__ = ["COLUMNS", "EVENT_CLASSES", "EventClass", "read_event_classes"]
