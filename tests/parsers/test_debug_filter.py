"""What is dropped from a debug log changes nothing: what is left says the same, and all of it is counted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC

import pytest

from racoon_exporter.sa.handlers import HANDLERS
from racoon_parsers.clock import Clock
from racoon_parsers.debug_filter import DebugFilter
from racoon_parsers.message import Message
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record

STAMP = "2026-01-15 08:30:02: "
PLACE = len(STAMP)
DEBUG = f"{STAMP}DEBUG: "
CERTIFICATE = ["Certificate:", "    Data:", "        Version: 3 (0x2)", "            Not Before: Jan  1 00:00:00 2026 GMT"]


def matters(message: Message) -> bool:
    return message.event in HANDLERS


FILTER = DebugFilter(catalogue().messages, matters)


def read(lines: list[str]) -> tuple[list[Record], LogReader]:
    reader = LogReader(catalogue(), Clock(UTC))
    return reader.feed(lines) + reader.flush(), reader


MESSAGES = [
    message
    for message in catalogue().messages
    if message.constant and message.start and {"DEBUG", "DEBUG2"} & set(message.levels) and "ikev2" not in message.event
]


@pytest.mark.parametrize("level", ["DEBUG", "DEBUG2"])
def test_every_debug_message_that_matters_is_left_and_no_other(level: str) -> None:
    for message in MESSAGES:
        line = f"{STAMP}{level}: {message.start}"
        sifted = FILTER.sift([line], PLACE)
        if matters(message) and len(message.start) >= 3:
            assert sifted.lines == [line], message.template
    harmless = [
        m for m in MESSAGES if not matters(m) and not any(m.start.startswith(o.start[:8]) for o in MESSAGES if matters(o))
    ]
    dropped = [m for m in harmless if not FILTER.sift([f"{STAMP}{level}: {m.start}"], PLACE).lines]
    assert len(dropped) > 0.9 * len(harmless)


def test_what_is_dropped_is_counted_by_its_kind() -> None:
    lines = [
        f"{DEBUG}===",
        f"{STAMP}DEBUG2: ===",
        "a1b2c3d4 a1b2c3d4 a1b2c3d4",
        f"{DEBUG}received certificate",
        *CERTIFICATE[1:],
        f"{STAMP}INFO: begin Aggressive mode.",
    ]
    sifted = FILTER.sift(lines, PLACE)
    assert sifted.lines == lines[-1:]
    assert sifted[1:] == (2, 1, 1, 3, False)


def test_lines_that_go_on_a_record_that_is_left_are_left() -> None:
    lines = [f"{STAMP}INFO: ISAKMP-SA established", "    192.0.2.1[500]-198.51.100.7[500]"]
    assert FILTER.sift(lines, PLACE).lines == lines


def test_a_debug_line_that_the_next_may_go_on_is_left() -> None:
    """What goes on it is part of it, and of no record before: a secret whose name stands there would not be known for one."""
    lines = [f"{STAMP}INFO: begin Aggressive mode.", f"{DEBUG}===", f"{STAMP}DEBUG2: its password:", "swordfish"]
    assert FILTER.sift(lines, PLACE) == ([lines[0], *lines[2:]], 1, 0, 0, 0, False)
    assert FILTER.sift(lines[:-1], PLACE) == ([lines[0]], 1, 1, 0, 0, True)


@pytest.mark.parametrize(
    "marks", ["DEBUG: DEBUG2: ", "DEBUG2 ", "DEBUG2: ", "DEBUG: ", "[198.51.100.7] DEBUG2: ", "[198.51.100.7] DEBUG: DEBUG2: "]
)
def test_a_debug_line_that_is_left_after_all_is_counted_by_nobody(marks: str) -> None:
    sifted = FILTER.sift([f"{STAMP}{marks}===", "more"], PLACE)
    assert sifted.lines == [f"{STAMP}{marks}===", "more"]
    assert sifted[1:] == (0, 0, 0, 0, False)


def test_a_record_that_follows_a_debug_message_on_its_line_is_read() -> None:
    """racoon leaves out the newline of some debug messages."""
    lines = [f"{DEBUG}===", f"{DEBUG}psk: {STAMP}INFO: begin Aggressive mode."]
    records, _ = read(FILTER.sift(lines, PLACE).lines)
    assert [record.message.event for record in records if record.message] == ["negotiation_detail", "phase1_mode"]


def test_what_looks_different_and_changes_nothing_is_dropped_as_well() -> None:
    """A peer's address before the level, the last line of a dump, a record that is glued to another."""
    lines = [
        f"{STAMP}[198.51.100.7] DEBUG: ===",
        f"{STAMP}[2001:db8::1] DEBUG2: ===",
        "a1b2c3d4 a1b2c3d4",
        "a1b2",
        f"{DEBUG}nonce1: {DEBUG}",
        f"{DEBUG}HASH(1) validate:{STAMP}DEBUG2: ===",
    ]
    assert FILTER.sift(lines, PLACE) == ([], 4, 2, 2, 0, True)


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP}[198.51.100.7] INFO: received INITIAL-CONTACT",
        f"{STAMP}[198.51.100.7] DEBUG: begin QUICK mode.",
        f"{DEBUG}nonce1: {STAMP}ERROR: failed to get valid proposal.",
        f"{DEBUG}nonce1: {DEBUG}nonce2: {STAMP}INFO: begin Aggressive mode.",
        f"{STAMP}[not an address] DEBUG: ===",
        "a1b2c3d4 is no dump",
    ],
)
def test_what_may_matter_is_left(line: str) -> None:
    assert FILTER.sift([line], PLACE).lines == [line]


def test_lines_whose_level_stands_elsewhere_are_left() -> None:
    lines = [f"Jan 15 08:30:02 gateway racoon: DEBUG: {text}" for text in ("===", "begin.")]
    assert FILTER.sift(lines, PLACE).lines == lines


def test_a_sifted_log_says_what_the_whole_one_says() -> None:
    lines = [
        line
        for number in range(20)
        for line in (
            f"{DEBUG}===",
            f"{DEBUG}{number} bytes message received from 198.51.100.7[500] to 192.0.2.1[500]",
            f"{STAMP}INFO: respond new phase 1 negotiation: 192.0.2.1[500]<=>198.51.100.7[500]",
            f"{DEBUG}begin encryption.",
            "a1b2c3d4 a1b2c3d4 a1b2c3d4 a1b2c3d4",
            f"{DEBUG}received certificate",
            *CERTIFICATE[1:],
        )
    ]
    whole, _ = read(lines)
    sifted, _ = read(FILTER.sift(lines, PLACE).lines)
    assert classes(sifted) == Counter({key: count for key, count in classes(whole).items() if key[0] != "DEBUG"})


def classes(records: list[Record]) -> Counter[tuple[str, str]]:
    return Counter((record.level, record.message.event) for record in records if record.message)
