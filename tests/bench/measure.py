"""What the benchmark measures of the exporter alone: other logs, growth, scrapes, checkpoints, a running exporter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.children import measure, python, run_cli, run_engine
from tests.bench.generate import generate_in_turn, write
from tests.bench.kinds import hostile, mikrotik, write_lines
from tests.bench.live import Live, measure_live
from tests.bench.log import Parameters, Tally
from tests.bench.race import demand_equal

LIVE_LINES: Final = 40
"""Lines for each peer that the log of a live run holds before it grows: enough for every one to have come up."""
FEW: Final = 10
"""Peers that a small gateway has."""


def feeding(log: Path, tally: Tally | None, rounds: int, scratch: Path) -> float:
    """Give the engine's lines per second over a log, start-up left out: the median of the rounds."""
    rates: list[float] = []
    for _ in range(rounds):
        _, counts, result = run_engine(log, scratch)
        if tally is not None:
            demand_equal("the engine's", tally, counts)
        rates.append(result["lines"] / result["feed_seconds"])
    return median(rates)


def of_kinds(parameters: Parameters, rounds: int, scratch: Path) -> dict[str, float]:
    """Give the lines per second over logs of other kinds."""
    log = scratch / "kind.log"
    tally = write(replace(parameters, format="syslog"), log)
    rates = {"syslog": feeding(log, tally, rounds, scratch)}
    for name, lines, behind in (("hostile", hostile, ": "), ("MikroTik", mikrotik, " ")):
        write_lines(lines(parameters.seed), parameters.lines, log, behind)
        rates[name] = feeding(log, None, rounds, scratch)
    log.unlink()
    return rates


def peers(parameters: Parameters, counts: tuple[int, ...], rounds: int, scratch: Path) -> dict[int, float]:
    """Give the cost of a line by the number of peers, in that of the same lines of few peers."""
    many, few = scratch / "many.log", scratch / "few.log"
    costs = {FEW: 1.0}
    for count in counts:
        if count == FEW:
            continue
        asked = replace(parameters, peers=count)
        tally = write(asked, many)
        with few.open("w", encoding="utf-8", newline="\n") as out:
            generate_in_turn(asked, out, FEW, tally.seconds)
        costs[count] = _ratio(few, many, rounds, scratch)
    for log in (many, few):
        log.unlink(missing_ok=True)
    return costs


def gateways(parameters: Parameters, counts: tuple[int, ...], rounds: int, scratch: Path) -> dict[int, float]:
    """Give the cost of a line by the number of gateways that write one log, in that of the same lines of one."""
    many, one = scratch / "many.log", scratch / "one.log"
    asked = replace(parameters, format="syslog", peers=max(parameters.peers, *counts))
    write(asked, one)
    costs = {1: 1.0}
    for count in counts:
        if count > 1:
            write(replace(asked, gateways=count), many)
            costs[count] = _ratio(one, many, rounds, scratch)
    for log in (many, one):
        log.unlink(missing_ok=True)
    return costs


def _ratio(less: Path, more: Path, rounds: int, scratch: Path) -> float:
    """Give the cost of a line of one log in that of another's: the median of the rounds, each for itself."""
    ratios: list[float] = []
    for _ in range(rounds):
        costs: list[float] = []
        for log in (less, more):
            _, _, result = run_engine(log, scratch)
            costs.append(result["feed_seconds"] / result["lines"])
        ratios.append(costs[1] / costs[0])
    return median(ratios)


def scrape(log: Path, scratch: Path) -> dict[str, Any]:
    """Scrape an engine that has read a log."""
    return _result("scrape_run", log, scratch)


def checkpoint(log: Path, scratch: Path) -> dict[str, Any]:
    """Write, and read again, the state of an engine that has read a log."""
    return _result("checkpoint_run", log, scratch)


def _result(module: str, log: Path, scratch: Path) -> dict[str, Any]:
    output = scratch / f"{module}.json"
    measure(python(module, str(log)), output)
    result: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return result


def live(parameters: Parameters, count: int, scratch: Path) -> Live:
    """Measure a running exporter on a log that grows."""
    log = scratch / f"live-{count}.log"
    write(replace(parameters, peers=count, lines=LIVE_LINES * count), log)
    return measure_live(log)


def archives(parameters: Parameters, scratch: Path) -> dict[int, float]:
    """Give the seconds on the clock that `history` takes over the logs of two gateways, by the number of jobs."""
    logs = [scratch / f"gateway{number}.log" for number in (1, 2)]
    for number, log in enumerate(logs):
        write(replace(parameters, seed=parameters.seed + number), log)
    taken = {}
    for jobs in (1, 2):
        cost = run_cli(["history", "--format", "jsonl", "--jobs", str(jobs), *map(str, logs)], scratch)
        if cost is not None:
            taken[jobs] = cost.wall
    for log in logs:
        log.unlink()
    return taken
