"""Logs whose newest line stands first are turned round; what cannot be mended is said once."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.archives.newest_first import oldest_first, order_of
from racoon_exporter.engine import Engine
from racoon_exporter.history import tables
from racoon_exporter.source.contract import Block
from racoon_exporter.source.files.one_shot import blocks_of
from tests.exporter.archives.test_commands import run
from tests.exporter.reading import LAB, block

SCENARIOS = ["02-rekey", "11-delete-restart", "17-soak-chaos", "old-0.6.3-17-soak-chaos", "06-ph1-proposal-mismatch"]


def read(blocks: Iterator[Block]) -> Engine:
    engine = Engine(UTC)
    for part in oldest_first(blocks, UTC):
        engine.feed(part)
    engine.finish()
    return engine


def lines_of(scenario: str) -> list[bytes]:
    return (LAB / scenario / "a.log").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_recording_turned_round_tells_the_same(scenario: str) -> None:
    lines = lines_of(scenario)
    straight = read(iter([block(b"".join(lines))]))
    turned = read(iter([block(b"".join(reversed(lines)))]))
    assert tables(turned.state) == tables(straight.state)


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_a_log_of_many_blocks_is_turned_whole(compressed: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a table's case
    stamps = [f"2026-01-15 {8 + n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(30_000)]
    text = "".join(f"{stamp}: INFO: received Vendor ID: DPD\n" for stamp in reversed(stamps)).encode()
    log = tmp_path / ("racoon.log.gz" if compressed else "racoon.log")
    log.write_bytes(gzip.compress(text) if compressed else text)
    turned = list(oldest_first(iter(blocks_of(str(log))), UTC))
    lines = [line for part in turned for line in part.data.decode().splitlines()]
    assert [line[:19] for line in lines] == stamps
    numbers = [part.first_line + place for part in turned for place in range(part.data.count(b"\n"))]
    assert numbers == list(range(-30_000, 0))
    assert max(len(part.data) for part in turned) < 200_000


def test_a_last_line_without_its_end_and_empty_lines_keep_their_places() -> None:
    text = "2026-01-15 08:30:09: INFO: c\n\n2026-01-15 08:30:05: INFO: b\n2026-01-15 08:30:01: INFO: a"
    (turned,) = oldest_first(iter([block(text.encode())]), UTC)
    assert turned.data.decode().split("\n") == ["2026-01-15 08:30:01: INFO: a", *text.split("\n")[2::-1], ""]


def test_events_tell_the_line_s_own_number() -> None:
    text = "".join(f"2026-01-15 08:30:0{second}: INFO: begin Aggressive mode.\n" for second in (9, 5, 1))
    told = [json.loads(line) for line in run("events", "--time-zone", "UTC", "-", stdin=text.encode()).stdout.splitlines()]
    assert [(event["line"], event["time"][11:19]) for event in told] == [(3, "08:30:01"), (2, "08:30:05"), (1, "08:30:09")]


@pytest.mark.parametrize("between", [1, 9])
def test_a_cause_is_as_near_in_a_log_that_is_newest_first(between: int) -> None:
    others = ["INFO: received Vendor ID: DPD"] * between
    said = ["ERROR: failed to get valid proposal.", *others, "ERROR: phase1 negotiation failed."]
    lines = ["2026-01-15 08:30:01: INFO: caught signal 1", *(f"2026-01-15 08:30:05: {text}" for text in said)]
    reasons = []
    for order in (lines, lines[::-1]):
        done = run("events", "--time-zone", "UTC", "-", stdin="".join(f"{line}\n" for line in order).encode())
        told = [json.loads(line) for line in done.stdout.splitlines()]
        reasons.append([event.get("reason") for event in told if event["event"] == "phase1_failed"])
    assert reasons[0] == reasons[1] == ["proposal_mismatch" if between == 1 else None]


def test_history_of_a_pasted_page_ends_after_it_began() -> None:
    lines = (LAB / "06-ph1-proposal-mismatch" / "b.log").read_bytes().splitlines(keepends=True)
    done = run("history", "--format", "json", "--time-zone", "UTC", "-", stdin=b"".join(reversed(lines)))
    rows = json.loads(done.stdout)
    assert [row["reason"] for row in rows["negotiations"] if row["reason"] == "proposal_mismatch"] == ["proposal_mismatch"] * 5
    assert rows["daemon"][0]["end"] == "shutdown"


@pytest.mark.parametrize(
    ("stamps", "order"),
    [
        pytest.param("1 2 3 4", "oldest first", id="rising"),
        pytest.param("4 3 2 1", "newest first", id="falling"),
        pytest.param("4 4 4 4", "oldest first", id="one second"),
        pytest.param("5 4", "oldest first", id="two lines out of order by a second"),
        pytest.param("9 4", "newest first", id="two lines, five seconds apart"),
        pytest.param("1 2 4 3 5 6", "oldest first", id="a slip"),
        pytest.param("", "oldest first", id="nothing"),
    ],
)
def test_the_order_follows_from_the_times(stamps: str, order: str) -> None:
    assert order_of([f"2026-01-15 08:30:0{second}: INFO: x" for second in stamps.split()], UTC) == order


@pytest.mark.parametrize(
    "head", ["Jan 15 08:30:0{} gw racoon: ", "<29>Jan 15 08:30:0{} gw racoon: ", "2026-01-15T08:30:0{}Z gw racoon: "]
)
def test_every_head_tells(head: str) -> None:
    assert order_of([f"{head.format(second)}INFO: x" for second in "9531"], UTC) == "newest first"


def test_what_cannot_be_put_in_order_is_said_once() -> None:
    hours = ["08", "09", "06", "07", "04", "05", "02", "03"]
    text = "".join(f"2026-01-15 {hour}:30:00: INFO: received Vendor ID: DPD\n" for hour in hours).encode()
    said: list[str] = []
    assert [part.data for part in oldest_first(iter([block(text), block(text)]), UTC, None, said.append)] == [text, text]
    assert said == ["racoon.log: times fall and rise; lines are read as they stand, and ends may be missing"]


@given(st.integers(0, 2**32))
def test_no_negotiation_ends_before_it_began_whatever_the_order(seed: int) -> None:
    lines = lines_of("old-0.6.3-17-soak-chaos")[:120]
    random.Random(seed).shuffle(lines)
    engine = Engine(UTC)
    engine.feed(block(b"".join(lines)))
    engine.finish()
    for row in engine.state.history()["negotiations"]:
        assert row.ended is None or row.begun is None or row.ended >= row.begun
