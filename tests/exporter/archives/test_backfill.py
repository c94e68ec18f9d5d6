"""Backfill: what `serve` would have exported at each step, each sample once, in order; nothing where the log tells nothing."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from racoon_exporter.archives.backfill_rows import BackfillRows
from racoon_exporter.archives.openmetrics import Labels, OpenMetrics, within
from racoon_exporter.archives.plan import units
from racoon_exporter.archives.pool import Archives
from racoon_exporter.archives.reading import Reading
from racoon_exporter.archives.sampling import step_after
from racoon_exporter.archives.selection import Selection
from racoon_exporter.archives.sinks import WholeRows
from racoon_exporter.archives.survey import survey
from racoon_exporter.engine import Engine
from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Expectation, Knowledge, Limits
from racoon_exporter.zone import read_zone
from tests.exporter.archives.test_availability import PEER, every, log, merged, purged, up
from tests.exporter.archives.test_rounds import central_log
from tests.exporter.reading import LAB, block

ZONE = read_zone("UTC")
KNOWLEDGE = Knowledge({"192.168.0.41": Expectation("a"), "192.168.0.40": Expectation("b"), "192.0.2.77": Expectation("far")})
SAMPLE = re.compile(r"(\S+?(?:\{.*\})?) (\S+) (\d+)")
OWN = re.compile(r"(?:racoon_exporter_|racoon_log_messages|up)")
Samples = dict[str, dict[int, float]]


def written(
    logs: Iterable[Path], tmp_path: Path, *, step: int = 60, labels: Labels | None = None, jobs: int = 1, **settings: Any
) -> str:
    """Write the file of some logs."""
    reading = Reading(**{"knowledge": KNOWLEDGE, **settings})
    planned = units(survey([str(one) for one in logs], ZONE), reading.gateway_of)
    archives = Archives(BackfillRows(reading, step), planned, jobs, lambda _done: None)
    path = tmp_path / f"{jobs}.om"
    window = reading.selection.since, reading.selection.until
    with path.open("wb") as file, ThreadPoolExecutor(jobs) as threads:
        with OpenMetrics(WholeRows(file.fileno()), step, labels or Labels("", ""), window) as sink:
            for rows in archives.rounds() if jobs == 1 else archives.on(threads):
                sink.rows(rows)
        assert sink.twice == []
    return path.read_text()


def samples(text: str) -> Samples:
    """Read a file: series, times, values. Each time of a series comes once, and after those before it."""
    found: Samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            parts = SAMPLE.fullmatch(line)
            assert parts is not None, line
            of_series = found.setdefault(parts[1], {})
            assert int(parts[3]) > max(of_series, default=0), line
            of_series[int(parts[3])] = float(parts[2])
    return found


def told_by(engine: Engine) -> dict[str, float]:
    """What a scrape would show, without what the exporter says of itself."""
    told, gateways = collect(engine, OwnState())
    lines = render(told, gateways=gateways, openmetrics=True).decode().splitlines()
    shown = {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
    return {series: value for series, value in shown.items() if not OWN.match(series)}


def times_of(lines: Iterable[bytes]) -> Iterator[float]:
    """Give the time of each line of a recording, a dump's that of the line before it."""
    time = 0.0
    for line in lines:
        with contextlib.suppress(ValueError):
            time = datetime.fromisoformat(line[:19].decode()).replace(tzinfo=UTC).timestamp()
        yield time


def served(path: Path, step: int) -> Samples:
    """What scrapes at each step would have shown while the log was written."""
    engine = Engine(UTC, knowledge=KNOWLEDGE)
    lines = path.read_bytes().splitlines(keepends=True)
    found: Samples = {}

    def scrape(now: int) -> None:
        for racoon in engine.state.racoons.values():
            if racoon.next_look <= now:
                racoon.pass_time(now)
        for series, value in told_by(engine).items():
            found.setdefault(series, {})[now] = value

    now = None
    for number, (line, time) in enumerate(zip(lines, times_of(lines), strict=True)):
        now = step_after(time, step) if now is None else now
        if time > now:
            engine.flush()
        while now < time:
            scrape(now)
            now += step
        engine.feed(block(line, str(path), number + 1))
    engine.finish()
    assert now is not None
    scrape(now)
    return found


RECORDINGS = sorted(LAB.glob("*/*.log"))[::5]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_samples_are_what_serve_would_have_exported(path: Path, tmp_path: Path) -> None:
    step = 7
    told = {series: values for series, values in samples(written([path], tmp_path, step=step)).items() if not OWN.match(series)}
    known = {time for values in told.values() for time in values}
    wanted = served(path, step)
    assert told == {
        series: {time: value for time, value in values.items() if time in known} for series, values in wanted.items()
    }
    assert told


def test_one_worker_and_two_write_the_same(tmp_path: Path) -> None:
    logs = [central_log(tmp_path / "central.log"), *LAB.glob("18-*/*.log*")]
    alone = written(logs, tmp_path, round_size=10_000, step=5)
    assert written(logs, tmp_path, round_size=50_000, step=5, jobs=2) == alone
    assert {"berlin", "paris"} <= set(re.findall('gateway="(.*?)"', alone))


def test_the_file_is_openmetrics(tmp_path: Path) -> None:
    text = written([LAB / "17-soak-chaos" / "b.log"], tmp_path, labels=Labels("racoon", "gw1:10500"))
    families = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    assert {sample.labels["instance"] for family in families for sample in family.samples} == {"gw1:10500"}
    assert sum(len(family.samples) for family in families) == sum(map(len, samples(text).values()))


def test_a_gap_of_the_log_has_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log"
    path.write_text(merged(*every(6, 9), *every(14, 18), ("08:00", up(10)), ("15:00:01", up(20))))
    told = samples(written([path], tmp_path, knowledge=Knowledge()))
    hours = {series: {time // 3600 % 24 for time in values} for series, values in told.items()}
    assert hours[f'racoon_phase2_up{{peer="{PEER}"}}'] == {8, 9, 14, 15, 16, 17, 18}
    assert hours["up"] == {6, 7, 8, 9, 14, 15, 16, 17, 18}
    assert len([time for time in told["up"] if time // 3600 % 24 == 9]) == 1


def test_a_silence_while_nothing_was_up_is_down(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log"
    path.write_text(merged(*every(6, 9), *every(14, 18), ("08:00", up(10)), ("09:00:30", purged(10, 11)), ("15:00", up(20))))
    peer = samples(written([path], tmp_path, knowledge=Knowledge()))[f'racoon_phase2_up{{peer="{PEER}"}}']
    assert sum(peer.values()) == 60 + 1 + 3 * 60 + 1
    assert len(peer) == 10 * 60 + 1


@pytest.mark.parametrize("first", ["1970-01-01 00:00:01", "2024-11-30 23:59:00"])
def test_years_without_a_line_have_no_samples_whatever_was_up(first: str, tmp_path: Path) -> None:
    """A gateway that starts with its clock at 1970 has one such line, and a forged one fills any disk."""
    path = tmp_path / "racoon.log"
    path.write_text(f"{first}: INFO: caught signal 1\n{merged(*every(6, 9), ('08:00', up(10)))}")
    told = samples(written([path], tmp_path, knowledge=Knowledge(), step=3600))
    assert len(told["up"]) <= 6
    assert len(told["racoon_daemon_up"]) <= 6


def test_lines_out_of_order_make_no_sample_twice(tmp_path: Path) -> None:
    text = log(*every(8, 9), ("08:20", up(10)), *every(8, 10), ("07:00", purged(10, 11)), *every(9, 12))
    path = tmp_path / "racoon.log"
    path.write_text(text)
    assert samples(written([path], tmp_path, knowledge=Knowledge()))[f'racoon_phase2_flaps_total{{peer="{PEER}"}}']


def test_what_is_asked_for(tmp_path: Path) -> None:
    other = "203.0.113.9"
    path = tmp_path / "racoon.log"
    path.write_text(merged(*every(8, 12), ("08:00", up(10)), ("08:00", up(20, other))))
    begin = datetime.fromisoformat("2026-01-15T09:00:00+00:00").timestamp()
    selection = Selection(since=begin, until=begin + 3600, peers=("203.0.113.0/24",))
    told = samples(written([path], tmp_path, knowledge=Knowledge(), selection=selection))
    assert set(re.findall('peer="(.*?)"', " ".join(told))) == {other}
    assert set(told[f'racoon_phase2_up{{peer="{other}"}}']) == set(range(int(begin), int(begin) + 3600, 60))


def test_strangers_have_no_series_without_end(tmp_path: Path) -> None:
    knocks = [
        (
            f"08:{number // 60:02d}:{number % 60:02d}",
            (
                f"INFO: respond new phase 1 negotiation: 192.0.2.1[500]<=>10.9.{number}.1[500]",
                "INFO: begin Identity Protection mode.",
                f"[10.9.{number}.1] ERROR: failed to get valid proposal.",
            ),
        )
        for number in range(200)
    ]
    path = tmp_path / "racoon.log"
    path.write_text(merged(*knocks, *every(8, 9)))
    told = samples(written([path], tmp_path, knowledge=Knowledge(limits=Limits(strangers=5, peers=100))))
    peers = set(re.findall('peer="(.*?)"', " ".join(told)))
    assert "other" in peers
    assert len(peers) < 12


def test_gateways_beyond_the_limit_are_one(tmp_path: Path) -> None:
    few = Knowledge(limits=Limits(gateways=1))
    text = written([central_log(tmp_path / "central.log")], tmp_path, knowledge=few, step=5)
    assert set(re.findall('gateway="(.*?)"', text)) == {"berlin", "other"}
    assert sum(samples(text)['racoon_daemon_starts_total{gateway="other"}'].values()) > 0


def test_labels_of_each_gateway(tmp_path: Path) -> None:
    labels = Labels("vpn", "central", (("Berlin", "b:10500"),))
    told = samples(written([central_log(tmp_path / "central.log")], tmp_path, labels=labels))
    pairs = set(re.findall('gateway="(.*?)",instance="(.*?)"', " ".join(told)))
    assert pairs == {("berlin", "b:10500"), ("paris", "central")}
    assert 'up{instance="b:10500",job="vpn"}' in told


def test_what_was_interrupted_is_no_whole_file(tmp_path: Path) -> None:
    with (tmp_path / "a.om").open("wb") as file:
        sink = OpenMetrics(WholeRows(file.fileno()), 60, Labels("", ""), (None, None))
        with pytest.raises(KeyboardInterrupt), sink:
            raise KeyboardInterrupt
    assert (tmp_path / "a.om").read_bytes() == b""


def test_spans_within() -> None:
    known: list[tuple[float, float]] = [(0, 10), (20, 30), (40, 50)]
    assert list(within(known, 5, 45)) == [(5, 10), (20, 30), (40, 45)]
    assert list(within(known, 10, 20)) == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "racoon_exporter", "backfill", "--time-zone", "UTC", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_logs_that_name_no_gateway_are_not_mixed(tmp_path: Path) -> None:
    logs = [tmp_path / "berlin.log", tmp_path / "paris.log"]
    for number, path in enumerate(logs):
        path.write_text(log(*every(8 + number, 12), ("13:05", up(10 + number))))
    done = run(*map(str, logs))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"--gateway-of '{logs[0]}=NAME'" in done.stderr
    done = run("--gateway-of", f"{tmp_path}/berlin*=berlin", "--gateway-of", f"{tmp_path}/paris*=paris", *map(str, logs))
    assert done.returncode == 0
    assert done.stdout.endswith("# EOF\n")
    assert 'racoon_daemon_up{gateway="paris",job="racoon"}' in done.stdout


def test_a_step_that_is_none_is_refused() -> None:
    assert run("--step", "0s", str(RECORDINGS[0])).returncode == 2
