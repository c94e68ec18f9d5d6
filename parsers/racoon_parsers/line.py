"""A raw line, taken apart: who wrote it, when, at which level, and the message text.

The dialects hold a row for each way racoon's output is stored (`docs/formats.md`). What racoon itself writes, `INNER`, is the
same in most of them: time, tunnel name (pfSense), peer tag, process id (Apple), level, source location, message.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from racoon_parsers.dialects import DIALECTS, FORMATS
from racoon_parsers.dialects.base import HOST, INNER, LEVELS, STAMPS, STRUCTURED, TAG, Format, head, stamp
from racoon_parsers.json_entry import read_entry


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


_RACOON: Final = re.compile(r"racoon(?!-tool$|ctl$)[\w.-]*+$")


def is_racoon(ident: str) -> bool:
    """Whether a program of this name is racoon; a renamed binary such as `racoon-vpn1` is."""
    return _RACOON.match(ident.rpartition("/")[2]) is not None


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
    if line_format.dialect:  # what has heads of its own
        text = text or ""
        for escaped, character in line_format.escapes:
            text = text.replace(escaped, character)
        kind = kind if stamp else ""
        return Line(
            kind,
            stamp,
            "",
            host or "",
            ident or "",
            pid or "",
            level or "",
            tag or "",
            "",
            text.strip(),
            0,
            line_format.dialect,
            line_format.needs,
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
        0 if line_format.needs else match.start(line_format.groups[-1]),
        "",
        line_format.needs,
    )


_FIRST: Final = DIALECTS["ipsec_tools"].formats[0]
_SURE: Final = tuple(one for one in FORMATS if not one.needs)
_UNSURE: Final = tuple(one for one in FORMATS if one.needs)
_RECEIVED: Final = (
    head("received-5424", "iso", rf"(?:<\d+>)?{STRUCTURED}(?P<text>.*)"),
    head(
        "received",
        "",
        rf"(?:<\d+>)?(?:{stamp('rfc3164', 'iso', 'dated', 'year_first', 'slashed', 'local')}(?:[.,]\d+)?\s+"
        rf"(?:<[a-z\d]+\.\w+> |(?P<collected>[A-Z]\w+\.[A-Z]\w+\t))?{HOST})?(?P<text>.*)",
    ),
)
"""What a receiver puts before any line that comes: priority, time, Kiwi Syslog Server's facility, and who sent it."""
_ANYBODYS: Final = frozenset({"console", "android-stderr"})
"""A level alone says no program: where others write as well, their lines would be taken for racoon's."""
_SENT: Final = tuple(one for one in _SURE if one.name not in _ANYBODYS)
"""What may stand behind it."""
_DATELESS: Final = ("", "time_of_day")
_PRIORITY: Final = re.compile(r"<\d+>")


def _split_received(line: str) -> tuple[Line | None, Format | None]:
    """Take a line apart that a receiver put its own head before, whatever system wrote it."""
    outer = next((found for received in _RECEIVED if (found := _split(received, line)) is not None), None)
    if outer is None or not (outer.stamp or line.startswith("<")):
        return None, None
    texts = [outer.text]
    if line.startswith("<"):
        texts.append(_PRIORITY.sub("", line, count=1))
    if outer.level and outer.host:
        texts.append(f"{outer.stamp} {outer.host} {outer.text}")  # as others put it, without the facility
    for text in texts:
        for line_format in _SENT:
            found = _split(line_format, text)
            if found is not None:
                return _behind(outer, found, own=line_format is _FIRST), line_format
    return None, None


def _behind(outer: Line, line: Line, *, own: bool) -> Line:
    """Give a line what the head before it says, where it says less itself; with `own`, its time is racoon's own."""
    if own:
        line = line._replace(kind=outer.kind, stamp=outer.stamp, inner=line.stamp)
    elif outer.stamp and line.kind in _DATELESS:
        line = line._replace(kind=outer.kind, stamp=outer.stamp)
    return line._replace(host=line.host or outer.host, head=0)


class LineSplitter:
    """Takes the lines of one stream apart. A stream keeps its format, so the last one that fitted is tried first."""

    def __init__(self) -> None:
        self._format = self._tried_first = _FIRST

    @property
    def format(self) -> Format:
        """The format of the last line that had one."""
        return self._format

    @property
    def tried_first(self) -> str:
        """The name of the format that the stream keeps, to be remembered over a restart."""
        return self._tried_first.name

    def try_first(self, name: str) -> None:
        """Go on with the format of a name; of one that another version had, it is not known which."""
        self._tried_first = self._format = next((known for known in FORMATS if known.name == name), _FIRST)

    def split(self, line: str) -> Line | None:
        """Take a line apart; None where it has no known head: a continuation, a dump, or another program's text."""
        found, line_format = self._apart(line)
        if line_format is not None:
            self._format = line_format
            if not line_format.needs:
                self._tried_first = line_format
        return found

    def peek(self, line: str) -> Line | None:
        """Take a line apart that is looked at before its turn: what comes before it is not read by its format."""
        return self._apart(line)[0]

    def _apart(self, line: str) -> tuple[Line | None, Format | None]:
        found = _split(self._tried_first, line)
        if found is not None:
            return found, self._tried_first
        if line.startswith("{"):
            return _split_json(line), None
        for line_format in _SURE:
            found = _split(line_format, line)
            if found is not None:
                return found, line_format
        found, within = _split_received(line)
        if found is not None:
            return found, within
        for line_format in _UNSURE:
            found = _split(line_format, line)
            if found is not None:
                return found, line_format
        return None, None


_INNER_PATTERN: Final = head("inner", "", INNER)


def split_inner(text: str) -> Line | None:
    """Take apart what racoon itself wrote, such as a record within another record."""
    return _split(_INNER_PATTERN, text.strip())


def _split_json(line: str) -> Line | None:
    """Take apart an object of a collector: the message it carries, with what the object says of it."""
    entry = read_entry(line)
    if entry is None:
        return None
    inside = None if entry.program and is_racoon(entry.program) else _whole_line(entry.message)
    program = entry.program
    if inside is not None and inside.dialect:
        program = None  # its head says more than a collector's word
    elif program:
        inside = split_inner(entry.message)
    if inside is None:
        return None
    if program is None and inside.kind == "local":  # racoon's own time
        inside = inside._replace(kind="", stamp="", inner=inside.stamp)
    if entry.stamp:
        inside = inside._replace(kind=entry.kind, stamp=entry.stamp)
    return inside._replace(host=entry.host or inside.host, ident=program or inside.ident, pid=inside.pid or entry.pid, head=0)


def _whole_line(message: str) -> Line | None:
    """Take a message apart that must tell by itself whose it is: by a head with a time, or one that a dialect alone has."""
    line, splitter = message.strip(), LineSplitter()
    found = None if line.startswith("{") else splitter.split(line)
    if (
        splitter.format.name in _ANYBODYS
        or found is None
        or (found.needs and not found.dialect)
        or not (found.stamp or found.inner or found.dialect)
    ):
        return None
    return found


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
