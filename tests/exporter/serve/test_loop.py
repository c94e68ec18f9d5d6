"""The loop of `serve`, turned by hand: blocks, checkpoints, state files that cannot be used, and time that passes."""

import json
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine, to_json
from racoon_exporter.metrics import collect
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.sa.findings import Findings
from racoon_exporter.serve.block_size import TURN_SECONDS
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source import Block
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from racoon_exporter.state_schema import check_engine
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import overview
from racoon_exporter.status.pages.context import PageContext
from racoon_exporter.status.pages.status_page import page
from tests.exporter.reading import I1, L, P, knowing, peer_of, sa, start, up

ASSETS = ("icon.svg", "status.css", "status.js")


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "racoon.log"


@pytest.fixture
def time() -> Time:
    return Time()


MakeFollower = Callable[..., Follower]


@pytest.fixture
def follower(log: Path, tmp_path: Path, time: Time, request: pytest.FixtureRequest) -> MakeFollower:
    def make(knowledge: Knowledge | None = None, *, state_file: Path | None = tmp_path / "state.json") -> Follower:
        inputs = Inputs(paths(str(log)))
        request.addfinalizer(inputs.close)
        made = Follower(Engine(UTC, knowledge=knowledge), inputs, state_file=state_file, monotonic=time, wall=time)
        made.restore()
        return made

    return make


def write(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(f"2026-01-15 {line.replace(' ', ': ', 1)}\n" for line in lines)


def drain(follower: Follower) -> None:
    while follower.step():
        pass


def test_a_line_is_in_the_metrics_after_the_turn_that_finds_nothing_more(log: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {up()}")
    made = follower()
    assert made.ready()[0] is False
    drain(made)
    assert made.ready()[0] is True
    samples, _ = made.look(collect)
    assert samples.values["racoon_phase1_up"] == {("", P): 1.0}


def test_a_new_process_goes_on_where_the_old_one_wrote_its_state(log: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {start()}", f"08:30:01 {up()}")
    first = follower()
    drain(first)
    first.save()
    write(log, f"08:30:02 {start(phase=2)}", f"08:30:02 {sa(1)}", f"08:30:02 {sa(2)}")
    second = follower()
    drain(second)
    assert peer_of(second.engine).counters["phase1_established", "initiator"] == 1
    assert peer_of(second.engine).phase2_up
    (status,) = second.statuses()
    assert status.counts.lines == 5


def test_a_record_kept_back_in_the_state_file_counts_although_the_log_is_silent(log: Path, follower: MakeFollower) -> None:
    write(log, "08:30:00 " + start(), "08:30:01 " + up())
    killed = follower()
    killed.step()
    killed.save()
    second = follower()
    drain(second)
    assert peer_of(second.engine).phase1_last_established is not None


def test_what_was_read_after_the_last_checkpoint_is_read_again_and_counts_once(log: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {start()}")
    first = follower()
    drain(first)
    first.save()
    write(log, f"08:30:01 {up()}")
    drain(first)  # read, never saved: kill -9
    second = follower()
    drain(second)
    assert peer_of(second.engine).counters["phase1_established", "initiator"] == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00" * 512, id="NULs"),
        pytest.param(b'{"format": "something else", "version": 1}\n{}\n', id="foreign"),
        pytest.param(b'{"format": "racoon-exporter state", "version": 99, "crc32": 0, "bytes": 2}\n{}\n', id="of the future"),
        pytest.param(b"[1, 2, 3]\n", id="another JSON"),
    ],
)
def test_a_state_file_that_cannot_be_used_is_set_aside(
    content: bytes, log: Path, tmp_path: Path, follower: MakeFollower, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.json").write_bytes(content)
    write(log, f"08:30:00 {up()}")
    made = follower()
    drain(made)
    assert peer_of(made.engine).counters["phase1_established", "unknown"] == 1
    assert (tmp_path / "state.json.unusable").read_bytes() == content
    assert "reading starts anew" in caplog.text
    samples, _ = made.look(collect)
    assert samples.values["racoon_exporter_checkpoint_failures"] == {("",): 1}


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_a_truncated_state_file_is_set_aside(cut: float, log: Path, tmp_path: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {up()}")
    first = follower()
    drain(first)
    first.save()
    state = tmp_path / "state.json"
    state.write_bytes(state.read_bytes()[: int(state.stat().st_size * cut)])
    second = follower()
    drain(second)
    assert peer_of(second.engine).counters["phase1_established", "unknown"] == 1


def test_a_state_file_of_good_form_and_bad_content_is_set_aside(tmp_path: Path, log: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {up()}")
    first = follower()
    drain(first)
    first.save()
    content = checkpoint.read(tmp_path / "state.json")
    assert content is not None
    content["engine"]["state"]["racoons"][0]["peers"]["peers"][0]["counters"] = "many"
    checkpoint.write(tmp_path / "state.json", content)
    second = follower()
    drain(second)
    assert peer_of(second.engine).counters["phase1_established", "unknown"] == 1


def test_a_state_file_that_cannot_be_written_is_told_once_and_counted(
    log: Path, tmp_path: Path, follower: MakeFollower, caplog: pytest.LogCaptureFixture
) -> None:
    write(log, f"08:30:00 {up()}")
    nowhere = tmp_path / "none" / "state.json"
    made = follower(state_file=nowhere)
    drain(made)
    made.save()
    made.save()
    assert caplog.text.count("cannot write the state file") == 1
    samples, _ = made.look(collect)
    assert samples.values["racoon_exporter_checkpoint_failures"] == {("",): 2}
    nowhere.parent.mkdir()
    with caplog.at_level(logging.INFO):
        made.save()
    assert "is written again" in caplog.text


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread"), OverflowError("too large")])
def test_a_checkpoint_that_cannot_be_made_ends_nothing(
    error: Exception, log: Path, tmp_path: Path, follower: MakeFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little memory for a moment; a restart would read all again, with no more of it."""
    write(log, f"08:30:00 {up()}")
    made = follower()
    drain(made)
    made.save()
    before = (tmp_path / "state.json").read_bytes()

    def fail(*_: object) -> object:
        raise error

    for module, name in ((checkpoint, "write"), (LiveEngine, "to_json")):
        with monkeypatch.context() as host:
            host.setattr(module, name, fail)
            made.save()
    assert (tmp_path / "state.json").read_bytes() == before
    samples, _ = made.look(collect)
    assert samples.values["racoon_exporter_checkpoint_failures"] == {("",): 2}
    write(log, f"08:30:01 {sa(11)}")
    drain(made)
    made.save()
    assert (tmp_path / "state.json").read_bytes() != before


def test_who_looks_waits_for_no_disk(log: Path, follower: MakeFollower, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark of the lines being read may take seconds where a disk is slow."""
    write(log, f"08:30:00 {up()}")
    made = follower()
    looked: list[int] = []

    def slow(_descriptor: int, text: bytes, _offset: int) -> int:
        assert not made.lock.held
        looked.append(len(text))
        return len(text)

    monkeypatch.setattr(os, "pwrite", slow)
    made._on_turn = lambda: made.stop() if looked else None
    made.run()
    assert looked


def test_a_reader_that_waits_for_what_may_never_come_is_told(log: Path, time: Time, follower: MakeFollower) -> None:
    """A file server that is away, a disk that hangs: the process lives, and is of no use."""
    write(log, f"08:30:00 {up()}")
    made = follower()
    told: list[tuple[str, bool, bool]] = []

    def hang() -> None:
        (status,) = made.statuses()
        told.append((made.stuck(), status.up, made.ready()[0]))
        if len(told) > 1:
            time.now += 61.0
            (status,) = made.statuses()
            told.append((made.stuck(), status.up, made.ready()[0]))
            assert status.error == told[-1][0]
            made.stop()

    made._on_turn = hang
    made.step()
    drain(made)
    made.run()
    waited = "nothing is read: the reader has waited for 61 seconds, for a disk or a file server perhaps"
    assert told == [("", True, True), ("", True, True), (waited, False, False)]
    assert made.stuck() == ""
    assert all(status.up for status in made.statuses())


def test_the_state_file_is_replaced_as_one(log: Path, tmp_path: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {up()}")
    made = follower()
    drain(made)
    made.save()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["racoon.log", "state.json"]
    head, body, _ = (tmp_path / "state.json").read_bytes().split(b"\n")
    assert json.loads(head)["format"] == "racoon-exporter state"
    assert I1 in body.decode()
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_an_sa_ends_by_its_lifetime_while_the_log_is_silent(log: Path, time: Time, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {sa(1)}", f"08:30:00 {sa(2)}")
    made = follower(knowing(P, lifetime=3600))
    drain(made)
    time.now += 3000
    drain(made)
    assert peer_of(made.engine).phase2_up
    time.now += 1000
    drain(made)
    assert not peer_of(made.engine).phase2_up


def test_time_passes_while_the_exporter_is_down(log: Path, time: Time, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {sa(1)}", f"08:30:00 {sa(2)}")
    first = follower(knowing(P, lifetime=3600))
    drain(first)
    first.save()
    time.now += 4000
    second = follower(knowing(P, lifetime=3600))
    drain(second)
    assert not peer_of(second.engine).phase2_up


def test_the_state_is_written_more_rarely_where_only_time_passed(log: Path, time: Time, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {sa(1)}", f"08:30:00 {sa(2)}")
    made = follower(knowing(P, lifetime=3600))
    drain(made)
    time.now += 3779
    made.save()

    def written_after(seconds: float) -> bool:
        time.now += seconds
        before = saved_at(made)
        drain(made)
        return saved_at(made) > before

    assert not written_after(11)  # the SAs have ended by their lifetime
    assert not peer_of(made.engine).phase2_up
    assert written_after(50)
    assert not written_after(100)
    write(log, f"09:40:00 {up()}")
    assert written_after(11)


def saved_at(follower: Follower) -> float:
    return follower.look(collect)[0].values["racoon_exporter_checkpoint_timestamp_seconds"]["",]


def test_lines_that_take_long_are_read_in_smaller_blocks(log: Path, time: Time, follower: MakeFollower) -> None:
    write(log, *[f"08:30:00 {start(peer=f'198.51.100.{number % 250}')}" for number in range(2000)])
    made = follower()
    feed, read = made._live.feed, list[int]()

    def dear(block: Block) -> None:
        read.append(len(block.data))
        time.now += len(block.data) * TURN_SECONDS / 4096
        feed(block)

    made._live.feed = dear  # type: ignore[method-assign]
    drain(made)
    assert sum(read) == log.stat().st_size
    assert read[0] > 60_000
    assert all(size <= 4096 for size in read[1:])


class Noticed:
    """A lock that tells when somebody asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked = threading.Event()

    def __enter__(self) -> None:
        if self._lock.locked():
            self.asked.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_what_a_witness_finds_while_a_checkpoint_is_written_comes_after_it(
    log: Path, tmp_path: Path, follower: MakeFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Racoons are written one by one: what moves from one table to another meanwhile would be in none."""
    write(log, f"08:30:00 {up()}", f"08:30:01 {sa(11)}", f"08:30:01 {sa(12)}")
    made = follower()
    drain(made)
    made._keeping = noticed = Noticed()  # type: ignore[assignment]
    (racoon,) = made.engine.state.racoons.values()
    findings = Findings(racoon.gateway, {("esp", 11): 1000.0}, ())
    witness = threading.Thread(target=made._take_findings, args=(findings,))
    write_state = checkpoint.write

    def slowly(path: Path, content: dict[str, object]) -> None:
        witness.start()
        noticed.asked.wait()
        write_state(path, content)
        assert len(racoon.ipsec) == 2

    monkeypatch.setattr(checkpoint, "write", slowly)
    made.save()
    witness.join()
    assert len(racoon.ipsec) == 1
    assert made._live.aged
    kept = checkpoint.read(tmp_path / "state.json")
    assert kept is not None
    (written,) = kept["engine"]["state"]["racoons"]
    assert len(written["ipsec"]["alive"]) == 2
    assert kept["engine"]["state"]["archive"]["ipsec"] == []


def test_a_log_of_last_year_is_shown_as_it_ended(log: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {sa(1)}", f"08:30:00 {sa(2)}")
    made = follower(knowing(P, lifetime=3600))
    drain(made)
    assert peer_of(made.engine).phase2_up


def test_junk_is_survived_and_counted(log: Path, follower: MakeFollower) -> None:
    with log.open("wb") as file:
        file.write(b"\xff\xfe\x80junk\n" + b"\x00" * 100 + b"\n" + b"x" * 70_000 + b"\n" + b"no racoon at all\n")
        file.write(f"2026-01-15 08:30:00: {up()}\n".encode())
    made = follower()
    drain(made)
    samples, _ = made.look(collect)
    unparsed = {labels[1]: value for labels, value in samples.values["racoon_exporter_unparsed_lines"].items()}
    assert unparsed["undecodable"] == 1
    assert unparsed["too_long"] == 1
    assert unparsed["not_racoon"] == 1
    assert peer_of(made.engine).phase1_last_established is not None


def test_a_changed_configuration_keeps_the_counts(log: Path, follower: MakeFollower) -> None:
    write(log, f"08:30:00 {up()}")
    made = follower()
    drain(made)
    made.learn(knowing(P, L))
    samples, _ = made.look(collect)
    assert samples.values["racoon_phase1_established"][("", P, "unknown")] == 1
    assert ("", L, "permanent") in samples.values["racoon_peer_expected"]


def test_logs_of_before_tell_each_other_s_causes_whatever_is_read_first(tmp_path: Path, time: Time) -> None:
    west, east = tmp_path / "west.log", tmp_path / "east.log"
    write(
        west,
        f"08:00:00 INFO: {L}[500] used as isakmp port (fd=6)",
        f"08:30:00 {start()}",
        "08:30:50 ERROR: phase1 negotiation failed due to time up. 8f1b2c3d4e5f6071:0000000000000000",
        "20:00:00 INFO: received Vendor ID: DPD",
    )
    write(
        east,
        f"08:00:00 INFO: {P}[500] used as isakmp port (fd=6)",
        f"08:30:00 INFO: respond new phase 1 negotiation: {P}[500]<=>{L}[500]",
        f"08:30:00 [{L}] ERROR: couldn't find the pskey for {L}.",
        f"08:30:00 [{L}] ERROR: phase1 negotiation failed.",
    )
    inputs = Inputs(paths(str(west), str(east)))
    made = Follower(Engine(UTC), inputs, state_file=None, monotonic=time, wall=time)
    drain(made)
    inputs.close()
    counted = made.look(collect)[0].values["racoon_phase1_failures"]
    assert {key[1:]: value for key, value in counted.items() if value} == {(P, "psk_missing"): 1.0, (L, "psk_missing"): 1.0}


@pytest.mark.parametrize("lifetime", [28800.0, 400_000.0, 3.6e15])
def test_an_sa_that_outlives_the_calendar_is_shown_and_kept(
    lifetime: float, log: Path, time: Time, follower: MakeFollower
) -> None:
    log.write_text(f"9999-12-30 23:58:59: {up()}\n9999-12-30 23:58:59: {sa(1)}\n")
    made = follower(Knowledge(peers={P: Expectation(P, phase1_lifetime=lifetime)}, lifetime=lifetime))
    drain(made)
    for _ in range(3):
        shown = overview(take_facts(made.engine, ()), time.now)
        assert "9999-12-3" in page(PageContext(shown, UTC, "/metrics", dict.fromkeys(ASSETS, "")), ())
        time.now += 1e6
        drain(made)
    check_engine(json.loads(json.dumps(to_json(made.engine))))
