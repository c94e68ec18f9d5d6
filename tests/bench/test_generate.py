"""The generated log is what it says: known messages only, SA lives that add up, the same bytes from the same seed."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.sa.racoon import Racoon
from tests.bench.children import PROGRAMS
from tests.bench.debug import DebugBlocks, read_blocks
from tests.bench.engine_run import by_level_and_event, by_peer, new_engine, pass_over
from tests.bench.generate import generate, generate_in_turn, write
from tests.bench.kinds import hostile, mikrotik, write_lines
from tests.bench.log import Parameters, Tally

SMALL = Parameters(seed=5, peers=200, lines=16_000)
SYSLOG = Parameters(seed=5, peers=200, lines=16_000, format="syslog")
DEBUG = Parameters(seed=5, peers=60, lines=40_000, debug=True)


@dataclass(frozen=True, slots=True)
class Read:
    """A generated log, and the engine that read it."""

    parameters: Parameters
    tally: Tally
    engine: Engine

    @property
    def racoon(self) -> Racoon:
        (racoon,) = self.engine.state.racoons.values()
        return racoon

    def total(self, metric: str) -> Counter[str]:
        """Give a counter of all peers by its last label."""
        counts: Counter[str] = Counter()
        for peer in self.racoon.peers.values():
            for key, count in peer.counters.items():
                if key[0] == metric:
                    counts[key[-1]] += count
        return counts


@pytest.fixture(scope="module", params=[SMALL, SYSLOG, DEBUG], ids=["file", "syslog", "debug"])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    path = tmp_path_factory.mktemp("bench") / "racoon.log"
    tally = write(request.param, path)
    engine = new_engine()
    assert pass_over(engine, str(path)) == tally.lines
    return Read(request.param, tally, engine)


def tally_of(parameters: Parameters) -> Tally:
    return generate(parameters, io.StringIO())


def test_no_line_is_unknown(read: Read) -> None:
    assert read.engine.unparsed["unknown_message"] == 0
    assert not [key for key in read.engine.messages if key[2] == "unknown"]


def test_every_record_has_the_level_and_class_it_was_written_with(read: Read) -> None:
    counted = Counter({key: count for key, count in by_level_and_event(read.engine).items() if key[0] != "DEBUG"})
    assert counted == read.tally.messages


def test_phase_1_and_phase_2_are_established_as_often_as_written_with_each_peer(read: Read) -> None:
    assert by_peer(read.engine, "phase1_established") == read.tally.phase1_established
    assert by_peer(read.engine, "phase2_established") == read.tally.phase2_established


def test_failures_have_the_reasons_they_were_written_for(read: Read) -> None:
    assert read.total("phase1_failures") == read.tally.phase1_failures
    assert read.total("phase2_failures") == read.tally.phase2_failures


def test_sas_end_by_the_causes_they_were_written_with(read: Read) -> None:
    assert read.total("ipsec_sa_ended") == read.tally.ipsec_ended
    assert by_peer(read.engine, "dead_peers") == read.tally.dead_peers


def test_the_sas_left_alive_are_those_without_an_end(read: Read) -> None:
    assert set(read.racoon.isakmp.named) == read.tally.isakmp_alive
    assert set(read.racoon.ipsec.named) == read.tally.ipsec_alive


def test_a_log_has_lines_of_every_kind_of_life() -> None:
    tally = tally_of(Parameters(seed=5, peers=400, lines=80_000))
    assert set(tally.phase1_failures) == {"no_response", "proposal_mismatch", "psk_missing", "timeout"}
    assert set(tally.phase2_failures) == {"no_phase1", "proposal_mismatch"}
    assert set(tally.ipsec_ended) == {"dead_peer", "deleted_by_peer", "expired"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def made(seed: int) -> str:
        out = io.StringIO()
        generate(Parameters(seed=seed, peers=20, lines=2_000, debug=True), out)
        return out.getvalue()

    assert made(7) == made(7)
    assert made(7) != made(8)


def test_a_log_ends_with_the_step_that_reaches_its_length() -> None:
    out = io.StringIO()
    tally = generate(SMALL, out)
    assert out.getvalue().count("\n") == tally.lines
    assert SMALL.lines <= tally.lines < SMALL.lines + 30


def test_lines_fill_about_the_wished_time(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log"
    write(Parameters(peers=300, lines=60_000, seconds=50_000), path)
    hours = [line[11:13] for line in path.read_text(encoding="utf-8").splitlines()]
    passed = sum(1 for one, other in pairwise(hours) if one != other)
    assert 9 <= passed <= 19  # 50,000 seconds are 14 hours


def test_a_debug_log_has_its_share_of_debug_lines() -> None:
    tally = tally_of(DEBUG)
    assert 0.93 < tally.debug_lines / tally.lines < 0.98


def test_debug_blocks_hold_no_recorded_dump() -> None:
    blocks = DebugBlocks(1)
    text = Path(__file__).with_name("debug-blocks.txt").read_text(encoding="utf-8")
    values: dict[str, str | int] = {"local": "192.0.2.1", "peer": "198.18.0.1", "cookies": f"{'1' * 16}:{'2' * 16}"}
    for step, recorded in read_blocks(text).items():
        made = blocks.lines(step, "2026-01-15 08:30:02", values)
        assert len(made) == len(recorded)
        assert not any("{" in line or "@" in line for line in made)
        for line, template in zip(made, recorded, strict=True):
            assert not template.startswith("#") or set(template) <= {"#", " "}
            assert line.endswith("\n")


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_an_mtail_program_knows_every_class_that_is_written(program: Path) -> None:
    tally = tally_of(Parameters(seed=5, peers=400, lines=80_000))
    assert [event for _, event in tally.messages if f'["{event}"]' not in program.read_text(encoding="utf-8")] == []


def test_peers_that_live_in_turn_say_what_they_say_side_by_side() -> None:
    """Both logs of the figure for growth hold lines of the same kinds in about the same shares."""
    parameters = Parameters(seed=5, peers=1000, lines=40_000)
    out = io.StringIO()
    tally = generate(parameters, io.StringIO())
    in_turn = generate_in_turn(parameters, out, 10, tally.seconds)
    assert out.getvalue().count("\n") == in_turn.lines
    assert len(in_turn.phase1_established) <= 10
    assert 0.95 < in_turn.lines / tally.lines < 1.05
    for kind, count in tally.messages.most_common(12):
        assert 0.9 < in_turn.messages[kind] / count < 1.1, kind


def test_the_lines_of_a_gateway_name_it() -> None:
    out = io.StringIO()
    generate(Parameters(seed=5, peers=40, lines=4_000, format="syslog", gateways=20), out)
    assert {line.split()[3] for line in out.getvalue().splitlines()} >= {f"gw{number}" for number in range(20)}


@pytest.mark.parametrize("kind", [hostile, mikrotik])
def test_a_log_of_another_kind_is_read_without_loss(kind: Callable[[int], Iterator[str]], tmp_path: Path) -> None:
    path = tmp_path / "racoon.log"
    write_lines(kind(5), 3_000, path, ": " if kind is hostile else " ")
    engine = new_engine()
    assert pass_over(engine, str(path)) == 3_000
    assert sum(engine.messages.values()) + engine.unparsed["not_racoon"] == 3_000
