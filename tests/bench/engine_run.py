"""One pass of our engine over a log, for `run.py` to measure: prints a JSON object with counts and times, and ends.

python -m tests.bench.engine_run racoon.log
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import UTC
from typing import Final

from racoon_exporter.engine import Engine
from racoon_exporter.garbage_collection import spare_the_collector
from racoon_exporter.sa import Knowledge, Limits
from racoon_exporter.source import blocks_of

HISTORY: Final = 10_000
"""Ended SAs and negotiations kept of each kind, as `serve` does."""


def new_engine() -> Engine:
    """Give an engine set up as for `serve`."""
    return Engine(UTC, knowledge=Knowledge(limits=Limits(history=HISTORY)))


def pass_over(engine: Engine, path: str) -> int:
    """Feed a log to an engine; gives the number of its lines."""
    log = blocks_of(path)
    for block in log:
        engine.feed(block)
    engine.finish()
    status = log.status()
    if status.error is not None:
        raise SystemExit(f"{path}: {status.error}")
    return status.counts.lines


def by_level_and_event(engine: Engine) -> Counter[tuple[str, str]]:
    """Give the records by level and event class."""
    counts: Counter[tuple[str, str]] = Counter()
    for (level, _severity, event), count in engine.messages.items():
        counts[level, event] += count
    return counts


def by_peer(engine: Engine, metric: str) -> Counter[str]:
    """Give a peer's counter, whatever its other labels say, for every peer that has it."""
    counts: Counter[str] = Counter()
    for racoon in engine.state.racoons.values():
        for address, peer in racoon.peers.items():
            for key, count in peer.counters.items():
                if key[0] == metric:
                    counts[address] += count
    return counts


def main(path: str) -> None:
    """Run, and print what was counted."""
    spare_the_collector()  # as every command does
    engine = new_engine()
    ready = time.process_time()  # of the whole process: the interpreter's own start is in it
    lines = pass_over(engine, path)
    done = time.process_time()
    result = {
        "lines": lines,
        "startup_seconds": ready,
        "feed_seconds": done - ready,
        "messages": [[*key, count] for key, count in sorted(by_level_and_event(engine).items())],
        "phase1_established": by_peer(engine, "phase1_established"),
        "unparsed": dict(engine.unparsed),
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
