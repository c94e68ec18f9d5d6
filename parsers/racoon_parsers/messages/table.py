"""What the rows of messages may hold; what is wrong in one is said with its file, its line and what mends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from racoon_parsers.dialects import BASE, DIALECTS
from racoon_parsers.dialects.base import LEVELS
from racoon_parsers.event_classes import EVENT_CLASSES
from racoon_parsers.events import EVENT_TYPES, Mention
from racoon_parsers.fields import FIELDS
from racoon_parsers.reasons.reason import REASON_OF_CLASS
from racoon_parsers.template import split_template
from racoon_parsers.tsv import TableError, no_such, optional

SEVERITIES: Final = frozenset({"critical", "error", "warning", "notice", "info"})
TAGS: Final = frozenset({"yes", "no", "mixed", "local"})
DECIDED_LATER: Final[Mapping[str, str]] = {"by_code": "as OpenSSL's number says", "replaced": "none: a newer SA took over"}
"""Classes in the column `reason` that no reason has, and what they say in its place."""
REASON_CLASSES: Final = REASON_OF_CLASS.keys() | DECIDED_LATER.keys()
APPLE_LEVELS: Final = frozenset({"NOTICE"})
MARKS: Final[Mapping[str, frozenset[str]]] = {
    "stage": frozenset({"end", "first", "step", "begin", "refusal", "waiting"}),
    "phase": frozenset({"1", "2"}),
    "secret": frozenset({"quoted"}),
    "teardown": frozenset({"yes", "one"}),
    "other_half": frozenset({"yes"}),
    "nat": frozenset({"gone"}),
    "newline": frozenset({"no", "within"}),
    "exact": frozenset({"yes"}),
    "program": frozenset({"system"}),
    "reboot": frozenset({"orderly", "crash"}),
    "ike": frozenset({"2"}),
}
"""What a row may say beyond its text (`Message.marks`); any other constant is a value of its event."""
_WORDS: Final[Mapping[str, tuple[str, Collection[str]]]] = {
    "severity": ("severity", SEVERITIES),
    "levels": ("level of racoon's", {*LEVELS, *APPLE_LEVELS, "-"}),
    "tag": ("tag", TAGS),
}
_DIALECTS: Final = DIALECTS.keys() - {BASE}
_VERSIONS: Final = re.compile(r"0\.[5-9](?:-0\.[5-9])?")
_HOLE: Final = re.compile(r"\{([^{}A-Za-z_]*+[A-Za-z_][^{}]*+)\}")
_OPEN: Final = re.compile(r"\{([a-z_0-9]+)(?![a-z_0-9:}])")


Row = Mapping[str, str]


def check_message(row: Row, file: str, line: int) -> None:
    """Check what a row of messages may hold. Raises TableError at the first thing that is wrong."""
    for check in _CHECKS:
        for wrong in check(row):
            raise TableError(file, line, wrong)


def _classes(row: Row) -> Iterator[str]:
    if row["event"] not in EVENT_CLASSES:
        yield f"{no_such('event class', row['event'], EVENT_CLASSES)} (event_classes.tsv has a row for each)"
    if (reason := optional(row["reason"])) and reason not in REASON_CLASSES:
        yield f"{no_such('class of reasons', reason, REASON_CLASSES)} (the column classes of reasons.tsv names them)"


def _words(row: Row) -> Iterator[str]:
    for column, (what, known) in _WORDS.items():
        for word in row[column].split() if column == "levels" else (row[column],):
            if word not in known:
                yield no_such(what, word, known)


def _dialects(row: Row) -> Iterator[str]:
    for word in row["dialects"].split():
        if not _VERSIONS.fullmatch(word) and word not in _DIALECTS:
            yield f"{no_such('dialect', word, _DIALECTS)} (ipsec-tools is written by its versions, such as 0.5-0.9)"


def _holes(row: Row) -> Iterator[str]:
    names = _names(row)
    for name in names:
        if name not in FIELDS:
            yield f"{no_such('field', name, FIELDS)} (fields.py has a row for each value that a template names in braces)"
        elif names.count(name) > 1:
            yield f"{{{name}}} stands in the template twice; what is not read keeps racoon's own %s"
    for name in _OPEN.findall(row["template"]):
        if name in FIELDS:
            yield f"the brace before {name} is not closed"


def _conversions(row: Row) -> Iterator[str]:
    rest = row["template"].replace("%%", "")
    for piece in split_template(rest) if "%" in rest else ():
        if isinstance(piece, str) and "%" in piece:
            yield f"no conversion of printf: {piece[piece.index('%') :][:8]!r}; a percent sign that racoon prints is written %%"


def _values(row: Row) -> Iterator[str]:
    event = row["event"]
    kept = EVENT_TYPES.get(event, Mention)._fields
    for value in (value.name for name in _names(row) for value in FIELDS[name].values):
        if value not in kept:
            typed = "events.py" if event in EVENT_TYPES else "EVENT_TYPES in events.py has no type of it"
            yield f"the event {event} has no value {value} ({typed}); what nobody needs keeps racoon's own %s"


def _constants(row: Row) -> Iterator[str]:
    event = row["event"]
    values: tuple[str, ...] = EVENT_TYPES[event]._fields if event in EVENT_TYPES else ()
    items = optional(row["constants"]).split()
    names = [item.partition("=")[0] for item in items]
    for item in items:
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            yield f"no constant: {item}; written name=value"
        elif name not in MARKS and name not in values:
            unknown = no_such(f"mark, nor value of the event {event}", name, {*MARKS, *values})
            yield f"{unknown} (MARKS in messages/table.py names the marks, events.py the values)"
        elif name in MARKS and value not in MARKS[name]:
            yield f"{no_such(f'value of the mark {name}', value, MARKS[name])} (Message.marks says what each means)"
        elif names.count(name) > 1:
            yield f"the constant {name} stands there twice; keep one of them"


def _gloss(row: Row) -> Iterator[str]:
    if not row["gloss"].endswith((".", ")")) or "  " in row["gloss"]:
        yield f"the gloss is no sentence that ends with a full stop: {row['gloss']!r}"


def _names(row: Row) -> list[str]:
    """Name the holes that are read."""
    return [hole.partition(":")[0] for hole in _HOLE.findall(row["template"])]


_CHECKS: Final[tuple[Callable[[Row], Iterator[str]], ...]] = (
    _classes,
    _words,
    _dialects,
    _holes,
    _conversions,
    _values,
    _constants,
    _gloss,
)
"""In this order: a later one may rely on what an earlier one has found right."""
