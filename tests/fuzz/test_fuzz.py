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

GIVEN_UP = "fe80::1%eth0[500] give up to get IPsec-SA due to time up to wait."


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


@pytest.mark.parametrize(
    ("life", "lines"),
    [
        (1, ["2026-11-17 04:08:44: some words:7: " + '": ' * 19 + '"ec" id type forbidden: 7']),
        (
            1,
            [
                "Nov 25 08:27:35 mac racoon[99] (IPSec) <Notice>: INFO: No SIG was passed, hybrid auth is enabled",
                "2026-11-13T18:25:29.123456+01:00 gw1 racoon[99]: DEBUG: invalid pcheck_level why?.",
                "Nov 15 04:15:54 mac racoon[99] (IPSec) <Notice>: WARNING: invalid attribute type 7.",
            ],
        ),
        (
            3,
            [
                "Nov 20 07:31:32 2001:db8::9 racoon[99]: initiate new phase 2 negotiation: fe80::1%eth0[0]<=>2001:db8::5[4500]",
                "Nov 22 12:11:56 mac racoon[99] (IPSec) <Notice>: DEBUG: no supported certtype 7",
                f"2026-11-25T09:41:04.1Z stderr F 2026-11-27 00:48:14: {GIVEN_UP}",
                '2026-11-06T15:01:37.1Z stderr F 2026-11-12 07:23:29: INFO: x:7: "ec" failed to duplicate remoteconf from "x".',
                "11-24 23:04:28.123  99   99 I racoon  : Remote X509 IPv6 addr: some words",
                "2026-11-04(lifebyte = +01:00.123456gw1\xe9 7772026-11-04 racoon[99]: 7: received too many NAT-OA payloads.",
                'ERROR: some words:\x00: "ecec" wrong Vendor ID for gssapi_id',
            ],
        ),
    ],
    ids=["masked into a row", "a debug line looked at before its turn", "a clock set back while another end may tell"],
)
def test_a_restart_changes_nothing_where_it_did_once(life: int, lines: list[str]) -> None:
    tell(lines, life)


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
