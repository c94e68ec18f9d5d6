"""Octet counting and newlines, mixed and cut anywhere; and messages as lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.contract import SourceCounts
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.streams.framing import Framer, as_line

HEAD = b"<30>Jan 15 08:30:02 gw racoon: INFO: "


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


MESSAGES = st.lists(st.tuples(st.booleans(), st.binary(max_size=30)), max_size=8)


@given(MESSAGES, st.data())
def test_cuts_and_mixtures_change_nothing(messages: list[tuple[bool, bytes]], data: st.DataObject) -> None:
    expected, stream = [], b""
    for by_count, text in messages:
        message = HEAD + (text if by_count else text.replace(b"\n", b""))
        expected.append(message)
        stream += counted(message) if by_count else message + b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    tally = SourceCounts()
    framer = Framer(tally)
    found: list[bytes] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += framer.feed(stream[begin:end])
    assert [message.rstrip(b"\n") for message in found] == [message.rstrip(b"\n") for message in expected]
    assert (framer.held, tally.lost_bytes) == (0, 0)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_are_kept_beyond_one_message(pieces: list[bytes]) -> None:
    framer = Framer(SourceCounts())
    for piece in pieces:
        framer.feed(piece)
        assert framer.held <= sum(map(len, pieces))
    framer.rest()
    assert framer.held == 0


@pytest.mark.parametrize(
    "line",
    [
        b"2026-01-15 08:30:02: INFO: caught signal 15",
        b"1768465802.894083034 MX84 events Site-to-site VPN: text",
        b"12 monkeys",
        b"12345678 <30>a number too long for a length",
        b"0 <30>no length",
    ],
)
def test_a_line_may_begin_with_a_number(line: bytes) -> None:
    framer = Framer(SourceCounts())
    assert framer.feed(line + b"\n") == [line + b"\n"]


def test_newlines_between_counted_messages_are_passed_over() -> None:
    framer = Framer(SourceCounts())
    assert framer.feed(counted(HEAD + b"one") + b"\n" + counted(HEAD + b"two") + b"\n") == [HEAD + b"one", HEAD + b"two"]


def test_a_counted_message_keeps_its_newlines() -> None:
    framer = Framer(SourceCounts())
    assert framer.feed(counted(HEAD + b"one\ntwo")) == [HEAD + b"one\ntwo"]


@pytest.mark.parametrize("length", [MAX_LINE + 1, 3 * MAX_LINE, 9_999_999])
def test_a_counted_message_that_is_too_long_is_skipped(length: int) -> None:
    tally = SourceCounts()
    framer = Framer(tally)
    stream = counted(b"<" + b"x" * (length - 1)) + counted(HEAD + b"next")
    found: list[bytes] = []
    for at in range(0, len(stream), 50_000):
        found += framer.feed(stream[at : at + 50_000])
        assert framer.held <= MAX_LINE + 10
    assert found == [HEAD + b"next"]
    assert (tally.too_long, tally.lost_bytes) == (1, len(str(length)) + 1 + length)


@pytest.mark.parametrize("piece", [1000, 50_000, 200_000])
def test_a_line_that_is_too_long_is_skipped(piece: int) -> None:
    tally = SourceCounts()
    framer = Framer(tally)
    stream = b"x" * 150_000 + b"\nnext\n"
    found: list[bytes] = []
    for at in range(0, len(stream), piece):
        found += framer.feed(stream[at : at + piece])
        assert framer.held <= MAX_LINE
    assert found == [b"next\n"]
    assert (tally.too_long, tally.lost_bytes) == (1, 150_001)


def test_at_the_end_a_line_is_given_and_a_torn_counted_message_is_lost() -> None:
    tally = SourceCounts()
    framer = Framer(tally)
    framer.feed(b"torn")
    assert framer.rest() == b"torn"
    framer.feed(b"100 <30>torn")
    assert framer.rest() == b""
    assert tally.lost_bytes == len(b"100 <30>torn")


@pytest.mark.parametrize(
    ("message", "line"),
    [
        pytest.param(HEAD + b"text", HEAD + b"text\n", id="plain"),
        pytest.param(HEAD + b"text\r\n\0", HEAD + b"text\n", id="end"),
        pytest.param(HEAD + b"a\nb\n\n", HEAD + b"a#012b\n", id="newline inside"),
        pytest.param(b"\x1b[31m\0a\tb\r\xff", b"\x1b[31m\0a\tb\r\xff\n", id="control characters"),
        pytest.param(b" \n\0", b"", id="empty"),
    ],
)
def test_a_message_becomes_a_line(message: bytes, line: bytes) -> None:
    assert as_line(message) == line
