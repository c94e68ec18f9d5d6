"""A raw line, taken apart: who wrote it, when, at which level, and the message text.

`FORMATS` has a row for each way racoon's output is stored (`docs/formats.md`). What racoon itself writes, `INNER`, is the
same in all of them: time, tunnel name (pfSense), peer tag, process id (Apple), level, source location, message.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

# `re` and not `regex`: these patterns have one way to match, hold no text of a peer but the last group, and stand in
# the hottest place; `re` is twice as fast there.

LEVELS: Final = ("ERROR", "WARNING", "NOTIFY", "INFO", "DEBUG", "DEBUG2", "(not defined)")
"""racoon's level names (`plog.c`)."""

_LEVEL: Final = r"ERROR|WARNING|NOTIFY|INFO|DEBUG2?|\(not defined\)"
_OWN_TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"

TAG: Final = r"[0-9a-fA-FxX]*[.:][0-9a-fA-FxX.:]*(?:%[\w.-]+)?"
"""An address without port, with its scope, or what stood in its place."""
_MARKS: Final = (
    r"(?:\[(?P<tunnel>[^\]]*)\]: ?)?"
    rf"(?:\[(?P<tag>{TAG})\] )?"
    r"(?:\[(?P<own_pid>\d+)\] )?"
)
_LOCATION: Final = r"(?:[\w.-]+\.[cyl]:\d+:(?:\w+\(\):)? ?)?"
_LEVELLED: Final = rf"(?P<level>{_LEVEL}): *{_LOCATION}(?P<text>.*)"
_MAYBE_LEVELLED: Final = rf"(?:(?P<level>{_LEVEL}): *)?{_LOCATION}(?P<text>.*)"

INNER: Final = rf"\s*(?:(?P<inner>{_OWN_TIME}): )?{_MARKS}{_MAYBE_LEVELLED}"
"""What racoon writes when somebody else adds the time."""


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


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which racoon's records are stored."""

    name: str
    kind: str
    pattern: re.Pattern[str]
    groups: tuple[int, ...]
    """Numbers of the groups of `_GROUPS` in the pattern."""
    raw: bool = False
    """Whether racoon's lines stand there as it wrote them, newlines within a value and all; collectors escape those."""
    levels: tuple[tuple[str, str], ...] = ()
    """The collector's levels as racoon's words."""


_RFC3164: Final = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
_ISO: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
STAMPS: Final = {"local": _OWN_TIME, "rfc3164": _RFC3164, "iso": _ISO}
"""How a time text looks, for the kinds that stand in the same place in line after line."""
_STAMPS: Final = {kind: re.compile(pattern) for kind, pattern in STAMPS.items()}
_TAG_AND_LEVEL: Final = re.compile(rf"(?:\[({TAG})\] )?({_LEVEL}): ")


class Head(NamedTuple):
    """What stands before the messages of one racoon in one stream: all lines have it in common but time, tag and level."""

    kind: str
    before: str
    """What stands before the time."""
    end: int
    """Where the time ends."""
    between: str
    """What stands between the time and the tag or level."""

    def read(self, line: str) -> tuple[str, str, str, int] | None:
        """Give a line's time text, tag, level and where its message begins; None if its head is another."""
        kind, before, end, between = self
        start, middle = len(before), end + len(between)
        if line[end:middle] != between or line[:start] != before:
            return None
        marks = _TAG_AND_LEVEL.match(line, middle)
        if marks is None or _STAMPS[kind].fullmatch(line, start, end) is None:
            return None
        return line[start:end], marks[1] or "", marks[2], marks.end()


_GROUPS: Final = (
    "stamp",
    "inner",
    "host",
    "ident",
    "pid",
    "own_pid",
    "level",
    "collected",
    "tag",
    "tunnel",
    "text",
)


def _format(name: str, kind: str, pattern: str, *, raw: bool = False, levels: dict[str, str] | None = None) -> Format:
    absent = "".join(f"(?P<{group}>)" for group in _GROUPS if f"(?P<{group}>" not in pattern)
    compiled = re.compile(pattern + absent, re.DOTALL)
    groups = tuple(compiled.groupindex[group] for group in _GROUPS)
    return Format(name, kind, compiled, groups, raw, tuple((levels or {}).items()))


_HOST: Final = r"(?:(?P<host>[\w.-]+|[0-9a-fA-F.]*:[0-9a-fA-F:.]+)\s+)?"
_IDENT: Final = r"(?P<ident>[^\s:\[\]<>|()\"']+)(?:\[(?P<pid>\w+)\])?(?: \(\S+\))?(?: <(?P<collected>\w+)>)?:"
_FACILITY: Final = r"(?:(?:auth|authpriv|daemon|local\d|security|syslog|user|kern)\.\w+ )?"
_ANDROID: Final = {"E": "ERROR", "W": "WARNING", "I": "INFO", "N": "NOTIFY", "D": "DEBUG", "V": "DEBUG2"}
_APPLE: Final = {
    "Emergency": "ERROR",
    "Alert": "ERROR",
    "Critical": "ERROR",
    "Fault": "ERROR",
    "Error": "ERROR",
    "error": "ERROR",
    "fault": "ERROR",
    "Warning": "WARNING",
    "Notice": "NOTICE",
    "Default": "NOTICE",
    "default": "NOTICE",
    "Info": "INFO",
    "info": "INFO",
    "Debug": "DEBUG",
    "debug": "DEBUG",
}
_MERAKI: Final = r"(?:Site-to-site VPN|Non-Meraki / Client VPN negotiation):? (?:msg: )?"

FORMATS: Final = (
    _format("file", "local", rf"(?P<stamp>{_OWN_TIME}): ?{_MARKS}{_MAYBE_LEVELLED}", raw=True),
    _format(
        "meraki",
        "unix",
        rf"(?:{_RFC3164} \S+ 1 )?(?P<stamp>\d{{9,11}}\.\d+) (?P<host>\S+) events {_MERAKI}(?P<text>.*)",
    ),
    _format("meraki-dashboard", "rfc3164", rf"(?P<stamp>{_RFC3164}) {_MERAKI}(?P<text>.*)"),
    _format(
        "syslog",
        "rfc3164",
        rf"(?:<\d+>)?(?P<stamp>{_RFC3164})(?:\.\d+)?\s+{_HOST}{_FACILITY}{_IDENT}{INNER}",
        levels=_APPLE,
    ),
    _format("container", "iso", rf"(?P<stamp>{_ISO}) std(?:out|err) [FP] {INNER}", raw=True),
    _format("syslog-iso", "iso", rf"(?:<\d+>)?(?P<stamp>{_ISO})\s+{_HOST}{_FACILITY}{_IDENT}{INNER}"),
    _format(
        "syslog-5424",
        "iso",
        rf"(?:<\d+>)?1 (?P<stamp>{_ISO}|-) (?P<host>\S+) (?P<ident>\S+) (?P<pid>\S+) \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?{INNER}",
    ),
    _format("journal-unix", "unix", rf"(?P<stamp>\d{{9,11}}\.\d{{6}}) {_HOST}{_IDENT}{INNER}"),
    _format(
        "journal-full",
        "local",
        rf"[A-Z][a-z]{{2}} (?P<stamp>{_OWN_TIME})(?:\.\d+)? [A-Z+\-\d]+ {_HOST}{_IDENT}{INNER}",
    ),
    _format(
        "unified",
        "iso",
        r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+[+-]\d{4}) 0x[0-9a-f]+\s+(?P<collected>\w+)\s+0x[0-9a-f]+\s+"
        r"(?P<pid>\d+)\s+\d+\s+(?P<ident>[^\s:]+): (?:\(NetworkExtension\) )?(?!\([\w. -]+\) \[)(?:\[com\.apple\.networkextension:[^\]]*\] )?(?P<text>.*)",
        levels=_APPLE,
    ),
    _format(
        "unified-compact",
        "time_of_day",
        r"(?P<collected>default|error|fault|info|debug)\t(?P<stamp>\d\d:\d\d:\d\d\.\d+[+-]\d{4})\t(?P<ident>[^\t]+)\t(?P<text>.*)",
        levels=_APPLE,
    ),
    _format(
        "logcat",
        "logcat",
        r"(?P<stamp>\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\s+(?P<pid>\d+)\s+\d+ (?P<collected>[VDIWEN]) (?P<ident>\S+)\s*: (?P<text>.*)",
        levels=_ANDROID,
    ),
    _format(
        "logcat-time",
        "logcat",
        r"(?P<stamp>\d\d-\d\d \d\d:\d\d:\d\d\.\d+) (?P<collected>[VDIWEN])/(?P<ident>[^\s(]+)\s*\(\s*(?P<pid>\d+)\): (?P<text>.*)",
        levels=_ANDROID,
    ),
    _format(
        "logcat-brief",
        "",
        r"(?P<collected>[VDIWEN])/(?P<ident>[^\s(]+)\s*\(\s*(?P<pid>\d+)\): (?P<text>.*)",
        levels=_ANDROID,
    ),
    _format("android-stderr", "", r"(?P<collected>[EWIN]): (?P<text>.*)", raw=True, levels=_ANDROID),
    _format("compose", "local", rf"(?P<ident>racoon[\w.-]*)\s+\| (?P<stamp>{_OWN_TIME}): {_MARKS}{_MAYBE_LEVELLED}", raw=True),
    _format("console", "", rf"{_MARKS}{_LEVELLED}", raw=True),
    _format("stderr", "", rf"(?P<ident>racoon[\w.-]*)(?:\[(?P<pid>\w+)\])?:{INNER}"),
)
"""Every format, the commonest first; the first that fits a line is its format."""


def head_of(line: str, parsed: Line) -> Head | None:
    """Give the head of a line that was taken apart; None if it has other parts than those of a `Head`."""
    marks = f"[{parsed.tag}] {parsed.level}: " if parsed.tag else f"{parsed.level}: "
    head = line[: parsed.head]
    if parsed.inner or parsed.kind not in STAMPS or not head.endswith(marks):
        return None
    before, _, rest = head.partition(parsed.stamp)
    return Head(parsed.kind, before, len(before) + len(parsed.stamp), rest[: len(rest) - len(marks)])


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
    return Line(
        line_format.kind if stamp else "",
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


class LineSplitter:
    """Takes the lines of one stream apart. A stream keeps its format, so the last one that fitted is tried first."""

    def __init__(self) -> None:
        self._format = FORMATS[0]

    @property
    def format(self) -> Format:
        """The format of the last line that had one."""
        return self._format

    def split(self, line: str) -> Line | None:
        """Take a line apart; None where it has no known head: a continuation, a dump, or another program's text."""
        found = _split(self._format, line)
        if found is not None:
            return found
        if line.startswith("{"):
            return _split_json(line)
        for line_format in FORMATS:
            found = _split(line_format, line)
            if found is not None:
                self._format = line_format
                return found
        return None


_INNER_PATTERN: Final = _format("inner", "", INNER)


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
