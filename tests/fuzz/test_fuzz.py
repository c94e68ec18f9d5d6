"""The rule of the fuzz target holds for every file its corpus begins with, and for what fuzzing has found."""

from pathlib import Path

import pytest

from racoon_exporter.sa import phase1
from racoon_exporter.sa.handlers import HANDLERS
from racoon_parsers.fields import Endpoint
from tests.fuzz.fuzz_inputs import INPUTS
from tests.fuzz.fuzz_inputs import check as check_input
from tests.fuzz.fuzz_lines import raises, smallest, story, tell
from tests.fuzz.fuzz_witness import ANSWERS
from tests.fuzz.fuzz_witness import check as check_answer
from tests.fuzz.rule import check
from tests.fuzz.seed_corpus import seed


def test_the_rule_holds_for_the_seeds_wherever_they_are_cut(tmp_path: Path) -> None:
    assert seed(tmp_path) > 400
    for sample in sorted(tmp_path.iterdir()):
        lines = sample.read_bytes()[1:]
        for cut in range(lines.count(b"\n") + 2):
            check(bytes([cut]) + lines)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x012026-01-15 09:30:04: INFO: purging spi=041280704.",
        b"\x01Xyz 15 08:30:02 gw racoon: INFO: caught signal 15",
        b'\x01{"__REALTIME_TIMESTAMP":"99999999999999999999999","SYSLOG_IDENTIFIER":"racoon","MESSAGE":"INFO: begin."}',
        b'\x012026-01-15 08:30:02: INFO: login failed for user "\n2026-01-15 08:30:02: INFO: begin."',
        b"\x012026-01-15 08:30:03: [198.51.100.7] ERROR: error message: 'x'. 2026-01-15 08:30:04: INFO: x1013-01-15 0:038:'.",
    ],
    ids=["nothing", "octal SPI", "no month", "time beyond the calendar", "open quote at a restart", "masked beyond its row"],
)
def test_the_rule_holds_for_what_broke_it_once(data: bytes) -> None:
    check(data)


def test_no_line_of_the_first_stories_raises_wherever_it_is_read_kept_or_shown() -> None:
    for number in range(3):
        tell(story(number))


def test_a_fault_is_found_and_its_lines_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of values that raises for what no daemon prints: bytes at random would hardly get so far."""

    def read(text: str) -> Endpoint:
        assert "fe80" not in text
        return Endpoint(text, None)

    monkeypatch.setattr(phase1, "started", lambda _racoon, heard: read(heard.event.peer.address))
    monkeypatch.setitem(HANDLERS, "phase1_start", phase1.started)
    lines = next(lines for number in range(100) if (lines := story(number)) and raises(lines))
    assert len(smallest(lines)) == 1


def test_no_answer_of_kernel_tools_or_socket_raises_but_as_promised() -> None:
    for number in range(1500):
        check_answer(number)


def test_no_input_of_a_sender_collector_or_file_raises_but_as_promised() -> None:
    for _, read, data in INPUTS:
        read(data)
    for number in range(150):
        check_input(number)


def test_every_valid_answer_is_one() -> None:
    for what, read, data in ANSWERS:
        if what not in {"netlink policy", "admin socket, dump"}:  # one ends with an error, the other is of two layouts
            read(data)
