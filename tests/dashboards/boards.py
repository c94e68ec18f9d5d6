"""The rendered boards, and their queries as Grafana sends them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.dashboards.tools import DASHBOARDS

NAMES = ("racoon-fleet", "racoon-peer", "racoon-health")
Board = dict[str, Any]
Panel = dict[str, Any]


def load(name: str, folder: str = "") -> Board:
    """Read a board."""
    found: Board = json.loads((DASHBOARDS / folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


BOARDS = {name: load(name) for name in NAMES}


def panels(board: Board) -> Iterator[Panel]:
    """Give every panel, also those in folded rows."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


PANELS = [pytest.param(panel, id=f"{name}-{panel['title']}") for name, board in BOARDS.items() for panel in panels(board)]


def of_type(kind: str) -> list[Any]:
    """Give the panels of a type, as the cases of a test."""
    return [param for param in PANELS if param.values[0]["type"] == kind]  # type: ignore[index]


def organized(panel: Panel) -> dict[str, Any]:
    """Give how a table orders, names and hides its fields."""
    (found,) = (step["options"] for step in panel["transformations"] if step["id"] == "organize")
    return dict(found)


def panel_of(name: str, title: str) -> Panel:
    """Give the panel of a title."""
    (found,) = (panel for panel in panels(BOARDS[name]) if panel["title"] == title)
    return found


def is_of_one(name: str) -> bool:
    """Whether a board is of one peer of one gateway."""
    return name == "racoon-peer"


_STEPS = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600)
"""Intervals, in seconds, to which Grafana rounds."""
_UNITS = {"s": 1, "m": 60}
WIDE = 1400
"""Points of a panel that says no other number: as many as it has pixels."""


@dataclass(frozen=True, slots=True)
class Range:
    """What is chosen at the top of a board: the time, and the variables."""

    end: float
    seconds: int
    scrape: int = 15
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def begin(self) -> float:
        """Where the range begins."""
        return self.end - self.seconds

    def step(self, panel: Panel) -> int:
        """Give the step of a panel, as Grafana works it out."""
        shortest = panel.get("interval") or f"{self.scrape}s"
        least = int(shortest[:-1]) * _UNITS[shortest[-1]]
        wanted = self.seconds / (panel.get("maxDataPoints") or WIDE)
        return max(least, next((step for step in _STEPS if step >= wanted), _STEPS[-1]))

    def bound(self, expr: str, panel: Panel) -> str:
        """Put the macros' and the variables' values into a query."""
        step = self.step(panel)
        macros = {
            "$__rate_interval": f"{max(step + self.scrape, 4 * self.scrape)}s",
            "$__interval": f"{step}s",
            "$__range": f"{self.seconds}s",
            "$__from": str(int(self.begin * 1000)),
        }
        for name, value in macros.items():
            expr = expr.replace(name, value)
        for name in ("job", "instance", "gateway", "peer"):
            every = ".*" if name == "gateway" else ".+"
            one = self.chosen.get(name, "")
            pattern = re.escape(one).replace("\\", "\\\\") or every
            expr = expr.replace(f'=~"${name}"', f'=~"{pattern}"')
            expr = expr.replace(f'"${name}"', f'"{one}"')
        return expr
