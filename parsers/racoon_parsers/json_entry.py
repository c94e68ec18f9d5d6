"""A JSON object as journald, container engines and collectors write one for each record: where in it the message stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

MESSAGES: Final = ("MESSAGE", "short_message", "eventMessage", "message", "msg", "log", "_msg", "event.original", "@message")
"""Keys of the message, in the order in which they are looked for; a dot leads into an object."""
TIMES: Final = (
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "_time",
    "eventtime",
    "timereported",
    "timegenerated",
    "date",
)
HOSTS: Final = ("_HOSTNAME", "host.name", "host.hostname", "host", "hostname", "fromhost", "_host", "syslog.hostname")
PROGRAMS: Final = (
    "SYSLOG_IDENTIFIER",
    "_COMM",
    "programname",
    "process.name",
    "log.syslog.appname",
    "app-name",
    "appname",
    "app_name",
    "syslog_program",
    "program",
    "syslogtag",
    "ident",
    "_facility",
    "processImagePath",
)
PROCESSES: Final = ("_PID", "SYSLOG_PID", "process.pid", "procid", "pid", "processID")
_MILLISECONDS: Final = 1e11
"""From here on a number of seconds would be of the year 5138: it counts thousandths."""
_MICROSECONDS: Final = 1e14
_TOPICS: Final = re.compile(r"ipsec|[a-z\d-]{1,16}(?:,[a-z\d!-]{1,16}){1,6}")
"""What a collector takes for a program's name in a message of RouterOS."""
_SAYS_NOTHING: Final = ("", "-")
"""What syslog has for a name that nobody told (RFC 5424 6: NILVALUE)."""
_BYTE: Final = range(256)
_BOM: Final = "\ufeff"
"""A collector may keep what stood before the message of a syslog line (RFC 5424 6.4)."""


class Keys(NamedTuple):
    """Where an object says what; the first key that is there tells."""

    messages: tuple[str, ...] = MESSAGES
    times: tuple[str, ...] = TIMES
    hosts: tuple[str, ...] = HOSTS
    programs: tuple[str, ...] = PROGRAMS
    processes: tuple[str, ...] = PROCESSES


ANY: Final = Keys()
"""Keys that any of the collectors writes."""


class Entry(NamedTuple):
    """What an object says of one record."""

    message: str
    kind: str
    """How `stamp` is written: a key of `clock.READERS`."""
    stamp: str
    host: str
    program: str | None
    """The program's name; None where the object does not say it, and the message itself must."""
    pid: str


def read_object(line: str) -> dict[str, Any] | None:
    """Read an object; None where a line is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_entry(line: str) -> Entry | None:
    """Read an object; None where it is none, or holds no message."""
    found = read_object(line)
    return None if found is None else entry_of(found)


def messages_of(found: dict[str, Any], keys: Keys = ANY) -> Iterator[str]:
    """Give what may be the message of an object; the first is."""
    return (text for text in map(text_of, _values(found, keys.messages)) if text is not None)


def entry_of(found: dict[str, Any], keys: Keys = ANY) -> Entry | None:
    """Take what an object says; None where it holds no message."""
    message = next(messages_of(found, keys), None)
    if message is None:
        return None
    kind, stamp = next(_times(_values(found, keys.times)), ("", ""))
    program = next(_texts(_values(found, keys.programs)), None)
    if program is None and "stream" in found and "log" in found:
        program = "racoon"  # a container engine's own file: one container a file
    if program is not None:
        program = program.rstrip(": ").partition("[")[0]
        if _TOPICS.fullmatch(program):
            message, program = _behind_topics(program, message.strip()), None
    host, process = (next(_texts(_values(found, asked)), "") for asked in (keys.hosts, keys.processes))
    return Entry(message.removeprefix(_BOM), kind, stamp, host, program, process)


def _behind_topics(topics: str, message: str) -> str:
    """Give a message of RouterOS as it was sent: a collector may have left the topics there, or taken them off."""
    return message if message.startswith(f"{topics} ") else f"{topics} {message}"


def _values(found: dict[str, Any], keys: Iterable[str]) -> Iterator[Any]:
    for key in keys:
        value: Any = found.get(key)
        if value is None and "." in key:
            value = found
            for part in key.split("."):
                value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            yield value


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and value not in _SAYS_NOTHING:
            yield value
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(value)


def _times(values: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Give a time as text with its kind: a number counts seconds, thousandths or millionths since the epoch."""
    for value in values:
        text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not text:
            continue
        try:
            number = float(text)
        except ValueError:
            yield "iso", text
            continue
        scale = 1e6 if number >= _MICROSECONDS else 1e3 if number >= _MILLISECONDS else 1.0
        yield "unix", text if scale == 1.0 else f"{number / scale:.6f}"


def text_of(value: object) -> str | None:
    """Give the text of a field as journald has it; None where there is none.

    `journalctl -o json` prints a field that is not UTF-8 or holds control characters as an array of byte values, a field that
    occurs several times as an array of those, and one that is too long as null.
    """
    if isinstance(value, list) and value and isinstance(value[0], list | str):
        value = value[0]
    if isinstance(value, list) and value and all(type(byte) is int and byte in _BYTE for byte in value):
        return bytes(value).decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) else None
