"""`history`: one row per negotiation, SA and daemon, for people, programs and tables."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from racoon_exporter.availability.peer import Outage
from racoon_exporter.sa import SaState
from racoon_exporter.zone import moment_of

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
        "told_by",
    ),
    "daemon": ("gateway", "started", "stopped", "version", "end"),
}
"""The tables of `history` and the keys of their rows, in order."""

_TIMES: Final = frozenset({"established", "dying", "ended", "begun", "started", "stopped"})


_TIMES_OF: Final = {table: tuple(key for key in keys if key in _TIMES) for table, keys in COLUMNS.items()}
_VALUES: Final = {table: attrgetter(*keys) for table, keys in COLUMNS.items()}


def timestamp(time: float | None, zone: tzinfo = UTC) -> str | None:
    """Write a time as RFC 3339 with offset; fractions only where there are any."""
    if time is None:
        return None
    minute, second = divmod(time, 60)
    if second != int(second):
        moment = moment_of(time, zone)
        return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    before, after = _around_seconds(minute, zone)
    return f"{before}{int(second):02d}{after}"


@lru_cache(maxsize=4096)
def _around_seconds(minute: float, zone: tzinfo) -> tuple[str, str]:
    """Write what stands before and after the seconds of a time: an archive holds many of the same minute."""
    text = moment_of(minute * 60, zone).isoformat(timespec="seconds")
    return text[:17], text[19:]


def tables(state: SaState, zone: tzinfo = UTC) -> dict[str, list[dict[str, Any]]]:
    """Give the rows of every table with the keys of `COLUMNS`."""
    return {name: [row(name, record, zone) for record in records] for name, records in state.history().items()}


def row(table: str, record: Any, zone: tzinfo = UTC) -> dict[str, Any]:
    """Give the row of a record."""
    values = dict(zip(COLUMNS[table], _VALUES[table](record), strict=True))
    for key in _TIMES_OF[table]:
        values[key] = timestamp(values[key], zone)
    return values


def outage_row(outage: Outage, zone: tzinfo) -> dict[str, Any]:
    """Give the row of an outage, without whose it is."""
    return {
        "begin": timestamp(outage.begin, zone),
        "end": timestamp(outage.end, zone),
        "seconds": outage.seconds,
        "cause": outage.cause,
        "first_reason": outage.first_reason,
        "last_reason": outage.last_reason,
        "told_by": outage.told_by,
    }
