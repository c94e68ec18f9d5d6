"""The page of figures shows all that was measured, and says of each bound whether it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.bench.children import PROGRAMS, Cost
from tests.bench.figures import MEBIBYTE, Figures, bounds, page, text
from tests.bench.live import Live
from tests.bench.race import ENGINE, Race

LIVE: Final = Live((0.05, 0.06, 0.2), 0.001, 60 * MEBIBYTE)
OURS: Final = [Cost(10.0, 12.0, 50 * MEBIBYTE), Cost(11.0, 12.0, 51 * MEBIBYTE), Cost(9.0, 12.0, 52 * MEBIBYTE)]
THEIRS: Final = [Cost(20.0, 12.0, 30 * MEBIBYTE), Cost(16.5, 12.0, 30 * MEBIBYTE), Cost(27.0, 12.0, 30 * MEBIBYTE)]
FIGURES: Final = Figures(
    raced=Race(1_000_000, {ENGINE: OURS, **dict.fromkeys(PROGRAMS, THEIRS)}, 0.2, 9.8),
    kinds={"debug": 1_000_000.0, "syslog": 90_000.0},
    peers={10: 1.0, 100_000: 1.25},
    gateways={1: 1.0, 1_000: 1.5},
    scraped={"peers": 1000, "cpu_seconds": [0.05, 0.06], "wall_seconds": [0.05, 0.07], "series": 30_000, "bytes": 2_000_000},
    checkpoint={"made": 0.02, "written": 0.1, "read": 0.2, "bytes": 5_000_000},
    few=LIVE,
    many=LIVE,
    archives={1: 20.0, 2: 11.0},
)


def test_a_ratio_is_that_of_the_same_round_and_the_middle_one_counts() -> None:
    assert {FIGURES.raced.ratio(program) for program in PROGRAMS} == {2.0}


def test_a_bound_that_is_missed_is_said_and_no_other() -> None:
    assert [bound.what for bound in bounds(FIGURES) if not bound.kept] == ["cost of a line with the most gateways"]
    assert page(FIGURES, "3.0").count("MISSED") == text(FIGURES).count("MISSED") == 1


def test_the_page_shows_all_that_was_measured() -> None:
    found = page(FIGURES, "3.0.0 (go1.19)")
    for said in (
        *PROGRAMS,
        "mtail 3.0.0 (go1.19)",
        "syslog log",
        "100,000 peers",
        "1,000 gateways",
        "jobs: 2",
        "5,000,000 bytes",
    ):
        assert said in found


def test_without_jobs_there_is_no_figure_for_archives() -> None:
    assert "history of two logs" not in page(replace(FIGURES, archives={}), "3.0")


def test_the_page_of_the_documentation_is_one_that_the_benchmark_wrote() -> None:
    written = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    assert [line for line in written.splitlines() if line.startswith("#")] == [
        line for line in page(FIGURES, "").splitlines() if line.startswith("#")
    ]
    assert all(f"| {bound.what.split(' of ')[0]}" in written for bound in bounds(FIGURES))
