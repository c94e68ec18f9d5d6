"""A line costs no more than its length: proved for each pattern from the expression itself, so that no clock decides."""

from __future__ import annotations

import importlib
import pkgutil
import re

from re import _parser  # isort: skip # the one thing that knows the syntax as `re` does
from datetime import UTC
from typing import Final

import pytest

import racoon_parsers
from racoon_parsers import masking, multiline
from racoon_parsers.catalogue import Catalogue
from racoon_parsers.clock import Clock
from racoon_parsers.dialects import DIALECTS, FORMATS
from racoon_parsers.dialects.base import Dialect
from racoon_parsers.masking import LONGEST_SEARCHED, MASK
from racoon_parsers.message import LONGEST_ENDING
from racoon_parsers.messages import catalogue
from racoon_parsers.pattern import ending_expression_of, expression_of
from racoon_parsers.reader import LogReader, Record
from racoon_parsers.recogniser import LONGEST_RESPELLED, _forms
from racoon_parsers.record import LONGEST_TEXT
from racoon_parsers.template import split_template

from .counting import counting, tries_of
from .pattern_cost import ONE, UNBOUNDED, cost_of, pattern_cost
from .test_message_tables import ALL_ROWS

HEAD: Final = "2026-01-15 08:30:02: INFO: "
SEARCHED: Final = {
    "debug_filter.GLUED": "tried at every place of a text",
    "dumps._DUMP": "tried at every place of a text",
    "masking._ONE_WORD": "tried at every place of a text",
    "masking._OPENED": "tried at every place of a text",
    "masking._PLACE": "tried at every place of a text",
    "masking._PLACE_IN": "tried at every place of a text",
    "masking._STOPPED_AT": "tried at every place of a text",
    "secret_names._KEY": "tried at every place of a text",
    "secret_names._NAME": "tried at every place of a text",
    "quotation._HEAD": "tried at every place of a quotation",
    "setkey._LEVEL": "of one word",
}
"""Patterns that are tried at every place, so one try may not grow with the text at all; and where."""
AT_LINE_STARTS: Final = {"setkey._DUMP_SIGN", "setkey._SCRIPT_SIGN"}
"""Patterns that begin at the start of a line and end before its end: together they read the text once."""
NOT_OF_A_LOG: Final = {"template._HOLE": "reads our own templates"}


def patterns() -> dict[str, re.Pattern[str]]:
    """Give every pattern that a module of the parsers holds."""
    found = {}
    for module in pkgutil.walk_packages(racoon_parsers.__path__, "racoon_parsers."):
        if module.name.startswith(("racoon_parsers.kernel", "racoon_parsers.pasted", "racoon_parsers.redaction")):
            continue  # what the kernel's tools print and what a person hands to a command: nothing waits for it
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                found[f"{module.name.removeprefix('racoon_parsers.')}.{name}"] = value
    return found


# the bound itself


@pytest.mark.parametrize(
    ("expression", "degree"),
    [
        (r"abc", 0),
        (r"[a-z]{1,9}b", 0),
        (r"a*b", 1),
        (r".*b", 1),
        (r"a*a*b", 2),
        (r".*a.*b.*c", 3),
        (r"(?>.*?a).*b", 1),
        (r"\s*+\d++\s*+x", 1),
        (r"(?:ab?)*c", UNBOUNDED),
        (r"(?:ab|acd)*d", UNBOUNDED),
        (r"(?:a+b)*c", UNBOUNDED),
        (r"(?:[^x]*+x)*+", 1),
        (r"(?:a*+b|a)*+", UNBOUNDED),
        (r"(?:(?=.*x)a)*+", UNBOUNDED),
    ],
)
def test_the_degree_of_an_expression_is_known(expression: str, degree: int) -> None:
    assert cost_of(expression).steps.degree == degree


@pytest.mark.parametrize(
    ("expression", "ways"), [(r"ab", 1), (r"a?b", 2), (r"a{0,4}b?", 10), (r"(?>a{0,4})b?", 2), (r"ab|cd|ef", 3)]
)
def test_the_ways_of_an_expression_are_counted(expression: str, ways: int) -> None:
    assert cost_of(expression).ways.factor == ways


# what is read


def test_no_message_costs_more_than_its_length() -> None:
    costly = [(row.template, cost_of(row.expression, re.DOTALL).steps) for row in ALL_ROWS]
    assert [(template, steps) for template, steps in costly if steps.degree > 1] == []


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_no_spelling_of_a_dialect_costs_more_than_the_text_is_long(dialect: Dialect) -> None:
    patterns = [dialect.inner, *(pattern for pattern, _ in dialect.spellings)]
    assert [pattern.pattern for pattern in patterns if pattern is not None and pattern_cost(pattern).steps.degree > 1] == []


@pytest.mark.parametrize("line_format", FORMATS, ids=lambda row: row.name)
def test_no_head_costs_more_than_the_line_is_long(line_format: object) -> None:
    pattern = getattr(line_format, "pattern")  # noqa: B009 # the table's type is the parsers' own business
    assert pattern_cost(pattern).steps.degree <= 1


@pytest.mark.parametrize("name", sorted(patterns().keys() - NOT_OF_A_LOG.keys()))
def test_no_other_pattern_costs_more_than_its_text_is_long(name: str) -> None:
    assert pattern_cost(patterns()[name]).steps.degree <= (0 if name in SEARCHED else 1)


def test_the_patterns_named_here_exist() -> None:
    assert patterns().keys() >= {*SEARCHED, *AT_LINE_STARTS, *NOT_OF_A_LOG}


@pytest.mark.parametrize(
    ("template", "text", "values"),
    [
        ("{user} at {note}", "alice at home at night", {"user": "alice", "note": "home at night"}),
        ('login "{user}" from {addr}', 'login "a" from b" from 192.0.2.7', {"user": 'a" from b', "addr": "192.0.2.7"}),
        ("{my}:{peer_value}", "DES-CBC:3DES:x", {"mine": "DES-CBC", "theirs": "3DES:x"}),
        ("%s%s: {note}", "gw[500]: no", {"note": "no"}),
        ("%s %d {note}", "words 7 no", {"note": "no"}),
        ("of %s {user}", "of one two", {"user": "two"}),
        ("of %s {user}", "of one", {"user": ""}),
    ],
    ids=[
        "of two free texts the first is short",
        "the only one goes as far as it can",
        "a short literal between two",
        "two values side by side",
        "values of all kinds",
        "a blank between two",
        "an empty value, and its blank lost",
    ],
)
def test_where_a_value_ends_is_decided_once(template: str, text: str, values: dict[str, str]) -> None:
    match = re.fullmatch(expression_of(split_template(template)), text, re.DOTALL)
    assert match is not None
    assert match.groupdict() == values


# what is longer than any message of racoon


def records_of(*lines: str) -> list[Record]:
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
    return reader.feed(lines) + reader.flush()


def test_a_message_is_read_to_its_greatest_length_and_searched_for_secrets_to_another() -> None:
    subject = "/CN=" + "x" * 60_000
    text = f"unable to get certificate CRL(3) at depth:0 SubjectName:{subject}"
    first, second = records_of(f"{HEAD}{text}", f"{HEAD}{text}")  # the second one is read the short way
    assert first.message is second.message is catalogue().find(text)
    assert first.text == second.text == f"{text[:LONGEST_SEARCHED]}{MASK}"
    assert getattr(first.event, "code", None) == 3


def test_what_was_torn_is_put_together_to_that_length_only() -> None:
    parts = ["x" * 3_000] * 4
    (record,) = records_of(f"{HEAD}unable to get certificate CRL(3) at depth:0 SubjectName:/CN=a", *parts)
    assert len(record.text) <= LONGEST_TEXT


# the rows that are tried


COUNTING: Final = counting(catalogue().messages)


def tries(text: str) -> int:
    return tries_of(COUNTING, text)


def test_words_that_many_rows_share_are_looked_up_once() -> None:
    assert tries("allocate " * 400) == tries("allocate")


def test_the_text_that_is_tried_most_is_tried_by_few() -> None:
    words = sorted(
        {word for row in catalogue().messages for piece in row.pieces if isinstance(piece, str) for word in piece.split()}
    )
    alone = tries("")
    worst = " ".join(sorted(words, key=tries, reverse=True)[:400])
    assert alone < 50
    assert tries(worst) < 300


def test_a_text_is_tried_only_by_rows_of_which_a_piece_stands_in_it() -> None:
    assert tries("bf0472c2 of nobody") == 0
    assert 0 < tries("encryption(x") < 20


def test_what_stands_behind_the_last_free_text_is_as_short_as_a_look_at_the_end_takes_it() -> None:
    endings = [ending_expression_of(row.pieces) for row in ALL_ROWS if row.expression.count(".*") > 1]
    assert max(_parser.parse(ending, re.DOTALL).getwidth()[1] for ending in endings) <= LONGEST_ENDING


def test_what_stands_behind_the_last_free_text_is_looked_for_by_its_first_literal() -> None:
    """A value before it would be tried anew from each place where one may begin."""
    printed = [row for row in ALL_ROWS if row.template in {"%s(%s%d): %8.6f", "%s(%s%zu): %8.6f"}]
    assert len(printed) == 2
    assert {ending_expression_of(row.pieces)[:5] for row in printed} == {"\\):\\s"}


def test_patterns_give_nothing_back_where_they_have_one_way() -> None:
    assert [row.template for row in catalogue().messages if row.constant and cost_of(row.expression).ways != ONE] == []


def test_a_text_is_searched_for_secrets_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is most of what a long line costs that nobody knows."""
    searched: list[str] = []

    def masked(record: Record, known: Catalogue) -> Record:
        searched.append(record.text)
        return masking.masked(record, known)

    monkeypatch.setattr(multiline, "masked", masked)
    lines = [f"{HEAD}{word} of nobody" for word in ("something", "other things", "more")]
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
    assert len(reader.feed(lines) + reader.flush()) == len(searched) == len(lines)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_only_as_much_of_a_text_is_respelled_as_racoon_may_have_printed(dialect: Dialect) -> None:
    """Each rule of a dialect searches the whole text: for a long one that nobody knows that was most of what it cost."""
    text, *forms = _forms(dialect, "x" * 2 * LONGEST_RESPELLED)
    assert len(text) == 2 * LONGEST_RESPELLED
    assert len(forms) == len(dialect.spellings)
    assert all(len(form) <= LONGEST_RESPELLED + 1 for form in forms)


@pytest.mark.parametrize("length", [300, 3_000, 60_000])
@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        "Jan 15 08:30:02 gw iked[44]: [INFO]: ikev1.c:800:ikev1_initiate(): ",
        "<30>Jan 15 17:08:43 rb4011 ipsec,error ",
        "<30>Jan 15 17:08:43 rb4011 ipsec,error PREFIX: ",
        "Mon Oct 24 09:47:47 2011 (GMT -0500): [FVS336GV2] [IKE] ERROR:  ",
    ],
)
def test_a_message_that_a_peer_made_long_is_read_in_every_dialect(head: str, length: int) -> None:
    """A certificate's subject may be as long as its owner likes: the failure it stands in counts all the same."""
    (record,) = records_of(f"{head}unable to get certificate CRL(3) at depth:0 SubjectName:/CN={'x' * length}")
    assert getattr(record.event, "code", None) == 3
