"""What holds for any log: nothing raises, nothing depends on how the text was cut, no peer's text becomes another event."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Final

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from racoon_exporter.decoding import block_lines
from racoon_parsers.clock import Clock
from racoon_parsers.fields import Endpoint, read_endpoint
from racoon_parsers.line import LineSplitter
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record
from tests import strategies as its

from .samples import FOLDER, read_samples

FORGED: Final = frozenset(catalogue().find(text).event for text in its.RACOON_TEXTS)  # type: ignore[union-attr]
"""Classes of the messages that a hostile text contains."""
SAMPLE_LINES: Final = [line for path in sorted(FOLDER.glob("*.log")) for sample in read_samples(path) for line in sample.lines]
OTHER_LINES: Final = (
    "",
    "Jan 15 08:30:02 gw sshd[9]: Connection closed",
    "Jan 15 08:30:02 gw last message repeated 3 times",
    "8f1b2c3d 4e5f6071 00000000 00000000",
    "spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718",
    '2026-01-15 08:30:02: INFO: login failed for user "x',
    '2026-01-15 08:30:02: INFO: begin Aggressive mode."',
    '"',
)
logs = st.lists(
    st.sampled_from(SAMPLE_LINES) | st.sampled_from(OTHER_LINES) | its.log_texts.map(lambda t: t.replace("\n", " ")),
    max_size=12,
)


def reader() -> LogReader:
    return LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))


def plain(records: list[Record], *, numbered: bool = True) -> list[Record]:
    """Give records with their values read, whether finding the message did that or not."""
    return [record._replace(values=record.event, number=record.number if numbered else 0) for record in records]


def read(lines: list[str]) -> list[Record]:
    log = reader()
    return log.feed(lines) + log.flush()


@given(its.printed_messages)
def test_what_is_printed_is_read_back(message: its.PrintedMessage) -> None:
    found = catalogue().read(message.text)
    assert found is not None
    values = {name: value for name, value in found.event._asdict().items() if value is not None}
    assert (found.message.event, found.message.severity) == (message.message.event, message.message.severity)
    assert values == message.values


@settings(max_examples=300)
@given(its.log_texts)
@example("")
@example("%s")
@example("(" * 1000)
def test_any_text_is_a_message_or_none(text: str) -> None:
    found = catalogue().read(text)
    assert found is None or found.message.fits(text)


@given(logs)
def test_any_log_gives_records_and_no_exception(lines: list[str]) -> None:
    for record in read(lines):
        assert 1 <= record.number <= len(lines)
        assert record.time is None or record.time >= 0
        assert record.event is not None


@given(logs, st.data())
def test_how_the_lines_are_cut_into_pieces_changes_nothing(lines: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(lines)), max_size=4)))
    log = reader()
    records = []
    for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        records += log.feed(lines[start:end], start + 1)
    assert plain(records + log.flush()) == plain(read(lines))


@given(logs, st.data())
def test_a_restart_between_two_lines_changes_nothing(lines: list[str], data: st.DataObject) -> None:
    """The clock may read the year of a line anew only where no line before told one."""
    cut = data.draw(st.integers(0, len(lines)))
    before, after = reader(), reader()
    records = before.feed(lines[:cut])
    after.restore(json.loads(json.dumps(before.to_json())))
    records += after.feed(lines[cut:], cut + 1) + after.flush()
    assert [(r.number, r.text, r.times, r.message) for r in records] == [
        (r.number, r.text, r.times, r.message) for r in read(lines)
    ]


@given(st.lists(st.sampled_from(SAMPLE_LINES), max_size=8), st.sampled_from(["\n", "\r\n", "\0\n", "\n\0\0"]))
def test_the_ends_of_lines_are_transport(lines: list[str], end: str) -> None:
    found, clean = block_lines("".join(f"{line}{end}" for line in lines).encode())
    assert clean
    assert [line for line in found if line] == [line.replace("\0", "") for line in lines if line]


@given(st.binary(max_size=200))
def test_any_bytes_are_lines(junk: bytes) -> None:
    lines, _ = block_lines(junk)
    assert all(record.number >= 1 for record in read(lines))


# text of a peer

CARRIERS: Final = {
    "certificate": ("cert_error", "certificate has expired(10) at depth:0 SubjectName:/C=DE/O=Example/CN={}"),
    "notification": ("notify_received", "error message: '{}'."),
    "notification of 0.7": ("notify_received", "Message: '{}'."),
    "XAuth message": ("xauth_message", "XAUTH Message: '{}'."),
    "user": ("xauth_login_failed", 'login failed for user "{}"'),
    "logged-in user": ("xauth_login_ok", 'login succeeded for user "{}"'),
    "vendor id": ("vendor_id", "received Vendor ID: {}"),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@given(text=its.peer_texts, stored=st.sampled_from(sorted(its.STORED)), head=its.heads)
def test_text_of_a_peer_gives_no_other_event(carrier: str, text: str, stored: str, head: its.Head) -> None:
    event, template = CARRIERS[carrier]
    assume(text.strip())
    records = read([its.STORED[stored](head, template.format(text))])
    assert [record.message.event if record.message else None for record in records] == [event]


@pytest.mark.parametrize("carrier", CARRIERS)
@given(text=its.injections, head=its.heads, cut=st.integers(0, 200))
def test_a_line_cut_anywhere_forges_nothing(carrier: str, text: str, head: its.Head, cut: int) -> None:
    """A collector may end a line within the peer's text; what is left may be unknown, but never what the text says."""
    event, template = CARRIERS[carrier]
    line = its.STORED["file"](head, template.format(text))
    shorter = line[: max(len(line) - cut, len(its.STORED["file"](head, template.partition("{}")[0])))]
    events = {record.message.event for record in read([shorter]) if record.message}
    assert not events & (FORGED - {event})


@given(st.lists(its.injections, min_size=1, max_size=6), its.heads, st.sampled_from(["file", "container", "compose"]))
def test_newlines_in_an_unquoted_user_name_forge_nothing(parts: list[str], head: its.Head, stored: str) -> None:
    """Where the name holds no quote of its own at the end of a line, its lines are one record."""
    name = "\n".join(parts)
    assume(not any(line.rstrip().endswith('"') for line in name.split("\n")))
    first, *more = f'login failed for user "{name}"'.split("\n")
    records = read([its.STORED[stored](head, first), *more, its.STORED[stored](head, "caught signal 15")])
    assert [record.message.event if record.message else None for record in records] == ["xauth_login_failed", "daemon_signal"]


@given(its.endpoints)
def test_an_endpoint_is_read_as_it_is_printed(end: Endpoint) -> None:
    assert read_endpoint(str(end)) == end


@given(its.heads, st.sampled_from(sorted(its.STORED)), its.printed_messages)
def test_a_head_is_where_the_splitter_says(head: its.Head, stored: str, message: its.PrintedMessage) -> None:
    """Lines with the same head are read without taking them apart again: both ways must give the same records."""
    line = its.STORED[stored](head, message.text)
    apart = LineSplitter().split(line)
    assert apart is not None
    assert apart.head == 0 or line[apart.head :].strip() == apart.text
    once, twice = read([line]), read([line, line])
    assert plain(twice, numbered=False) == plain(once * 2, numbered=False)
