"""Our engine and mtail over the same log, in turn, bound to the same core: what each counts, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.children import PROGRAMS, Cost, Counts, run_engine, run_mtail
from tests.bench.log import Tally

ENGINE = "racoon-exporter"


@dataclass(frozen=True, slots=True)
class Race:
    """Passes of all programs over the same log."""

    lines: int
    costs: dict[str, list[Cost]]
    """By program."""
    startup: float
    """Seconds of CPU time before the engine's first line, median."""
    feeding: float
    """Seconds of CPU time from the first line on, median."""

    def rate(self, program: str) -> float:
        """Give lines per second of CPU time, median of the rounds."""
        return self.lines / median(cost.cpu for cost in self.costs[program])

    def ratio(self, program: str) -> float:
        """Give how many times as fast as a program the engine is: the median of the rounds, each for itself."""
        pairs = zip(self.costs[program], self.costs[ENGINE], strict=True)
        return median(other.cpu / ours.cpu for other, ours in pairs)

    def peak(self, program: str) -> int:
        """Give the largest resident set, in bytes."""
        return max(cost.peak_bytes for cost in self.costs[program])


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
    """Let the programs read a log in turn, and hold all of them to what was written."""
    costs: dict[str, list[Cost]] = {name: [] for name in (ENGINE, *PROGRAMS)}
    results = []
    for number in range(1, rounds + 1):
        cost, counts, result = run_engine(log, scratch)
        demand_equal("the engine's", tally, counts)
        costs[ENGINE].append(cost)
        results.append(result)
        for name, program in PROGRAMS.items():
            cost, counts = run_mtail(program, log, scratch)
            demand_equal(f"{name}'s", tally, counts)
            costs[name].append(cost)
        print(f"round {number}:", ", ".join(f"{name} {taken[-1].cpu:.2f} s" for name, taken in costs.items()), flush=True)
    startup = median(result["startup_seconds"] for result in results)
    return Race(tally.lines, costs, startup, median(result["feed_seconds"] for result in results))
