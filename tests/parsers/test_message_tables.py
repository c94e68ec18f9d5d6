"""All rows of the catalogue at once: what holds for every message, however many there are."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import regex

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.event_classes import EVENT_CLASSES
from racoon_parsers.events import EVENT_TYPES, Event, Mention, Remark
from racoon_parsers.fields import FIELDS, Value
from racoon_parsers.message import Message
from racoon_parsers.messages import OWN, TABLES, catalogue, own_rows, read_rows
from racoon_parsers.template import Hole
from racoon_parsers.tsv import read_table

from .counting import counting, tries_of
from .samples import UNREAD

REFERENCE: Final = Path(__file__).with_name("reference.tsv.gz")
"""Every format string found in eight source trees of racoon, with the event class and severity decided on by hand."""

AMBIGUOUS: Final = {
    "invalid encryption algorithm %d.": "the kernel interface prints the same words (`invalid encryption algorithm %u.`)",
    "invalid hmac algorithm %d.": "the kernel interface prints the same words (`invalid hmac algorithm %u.`)",
    "%s": "free text, such as OpenSSL's; nothing tells it from text that nobody knows",
}
"""Rows whose printed text is another row's too, and why."""

ROWS: Final = catalogue().messages
OWN_ROWS: Final = {name: own_rows(name) for name in OWN}
"""Rows that are read only behind the heads of their dialect."""
ALL_ROWS: Final = (*ROWS, *(row for rows in OWN_ROWS.values() for row in rows))


def sample_text(message: Message, number: int = 0) -> str:
    """Print a row with the samples of its fields, the n-th where there are so many."""

    def value(hole: Hole) -> str:
        if not hole.field:
            return UNREAD[hole.conversion[-1]]
        if hole.conversion == "%#x":
            return "0xe61a6c0"
        samples = ("17",) if hole.conversion in {"%d", "%u"} else hole.field.samples
        return samples[number % len(samples)]

    return message.render(value).strip()


READ_BACK: Final = (
    "each row, printed with the samples of its fields, must be found by its own text; beside it stands the row that was found. "
    "Give the row more text of its own, or the mark exact=yes; what cannot be told apart stands in AMBIGUOUS with the reason."
)


def wrongly_read(number: int) -> list[tuple[str, str | None]]:
    wrong: list[tuple[str, str | None]] = []
    for row in ROWS:
        text = sample_text(row, number)
        found = catalogue().find(text)
        if (
            text
            and row.template not in AMBIGUOUS
            and (found is None or (found.event, found.severity) != (row.event, row.severity))
        ):
            wrong.append((row.template, None if found is None else found.template))
    return wrong


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_row_of_a_dialect_with_heads_of_its_own_prints_a_text_that_is_read_back_as_its_class(
    name: str, number: int
) -> None:
    found = {row.template: catalogue().in_dialect(name).find(sample_text(row, number)) for row in OWN_ROWS[name] if row.pieces}
    wrong = {template: row and row.template for template, row in found.items() if row is None or row.template != template}
    assert wrong == {}, READ_BACK


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_row_prints_a_text_that_is_read_back_as_its_class_and_severity(number: int) -> None:
    assert wrongly_read(number) == [], READ_BACK


def test_every_documented_ambiguity_is_one() -> None:
    for template in AMBIGUOUS:
        (row,) = (row for row in ROWS if row.template == template)
        found = catalogue().find(sample_text(row))
        assert found is None or (found.event, found.severity) != (row.event, row.severity), template


def test_every_row_reads_its_own_values_from_its_own_text() -> None:
    """A text that fits a row's literals but not its pattern would leave the event empty."""
    unread = []
    for row in ALL_ROWS:
        names = {value.name for piece in row.pieces if isinstance(piece, Hole) and piece.field for value in piece.field.values}
        event = row.read(sample_text(row))
        if names and row.has_values and not any(getattr(event, name) is not None for name in names):
            unread.append(row.template)
    assert unread == [], "the text that is printed with the fields' samples does not fit the row's pattern: look at fields.py"


def test_no_two_rows_have_the_same_format_string() -> None:
    counts = Counter(row.printf for row in ROWS)
    twice = [row.template for row in ROWS if counts[row.printf] > 1]
    assert twice == [], "racoon's own text is the same, whatever its values are named: keep one row"


def test_every_event_class_has_a_row() -> None:
    assert {row.event for row in ALL_ROWS} == EVENT_CLASSES.keys(), "a class of event_classes.tsv has no row: take it out"


def test_every_event_type_belongs_to_one_class_and_every_field_can_be_filled() -> None:
    assert EVENT_TYPES.keys() <= EVENT_CLASSES.keys(), "a type of events.py whose class has no row in event_classes.tsv"
    assert Counter(EVENT_TYPES.values()).most_common(1)[0][1] == 1
    assert {*EVENT_TYPES.values(), Mention, Remark} == set(Event.__args__), "EVENT_TYPES and the union Event name the same"
    filled = {
        (row.event_type, name)
        for row in ALL_ROWS
        for name in (
            *dict(row.constants),
            *(value.name for piece in row.pieces if isinstance(piece, Hole) and piece.field for value in piece.field.values),
        )
    }
    empty = [(kind.__name__, name) for kind in EVENT_TYPES.values() for name in kind._fields if (kind, name) not in filled]
    # The first is told by the tag; it is treated like its kin.
    assert empty == [("Phase2RekeyFailed", "peer")], "values of events that no row fills: name them in a template or a constant"


def test_roles_are_named_as_rfc_2409_names_them() -> None:
    assert {value for row in ALL_ROWS for name, value in row.constants if name == "role"} == {"initiator", "responder"}


def test_every_field_is_used_by_a_row() -> None:
    used = {piece.name for row in ALL_ROWS for piece in row.pieces if isinstance(piece, Hole)}
    assert used - {""} == FIELDS.keys(), "fields that no template names: take them out of fields.py"


def test_every_pattern_has_a_group_for_each_value_that_is_read_under_re_and_regex_alike() -> None:
    for row in ALL_ROWS:
        holes = [piece.field for piece in row.pieces if isinstance(piece, Hole) and piece.field]
        names = {value.name for hole in holes for value in hole.values}
        assert set(re.compile(row.expression).groupindex) == names, row.template
        assert set(regex.compile(row.expression).groupindex) == names, row.template


def test_every_sample_of_a_field_reads_as_its_values() -> None:
    for name, field in FIELDS.items():
        pattern = re.compile(field.expression())
        for sample in field.samples:
            match = pattern.fullmatch(sample)
            assert match is not None, (name, sample)
            assert all(_reads(value, match) for value in field.values), (name, sample)


def _reads(value: Value, match: re.Match[str]) -> bool:
    found = match[value.name]
    return found is None or value.read is None or value.read(found) is not None


def test_every_format_string_of_racoons_sources_has_a_row_of_its_class_and_severity() -> None:
    rows = {row.printf: (row.event, row.severity) for row in ROWS}
    text = gzip.decompress(REFERENCE.read_bytes()).decode()
    reference = [row for _, row in read_table(text, REFERENCE.name, literal=("template",))]
    wrong = [row["template"] for row in reference if rows.get(row["template"]) != (row["event"], row["severity"])]
    assert len(reference) == 2512
    assert wrong == []


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_rows(name: str) -> None:
    assert list(read_rows(name))


# the cost of a look-up


def _tenfold() -> tuple[Message, ...]:
    """Give ten times the rows: nine more dialects whose messages begin with words of their own."""
    more = [
        replace(row, template=f"dialect{dialect} {row.template}", index=row.index + dialect * len(ROWS))
        for dialect in range(1, 10)
        for row in ROWS
    ]
    return (*ROWS, *more)


def _tries(rows: tuple[Message, ...], texts: list[str]) -> list[int]:
    made = counting(rows)
    return [tries_of(made, text) for text in texts]


def test_a_look_up_costs_the_same_with_ten_times_the_rows() -> None:
    texts = [sample_text(row) for row in ROWS]
    assert _tries(_tenfold(), texts) == _tries(ROWS, texts)


def test_a_look_up_tries_few_rows() -> None:
    tries = _tries(ROWS, [sample_text(row) for row in ROWS])
    assert sum(tries) / len(tries) < 10
    assert max(tries) <= 2 * catalogue().candidates()
    assert catalogue().candidates() <= 48


def test_no_pattern_is_compiled_at_start() -> None:
    """Two thousand patterns would take seconds; each is compiled when its message first comes."""
    script = (
        "from racoon_parsers.messages import catalogue\n"
        "rows = catalogue().messages\n"
        "assert len(rows) > 2500\n"
        "assert not any({'_fullmatch', 'recognise', 'read', 'expression'} & vars(row).keys() for row in rows)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("value", ["some words", "7", "198.51.100.7[500]", "0x1f", ""])
def test_a_text_is_the_same_message_by_its_first_characters_as_by_its_words(value: str) -> None:
    """The short way to messages that were found once is no other way; what stands in a value may be none of its kind."""
    known = Catalogue(catalogue().messages)
    texts = [row.render(lambda _hole: value) for row in ROWS]
    for text in texts:
        known.recognise(text)
    wrong = []
    for text in texts:
        found, recognised = known.find(text), known.recognise(text)
        if found is not (None if recognised is None else recognised[0]):
            wrong.append((text, found and found.template, recognised and recognised[0].template))
    assert wrong == []
