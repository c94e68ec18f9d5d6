"""Whatever goes wrong in one record, it is an unknown message, counted and told once, and reading goes on."""

import json
import logging
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.events_output import as_dict
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import phase1, phase2
from racoon_exporter.sa.handlers import HANDLERS
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from racoon_parsers.message import Message
from racoon_parsers.reader import LogReader
from racoon_parsers.record_errors import RecordErrors
from tests.exporter.reading import I1, I2, P, Q, block, ipsec, peer_of, read_lines, sa, start, told, up

SECRET = "swordfish"


def test_one_line_that_ended_every_start_is_read_as_any_other() -> None:
    digits = "9" * 4301
    engine = read_lines(
        "08:30:00 INFO: initiate new phase 1 negotiation: <a[b>[500]<=><c>[500]",
        f"08:30:01 INFO: @(#)ipsec-tools {digits}.9.1 (http://ipsec-tools.sourceforge.net)",
        f"08:30:02 INFO: IPsec-SA expired: ESP/Tunnel 192.0.2.1[0]->192.0.2.2[0] spi={digits}(0x1)",
        f"08:30:03 {up()}",
    )
    assert engine.errors.number == 0
    assert peer_of(engine).counters["phase1_established", "unknown"] == 1


def test_a_number_of_any_length_in_a_collectors_json_is_read() -> None:
    entry = {"MESSAGE": up(), "SYSLOG_IDENTIFIER": "racoon", "_PID": "9" * 5000, "__REALTIME_TIMESTAMP": "9" * 5000}
    lines = json.dumps(entry).encode() + b"\n"
    engine = Engine(UTC, strict=True)
    engine.feed(block(lines))
    engine.finish()
    assert peer_of(engine).counters["phase1_established", "unknown"] == 1
    (record,) = [*engine.records(block(lines)), *engine.rest("racoon.log")]
    assert as_dict(record, "racoon.log", UTC)["pid"] == "9" * 5000


def raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*_arguments: object) -> None:
        raise error

    return raise_it


def test_a_record_whose_reading_raises_is_unknown_and_the_next_one_is_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    find = Message.fits

    def fits(row: Message, text: str) -> bool:
        if SECRET in text:
            raise ValueError(f"cannot read {text}")
        return find(row, text)

    monkeypatch.setattr(Message, "fits", fits)
    lines = [f"08:30:0{second} INFO: couldn't find {SECRET} no {second}." for second in range(3)]
    with caplog.at_level(logging.INFO):
        engine = read_lines(f"08:29:00 {start()}", *lines, f"08:30:04 {up()}")
    assert engine.errors.number == 3
    assert engine.unparsed["unknown_message"] == 3
    assert engine.messages["none", "none", "unknown"] == 3
    assert peer_of(engine).counters["phase1_established", "initiator"] == 1
    told_of = [record.getMessage() for record in caplog.records]
    assert len(told_of) == 1
    assert "ValueError in fits" in told_of[0]
    assert SECRET not in caplog.text


def test_a_record_whose_effect_raises_is_unknown_and_the_next_one_has_its_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "phase1_expired", raising(KeyError("x")))
    engine = told(
        f"08:30:00 {start()}",
        f"08:30:01 {up()}",
        f"08:30:02 {up(I1).replace('established', 'expired')}",
        f"08:30:03 {up(I2, Q)}",
    )
    assert engine.errors.number == 1
    assert engine.messages["INFO", "none", "unknown"] == 1
    assert not any(count for (_, _, event), count in engine.messages.items() if event == "phase1_expired")
    assert peer_of(engine, Q).counters["phase1_established", "unknown"] == 1


def test_a_block_that_raises_does_not_end_the_loop(
    log: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("racoon_exporter.engine.block_lines", raising(RuntimeError("no")))
    log.write_text(f"2026-01-15 08:30:00: {up()}\n")
    follower = following(log, request)
    while follower.step():
        pass
    samples, _ = follower.look(collect)
    assert samples.values["racoon_exporter_record_errors"] == {("",): 1.0}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "racoon.log"


def following(log: Path, request: pytest.FixtureRequest) -> Follower:
    inputs = Inputs(paths(str(log)))
    request.addfinalizer(inputs.close)
    time = iter(range(1000, 100_000_000, 1000))
    return Follower(Engine(UTC), inputs, monotonic=lambda: float(next(time)), wall=lambda: 1_800_000_000.0)


def test_time_that_cannot_pass_for_one_racoon_stands_still_until_its_next_line(
    log: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    log.write_text(f"2026-01-15 08:30:00: {start()}\n2026-01-15 08:30:05: {up()}\n2026-01-15 08:30:06: {sa(1)}\n")
    follower = following(log, request)
    while follower.step():
        pass
    monkeypatch.setattr(Racoon, "pass_time", raising(ZeroDivisionError()))
    monkeypatch.setattr(Racoon, "next_look", 0.0)
    follower._live.look_anew()  # something is due that no line told of
    before = follower.engine.errors.number
    follower.step()
    follower.step()
    assert follower.engine.errors.number == before + 1


# what a failed record leaves


def test_tables_that_a_record_left_half_changed_are_made_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SA that is in the table by SPI and not yet in that by peer would be shown by none and end by none."""

    def half_done(racoon: Any, *heard: Any) -> None:
        phase1.established(racoon, *heard)
        racoon.isakmp.of_peer.clear()
        raise RuntimeError("half-way")

    monkeypatch.setitem(HANDLERS, "phase1_established", half_done)
    engine = told(f"08:30:00 {start()}", f"08:30:01 {up()}")
    (racoon,) = engine.state.racoons.values()
    assert racoon.isakmp.of_peer == {}
    engine.mend()
    (racoon,) = engine.state.racoons.values()
    assert [one.cookies for one in racoon.isakmp.of_peer[P]] == [I1]
    samples, _ = collect(engine, OwnState())
    assert samples.values["racoon_phase1_up"][("", P)] == 1.0


def test_what_cannot_be_made_whole_is_given_up_and_counts_stay(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def spoilt(racoon: Any, *heard: Any) -> None:
        phase2.established(racoon, *heard)
        for one in racoon.ipsec:
            one.source = object()
        raise RuntimeError("half-way")

    engine = told(f"08:30:00 {start()}", f"08:30:01 {up()}")
    monkeypatch.setitem(HANDLERS, "ipsec_sa_established", spoilt)
    told(f"08:30:02 {sa(1)}", engine=engine)
    engine.mend()
    assert "is lost by an error" in caplog.text
    assert peer_of(engine).counters["phase1_established", "initiator"] == 1
    assert ipsec(engine) == []
    restored = Engine(UTC)
    restore(restored, json.loads(json.dumps(to_json(engine))))
    assert restored.errors.number == 1


# the counter itself


def test_an_error_is_named_by_type_and_place_and_told_once() -> None:
    said: list[str] = []
    errors = RecordErrors(said.append)
    for text in ("one", "two"):
        try:
            int(text)
        except ValueError as error:
            errors.note(error)
    assert errors.number == 2
    assert len(said) == 1
    assert said[0].startswith("ValueError in test_an_error_is_named")


def test_a_strict_counter_lets_errors_through() -> None:
    with pytest.raises(KeyError):
        RecordErrors(strict=True).note(KeyError("x"))


def test_what_was_held_back_is_given_before_the_line_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(UTC)
    reader = engine.reader("racoon.log")
    good, bad = f"2026-01-15 08:30:00: {up()}", f"2026-01-15 08:30:01: {up(I2)}"
    read_line = LogReader._read_line

    def fail_at(this: LogReader, line: str, number: int, records: list[Any]) -> None:
        if line == bad:
            raise ValueError("bad")
        read_line(this, line, number, records)

    monkeypatch.setattr(LogReader, "_read_line", fail_at)
    monkeypatch.setattr("racoon_parsers.heads.Heads.learn", lambda *_: 0)
    records = reader.feed([good, bad, good]) + reader.flush()
    assert [(record.number, record.message is None) for record in records] == [(1, False), (2, True), (3, False)]
