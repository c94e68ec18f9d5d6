"""Rows as text: an object, a line of CSV, or cells of a table. Workers write the rows, sinks put them together."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from racoon_exporter.events_output import COLUMNS as EVENT_COLUMNS
from racoon_exporter.history import COLUMNS as HISTORY_COLUMNS
from racoon_exporter.text import in_csv, in_json, visible

FORMATS: Final = ("table", "json", "jsonl", "csv")
_NONE: Final = "-"
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")


def _with_name(columns: tuple[str, ...]) -> tuple[str, ...]:
    """A peer's friendly name stands beside its address."""
    if "peer" not in columns:
        return columns
    place = columns.index("peer") + 1
    return (*columns[:place], "name", *columns[place:])


OUTAGE_COLUMNS: Final = (
    "gateway",
    "peer",
    "begin",
    "end",
    "seconds",
    "cause",
    "first_reason",
    "last_reason",
    "told_by",
    "file",
    "line",
)
COLUMNS: Final = {
    **{name: _with_name(columns) for name, columns in HISTORY_COLUMNS.items()},
    "outages": _with_name(OUTAGE_COLUMNS),
    "events": EVENT_COLUMNS,
}
"""The tables and their columns; `name` is left out of an object where a peer has none."""


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How the rows of some tables are written."""

    output: str
    tables: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of CSV: those of one table, or of all with the table's name in front."""
        if len(self.tables) == 1:
            return COLUMNS[self.tables[0]]
        return ("table", *dict.fromkeys(key for name in self.tables for key in COLUMNS[name]))

    def text(self, table: str, values: dict[str, Any]) -> str:
        """Write a row."""
        if self.output == "json":
            return in_json(_encode(values))
        if self.output == "jsonl":
            return json.dumps(values) if table == "events" else in_json(_encode({"table": table} | values))
        if self.output == "csv":
            given = {"table": table} | values
            return csv_line(given.get(key) for key in self.columns)
        shown = values | {"peer": values.get("name") or values.get("peer")}
        return _encode([_cell(shown.get(key)) for key in table_columns(table)])


def table_columns(table: str) -> tuple[str, ...]:
    """Give the columns of a table for people: a peer is shown by its name."""
    if table == "events":
        return ("time", "gateway", "level", "event", "peer", "reason", "text")
    return tuple(key for key in COLUMNS[table] if key != "name")


def csv_line(values: Iterable[Any]) -> str:
    """Write one line of CSV, without its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(map(in_csv, values))
    return text.getvalue()


def _cell(value: Any) -> str:
    """Write a value for people: times without the offset that all of them have."""
    if value in (None, ""):
        return _NONE
    text = visible(str(value))
    return f"{text[:10]} {text[11:19]}" if _TIME.fullmatch(text) else text
