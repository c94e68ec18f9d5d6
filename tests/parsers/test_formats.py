"""Every form in which racoon's lines are stored: what stands before the message is told from it, and read."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.clock import READERS, Clock
from racoon_parsers.line import FORMATS, LineSplitter, is_racoon, split_inner
from tests import strategies as its

from .samples import FOLDER, Sample, read_samples

NO_FORMAT: Final = "none"
REFERENCE: Final = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
SAMPLES: Final = tuple(
    Sample(sample.place, sample.expected, (line,))
    for path in (FOLDER / "formats.log", *sorted((FOLDER / "heads").glob("*.log")))
    for sample in read_samples(path)
    for line in sample.lines
)
PARTS: Final = ("inner", "host", "ident", "pid", "level", "tag", "tunnel", "text")


def described(text: str, splitter: LineSplitter | None = None) -> str:
    """Describe what a line holds: its format, then every part that is there."""
    splitter = splitter or LineSplitter()
    line = splitter.split(text)
    if line is None:
        return NO_FORMAT
    name = "json" if text.startswith("{") else splitter.format.name
    parts = [f"{part}={getattr(line, part)}" for part in PARTS if getattr(line, part)]
    clock = Clock(UTC, REFERENCE)
    time = clock.combined(line.inner, line.kind, line.stamp) if line.inner else clock.time(line.kind, line.stamp)
    if time is not None:
        parts.insert(0, f"time={datetime.fromtimestamp(time, UTC).isoformat(timespec='auto').removesuffix('+00:00')}")
    return shlex.join([name, *parts])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.place)
def test_a_line_is_taken_apart_as_its_comment_says(sample: Sample) -> None:
    assert [described(line) for line in sample.lines] == [shlex.join(shlex.split(text)) for text in sample.expected]


def test_no_line_is_read_otherwise_because_of_the_format_of_the_line_before() -> None:
    """A dialect guessed for one line does not stick to the stream."""
    lines = [sample.lines[0] for sample in SAMPLES]
    alone = [described(line) for line in lines]
    for before in lines:
        for line, wanted in zip(lines, alone, strict=True):
            splitter = LineSplitter()
            splitter.split(before)
            assert described(line, splitter) == wanted, before


def test_every_format_has_a_sample() -> None:
    seen = {text.split()[0] for sample in SAMPLES for text in sample.expected}
    names = {line_format.name for line_format in FORMATS} | {"json", NO_FORMAT}
    assert seen == names, "each head has lines in tests/samples/formats.log or tests/samples/heads"


def test_every_kind_of_time_has_a_reader() -> None:
    assert {line_format.kind for line_format in FORMATS} - {""} <= READERS.keys(), "clock.READERS says how each kind is read"


@pytest.mark.parametrize("name", ["racoon", "racoon2", "racoon-vpn1", "/usr/sbin/racoon", "racoon_b.1"])
def test_a_renamed_racoon_is_racoon(name: str) -> None:
    assert is_racoon(name)


@pytest.mark.parametrize("name", ["racoonctl", "racoon-tool", "charon", "myracoon", "", "sshd", "racoon x"])
def test_another_program_is_not_racoon(name: str) -> None:
    assert not is_racoon(name)


@pytest.mark.parametrize("stored", sorted(its.STORED))
@given(head=its.heads, message=its.printed_messages)
def test_what_is_stored_in_a_format_is_read_back(stored: str, head: its.Head, message: its.PrintedMessage) -> None:
    line = LineSplitter().split(its.STORED[stored](head, message.text))
    assert line is not None
    assert (line.level, line.tag, line.text) == (head.level, head.tag, message.text)
    assert is_racoon(line.ident)
    if stored in its.WITHOUT_TIME:
        assert line.kind == ""
    elif stored not in its.WITHOUT_YEAR:
        time = Clock(UTC).combined(line.inner, line.kind, line.stamp) if line.inner else Clock(UTC).time(line.kind, line.stamp)
        assert time == head.time.timestamp()
    else:
        clock = Clock(UTC, head.time.timestamp())
        assert clock.time(line.kind, line.stamp) == head.time.timestamp()


@given(its.log_texts)
def test_any_text_is_a_line_or_nothing(text: str) -> None:
    line = LineSplitter().split(text)
    assert line is None or line.text in text or text.startswith("{")
    assert split_inner(text) is not None


@given(st.sampled_from(sorted(READERS)), its.log_texts | st.from_regex(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d", fullmatch=True))
def test_any_text_is_a_time_or_none(kind: str, text: str) -> None:
    time = Clock(UTC, REFERENCE).time(kind, text)
    assert time is None or isinstance(time, float)


@given(its.heads, st.sampled_from(sorted(its.STORED)), st.sampled_from(sorted(its.STORED)), its.peer_texts)
def test_a_stream_may_change_its_format(head: its.Head, first: str, second: str, text: str) -> None:
    """The format that fitted last is only tried first."""
    splitter = LineSplitter()
    splitter.split(its.STORED[first](head, "caught signal 15"))
    line = its.STORED[second](head, f"x{text}")
    assert splitter.split(line) == LineSplitter().split(line)
