"""`events` and `explain`: what a line of racoon means, for programs and for people."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

from racoon_exporter.history import timestamp
from racoon_exporter.text import visible
from racoon_parsers.advice import advice
from racoon_parsers.fields import Endpoint
from racoon_parsers.reader import Record
from racoon_parsers.reasons import phase_of, severity_and_reason
from racoon_parsers.record_errors import RecordErrors

_VALUES: Final = (
    "role",
    "exchange",
    "cookies",
    "message_id",
    "protocol",
    "mode",
    "spi",
    "code",
    "depth",
    "subject",
    "notification",
    "version",
    "openssl",
    "user",
    "signal",
    "status",
    "selector",
    "mine",
    "theirs",
    "path",
)
"""Values of an event that are printed under their own name."""
COLUMNS: Final = (
    "time",
    "gateway",
    "pid",
    "level",
    "event",
    "severity",
    "local",
    "local_port",
    "peer",
    "peer_port",
    "name",
    "source",
    "source_port",
    "destination",
    "destination_port",
    *_VALUES,
    "reason",
    "template",
    "text",
    "file",
    "line",
    "repeated",
)
"""Every key an object of `events` may have."""
_ENDPOINTS: Final = ("local", "peer", "source", "destination")
_RAISE: Final = RecordErrors(strict=True)
_PID_DIGITS: Final = 10
_BARE_VERSION: Final = "ipsec-tools "
_UNKNOWN: Final = (
    "No message of the catalogue fits this text. If racoon printed it, please report it, with the lines around it: "
    "`racoon-exporter redact` replaces addresses and names in them (CONTRIBUTING.md)."
)


def as_dict(record: Record, source: str, zone: tzinfo, errors: RecordErrors = _RAISE) -> dict[str, Any]:
    """Give the keys of `events` for a record; what is not known is left out.

    A record whose values raise is counted in `errors`, and given as a message that nobody knows.
    """
    try:
        return _as_dict(record, source, zone)
    except Exception as error:  # noqa: BLE001  whatever it is: the next record is written
        errors.note(error)
        return _as_dict(_unknown(record), source, zone)


def _as_dict(record: Record, source: str, zone: tzinfo) -> dict[str, Any]:
    message = record.message
    given: dict[str, Any] = {
        "time": timestamp(record.time, zone),
        "gateway": record.gateway or None,
        "pid": _pid(record.pid),
        "level": record.level or None,
    }
    if message is None:
        given |= {"event": "unknown", "peer": record.tag or None}
    else:
        event = record.event
        severity, reason = severity_and_reason(message, event)
        given |= {"event": message.event, "severity": severity}
        values = event._asdict()
        given |= _ends(values, record)
        given |= {name: values[name] for name in _VALUES if values.get(name) is not None}
        if isinstance(given.get("version"), str):
            given["version"] = given["version"].removeprefix(_BARE_VERSION)
        given |= {"reason": reason, "template": message.printf}
    given |= {
        "text": record.text,
        "file": source,
        "line": abs(record.number),
        "repeated": record.times if record.times > 1 else None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _pid(text: str) -> int | str | None:
    """Give a number where it is one; whoever writes a collector's JSON may put anything there."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _PID_DIGITS else text or None


def _ends(values: dict[str, Any], record: Record) -> dict[str, Any]:
    """Give addresses without their ports, and the ports beside them."""
    given: dict[str, Any] = {}
    for name in _ENDPOINTS:
        end = values.get(name)
        if isinstance(end, Endpoint):
            given[name] = end.address
            if end.port:
                given[f"{name}_port"] = end.port
    if "peer" not in given and record.tag:
        local = record.message is not None and record.message.tag == "local"
        if not local:
            given["peer"] = record.tag
    return given


def _unknown(record: Record) -> Record:
    return record._replace(message=None, values=None)


def explanation(record: Record, errors: RecordErrors = _RAISE) -> list[tuple[str, str]]:
    """Say what a record means, as (heading, text). One whose values raise is counted in `errors`, and not known."""
    try:
        return _explanation(record)
    except Exception as error:  # noqa: BLE001  whatever it is: the next record is explained
        errors.note(error)
        return _explanation(_unknown(record))


def _explanation(record: Record) -> list[tuple[str, str]]:
    message = record.message
    if message is None:
        return [
            ("text", visible(record.text)),
            ("event", "unknown"),
            ("meaning", _UNKNOWN),
        ]
    event = record.event
    severity, reason = severity_and_reason(message, event)
    rows = [
        ("text", visible(record.text)),
        ("template", message.printf),
        ("event", message.event),
        ("severity", severity),
        ("reason", reason or "-"),
        ("meaning", message.gloss),
        ("what to do", advice(message.event, reason, severity, phase_of(message, event))),
        ("levels", " ".join(message.levels) or "-"),
        ("versions", message.dialects),
        ("printed by", message.printed_by),
    ]
    values = {
        name: value if not isinstance(value, Endpoint) else str(value)
        for name, value in event._asdict().items()
        if value is not None
    }
    return [*rows, *((name, visible(str(value))) for name, value in values.items())]
