"""The figures of the benchmark: the bounds they are held to, and the page that shows them."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from tabulate import tabulate

from tests.bench.children import PROGRAMS
from tests.bench.live import Live
from tests.bench.race import ENGINE, Race

MEBIBYTE: Final = 1024 * 1024
_CHAIN: Final = next(iter(PROGRAMS))
_NOTE: Final = Path(__file__).with_name("note.md")
"""What the figures are made of: looked up by people, not measured in each run."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured."""

    raced: Race
    kinds: dict[str, float]
    """Lines per second of CPU time, by the kind of log."""
    peers: dict[int, float]
    """Cost of a line by the number of peers."""
    gateways: dict[int, float]
    """Cost of a line by the number of gateways."""
    scraped: dict[str, Any]
    checkpoint: dict[str, Any]
    few: Live
    many: Live
    archives: dict[int, float]
    """Seconds, by the number of jobs."""

    @property
    def fed(self) -> float:
        """Lines per second of CPU time over the log of the race, start-up left out."""
        return self.raced.lines / self.raced.feeding


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
        digits = 0 if self.figure >= 100 else 2
        return (
            self.what,
            f"{self.figure:,.{digits}f} {self.unit}",
            f"{sign} {self.limit:,g} {self.unit}",
            "kept" if self.kept else "MISSED",
        )


def bounds(found: Figures) -> list[Bound]:
    """Hold the figures against what is promised."""
    raced = found.raced
    return [
        Bound("speed, in mtail's (the faster program)", raced.ratio(_CHAIN), 1.5, "times", at_least=True),
        Bound("debug log, in the speed of INFO", found.kinds["debug"] / found.fed, 5, "times", at_least=True),
        Bound("cost of a line with the most peers", max(found.peers.values()), 1.3, "times that with 10"),
        Bound("cost of a line with the most gateways", max(found.gateways.values()), 1.3, "times that with one"),
        Bound("engine's peak memory", raced.peak(ENGINE) / MEBIBYTE, 64, "MiB"),
        Bound("memory of serve", found.many.resident_bytes / MEBIBYTE, 80, "MiB"),
        Bound(f"scrape of {found.scraped['peers']:,} peers, CPU", median(found.scraped["cpu_seconds"]) * 1000, 100, "ms"),
        Bound("start-up", raced.startup * 1000, 500, "ms"),
        Bound("line to metric, p99", found.few.percentile(0.99) * 1000, 300, "ms"),
        Bound("idle CPU", found.many.idle_cpu * 100, 1, "%"),
    ]


def _race(found: Figures) -> list[tuple[str, str, str, str]]:
    raced = found.raced
    return [
        (name, f"{raced.rate(name):,.0f}", f"{raced.ratio(name):.2f}", f"{raced.peak(name) / MEBIBYTE:.0f} MiB")
        for name in raced.costs
    ]


def _others(found: Figures) -> list[tuple[str, str]]:
    return [
        ("start-up, CPU", f"{found.raced.startup * 1000:.0f} ms"),
        ("INFO log, start-up left out", f"{found.fed:,.0f} lines/s"),
        *((f"{kind} log", f"{rate:,.0f} lines/s") for kind, rate in found.kinds.items()),
        *((f"cost of a line, {count:,} peers", f"{cost:.2f} times that with 10") for count, cost in found.peers.items()),
        *((f"cost of a line, {count:,} gateways", f"{cost:.2f} times that with one") for count, cost in found.gateways.items()),
        *_kept(found.checkpoint),
        *_served(found),
        *((f"history of two logs, jobs: {jobs}", f"{seconds:.1f} s") for jobs, seconds in found.archives.items()),
    ]


def _kept(checkpoint: dict[str, Any]) -> list[tuple[str, str]]:
    made, written, read = (checkpoint[name] * 1000 for name in ("made", "written", "read"))
    return [
        ("checkpoint", f"{made:.0f} ms, {written:.0f} ms with its text, {checkpoint['bytes']:,} bytes"),
        ("start from a checkpoint", f"{read:.0f} ms"),
    ]


def _served(found: Figures) -> list[tuple[str, str]]:
    scraped, many = found.scraped, found.many
    times = [second * 1000 for second in scraped["wall_seconds"]]
    spread = f"{times[0]:.0f} to {times[-1]:.0f} ms on the clock"
    return [
        ("scrape", f"{scraped['series']:,} series, {scraped['bytes']:,} bytes; {spread}"),
        (f"memory of serve, {scraped['peers']:,} peers", f"{many.resident_bytes / MEBIBYTE:.0f} MiB"),
        ("line to metric, few peers", _latency(found.few)),
        (f"line to metric, {scraped['peers']:,} peers, scrapes without pause", _latency(many)),
        ("idle CPU", f"{many.idle_cpu * 100:.2f} %"),
    ]


def _latency(live: Live) -> str:
    p50, p99, most = (live.percentile(share) * 1000 for share in (0.5, 0.99, 1.0))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {most:.0f} ms"


def text(found: Figures) -> str:
    """Give the figures for a terminal."""
    return "\n\n".join(_tables(found, "simple"))


def page(found: Figures, mtail: str) -> str:
    """Give the page of the documentation. `mtail` is its version."""
    raced, others, verdict = _tables(found, "github")
    lines, peers, rounds = found.raced.lines, found.scraped["peers"], len(found.raced.costs[ENGINE])
    with_what = f"Python {platform.python_version()}, mtail {mtail}"
    return f"""# Performance

Written by `make bench`: do not edit. One core of {_processor()}, {with_what}.

A generated log of racoon 0.9.1 ({lines:,} lines, {peers:,} peers, a day) is read by all programs in turn, bound to one core.
All must count the same records, by level and event class, and the same phase 1 by peer. mtail runs two programs: one that
takes the head apart once and ends a line at the first rule that fits (`tests/bench/racoon.mtail`), and one with a rule for
each message as people write it (`tests/bench/plain.mtail`). racoon-exporter keeps the state of every SA beside counting.
Rates are lines per second of CPU time, everything included, medians of {rounds} rounds; ratios are those within a round.

{raced}

## Everything else

{others}

The same lines are told by few peers one after another, or by many at once, so that only their number differs.
The two logs that `history` reads are of two gateways, each a quarter as long as the log above; all cores are free for it.

## Bounds

{verdict}

{_NOTE.read_text(encoding="utf-8")}"""


def _tables(found: Figures, form: str) -> tuple[str, str, str]:
    race_heads = ("", "lines/s of CPU time", "racoon-exporter is … times as fast", "peak")
    verdict_heads = ("bound", "found", "promised", "")
    return (
        tabulate(_race(found), race_heads, form, disable_numparse=True),
        tabulate(_others(found), ("", ""), form, disable_numparse=True),
        tabulate([bound.row() for bound in bounds(found)], verdict_heads, form, disable_numparse=True),
    )


def _processor() -> str:
    """Name the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} ({name})"
