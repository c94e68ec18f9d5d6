"""A running exporter that has a backlog to read, under scrapes: how long each takes, and what `/-/ready` says meanwhile.

python -m tests.bench.catchup [--mebibytes 1024] [--peers 1000] [--interval 0.25]
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.bench.generate import write
from tests.bench.live import Exporter, running
from tests.bench.log import Parameters

PROMISED_MS: Final = 250
_PART_LINES: Final = 400_000
_QUIET_SCRAPES: Final = 100


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How scrapes did while a backlog was read."""

    seconds: float
    scrapes: tuple[float, ...]
    """Seconds of each, sorted."""
    quiet: tuple[float, ...]
    """Seconds of each afterwards, when nothing is read any more, sorted: what the machine itself makes of a scrape."""
    said: tuple[str, ...]
    """What `/-/ready` said on the way."""


def percentile(times: tuple[float, ...], share: float) -> float:
    """Give the milliseconds that a share of the scrapes kept within."""
    return times[min(len(times) - 1, int(share * len(times)))] * 1000


def measure_catch_up(log: Path, interval: float) -> CatchUp:
    """Start an exporter on a log, and scrape it until all of it has been read."""
    scrapes, said = [], []
    with running(log) as exporter:
        begun = time.monotonic()
        while True:
            scrapes.append(_timed(exporter, interval))
            status, words = exporter.readiness()
            if status == http.client.OK:
                break
            said.append(words.strip())
        seconds = time.monotonic() - begun
        quiet = [_timed(exporter, interval) for _ in range(_QUIET_SCRAPES)]
        return CatchUp(seconds, tuple(sorted(scrapes)), tuple(sorted(quiet)), tuple(said))


def _timed(exporter: Exporter, interval: float) -> float:
    before = time.monotonic()
    exporter.counted()
    took = time.monotonic() - before
    time.sleep(max(0.0, interval - took))
    return took


def write_backlog(log: Path, parameters: Parameters, mebibytes: int) -> None:
    """Write a log of that size: the same lines over and over, which cost as much as others."""
    with tempfile.TemporaryDirectory(prefix="racoon-bench-") as folder:
        part = Path(folder) / "part.log"
        write(replace(parameters, lines=_PART_LINES), part)
        data = part.read_bytes()
    with log.open("wb") as out:
        while out.tell() < mebibytes * 1024 * 1024:
            out.write(data)


def main() -> None:
    """Measure, and print the figures beside what is promised."""
    default = Parameters()
    parser = argparse.ArgumentParser(description="Scrape an exporter that reads a backlog.")
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--peers", type=int, default=default.peers)
    parser.add_argument("--interval", type=float, default=0.25)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="racoon-bench-") as folder:
        log = Path(folder) / "backlog.log"
        write_backlog(log, replace(default, peers=given.peers), given.mebibytes)
        found = measure_catch_up(log, given.interval)
    print(f"{given.mebibytes} MiB of {given.peers:,} peers in {found.seconds:.0f} s")
    for what, times in (("meanwhile", found.scrapes), ("afterwards", found.quiet)):
        figures = ", ".join(f"p{share * 100:.0f} {percentile(times, share):.0f} ms" for share in (0.5, 0.9, 0.99, 1.0))
        print(f"{len(times)} scrapes {what}: {figures}")
    kept = percentile(found.scrapes, 0.99) < PROMISED_MS
    print(f"promised: p99 below {PROMISED_MS} ms meanwhile: {'kept' if kept else 'MISSED'}")
    for words in found.said[:: max(1, len(found.said) // 4)]:
        print(f"/-/ready said: {words}")


if __name__ == "__main__":
    main()
