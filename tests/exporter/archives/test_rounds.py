"""Rows leave as they end: whatever the rounds and however many share the work, the same rows in the same order."""

import gc
import json
import weakref
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.event_rows import EventRows
from racoon_exporter.archives.formats import FORMATS, RowFormat
from racoon_exporter.archives.history_rows import SHOWN, HistoryRows
from racoon_exporter.archives.plan import Unit, units
from racoon_exporter.archives.pool import Archives, Work, local_processes
from racoon_exporter.archives.reading import Reading, Row
from racoon_exporter.archives.survey import survey
from racoon_exporter.engine import Engine
from racoon_exporter.history import tables
from racoon_exporter.source import blocks_of
from racoon_exporter.zone import read_zone
from tests.exporter.reading import LAB

LOGS = sorted(LAB.glob("*/*.log"))
UTC = read_zone("UTC")
GATEWAYS = ("berlin", "paris")


def central_log(path: Path) -> Path:
    """Write a log of several gateways, their lines side by side."""
    lines = []
    for number, log in enumerate(LAB.glob("17-*/*.log")):
        for line in log.read_text().splitlines():
            stamp, _, text = line.partition(": ")
            lines.append((stamp, f"{stamp.replace(' ', 'T')}+00:00 {GATEWAYS[number]} racoon: {text}\n"))
    path.write_text("".join(line for _, line in sorted(lines, key=lambda item: item[0])))
    return path


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_rows_that_leave_early_are_those_of_the_whole(log: Path) -> None:
    """What leaves does not change any more, and nothing that leaves is missed by what follows."""
    reading = Reading(round_size=1)
    samples = tuple(survey([str(log)], UTC))
    engine = reading.engine()
    for block in LinesOnce(samples).blocks(lambda: None):
        engine.feed(block)
    engine.finish()
    whole = [(name, json.dumps(row)) for name, rows in tables(engine.state).items() for row in rows]
    once = LinesOnce(samples, lambda path: blocks_of(path, 512))
    rounds = list(HistoryRows(reading, RowFormat("json", SHOWN)).rounds(once, 0, 1))
    assert sorted((table, text) for rows in rounds for _, table, text in rows) == sorted(whole)
    assert len(rounds) >= log.stat().st_size // 1024


def read_with(work: Work, planned: list[Unit], jobs: int, executor: Executor | None) -> list[Row]:
    archives = Archives(work, planned, jobs, lambda _done: None)
    return [row for rows in (archives.rounds() if executor is None else archives.on(executor)) for row in rows]


def test_a_unit_that_is_done_leaves_nothing_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What an engine knows refers to itself: nothing but the collector lets go of it, which looks rarely."""
    engines: list[weakref.ref[Engine]] = []

    def noted(self: Reading, *_given: Any) -> Engine:
        assert [engine for engine in engines if engine() is not None] == []
        engine = Engine(self.zone)
        engines.append(weakref.ref(engine))
        return engine

    monkeypatch.setattr(Reading, "engine", noted)
    text = LOGS[0].read_text()
    logs = [tmp_path / f"{number}.log" for number in range(3)]
    for number, log in enumerate(logs):
        log.write_text(text.replace("192.168.0.", f"192.168.{number}."))
    planned = units(survey([str(log) for log in logs], UTC), lambda _path: "")
    collecting = gc.isenabled()
    gc.disable()
    try:
        read_with(HistoryRows(Reading(), RowFormat("json", SHOWN)), planned, 1, None)
    finally:
        if collecting:
            gc.enable()
    assert len(engines) == len(logs)


@pytest.mark.parametrize("kind", ["history", "events"])
def test_one_worker_and_many_give_the_same(kind: str, tmp_path: Path) -> None:
    logs = [central_log(tmp_path / "central.log"), *LAB.glob("18-*/*.log*"), *LAB.glob("02-*/*.log")]
    planned = units(survey([str(log) for log in logs], UTC), lambda _path: "")
    reading = Reading(round_size=20_000)
    for output in FORMATS:
        work: Work = (
            HistoryRows(reading, RowFormat(output, SHOWN))
            if kind == "history"
            else EventRows(reading, RowFormat(output, ("events",)))
        )
        alone = [row[1:] for row in read_with(work, planned, 1, None)]
        with ThreadPoolExecutor(3) as threads:
            assert [row[1:] for row in read_with(work, planned, 3, threads)] == alone
        with local_processes(2) as processes:
            assert [row[1:] for row in read_with(work, planned, 2, processes)] == alone
        assert len(alone) > 500


def test_a_log_of_many_gateways_is_shared(tmp_path: Path) -> None:
    log = central_log(tmp_path / "central.log")
    (unit,) = units(survey([str(log)], UTC), lambda _path: "")
    work = HistoryRows(Reading(), RowFormat("jsonl", SHOWN))
    shares = [
        {json.loads(row[2])["gateway"] for rows in work.rounds(LinesOnce(unit.logs), share, 2) for row in rows}
        for share in (0, 1)
    ]
    assert shares[0]
    assert shares[1]
    assert not shares[0] & shares[1]


def test_a_worker_that_fails_fails_the_whole(tmp_path: Path) -> None:
    log = central_log(tmp_path / "central.log")
    planned = units(survey([str(log)], UTC), lambda _path: "")
    work = HistoryRows(Reading(zone_name="Mars"), RowFormat("jsonl", SHOWN))
    with ThreadPoolExecutor(2) as threads, pytest.raises(ValueError, match="Mars"):
        read_with(work, planned, 2, threads)
