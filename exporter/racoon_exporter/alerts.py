"""What each alert means and what most often causes it: the beginning of its runbook, for `explain`.

`alerts.tsv` is written from `docs/runbooks` (`REWRITE_DOCS=1 pytest tests/docs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from racoon_exporter.wording.reasons import runbook
from racoon_parsers.tsv import read_table, text_of

COLUMNS: Final = ("alert", "meaning", "causes")


class Alert(NamedTuple):
    """An alert for people."""

    name: str
    meaning: str
    causes: str

    @property
    def runbook(self) -> str:
        """Address of the whole page."""
        return runbook(self.name)


def read_alerts(text: str, file: str) -> Iterator[Alert]:
    """Read the table of alerts. Raises TableError where it is wrong."""
    for _, row in read_table(text, file, COLUMNS, key=("alert",)):
        yield Alert(row["alert"], row["meaning"], row["causes"])


@cache
def alerts() -> dict[str, Alert]:
    """Give every alert by its name."""
    table = files("racoon_exporter").joinpath("alerts.tsv")
    return {alert.name: alert for alert in read_alerts(*text_of(table))}


__all__ = ["COLUMNS", "Alert", "alerts", "read_alerts"]
