"""The recipes of docs/backfill.md, run as they stand: real Prometheus and VictoriaMetrics then say what `report` says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.dashboards.tools import RULES, program
from tests.e2e.chain import ALWAYS, HOST, Program, Prometheus
from tests.exporter.archives.year import START, Script, write
from tests.ports import free_port

pytestmark = [pytest.mark.stores, pytest.mark.timeout(900)]

SCRIPT = Script(gateways=2, peers=2, days=6, outages=5)
END = SCRIPT.end
SPAN = f"{SCRIPT.days * 86400 + 120}s"
RECIPES = Path(__file__).parents[2] / "docs" / "backfill.md"
STEP = 60


def recipe(heading: str, **changed: str) -> str:
    """Give the commands under a heading, with what they name changed to what is here."""
    section = re.split(r"^## ", RECIPES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(heading))
    commands = "\n".join(line.strip() for line in text.splitlines() if line.startswith("    "))
    for old, new in changed.items():
        assert old in commands
        commands = commands.replace(old, new)
    return commands


@dataclass(frozen=True, slots=True)
class Old:
    """A log, what the report says of it, and the file that is to be imported."""

    folder: Path
    report: dict[str, Any]
    lines: int


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Old:
    folder = tmp_path_factory.mktemp("old")
    (log,) = write(SCRIPT, folder, central=True)
    told, samples = (
        subprocess.run(
            [sys.executable, "-m", "racoon_exporter", *arguments, "--time-zone", "UTC", str(log)],
            capture_output=True,
            check=True,
        ).stdout
        for arguments in (("report", "--format", "json"), ("backfill", "--instance", "gw1:10500"))
    )
    (folder / "racoon.om").write_bytes(samples)
    return Old(folder, json.loads(told), sum(not line.startswith(b"#") for line in samples.splitlines()))


@dataclass(frozen=True, slots=True)
class Store:
    """What answers PromQL."""

    url: str

    def ask(self, query: str, time: float = END + STEP) -> dict[tuple[str, ...], float]:
        """Ask at a time; gives values by gateway, peer and reason, as far as series have them."""
        with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': query, 'time': time})}", timeout=60) as answer:
            found = json.load(answer)["data"]["result"]
        names = ("gateway", "peer", "reason")
        return {tuple(one["metric"][name] for name in names if name in one["metric"]): float(one["value"][1]) for one in found}


def sh(commands: str, folder: Path) -> None:
    subprocess.run(["sh", "-euc", commands], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def in_prometheus(old: Old, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Blocks of samples, then blocks of what the rules make of them."""
    folder = tmp_path_factory.mktemp("prometheus")
    data = folder / "data"
    data.mkdir()
    prometheus = Prometheus(folder, {}, ALWAYS)
    server, url = prometheus.program, prometheus.url
    changed = {
        "/var/lib/prometheus/metrics2/": str(data),
        "http://localhost:9090": url,
        "2025-12-31T00:00:00Z": f"2025-01-0{1 + SCRIPT.days}T00:00:00Z",
        "dashboards/rules/racoon.yaml": str(RULES),
    }
    commands = recipe("Into Prometheus", **changed)
    samples, rules = commands.split("\n", 2)[:2], commands.split("\n", 2)[2]
    sh("\n".join(samples), old.folder)
    server.start()
    try:
        sh(rules, old.folder)
        server.stop()
        server.start()
        yield Store(url)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def in_victoria(old: Old, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("victoria")
    port = free_port()
    arguments = [
        program("victoria-metrics"),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr={HOST}:{port}",
        "-retentionPeriod=100y",
    ]
    server = Program("victoria-metrics", arguments, folder, f"http://{HOST}:{port}/health")
    server.start()
    try:
        sh(recipe("Into VictoriaMetrics", **{"localhost:8428": f"{HOST}:{port}"}).replace("curl", "curl -sSf"), old.folder)
        yield Store(f"http://{HOST}:{port}")
    finally:
        server.stop()


@pytest.fixture(params=["in_prometheus", "in_victoria"])
def store(request: pytest.FixtureRequest) -> Store:
    given = request.getfixturevalue(request.param)
    assert isinstance(given, Store)
    return given


def test_availability_and_flaps_are_those_of_the_report(old: Old, store: Store) -> None:
    shares = store.ask(f"avg_over_time(racoon_phase2_up[{SPAN}])")
    flaps = store.ask(f"max_over_time(racoon_phase2_flaps_total[{SPAN}])")
    assert len(old.report["peers"]) == len(shares) == SCRIPT.gateways * SCRIPT.peers
    for peer in old.report["peers"]:
        key = peer["gateway"], peer["peer"]
        assert flaps[key] == peer["flaps"]
        assert shares[key] == pytest.approx(peer["availability"], abs=2 * STEP * SCRIPT.outages / (SCRIPT.days * 86400))


def test_failures_are_those_of_the_report(old: Old, store: Store) -> None:
    counted = {
        key: count
        for phase in (1, 2)
        for key, count in store.ask(f"max_over_time(racoon_phase{phase}_failures_total[{SPAN}]) > 0").items()
    }
    assert counted == {
        (peer["gateway"], peer["peer"], reason): count
        for peer in old.report["peers"]
        for reason, count in peer["failures"].items()
    }


def test_each_outage_is_where_it_was(old: Old, store: Store) -> None:
    for one in SCRIPT.all():
        key = one.gateway, one.peer
        if one.end - one.begin > 2 * STEP:
            for time, up in ((one.begin - 2, 1), (one.begin + STEP, 0), (one.end - 2, 0), (one.end + STEP, 1)):
                assert store.ask("racoon_phase2_up", time)[key] == up, (one, time)
    assert sum(len(peer["outages"]) for peer in old.report["peers"]) == len(SCRIPT.all())


def test_nothing_is_there_before_the_log(store: Store) -> None:
    assert store.ask("racoon_phase2_up", START - STEP) == {}


def test_victoria_metrics_dropped_nothing(old: Old, in_victoria: Store) -> None:
    with urlopen(f"{in_victoria.url}/metrics", timeout=30) as answer:
        told = dict(line.decode().rsplit(" ", 1) for line in answer if not line.startswith(b"#"))
    numbers = {name: float(number) for name, number in told.items() if name.startswith("vm_rows_")}
    assert numbers['vm_rows_inserted_total{type="prometheus"}'] == old.lines
    assert numbers['vm_rows_invalid_total{type="prometheus"}'] == 0
    assert all(count == 0 for name, count in numbers.items() if name.startswith("vm_rows_ignored_total"))


def test_recording_rules_have_a_past_as_well(in_prometheus: Store) -> None:
    one = next(one for one in SCRIPT.all() if one.end - one.begin > 3600)
    query = "sum by (gateway, peer, reason) (peer_reason:racoon_phase1_failures:increase15m)"
    assert in_prometheus.ask(query, one.begin + 1800)[one.gateway, one.peer, "no_response"] > 0
