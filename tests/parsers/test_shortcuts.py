"""What is read the short way, as lines and texts like it were read before, is what the long way reads."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.clock import Clock
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record

from .samples import FOLDER, read_samples

LAB: Final = Path(__file__).parents[1] / "scenarios" / "lab"
LOGS: Final = sorted([*FOLDER.glob("*.log"), *LAB.glob("*/[ab].*")])
SAMPLE_LINES: Final = [line for path in sorted(FOLDER.glob("*.log")) for sample in read_samples(path) for line in sample.lines]
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


def read(lines: list[str], *, shortcuts: bool = True) -> tuple[list[Record], int, int]:
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0), shortcuts=shortcuts)
    return reader.feed(lines) + reader.flush(), reader.not_racoon, reader.dump_lines


def plain(records: list[Record]) -> list[tuple[object, ...]]:
    """What a record says; its values may have been read already or not."""
    return [(*record[:10], record.event) for record in records]


def assert_same_both_ways(lines: list[str]) -> None:
    short, *counts = read(lines)
    long, *others = read(lines, shortcuts=False)
    assert plain(short) == plain(long)
    assert counts == others


@pytest.mark.parametrize("log", LOGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_log_is_read_the_same_both_ways(log: Path) -> None:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    assert_same_both_ways(lines)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize(("old", "new"), VARIATIONS.values(), ids=VARIATIONS)
def test_a_line_whose_head_is_nearly_that_of_the_last_is_read_the_same_both_ways(head: str, old: str, new: str) -> None:
    line = f"{head}INFO: begin Aggressive mode."
    assert_same_both_ways([line, line.replace(old, new, 1), line, line.replace("begin Aggressive", "begin Base")])


@given(
    st.sampled_from([head for head in HEADS.values() if "berlin" in head]),
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 59), st.none() | st.tuples(st.integers(0, 40), st.text("x0:[ ", max_size=2)))
    ),
)
def test_lines_of_two_hosts_with_torn_heads_among_them_are_read_the_same_both_ways(
    head: str, drawn: list[tuple[bool, int, tuple[int, str] | None]]
) -> None:
    """What is torn must not be believed by half: the next line with a whole head would be taken for another host's."""
    whole = [
        head.replace("08:30:02", f"08:30:{second:02d}").replace("berlin", ("berlin", "paris")[other])
        for other, second, _ in drawn
    ]
    torn = [
        text if edit is None else f"{text[: edit[0]]}{edit[1]}{text[edit[0] + 1 :]}"
        for text, (_, _, edit) in zip(whole, drawn, strict=True)
    ]
    assert_same_both_ways([f"{text}INFO: begin Aggressive mode." for text in torn])


@pytest.mark.parametrize("bad", ["xan 15 08:30:02", "Jan 15 08-30-02", "               "])
def test_a_host_whose_line_has_no_time_does_not_get_the_lines_of_others(bad: str) -> None:
    berlin, paris = (f"Jan 15 08:30:02 {host} racoon: INFO: begin Aggressive mode." for host in ("berlin", "paris"))
    assert_same_both_ways([berlin, paris, berlin, paris, berlin, paris.replace("Jan 15 08:30:02", bad), berlin, berlin])


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


@pytest.mark.parametrize("log", LOGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_log_whose_every_line_was_said_before_is_read_the_same_both_ways(log: Path) -> None:
    assert_same_both_ways(log.read_text(encoding="utf-8", errors="replace").split("\n") * 3)


SAID: Final = {
    "an SPI": "INFO: IPsec-SA expired: ESP/Tunnel 192.0.2.1[500]->198.51.100.7[500] spi=241280704(0xe61a6c0)",
    "cookies": "INFO: ISAKMP-SA expired 192.0.2.1[500]-198.51.100.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718",
    "no number": "[198.51.100.7] INFO: received INITIAL-CONTACT",
    "an SPI and a full stop": "INFO: purged IPsec-SA proto_id=ESP spi=241280704.",
    "cookies and a full stop": "INFO: purging ISAKMP-SA spi=8f1b2c3d4e5f6071:a1b2c3d4e5f60718.",
    "cookies within": "[198.51.100.7] INFO: DPD: remote (ISAKMP-SA spi=8f1b2c3d4e5f6071:a1b2c3d4e5f60718) seems to be dead.",
}
ENDINGS: Final = {
    "another": " spi=7(0x7)",
    "two that differ": " spi=7(0x8)",
    "zeros before": " spi=007(0x07)",
    "as many digits as fit": " spi=4294967295(0xffffffff)",
    "more digits than fit": " spi=42949672950(0x9fffffff6)",
    "more than fits": " spi=4294967296(0x0)",
    "more than fits, and a full stop": " spi=4294967296.",
    "other digits": " spi=٣(0x3)",
    "no hexadecimal": " spi=7",
    "a full stop": " spi=7.",
    "blanks behind": " spi=7(0x7)  ",
    "text behind": " spi=7(0x7) spi=8(0x8)",
    "nothing behind the mark": " spi",
    "half a number": " spi=",
    "other cookies": " spi:0000000000000001:0000000000000002",
    "other cookies, and a full stop": " spi=0000000000000001:0000000000000002.",
    "other cookies within": " spi=0000000000000001:0000000000000002) seems to be dead.",
    "other cookies, and more text": " spi=0000000000000001:0000000000000002) seems to be dead. ",
    "no responder": " spi:0000000000000001:0000000000000000",
    "capitals": " spi:000000000000000A:0000000000000002",
    "a message id": " spi:0000000000000001:0000000000000002:00008b03",
    "a digit less": " spi:000000000000001:0000000000000002",
    "none": "",
    "another blank": "\u00a0spi=7(0x7)",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_line_that_ends_otherwise_than_the_last_ones_is_read_the_same_both_ways(said: str, ending: str) -> None:
    line = f"2026-01-15 08:30:02: {said}"
    assert_same_both_ways([line, line, line, f"{line.partition(' spi')[0]}{ending}"] * 3)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("line", SAID.values(), ids=SAID)
def test_a_line_like_those_before_that_is_torn_is_read_the_same_both_ways(head: str, line: str) -> None:
    """What was read of its first half must not stand for all of it."""
    for place in range(len(line)):
        assert_same_both_ways([f"{head}{line}"] * 2 + [f"{head}{line[:place]}", line[place:], f"{head}{line}"])


MUTATIONS: Final = st.sampled_from(
    [" ", ":", "[", "]", "-", ">", "=", "(", "0", "9", "a", "z", "\t", "\0", "spi", " spi=", ": "]
)


@given(st.sampled_from(SAMPLE_LINES), st.data())
def test_a_line_nearly_like_those_before_is_read_the_same_both_ways(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    changed = line[:start] + data.draw(MUTATIONS) + line[start + data.draw(st.integers(0, 3)) :]
    assert_same_both_ways([line, line, line, changed, line, changed, changed, line])


def test_lines_of_many_gateways_go_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"Jan 15 08:30:02 gw{number} racoon[{number}]: {SAID['an SPI']}" for number in range(100)]
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
    reader.feed(lines)
    monkeypatch.setattr(LogReader, "_read_line", None)
    assert {record.gateway for record in reader.feed(lines)} == {f"gw{number}" for number in range(100)}
