"""What each alert means and what most often causes it: the beginning of its runbook, for `explain`.

`alerts.tsv` is written from `docs/runbooks` (`REWRITE_DOCS=1 pytest tests/docs`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from racoon_exporter.status.reasons import runbook


class Alert(NamedTuple):
    """An alert for people."""

    name: str
    meaning: str
    causes: str

    @property
    def runbook(self) -> str:
        """Address of the whole page."""
        return runbook(self.name)


@cache
def alerts() -> dict[str, Alert]:
    """Give every alert by its name."""
    text = files("racoon_exporter").joinpath("alerts.tsv").read_text(encoding="utf-8")
    return {alert.name: alert for alert in (Alert(*line.split("\t")) for line in text.splitlines()[1:])}


__all__ = ["Alert", "alerts"]
