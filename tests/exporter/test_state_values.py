"""A state file whose checksum is good and whose values are not: all of it is believed, or nothing."""

import copy
import logging
from typing import Any

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.sa.counts import MOST
from racoon_exporter.sa.racoon import MOST_SUMMED
from tests.exporter.reading import lab_logs
from tests.fuzz.fuzz_state import Room, cases
from tests.fuzz.mangled import CHANGES, changed, places

LINES = b"".join(path.read_bytes() for path in lab_logs("17-soak-chaos", "b")).decode().splitlines()[:60]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return Room(tmp_path_factory.mktemp("state"), LINES)


def test_a_value_that_is_none_costs_the_file_and_never_a_part_of_it(room: Room) -> None:
    believed = [room.check(changed(room.content, path, CHANGES[change])) for path, change in cases(room.content, stride=7)]
    assert len(believed) > 60
    assert 0.1 < sum(believed) / len(believed) < 0.6


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        pytest.param(
            ("positions", "LOG", "offset"), 10, "position: fingerprint", id="an offset with the fingerprint of another"
        ),
        pytest.param(("positions", "LOG", "size"), 1, "position: offset", id="a file shorter than what was read of it"),
        pytest.param(("positions", "LOG"), None, "position: expected", id="no position of what was read"),
        pytest.param(("positions",), {}, "positions: ", id="no positions"),
        pytest.param(
            ("engine", "state", "racoons", 0, "ipsec", "presumed"),
            [-1],
            "presumed[0]",
            id="a row of the archive counted from its end",
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "blame", "context"), 4711, "racoon 0: context", id="a negotiation that is none"
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "counters"),
            [["daemon_starts", -3]],
            "racoon 0: daemon_starts",
            id="a negative counter",
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "counters"),
            [["kernel_errors", "x", 3]],
            "racoon 0: kernel_errors",
            id="a label too many",
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "counters"),
            [["phase1_failures", "timeout", 3]],
            "racoon 0: phase1_failures: counted elsewhere",
            id="what is counted for a peer at a racoon",
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "peers", "peers", 0, "counters"),
            [["daemon_starts", 3]],
            "daemon_starts: counted elsewhere",
            id="what is counted for a racoon at a peer",
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "life", "run", "started"),
            1e15,
            "life.run.started",
            id="a time beyond the calendar",
        ),
        pytest.param(
            ("engine", "state", "racoons", 0, "version"), 99, "racoon 0: of another version", id="a layout of the future"
        ),
    ],
)
def test_nonsense_is_set_aside_with_a_line_that_says_where(
    room: Room, path: tuple[str | int, ...], value: object, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    real = tuple(str(room.log) if key == "LOG" else key for key in path)
    with caplog.at_level(logging.ERROR):
        assert not room.check(changed(room.content, real, lambda _: value))
    (line,) = caplog.messages
    assert "holds what no exporter writes" in line
    assert where in line


def test_a_word_that_is_half_of_a_character_stops_no_scrape(room: Room) -> None:
    for place in range(3):
        room.check(changed(room.content, ("engine", "messages", 0, place), lambda _: "\ud800"))


def test_what_stands_twice_is_set_aside(room: Room) -> None:
    def twice(rows: list[object]) -> list[object]:
        return [*rows, rows[0]]

    for path in (
        ("engine", "messages"),
        ("engine", "state", "racoons"),
        ("engine", "state", "racoons", 0, "counters"),
        ("engine", "state", "racoons", 0, "peers", "peers"),
        ("engine", "state", "racoons", 0, "peers", "peer_of_cookies"),
        ("seen",),
    ):
        assert not room.check(changed(room.content, path, twice)), path


COUNTED = {"messages", "unparsed", "record_errors", "counters", "rhythm", "sources", "durations", "number", "phase1_proofs"}
"""What in a state file only grows."""


def test_counts_at_their_bound_stay_there_and_cost_the_next_start_nothing(room: Room) -> None:
    content: Any = copy.deepcopy(room.content)
    counts = 0
    for path in places(content):
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        number = isinstance(inner[path[-1]], (int, float)) and not isinstance(inner[path[-1]], bool)
        if number and COUNTED & {*path} and ("rhythm" not in path or path[-1] == 1):
            inner[path[-1]] = MOST_SUMMED if "durations" in path else MOST
            counts += 1
    assert counts > 50
    assert room.check(content, more="".join(f"{line}\n" for line in LINES))


def test_a_pause_longer_than_all_time_is_none(room: Room) -> None:
    """Two to the power of it was to be worked out for the page: that filled the memory."""
    path = next(path for path in places(room.content) if path[-3:-2] == ("rhythm",) and path[-1] == 0)
    assert not room.check(changed(room.content, path, lambda _: 2**40))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_no_state(number: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        checkpoint.load(f'{{"saved": {number}}}'.encode())


def test_the_state_of_a_file_that_is_not_mangled_is_believed(room: Room) -> None:
    assert room.check(room.content)
