"""A central place: thousands of gateways of a few peers in one log, as rsyslog writes them into a file.

    python -m tests.bench.fleet [--gateways 5000] [--peers 3] [--lines 600000] [--rounds 3]

Prints what an instance costs: a line in the cost of the same lines of one gateway, memory, scrape, state file, restart, the
list of gateways, and catching up with a backlog as `serve` does. Exit status 1 if a line costs more than 1.3 times as much.
docs/fleet.md has the figures and what follows from them.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

from tabulate import tabulate

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.exposition_cache import ExpositionCache, Taken
from racoon_exporter.garbage_collection import spare_the_collector
from racoon_exporter.metrics import OwnState
from racoon_exporter.sa import Knowledge, Limits
from racoon_exporter.source import SourceStatus
from racoon_exporter.status.api.gateways import gateways_body
from racoon_exporter.status.api.query import Parameters as Asked
from racoon_exporter.status.overview.gateway_list import look_at_gateways, sorted_gateways
from racoon_exporter.web.pieces import gzipped
from tests.bench.children import python
from tests.bench.engine_run import HISTORY, pass_over
from tests.bench.generate import write
from tests.bench.log import Parameters
from tests.bench.scrape_run import resident

T = TypeVar("T")
MOST_GROWTH: Final = 1.3
_SPEAKING: Final = 3
"""Of so many gateways one says something between two scrapes 30 s apart: 40 lines an hour of each."""
_MEBIBYTE: Final = 1024 * 1024


def new_engine(gateways: int, peers: int) -> Engine:
    """Give an engine as `serve` has it, where so many gateways are let in."""
    limits = Limits(peers=max(10_000, peers), gateways=max(1000, gateways), history=HISTORY)
    return Engine(UTC, knowledge=Knowledge(limits=limits))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Give the seconds of processor time that something takes, and what it gives."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


class Scraper:
    """Scrapes an engine as `serve` does, compression included."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cache = ExpositionCache()
        self._own = OwnState((SourceStatus("central.log", up=True),))
        self._held = 0.0

    def _look(self, take: Callable[[Engine, OwnState], Taken]) -> Taken:
        self._held, taken = timed(lambda: take(self._engine, self._own))
        return taken

    def scrape(self) -> tuple[float, float]:
        """Give the seconds of processor time under the lock and beside it."""
        took, _ = timed(lambda: list(gzipped(self._cache.answer(self._look, openmetrics=False))))
        return self._held, took - self._held

    def text(self) -> bytes:
        """Give what is answered."""
        return b"".join(self._cache.answer(self._look, openmetrics=False))


def speak(engine: Engine) -> None:
    """Let one gateway of some say something of one of its peers: a rekey."""
    for racoon in list(engine.state.racoons.values())[::_SPEAKING]:
        for address in list(racoon.peers)[:1]:
            racoon.count(address, "phase2_established", "initiator")
            racoon.changed()


def one_pass(log: str, gateways: int, peers: int) -> dict[str, Any]:
    """Read a log, look at everything once, and tell what it took."""
    spare_the_collector()
    engine = new_engine(gateways, peers)
    before = resident()
    feeding, lines = timed(lambda: pass_over(engine, log))
    gc.collect()
    read = resident()
    scraper = Scraper(engine)
    first, idle = scraper.scrape(), scraper.scrape()
    speak(engine)
    usual = scraper.scrape()
    scraped = resident()
    text = scraper.text()
    keeping = [timed(lambda: to_json(engine))[0] for _ in range(3)]
    writing, state = timed(lambda: json.dumps(to_json(engine), separators=(",", ":")))
    resuming, _ = timed(lambda: restore(new_engine(gateways, peers), json.loads(state)))
    now = max(racoon.now or 0.0 for racoon in engine.state.racoons.values())
    looking, views = timed(lambda: look_at_gateways(engine, (), now))
    listing, _ = timed(lambda: json.dumps(gateways_body(sorted_gateways(views, now), Asked(), UTC)))
    return {
        "lines": lines,
        "gateways": len(engine.state.racoons),
        "feeding": feeding,
        "start_bytes": before,
        "read_bytes": read,
        "scraped_bytes": scraped,
        "first": first,
        "usual": usual,
        "idle": idle,
        "scrape_bytes": len(text),
        "series": sum(1 for line in text.splitlines() if not line.startswith(b"#")),
        "keeping": median(keeping),
        "writing": writing,
        "state_bytes": len(state),
        "resuming": resuming,
        "looking": looking,
        "listing": listing,
    }


def _child(log: Path, gateways: int, peers: int) -> dict[str, Any]:
    """Run `one_pass` in a process of its own."""
    command = python("fleet", "--pass", str(log), "--gateways", str(gateways), "--peers", str(peers))
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return result


def measure(gateways: int, peers: int, lines: int, rounds: int) -> tuple[dict[str, Any], float]:
    """Measure a fleet; gives what the last round found, and the growth of a line's cost, the median of the rounds."""
    asked = replace(Parameters(), peers=gateways * peers, lines=lines, format="syslog")
    with tempfile.TemporaryDirectory(prefix="racoon-fleet-") as folder:
        one, many = Path(folder, "one.log"), Path(folder, "many.log")
        write(asked, one)
        write(replace(asked, gateways=gateways), many)
        growths, found = [], {}
        for _ in range(rounds):
            single = _child(one, 1, gateways * peers)
            found = _child(many, gateways, peers)
            growths.append(found["feeding"] / found["lines"] * single["lines"] / single["feeding"])
    return found, median(growths)


def rows(found: dict[str, Any], growth: float) -> list[tuple[str, str]]:
    """Give the figures as people read them."""
    mib, ms = _MEBIBYTE, 1000
    return [
        ("gateways", f"{found['gateways']:,}"),
        ("lines/s of processor time", f"{found['lines'] / found['feeding']:,.0f}"),
        ("cost of a line, in that of the same lines of one gateway", f"{growth:.2f}"),
        ("memory: start, all read, in a scrape", " / ".join(f"{found[key] / mib:,.0f} MiB" for key in _MEMORY)),
        ("the first scrape", _parts(found["first"])),
        (f"one to which 1 of {_SPEAKING} gateways said something", _parts(found["usual"])),
        ("one to which nobody said anything", _parts(found["idle"])),
        ("its size", f"{found['series']:,} series, {found['scrape_bytes'] / mib:,.1f} MiB"),
        ("checkpoint", f"{found['keeping'] * ms:,.0f} ms, {found['writing'] * ms:,.0f} ms with its text"),
        ("its size", f"{found['state_bytes'] / mib:,.1f} MiB"),
        ("start from it", f"{found['resuming'] * ms:,.0f} ms"),
        ("list of gateways", f"{found['looking'] * ms:,.0f} ms under the lock, {found['listing'] * ms:,.0f} ms beside it"),
    ]


def _parts(took: tuple[float, float]) -> str:
    return f"{took[0] * 1000:,.0f} ms under the lock, {took[1] * 1000:,.0f} ms beside it"


_MEMORY: Final = ("start_bytes", "read_bytes", "scraped_bytes")


def main() -> int:
    """Measure, print, and hold the bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gateways", type=int, default=5000)
    parser.add_argument("--peers", type=int, default=3, help="of each gateway")
    parser.add_argument("--lines", type=int, default=600_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pass", dest="log", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.log is not None:
        json.dump(one_pass(given.log, given.gateways, given.peers), sys.stdout)
        return 0
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found, growth = measure(given.gateways, given.peers, given.lines, given.rounds)
    print(tabulate(rows(found, growth), ("", ""), disable_numparse=True))
    return int(growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
