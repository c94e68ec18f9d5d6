"""Messages within what people paste: whatever disguise is put on a sample, it is found, and what was guessed is said."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC
from typing import Final

import pytest

from racoon_parsers import pasted
from racoon_parsers.clock import Clock
from racoon_parsers.message import Message
from racoon_parsers.messages import catalogue
from racoon_parsers.pasted import Found, Paste
from racoon_parsers.record import Record

KEY: Final = "Jan 15 08:30:02 gw racoon: ERROR: couldn't find the pskey for 198.51.100.7."
SAINFO: Final = "2026-01-15 08:30:02: ERROR: failed to get sainfo."
TIME_UP: Final = "Jan 15 08:30:02 gw racoon: ERROR: phase1 negotiation failed due to time up. 8f1b2c3d4e5f6071:0000000000000000"
START: Final = "Jan 15 08:30:02 gw racoon: INFO: initiate new phase 1 negotiation: 192.0.2.1[500]<=>198.51.100.7[500]"
DEAD: Final = (
    "Jan 15 08:30:02 gw racoon: [198.51.100.7] INFO: "
    "DPD: remote (ISAKMP-SA spi=8f1b2c3d4e5f6071:a1b2c3d4e5f60718) seems to be dead."
)
LINES: Final = {KEY: "auth_failed", SAINFO: "no_config", TIME_UP: "phase1_failed", START: "phase1_start", DEAD: "dpd_dead"}

DISGUISES: Final[dict[str, Callable[[str], str]]] = {
    "a quoted mail": lambda line: f"> > {line}",
    "a list": lambda line: f"  12. {line}",
    "a bullet": lambda line: f" * {line}",
    "a numbered listing": lambda line: f"17: {line}",
    "a table": lambda line: f"| 3 | {line} |",
    "the end of a table": lambda line: f"{line} | |",
    "a web page": html.escape,
    "a web page escaped twice": lambda line: html.escape(html.escape(line)),
    "a web page with its tags": lambda line: f"<td><code>{html.escape(line)}</code><br/></td>",
    "a word processor": lambda line: line.replace("'", "\u2019").replace(" ", "\u00a0").replace("<=>", "\u21d4"),
    "invisible characters": lambda line: "\ufeff" + line.replace(": ", ":\u200b "),
    "quotation marks": lambda line: f'"{line}"',
    "backticks": lambda line: f"`{line}`",
    "a shell": lambda line: f"$ {line}",
    "a head that nobody knows": lambda line: (
        f"[12.3.2026, 8:30] (gw/vpn) >>> {line.partition('racoon: ')[2] or line.partition(': ')[2]}"
    ),
    "brackets": lambda line: f"[VPN] [Information] [{line}]",
    "a hint": lambda line: f"{line[:-1]} [Check Phase 2 settings, networks]{line[-1]}" if line.endswith(".") else line,
}


def found(text: str) -> list[Found]:
    return Paste(catalogue(), lambda: Clock(UTC, 1_800_000_000.0)).messages(text)


def event_of(one: Found) -> str | None:
    return None if one.record.message is None else one.record.message.event


@pytest.mark.parametrize("line", LINES, ids=LINES.values())
def test_what_stands_as_racoon_wrote_it_is_not_guessed_at(line: str) -> None:
    assert [(event_of(one), one.guesses, one.masks) for one in found(line)] == [(LINES[line], (), ())]


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
@pytest.mark.parametrize("line", LINES, ids=LINES.values())
def test_a_disguised_message_is_found(line: str, disguise: Callable[[str], str]) -> None:
    text = disguise(line)
    (one,) = found(text)
    assert event_of(one) == LINES[line]
    assert one.record.event == found(line)[0].record.event


@pytest.mark.parametrize("outer", ["a quoted mail", "a table", "a list"])
@pytest.mark.parametrize("inner", ["a web page", "a word processor", "invisible characters"])
@pytest.mark.parametrize("line", LINES, ids=LINES.values())
def test_two_disguises_are_taken_off(line: str, inner: str, outer: str) -> None:
    (one,) = found(DISGUISES[outer](DISGUISES[inner](line)))
    assert event_of(one) == LINES[line]


@pytest.mark.parametrize(
    "mask", ["<public-ip>", "xxx.xxx.xxx.xxx", "x.x.x.x", "203.0.113.xxx", "a.b.c.d", "***", "REMOTE_IP", "{peer}"]
)
@pytest.mark.parametrize("line", [KEY, START, DEAD], ids=["in the text", "as an end", "as the tag"])
def test_a_masked_address_is_read_and_shown_as_it_was_masked(line: str, mask: str) -> None:
    (one,) = found(line.replace("198.51.100.7", mask))
    assert event_of(one) == LINES[line]
    assert "240.0.0." not in one.unmasked(one.record.text + one.record.tag)
    assert mask in one.unmasked(one.record.text + one.record.tag)


@pytest.mark.parametrize("line", [TIME_UP, START, DEAD], ids=["time up", "start", "dead peer"])
@pytest.mark.parametrize("quote", ["", "> ", "| "])
def test_a_line_broken_anywhere_behind_its_head_is_put_together(line: str, quote: str) -> None:
    whole = found(line)[0].record
    head = line.index(": ", 20) + 24
    for place in range(head, len(line) - 3, 5):
        records = found(f"{quote}{line[:place]}\n{quote}{line[place:]}")
        assert [event_of(one) for one in records] == [LINES[line]], place
        assert records[0].record.event == whole.event, place


def test_several_lines_are_several_messages() -> None:
    text = "\n".join(f"> {line}" for line in LINES)
    assert [event_of(one) for one in found(text)] == list(LINES.values())


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("failed to get valid prop", "proposal_mismatch"),
        ("ERROR: phase1 negotiation failed due to ti...", "phase1_failed"),
        ("something sent INITIAL: couldn't find the pskey for 198.5", "auth_failed"),
    ],
    ids=["in a word", "with dots", "both ends"],
)
def test_a_message_without_its_end_is_found(text: str, event: str) -> None:
    (one,) = found(text)
    assert event_of(one) == event
    assert one.guesses


@pytest.mark.parametrize(
    "text", ["", "   \n \n", "Hello, my VPN does not work.", "charon: 07[IKE] received DELETE", "12345", "error", "failed"]
)
def test_what_is_no_message_is_not_taken_for_one(text: str) -> None:
    assert [event_of(one) for one in found(text) if one.record.message is not None] == []


def test_no_cost_grows_faster_than_what_is_pasted() -> None:
    """At most some pieces and places are tried, whatever is pasted."""
    paste = Paste(catalogue(), lambda: Clock(UTC, 1_800_000_000.0))
    tried: list[str] = []

    def read(text: str) -> list[Record]:
        tried.append(text)
        return []

    paste._read = read  # type: ignore[method-assign]
    paste.messages("a " * 4000)
    once = len(tried)
    paste.messages("\n".join(["b " * 4000] * 8))
    assert once < 2000
    assert len(tried) < 40 * once


def test_a_text_that_nobody_knows_is_compared_with_few_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the 2,800 at each of its words took half a second a line."""
    compared = 0
    told = pasted._told

    def counted(message: Message, text: str) -> int:
        nonlocal compared
        compared += 1
        return told(message, text)

    monkeypatch.setattr(pasted, "_told", counted)
    found("lorem ipsum dolor sit amet " * 12)
    assert 0 < compared < 3_000


def test_the_message_that_a_text_begins_is_the_one_of_all_of_which_most_is_there() -> None:
    paste = Paste(catalogue(), lambda: Clock(UTC, 1_800_000_000.0))
    rows = list(catalogue().all_rows)
    for row in rows[::40]:
        begun = row.start[: max(13, len(row.start) - 3)].strip()
        if len(begun) >= 12:
            best = max(rows, key=lambda other: pasted._told(other, begun))
            record = paste._cut(begun)
            assert record is not None
            assert record.message is best
