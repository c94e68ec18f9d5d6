"""What is read the short way, as lines and texts like it were read before, is what the long way reads."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Final

import pytest

from racoon_parsers.clock import Clock
from racoon_parsers.line import Head
from racoon_parsers.message import Catalogue
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record

from .samples import FOLDER

LAB: Final = Path(__file__).parents[1] / "scenarios" / "lab"
LOGS: Final = sorted([*FOLDER.glob("*.log"), *LAB.glob("*/[ab].*")])
HEADS: Final = {
    "file": "2026-01-15 08:30:02: ",
    "tagged": "2026-01-15 08:30:02: [198.51.100.7] ",
    "syslog": "Jan 15 08:30:02 berlin racoon: ",
    "syslog with priority": "<30>Jan 15 08:30:02 berlin racoon[99]: ",
    "syslog with zone": "2026-01-15T08:30:02.123456+01:00 berlin racoon[99]: ",
    "both times": "Jan 15 08:30:02 berlin racoon[99]: 2026-01-15 08:30:01: ",
    "container": "2026-01-15T08:30:02.123456789Z stderr F ",
    "pfSense": "Jan 15 08:30:02 racoon: [Branch]: [198.51.100.7] ",
}
VARIATIONS: Final = {
    "the next second": ("08:30:02", "08:30:03"),
    "the next day": ("15 08:30", "16 08:30"),
    "no day": ("15 08:30", "32 08:30"),
    "no hour": ("08:30:02", "28:30:02"),
    "letters for digits": ("08:30:02", "08:3O:02"),
    "other digits": ("08:30:02", "08:30:0٢"),
    "a longer fraction": (".123456", ".1234567"),
    "another zone": ("+01:00", "+02:00"),
    "another host": ("berlin", "munich"),
    "another process": ("[99]", "[98]"),
    "another program": ("racoon", "charon"),
    "another level": ("INFO", "ERROR"),
    "a longer level": ("INFO", "DEBUG2"),
    "no level of racoon": ("INFO: ", "FATAL: "),
    "two blanks": ("INFO: ", "INFO:  "),
    "no blank": ("INFO: ", "INFO:"),
    "another tag": ("198.51.100.7", "2001:db8::7"),
    "no tag": ("[198.51.100.7] ", ""),
    "a tag that is none": ("[198.51.100.7] ", "[branch] "),
    "a tag more": ("INFO", "[198.51.100.8] INFO"),
    "a place in the source": ("INFO: ", "INFO: isakmp.c:1234:isakmp_ph1begin_r(): "),
    "another time within": ("08:30:01", "08:30:00"),
    "another tunnel": ("[Branch]", "[Other]"),
}


def read(lines: list[str]) -> tuple[list[Record], int, int]:
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
    return reader.feed(lines) + reader.flush(), reader.not_racoon, reader.dump_lines


def plain(records: list[Record]) -> list[tuple[object, ...]]:
    """What a record says; its values may have been read already or not."""
    return [(*record[:10], record.event) for record in records]


def assert_same_both_ways(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    short, *counts = read(lines)
    monkeypatch.setattr(Head, "read", lambda _head, _line: None)
    long, *others = read(lines)
    assert plain(short) == plain(long)
    assert counts == others


@pytest.mark.parametrize("log", LOGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_log_is_read_the_same_both_ways(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    assert_same_both_ways(lines, monkeypatch)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize(("old", "new"), VARIATIONS.values(), ids=VARIATIONS)
def test_a_line_whose_head_is_nearly_that_of_the_last_is_read_the_same_both_ways(
    head: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"{head}INFO: begin Aggressive mode."
    assert_same_both_ways([line, line.replace(old, new, 1), line, line.replace("begin Aggressive", "begin Base")], monkeypatch)


@pytest.mark.parametrize("head", [head for name, head in HEADS.items() if name != "both times"])
def test_lines_of_later_seconds_go_the_short_way(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = f"{head}INFO: begin Aggressive mode."
    later = [first.replace("08:30:02", f"08:30:{second:02d}") for second in range(3, 9)]
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
    reader.feed([first])
    monkeypatch.setattr(LogReader, "_read_line", None)
    assert len(reader.feed(later)) == len(later)


def test_a_text_is_the_same_message_however_often_it_is_met() -> None:
    fresh = Catalogue(catalogue().messages)
    texts = {record.text for log in LOGS for record in read(log.read_text(encoding="utf-8", errors="replace").split("\n"))[0]}
    for _ in range(3):
        for text in texts:
            found = fresh.recognise(text)
            message = None if found is None else found[0]
            assert message is fresh.find(text), text
