"""What was, and a Prometheus that knows it: the boards' queries are asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racoon_exporter.engine import Engine
from tests.dashboards.boards import Range, panel_of
from tests.e2e.chain import Prometheus
from tests.e2e.past import END, Host, Past, imported

Series = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class World:
    """What was, and a Prometheus that knows it."""

    prometheus: Prometheus
    past: Past

    def ask(self, name: str, title: str, seconds: int, **chosen: str) -> list[Series]:
        """Give what the queries of a panel answer, in their order."""
        panel = panel_of(name, title)
        asked = Range(END, seconds, chosen=chosen)
        return [self._answer(target, panel, asked) for target in panel["targets"]]

    def _answer(self, target: dict[str, Any], panel: dict[str, Any], asked: Range) -> Series:
        expr = asked.bound(target["expr"], panel)
        if target["instant"]:
            return self.prometheus.at(expr, END)
        step = asked.step(panel)
        return self.prometheus.since(expr, asked.begin // step * step, END // step * step, step)

    def engine(self, host: Host) -> Engine:
        """Give what read the log of a host."""
        return self.past.engines[host.instance]


@contextmanager
def knowing(folder: Path, past: Past) -> Iterator[Prometheus]:
    """Run a Prometheus that knows a past."""
    prometheus = imported(folder, past)
    try:
        prometheus.program.start()
        yield prometheus
    finally:
        prometheus.program.stop()
