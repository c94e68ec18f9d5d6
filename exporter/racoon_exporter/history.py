"""`history`: one row per negotiation, SA and daemon, for people, programs and tables."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from tabulate import tabulate

from racoon_exporter.sa import SaState

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "phase1": ("gateway", "local", "peer", "cookies", "role", "exchange", "established", "ended", "end"),
    "ipsec": (
        "gateway",
        "protocol",
        "mode",
        "source",
        "destination",
        "spi",
        "peer",
        "direction",
        "established",
        "dying",
        "ended",
        "end",
    ),
    "negotiations": (
        "phase",
        "gateway",
        "local",
        "peer",
        "role",
        "exchange",
        "cookies",
        "begun",
        "ended",
        "outcome",
        "reason",
    ),
    "daemon": ("gateway", "started", "stopped", "version", "end"),
}
"""The tables of `history` and the keys of their rows, in order."""

_TIMES: Final = frozenset({"established", "dying", "ended", "begun", "started", "stopped"})


def timestamp(time: float | None, zone: tzinfo = UTC) -> str | None:
    """Write a time as RFC 3339 with offset; fractions only where there are any."""
    if time is None:
        return None
    moment = datetime.fromtimestamp(time, zone)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def tables(state: SaState, zone: tzinfo = UTC) -> dict[str, list[dict[str, Any]]]:
    """Give the rows of every table with the keys of `COLUMNS`."""
    return {
        name: [{key: _value(record, key, zone) for key in COLUMNS[name]} for record in records]
        for name, records in state.history().items()
    }


def _value(record: Any, key: str, zone: tzinfo) -> Any:
    value = getattr(record, key)
    return timestamp(value, zone) if key in _TIMES else value


def as_json(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Write one JSON object."""
    return json.dumps(rows, indent=1, ensure_ascii=False)


def as_csv(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Write one CSV table with a column `table` in front; columns a table lacks are empty."""
    columns = list(dict.fromkeys(key for keys in COLUMNS.values() for key in keys))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["table", *columns], lineterminator="\n")
    writer.writeheader()
    for name, records in rows.items():
        writer.writerows({"table": name} | record for record in records)
    return text.getvalue()


def as_table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Write plain tables for a terminal. Only texts of closed form stand in them; peers choose none of them."""
    parts = []
    for name, records in rows.items():
        cells = [["-" if record[key] in (None, "") else str(record[key]) for key in COLUMNS[name]] for record in records]
        parts.append(f"{name}\n{tabulate(cells, headers=COLUMNS[name], tablefmt='simple', disable_numparse=True)}")
    return "\n\n".join(parts)


FORMATS: Final = {"table": as_table, "json": as_json, "csv": as_csv}
