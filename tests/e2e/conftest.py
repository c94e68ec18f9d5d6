"""One run of the chain for all tests: the recordings are played side by side, each to an exporter of its own."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.chain import Alertmanager, Program, Prometheus, Target, Webhook, exporter, watching
from tests.e2e.replay import Replay, merged
from tests.e2e.scenarios import ALL, GONE, REKEY, Scenario
from tests.e2e.waiting import until
from tests.ports import free_port

PLAY_SECONDS = 400
SETTLE_SECONDS = 200


@dataclass(frozen=True, slots=True)
class Chain:
    """The running chain after everything was played, from `begun` to `played` (seconds since the epoch)."""

    prometheus: Prometheus
    webhook: Webhook
    alertmanager: Alertmanager
    begun: float
    played: float


def _seen_twice(prometheus: Prometheus) -> bool:
    """Tell whether each exporter was scraped at least twice, so that what comes now is growth."""
    counted = prometheus.now('count_over_time(racoon_exporter_build_info{job="racoon"}[5m]) >= 2')
    return len(counted) == len(ALL)


def _start(folder: Path, stack: ExitStack, target: Target, scenario: Scenario) -> tuple[Program, Path]:
    log = folder / "racoon.log"
    folder.mkdir()
    log.touch()
    program = exporter(folder, target.port, log, expect=scenario.peers, options=scenario.options)
    program.start()
    stack.callback(program.stop)
    return program, log


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    root = tmp_path_factory.mktemp("chain")
    with ExitStack() as stack:
        webhook = Webhook()
        stack.callback(webhook.close)
        alertmanager = Alertmanager(root / "alertmanager", webhook.url)
        targets = {scenario: Target(free_port(), scenario.name) for scenario in ALL}
        prometheus = watching(root / "prometheus", list(targets.values()), alertmanager.port)
        programs, logs = {}, {}
        for scenario, target in targets.items():
            programs[scenario.name], logs[scenario] = _start(root / f"{scenario.name}-{scenario.host}", stack, target, scenario)
        for program in (alertmanager.program, prometheus.program):
            program.start()
            stack.callback(program.stop)
        until(lambda: _seen_twice(prometheus), "Prometheus to scrape every exporter", SETTLE_SECONDS)
        begun = time.time()
        _play(stack, logs)
        _rotate(logs[REKEY], prometheus)
        _restart(programs[REKEY.name], prometheus)
        played = time.time()
        logs[GONE].unlink()
        yield Chain(prometheus, webhook, alertmanager, begun, played)


def _play(stack: ExitStack, logs: dict[Scenario, Path]) -> None:
    replays = [
        Replay(merged(scenario.recordings, stop_before=scenario.stop_before), log, scenario.speed, stamp=scenario.stamp)
        for scenario, log in logs.items()
    ]
    for replay in replays:
        stack.callback(replay.stop)
        replay.start()
    for replay in replays:
        replay.join(PLAY_SECONDS)
        assert not replay.is_alive(), f"{replay.name} was not played within {PLAY_SECONDS} s"


def _rotate(log: Path, prometheus: Prometheus) -> None:
    """Rotate a log as logrotate does; racoon goes on in the new file with a line that changes no state."""
    harmless = next(line for line in log.read_text(encoding="utf-8").splitlines() if "used as isakmp port" in line)
    log.rename(log.with_name("racoon.log.1"))
    log.write_text(harmless + "\n", encoding="utf-8")
    counted = f'racoon_exporter_source_rotations_total{{scenario="{REKEY.name}"}} > 0'
    until(lambda: prometheus.now(counted), "the rotation to be counted", SETTLE_SECONDS)


def _restart(program: Program, prometheus: Prometheus) -> None:
    """Kill the exporter that saw the rekeys and start it again: that must raise nothing either."""
    program.stop(signal.SIGKILL)
    down = f'up{{scenario="{REKEY.name}"}}'
    until(lambda: prometheus.now(f"{down} == 0"), "Prometheus to miss the killed exporter", SETTLE_SECONDS)
    program.start()
    until(lambda: prometheus.now(f"{down} == 1"), "Prometheus to scrape it again", SETTLE_SECONDS)
