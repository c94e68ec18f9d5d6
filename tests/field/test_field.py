"""Lines as people post them, from every system that prints racoon's sentences: what each says, of whom, and why."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import pytest

from racoon_exporter.archives.context_lines import ContextLines
from racoon_exporter.engine import Engine
from racoon_exporter.events_output import as_dict
from racoon_parsers.tsv import read_table
from tests.exporter.reading import block

FOLDER: Final = Path(__file__).parent
CASES: Final[dict[str, list[dict[str, str]]]] = defaultdict(list)
for _, case in read_table((FOLDER / "expected.tsv").read_text(encoding="utf-8"), "expected.tsv"):
    CASES[case["file"]].append(case)
NEWEST_FIRST: Final = {("111-pfsense2-gui-hints.log", "1")}
"""Failures whose cause stands in the line behind: `history` turns such a log round, `events` prints a line as it comes."""


def events_of(name: str) -> dict[int, list[dict[str, Any]]]:
    engine, context = Engine(UTC), ContextLines()
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    data = (FOLDER / "logs" / name).read_bytes()
    for record in [*engine.records(block(data, name)), *engine.rest(name)]:
        found[record.number].append(context.complete(as_dict(record, name, UTC)))
    return found


def wrong(case: dict[str, str], events: list[dict[str, Any]]) -> str | None:
    """Say what is wrong in what a line gave; None if nothing is."""
    if case["class"] in {"-", "+"}:
        return None if not events else f"{[event['event'] for event in events]}, expected nothing"
    if len(events) != 1:
        return f"{len(events)} events, expected {case['class']}"
    event = events[0]
    if event["event"] not in case["class"].split("|"):
        return f"{event['event']}, expected {case['class']}"
    for key in ("peer", "reason"):
        if case[key] != "-" and event.get(key) != case[key] and (case["file"], case["line"]) not in NEWEST_FIRST:
            return f"{key} {event.get(key)}, expected {case[key]}"
    return None


@pytest.mark.parametrize("name", CASES)
def test_every_line_of_a_field_case_is_read_as_it_must(name: str) -> None:
    found = events_of(name)
    answers = {case["line"]: wrong(case, found[int(case["line"])]) for case in CASES[name]}
    assert {line: answer for line, answer in answers.items() if answer is not None} == {}


def test_every_log_has_its_cases() -> None:
    assert {path.name for path in (FOLDER / "logs").iterdir()} == set(CASES)
