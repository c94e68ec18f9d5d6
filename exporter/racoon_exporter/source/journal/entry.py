"""One entry of the journal, as `journalctl -o json` prints it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from racoon_exporter.source.journal.duplicates import without_doubled_time
from racoon_parsers.json_entry import text_of

FIELDS = (
    "MESSAGE",
    "SYSLOG_IDENTIFIER",
    "SYSLOG_PID",
    "_COMM",
    "_HOSTNAME",
    "_PID",
    "_SYSTEMD_UNIT",
    "_TRANSPORT",
)
"""What is asked of journalctl; it prints `__CURSOR` and `__REALTIME_TIMESTAMP` in any case."""

_GIVEN = ("__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_COMM", "_PID", "SYSLOG_PID")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is needed of an entry; a field that it lacks is empty."""

    cursor: str
    time: float
    """Seconds since the epoch at which the journal received it; 0 where the entry does not say."""
    transport: str
    owner: str
    """Who wrote it: host and unit, or host and process."""
    message: str
    fields: tuple[tuple[str, str], ...]
    """Fields to be handed on as they are."""

    def line(self) -> bytes:
        """Return the entry as a line that the parser reads: the same JSON with few fields, in ASCII."""
        content = dict(self.fields) | {"MESSAGE": without_doubled_time(self.message)}
        return json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"


def read_entry(line: bytes) -> Entry | None:
    """Take a line of `journalctl -o json` apart; None for anything else, and for an entry without a message."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    message = text_of(entry.get("MESSAGE"))
    if message is None:
        return None
    fields = {name: text for name in (*_GIVEN, "__CURSOR", "_TRANSPORT", "_SYSTEMD_UNIT") if (text := text_of(entry.get(name)))}
    return Entry(
        cursor=fields.get("__CURSOR", ""),
        time=_seconds(fields.get("__REALTIME_TIMESTAMP", "")),
        transport=fields.get("_TRANSPORT", ""),
        owner=f"{fields.get('_HOSTNAME', '')} {fields.get('_SYSTEMD_UNIT') or fields.get('_PID', '')}",
        message=message,
        fields=tuple((name, fields[name]) for name in _GIVEN if name in fields),
    )


def _seconds(microseconds: str) -> float:
    return int(microseconds) / 1e6 if microseconds.isascii() and microseconds.isdigit() and len(microseconds) <= 18 else 0.0
