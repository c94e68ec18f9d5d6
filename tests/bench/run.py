"""The benchmark (`make bench`): our engine beside mtail over the same log, and the bounds that the exporter promises.

Both programs read the same generated log in turn, pinned to the same core, and must count the same: a difference is an
error. Speeds are lines per second of CPU time, everything from process start to end included, and the bound of a scrape
is held in CPU time too, since time on the clock says as much about what else the machine does; both are printed. Exit
status 1 if a count differs or a bound is missed.

    python -m tests.bench.run [--lines 400000] [--peers 1000] [--rounds 3] [--core 0]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from tabulate import tabulate

from tests.bench.children import Cost, Counts, measure, python, run_engine, run_mtail
from tests.bench.generate import write
from tests.bench.live import Live, measure_live
from tests.bench.log import Parameters, Tally

MEBIBYTE: Final = 1024 * 1024
QUIET_MACHINE: Final = 150_000
"""Lines per second that a quiet machine should reach; reported, not enforced."""
LIVE_LINES: Final = 40
"""Lines for each peer that the log of a live run holds before it grows: enough for every one to have come up."""
FEW_PEERS: Final = 50
"""Peers of the live run whose latency is held to its bound: with many, the scrapes that look for a line take longer than
the line, and have a bound of their own."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that must be kept."""

    what: str
    figure: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether it is."""
        return self.figure >= self.limit if self.at_least else self.figure < self.limit

    def row(self) -> tuple[str, str, str, str]:
        """Give the row of the verdict's table."""
        sign = "at least" if self.at_least else "below"
        return (
            self.what,
            f"{self.figure:,.2f} {self.unit}",
            f"{sign} {self.limit:,.0f} {self.unit}",
            "kept" if self.kept else "MISSED",
        )


@dataclass(frozen=True, slots=True)
class Race:
    """Passes of both programs over the same log."""

    lines: int
    engine: list[Cost]
    mtail: list[Cost]
    startup: float
    """Seconds of CPU time before the engine's first line, median."""
    feeding: float
    """Seconds of CPU time from the first line on, median."""

    def rate(self, costs: list[Cost]) -> float:
        """Give lines per second of CPU time, median of the rounds."""
        return self.lines / median(cost.cpu for cost in costs)

    def wall_rate(self, costs: list[Cost]) -> float:
        """Give lines per second on the clock, median of the rounds."""
        return self.lines / median(cost.wall for cost in costs)


def differences(expected: Counts, found: Counts) -> list[str]:
    """Say where two counts of the same log differ."""
    rows = [
        f"{level} {event}: {expected.messages[level, event]} and {found.messages[level, event]}"
        for level, event in sorted(expected.messages.keys() | found.messages.keys())
        if expected.messages[level, event] != found.messages[level, event]
    ]
    rows += [
        f"phase 1 established with {peer}: {expected.phase1_established[peer]} and {found.phase1_established[peer]}"
        for peer in sorted(expected.phase1_established.keys() | found.phase1_established.keys())
        if expected.phase1_established[peer] != found.phase1_established[peer]
    ]
    return rows


def demand_equal(who: str, tally: Tally, found: Counts) -> None:
    """End the program if somebody counted other than what was written."""
    wrong = differences(Counts(tally.messages, tally.phase1_established), found)
    if wrong:
        raise SystemExit("\n  ".join([f"{who} counts differ from what was written (written and counted):", *wrong[:20]]))


def race(log: Path, tally: Tally, rounds: int, scratch: Path) -> Race:
    """Let both programs read a log in turn, and hold both to what was written."""
    engine, mtail, results = [], [], []
    for number in range(1, rounds + 1):
        cost, counts, result = run_engine(log, scratch)
        demand_equal("the engine's", tally, counts)
        engine.append(cost)
        results.append(result)
        cost, counts = run_mtail(log, scratch)
        demand_equal("mtail's", tally, counts)
        mtail.append(cost)
        print(f"round {number}: engine {engine[-1].cpu:.2f} s, mtail {mtail[-1].cpu:.2f} s of CPU time", flush=True)
    startup = median(result["startup_seconds"] for result in results)
    return Race(tally.lines, engine, mtail, startup, median(result["feed_seconds"] for result in results))


def debug_rate(log: Path, tally: Tally, rounds: int, scratch: Path) -> float:
    """Give the engine's lines per second over a debug log, start-up left out."""
    feeding: list[float] = []
    for _ in range(rounds):
        _, counts, result = run_engine(log, scratch)
        demand_equal("the engine's", tally, counts)
        feeding.append(result["feed_seconds"])
    return tally.lines / median(feeding)


def scrape(log: Path, scratch: Path) -> dict[str, Any]:
    """Scrape an engine that has read a log."""
    output = scratch / "scrape.json"
    measure(python("scrape_run", str(log)), output)
    result: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return result


def live(parameters: Parameters, peers: int, scratch: Path) -> Live:
    """Measure a running exporter on a log that grows."""
    log = scratch / f"live-{peers}.log"
    write(replace(parameters, peers=peers, lines=LIVE_LINES * peers), log)
    return measure_live(log)


def bounds(raced: Race, debug: float, scraped: dict[str, Any], few: Live, many: Live) -> list[Bound]:
    """Hold the figures against what is promised."""
    peak = max(cost.peak_bytes for cost in raced.engine) / MEBIBYTE
    return [
        Bound("engine's speed, in mtail's", raced.rate(raced.engine) / raced.rate(raced.mtail), 8, "times", at_least=True),
        Bound("debug log, in the speed of INFO", debug / (raced.lines / raced.feeding), 5, "times", at_least=True),
        Bound("engine's peak memory", peak, 80, "MiB"),
        Bound("memory of serve", many.resident_bytes / MEBIBYTE, 80, "MiB"),
        Bound(f"scrape of {scraped['peers']:,} peers, median", median(scraped["cpu_seconds"]) * 1000, 100, "ms"),
        Bound("start-up", raced.startup * 1000, 500, "ms"),
        Bound("line to metric, p99", few.percentile(0.99) * 1000, 300, "ms"),
        Bound("idle CPU", many.idle_cpu * 100, 1, "%"),
    ]


def report(raced: Race, debug: float, scraped: dict[str, Any], few: Live, many: Live) -> str:
    """Give the figures in words."""
    rows = [
        (
            name,
            f"{raced.rate(costs):,.0f}",
            f"{raced.wall_rate(costs):,.0f}",
            f"{max(cost.peak_bytes for cost in costs) / MEBIBYTE:.1f}",
        )
        for name, costs in (("engine", raced.engine), ("mtail", raced.mtail))
    ]
    table = tabulate(rows, ("", "lines/s of CPU time", "lines/s on the clock", "peak MiB"), disable_numparse=True)
    times = [second * 1000 for second in scraped["wall_seconds"]]
    before = scraped["resident_before"] / MEBIBYTE
    grown = scraped["resident_scraped"] / MEBIBYTE - before
    return f"""
{table}

engine without start-up: {raced.lines / raced.feeding:,.0f} lines/s (a quiet machine should reach {QUIET_MACHINE:,})
debug log: {debug:,.0f} lines/s
start-up: {raced.startup * 1000:.0f} ms of CPU time
scrape: {scraped["series"]:,} series, {scraped["bytes"]:,} bytes; {times[0]:.0f} to {times[-1]:.0f} ms on the clock
memory of {scraped["peers"]:,} peers: {grown:.1f} MiB over {before:.1f} MiB
line to metric, under scrapes without pause: {_latency(few)} with {FEW_PEERS} peers
                                             {_latency(many)} with {scraped["peers"]:,} peers
"""


def _latency(live: Live) -> str:
    p50, p99, most = (live.percentile(share) * 1000 for share in (0.5, 0.99, 1.0))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {most:.0f} ms"


def main() -> None:
    """Run everything, print the figures, and say whether all bounds are kept."""
    default = Parameters()
    parser = argparse.ArgumentParser(description="Measure the exporter, beside mtail.")
    parser.add_argument("--lines", type=int, default=default.lines)
    parser.add_argument("--debug-lines", type=int, default=1_000_000)
    parser.add_argument("--peers", type=int, default=default.peers)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="core both programs are bound to")
    given = parser.parse_args()
    parameters = replace(default, seed=given.seed, peers=given.peers, lines=given.lines)
    with tempfile.TemporaryDirectory(prefix="racoon-bench-") as folder:
        scratch = Path(folder)
        info, debug = scratch / "info.log", scratch / "debug.log"
        tally = write(parameters, info)
        debug_tally = write(replace(parameters, lines=given.debug_lines, debug=True), debug)
        print(f"{tally.lines:,} lines of {given.peers:,} peers, {debug_tally.lines:,} lines with debug ones", flush=True)
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {given.core})  # children inherit it
        raced = race(info, tally, given.rounds, scratch)
        debug_speed = debug_rate(debug, debug_tally, given.rounds, scratch)
        scraped = scrape(info, scratch)
        os.sched_setaffinity(0, everywhere)  # whoever scrapes must not take the exporter's time
        few, many = (live(parameters, peers, scratch) for peers in (FEW_PEERS, given.peers))
    verdict = bounds(raced, debug_speed, scraped, few, many)
    print(report(raced, debug_speed, scraped, few, many))
    print(tabulate([bound.row() for bound in verdict], ("bound", "found", "promised", ""), disable_numparse=True))
    sys.exit(0 if all(bound.kept for bound in verdict) else 1)


if __name__ == "__main__":
    main()
