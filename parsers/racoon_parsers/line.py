"""A raw line, taken apart: who wrote it, when, at which level, and the message text.

The dialects hold a row for each way racoon's output is stored (`docs/formats.md`). What racoon itself writes, `INNER`, is the
same in most of them: time, tunnel name (pfSense), peer tag, process id (Apple), level, source location, message.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from racoon_parsers.dialects import DIALECTS, FORMATS
from racoon_parsers.dialects.base import INNER, LEVELS, STAMPS, TAG, Format, head


class Line(NamedTuple):
    """A line of some program's log, taken apart."""

    kind: str
    """How `stamp` is written: a key of `clock.READERS`, or "" where the line has no time."""
    stamp: str
    inner: str
    """racoon's own time within the collector's (`-F`), or ""."""
    host: str
    """The host the line names, or ""."""
    ident: str
    """The program's name; racoon where the format has none."""
    pid: str
    """Process id as printed, or ""."""
    level: str
    """racoon's word, or the collector's where racoon prints none (Apple, Android), or ""."""
    tag: str
    """Address in brackets before the level: usually the peer's."""
    tunnel: str
    """pfSense's name of the tunnel."""
    text: str
    """The message."""
    head: int = 0
    """Length of what stands before the message; 0 where it is not one piece of the line."""
    dialect: str = ""
    """The dialect that alone has such a head, or ""."""
    needs: str = ""
    """What the text must be, where the head says too little (`Format.needs`)."""


_RACOON: Final = re.compile(r"(?:.*/)?racoon(?!-tool$|ctl$)[\w.-]*$")


def is_racoon(ident: str) -> bool:
    """Whether a program of this name is racoon; a renamed binary such as `racoon-vpn1` is."""
    return _RACOON.match(ident) is not None


def _split(line_format: Format, line: str) -> Line | None:
    match = line_format.pattern.match(line)
    if match is None:
        return None
    stamp, inner, host, ident, pid, own_pid, level, collected, tag, tunnel, text = match.group(*line_format.groups)
    if not level and collected:
        level = dict(line_format.levels).get(collected, collected)
    kind = line_format.kind
    if line_format.kinds:
        kind, stamp = next(((name, match[number]) for name, number in line_format.kinds if match[number]), ("", ""))
    if line_format.dialect:
        return _of_dialect(
            line_format, Line(kind, stamp, "", host or "", ident or "", pid or "", level or "", tag or "", "", text or "")
        )
    return Line(
        kind if stamp else "",
        stamp,
        inner or "",
        host or "",
        ident or "racoon",
        own_pid or (pid if pid != "-" else "") or "",
        level or "",
        tag or "",
        tunnel or "",
        text.strip(),
        match.start(line_format.groups[-1]),
    )


def _of_dialect(line_format: Format, line: Line) -> Line:
    """Finish a line of a dialect that has heads of its own."""
    text = line.text
    for escaped, character in line_format.escapes:
        text = text.replace(escaped, character)
    kind = line.kind if line.stamp else ""
    return line._replace(kind=kind, text=text.strip(), dialect=line_format.dialect, needs=line_format.needs)


_FIRST: Final = DIALECTS["ipsec_tools"].formats[0]


class LineSplitter:
    """Takes the lines of one stream apart. A stream keeps its format, so the last one that fitted is tried first."""

    def __init__(self) -> None:
        self._format = self._tried_first = _FIRST

    @property
    def format(self) -> Format:
        """The format of the last line that had one."""
        return self._format

    def split(self, line: str) -> Line | None:
        """Take a line apart; None where it has no known head: a continuation, a dump, or another program's text."""
        found = _split(self._tried_first, line)
        if found is not None:
            self._format = self._tried_first
            return found
        if line.startswith("{"):
            return _split_json(line)
        for line_format in FORMATS:
            found = _split(line_format, line)
            if found is not None:
                self._format = line_format
                if not line_format.needs:
                    self._tried_first = line_format
                return found
        return None


_INNER_PATTERN: Final = head("inner", "", INNER)


def split_inner(text: str) -> Line | None:
    """Take apart what racoon itself wrote, such as a record within another record."""
    return _split(_INNER_PATTERN, text.strip())


def _split_json(line: str) -> Line | None:
    """Take apart an object of `journalctl -o json` or of a container engine's json-file log."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    if "MESSAGE" in entry:
        stamp = entry.get("__REALTIME_TIMESTAMP") or entry.get("_SOURCE_REALTIME_TIMESTAMP") or ""
        message = _journal_text(entry["MESSAGE"])
        ident = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or ""
        pid = entry.get("_PID") or entry.get("SYSLOG_PID") or ""
        return _inner(message, "microseconds", _text(stamp), _text(entry.get("_HOSTNAME")), _text(ident), _text(pid))
    if isinstance(entry.get("log"), str) and "stream" in entry:
        return _inner(entry["log"], "iso", _text(entry.get("time")), "", "racoon", "")
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _journal_text(message: Any) -> str:
    """Give a MESSAGE field's text; journald writes one that is not UTF-8 as an array of byte values."""
    if isinstance(message, list):
        return bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte <= 255).decode("utf-8", "backslashreplace")
    return _text(message)


def _inner(message: str, kind: str, stamp: str, host: str, ident: str, pid: str) -> Line | None:
    inside = split_inner(message)
    if inside is None:
        return None
    return inside._replace(
        kind=kind if stamp else "", stamp=stamp, host=host, ident=ident or "racoon", pid=inside.pid or pid, head=0
    )


__all__ = [
    "FORMATS",
    "LEVELS",
    "STAMPS",
    "TAG",
    "Format",
    "Line",
    "LineSplitter",
    "is_racoon",
    "split_inner",
]
