"""The benchmark (`make bench`): our engine beside mtail over the same log, and the bounds that the exporter promises.

All programs read the same generated log in turn, pinned to the same core, and must count the same: a difference is an
error. Speeds are lines per second of CPU time, and ratios are those of the same round: time on the clock, and CPU time of
another minute, say as much about what else the machine does. The figures are written to `docs/performance.md`. Exit status 1
if a count differs or a bound is missed.

    python -m tests.bench.run [--lines 2000000] [--peers 1000] [--rounds 3] [--core 0] [--write docs/performance.md]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.bench.children import mtail_version
from tests.bench.figures import Figures, bounds, page, text
from tests.bench.generate import write
from tests.bench.log import Parameters
from tests.bench.measure import archives, checkpoint, feeding, gateways, live, of_kinds, peers, scrape
from tests.bench.race import race

FEW_PEERS = 50
"""Peers of the live run whose latency is held to its bound: with many, the scrapes that look for a line take longer than
the line, and have a bound of their own."""


def measure_all(given: argparse.Namespace, scratch: Path) -> Figures:
    """Measure everything, the races on one core."""
    parameters = replace(Parameters(), seed=given.seed, peers=given.peers, lines=given.lines)
    short = replace(parameters, lines=given.lines // 4)
    info, debug = scratch / "info.log", scratch / "debug.log"
    tally = write(parameters, info)
    debug_tally = write(replace(parameters, lines=given.lines // 2, debug=True), debug)
    print(f"{tally.lines:,} lines of {given.peers:,} peers, {debug_tally.lines:,} lines with debug ones", flush=True)
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {given.core})  # children inherit it
    raced = race(info, tally, given.rounds, scratch)
    kinds = {"debug": feeding(debug, debug_tally, given.rounds, scratch), **of_kinds(short, given.rounds, scratch)}
    grown_peers = peers(parameters, (10, 1_000, given.most_peers), given.rounds, scratch)
    grown_gateways = gateways(short, (1, 100, 1_000), given.rounds, scratch)
    scraped, kept = scrape(info, scratch), checkpoint(info, scratch)
    os.sched_setaffinity(0, everywhere)  # whoever scrapes must not take the exporter's time
    few, many = (live(parameters, count, scratch) for count in (FEW_PEERS, given.peers))
    read = archives(short, scratch)
    return Figures(raced, kinds, grown_peers, grown_gateways, scraped, kept, few, many, read)


def main() -> None:
    """Run everything, print the figures, write the page, and say whether all bounds are kept."""
    default = Parameters()
    parser = argparse.ArgumentParser(description="Measure the exporter, beside mtail.")
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--peers", type=int, default=default.peers)
    parser.add_argument("--most-peers", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="core all programs are bound to")
    parser.add_argument("--write", type=Path, help="page to write the figures to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="racoon-bench-") as folder:
        figures = measure_all(given, Path(folder))
    print(text(figures))
    if given.write is not None:
        given.write.write_text(page(figures, mtail_version()), encoding="utf-8")
    sys.exit(0 if all(bound.kept for bound in bounds(figures)) else 1)


if __name__ == "__main__":
    main()
