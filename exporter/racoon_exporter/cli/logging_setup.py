"""Our own log: logfmt or JSON on stderr, one line per record, never a raw control character."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from racoon_exporter.cli.unread_log import UnreadLogHandler
from racoon_exporter.text import visible

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
"""Prometheus' names of log levels."""
_NAMES: Final = {number: name for name, number in LEVELS.items()} | {logging.CRITICAL: "error"}


class _Formatter(logging.Formatter):
    def _parts(self, record: logging.LogRecord) -> dict[str, str]:
        moment = datetime.fromtimestamp(record.created, UTC)
        parts = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": _NAMES.get(record.levelno, "info"),
            "msg": visible(record.getMessage()),
        }
        if record.exc_info:
            parts["error"] = visible(self.formatException(record.exc_info))
        return parts


class Logfmt(_Formatter):
    """`time=… level=… msg="…"`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return " ".join(f"{key}={_quoted(value)}" for key, value in self._parts(record).items())


class Json(_Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return json.dumps(self._parts(record))


def _quoted(value: str) -> str:
    if value and not any(character in value for character in ' "=\\'):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


FORMATS: Final = {"logfmt": Logfmt, "json": Json}


def _handler() -> logging.Handler:
    try:
        return UnreadLogHandler(sys.stderr.fileno(), sys.stderr.encoding)
    except OSError:  # so says a stream that is none of the system's
        return logging.StreamHandler(sys.stderr)


def set_up(level: str, log_format: str) -> None:
    """Send our log to stderr."""
    handler = _handler()
    handler.setFormatter(FORMATS[log_format]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
