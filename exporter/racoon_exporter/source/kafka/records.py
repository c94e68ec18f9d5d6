"""From a record of a topic to lines as a syslog server would write them. Pure.

Collectors wrap a line in an object, or cut its head off. What the record and its object know of time, gateway and program
is put before the text as a head, unless the text has one.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from racoon_exporter.source.files.lines import MAX_LINE
from racoon_parsers.json_entry import ANY, Entry, Keys, entry_of

Naming = Literal["key", "host", "line"]
"""What names the gateway of a record: its key, the host of its envelope, or its text alone."""
NAMINGS: Final[tuple[Naming, ...]] = ("key", "host", "line")

ENVELOPES: Final[Mapping[str, Keys | None]] = {
    "plain": None,
    "json": ANY,
    "vector": Keys(
        ("message", "log"), ("timestamp", "@timestamp"), ("host", "hostname", "source_ip"), ("appname", "app_name"), ("procid",)
    ),
    "fluent-bit": Keys(
        ("message", "log", "MESSAGE", "msg"),
        ("time", "@timestamp", "timestamp", "date"),
        ("host", "hostname", "_HOSTNAME", "source_host"),
        ("ident", "program", "appname", "SYSLOG_IDENTIFIER"),
        ("pid", "procid", "_PID", "SYSLOG_PID"),
    ),
    "rsyslog": Keys(
        ("msg", "message", "rawmsg"),
        ("timereported", "timestamp", "@timestamp", "timegenerated"),
        ("hostname", "host", "source", "fromhost", "fromhost-ip"),
        ("programname", "app-name", "syslogtag"),
        ("procid", "pid"),
    ),
    "filebeat": Keys(
        ("message", "event.original"),
        ("@timestamp",),
        ("log.syslog.hostname", "hostname", "host.hostname", "host.name", "log.source.address"),
        ("log.syslog.appname", "process.name", "process.program"),
        ("process.pid", "log.syslog.procid"),
    ),
}
"""By name: where an object of a collector says what; None where a record is text."""

MOST_BYTES: Final = 1024 * 1024
"""A record that is longer is passed over."""
_LONGEST_NAME: Final = 255
_UNFIT: Final = re.compile(r"[^\w.-]+")
"""What no host of a syslog head is written with, but for an address of IPv6."""
_IPV6: Final = r"[0-9a-fA-F.]*:[0-9a-fA-F:.]+"
_HEAD: Final = re.compile(
    r"(?P<before>(?:<\d{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d|"
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) )(?P<host>[^\s:\[\],]+ |"
    rf"{_IPV6} )?"
)
"""A syslog server's, with the host where there is one: a program's name ends in a colon or its id, topics have commas."""
_ADDRESS: Final = re.compile(_IPV6)
_OWN: Final = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: |(?:\[[^\]]{1,100}\] )?(?:INFO|NOTIFY|WARNING|ERROR|DEBUG2?): |"
    r"<\d{1,3}>|[a-z0-9]+(?:, ?[a-z0-9!-]+)+[ :]"
)
"""What a record of racoon begins with where nobody put a head before it: its time, tag and level; RouterOS' topics."""
_OWN_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: ")
_RACOONS: Final = re.compile(r"\d{4}-|\[|INFO|NOTIFY|WARNING|ERROR|DEBUG")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?")


_NOTHING_BESIDE: Final = Entry("", "", "", "", None, "")


REASONS: Final = ("tombstone", "too_long", "not_json", "no_text", "damaged")
"""Why a record held no line."""


class Record(NamedTuple):
    """What Kafka tells of a record."""

    key: bytes | None
    value: bytes | None
    time: float | None
    """Seconds since the epoch, where it has a time."""


@dataclass(slots=True)
class Lines:
    """Takes records, and gives their lines; counts what holds none."""

    keys: Keys | None = None
    naming: Naming = "key"
    passed_over: dict[str, int] = field(default_factory=dict)
    """Records that hold no line, by reason."""

    def of(self, record: Record) -> bytes:
        """Give the lines of a record, each with its end; nothing for one that holds none. Never raises."""
        value = (record.value or b"").removeprefix(codecs.BOM_UTF8)
        if self.naming == "line" and self.keys is None and value and b"\n" not in value and len(value) < MAX_LINE:
            return value + b"\n"
        read = self._read(value)
        if isinstance(read, Entry):
            lines = [line.encode("utf-8", "backslashreplace") for line in self._lines(read, record)]
            if all(len(line) < MAX_LINE for line in lines):
                return b"".join(line + b"\n" for line in lines)
            read = "too_long"
        self.passed_over[read] = self.passed_over.get(read, 0) + 1
        return b""

    def _read(self, value: bytes) -> Entry | str:
        """Give the text of a record and what stands beside it, or why there is none."""
        if not value:
            return "tombstone"
        if len(value) > MOST_BYTES:
            return "too_long"
        text = value.decode("utf-8", "backslashreplace")
        if self.keys is None:
            return _NOTHING_BESIDE._replace(message=text)
        found = _object(text)
        if found is None:
            return "not_json"
        return entry_of(found, self.keys) or "no_text"

    def _lines(self, entry: Entry, record: Record) -> Iterator[str]:
        gateway = self._gateway(entry, record)
        stamp = _stamp(entry, record)
        for number, line in enumerate(entry.message.strip("\r\n").split("\n")):
            found = _HEAD.match(line)
            if found is not None:
                yield f"{found['before']}{gateway} {line[found.end() :]}" if gateway else line
            elif gateway and _OWN_TIME.match(line):  # it may have waited for hours on its way: what stands beside it tells less
                yield f"{line[:10]}T{line[11:19]} {gateway} {_program(line, entry)}{line[21:]}"
            elif gateway and (number == 0 or _OWN.match(line)):
                yield f"{stamp} {gateway} {_program(line, entry)}{line}"
            else:
                yield line

    def _gateway(self, entry: Entry, record: Record) -> str:
        name = record.key.decode("utf-8", "backslashreplace") if record.key and self.naming == "key" else ""
        if not name and self.naming != "line":
            name = entry.host
        return _fit(name.strip()[:_LONGEST_NAME])


def _object(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=4096)
def _fit(name: str) -> str:
    """Give a name as a head has it: of one word."""
    return name if _ADDRESS.fullmatch(name) else _UNFIT.sub("_", name)


def _program(line: str, entry: Entry) -> str:
    """Name who wrote a line, as a head does; nothing where it says so itself."""
    if entry.program and "," not in entry.program:
        program = _fit(entry.program[:_LONGEST_NAME])
        return f"{program}[{entry.pid}]: " if entry.pid.isascii() and entry.pid.isdigit() else f"{program}: "
    return "racoon: " if _RACOONS.match(line) and _OWN.match(line) else ""


def _stamp(entry: Entry, record: Record) -> str:
    """Give the time of a record: as its envelope says, else as Kafka does."""
    if entry.kind == "iso" and _ISO.fullmatch(entry.stamp) and _seconds(entry.stamp) is not None:
        return entry.stamp.replace(" ", "T", 1)
    told = float(entry.stamp) if entry.kind == "unix" else math.nan
    return _written(told) or _written(record.time or 0.0) or _written(0.0)


_PLACED: Final = re.compile(
    rb"(?:<\d{1,3}>)?(?:1 )?(?:(?P<stamp>[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d|"
    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) (?P<host>(?:[^\s:\[\],]+|"
    + _IPV6.encode()
    + rb")(?= ))?|"
    rb"(?P<own>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d): )"
)
"""As `_HEAD` and `_OWN_TIME` have it."""
_ANY_LEAP_YEAR: Final = "2000"
_BSD_LENGTH: Final = len("Jan 15 08:30:01")


def origin_of(lines: bytes) -> tuple[str, float | None]:
    """Give the gateway and the time of the first of some lines, as they stand there: "" and None for what does not.

    The time puts lines of one gateway in order and serves nothing else: where zone or year are missing, any will do.
    """
    found = _PLACED.match(lines)
    if found is None:
        return "", None
    host = found["host"] or b""
    return host.decode("utf-8", "backslashreplace").casefold(), _seconds((found["stamp"] or found["own"]).decode("ascii"))


@lru_cache(maxsize=1024)
def _seconds(stamp: str) -> float | None:
    try:
        if stamp[0].isdigit():
            time = datetime.fromisoformat(stamp.replace(",", "."))
        else:
            spelled = stamp if len(stamp) > _BSD_LENGTH else f"{stamp[:6]} {_ANY_LEAP_YEAR}{stamp[6:]}"
            time = datetime.strptime(f"{spelled} +0000", "%b %d %Y %H:%M:%S %z")
        return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def _written(time: float) -> str:
    """Write a time; nothing for what is none."""
    try:
        return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""
