"""What a dialect is: tables of how a system writes racoon's messages down.

A dialect is a folder: `dialect.py` with one `DIALECT`, which is data and nothing else, and `rows.tsv` with the messages that
no other dialect prints. `line.py` and `messages` read them; no code is called after a dialect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

# `re` and not `regex`: these patterns have one way to match, hold no text of a peer but the last group, and stand in
# the hottest place; `re` is twice as fast there.

LEVELS: Final = ("ERROR", "WARNING", "NOTIFY", "INFO", "DEBUG", "DEBUG2", "(not defined)")
"""racoon's level names (`plog.c`)."""

LEVEL: Final = r"ERROR|WARNING|NOTIFY|INFO|DEBUG2?|\(not defined\)"
OWN_TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
RFC3164: Final = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
ISO: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
STAMPS: Final = {"local": OWN_TIME, "rfc3164": RFC3164, "iso": ISO}
"""How a time text looks, for the kinds that stand in the same place in line after line."""

TAG: Final = r"[0-9a-fA-FxX]*[.:][0-9a-fA-FxX.:]*(?:%[\w.-]+)?"
"""An address without port, with its scope, or what stood in its place."""
MARKS: Final = (
    r"(?:\[(?P<tunnel>[^\]]*)\]: ?)?"
    rf"(?:\[(?P<tag>{TAG})\] )?"
    r"(?:\[(?P<own_pid>\d+)\] )?"
)
_LOCATION: Final = r"(?:[\w.-]+\.[cyl]:\d+:(?:\w+\(\):)? ?)?"
LEVELLED: Final = rf"(?P<level>{LEVEL}): *{_LOCATION}(?P<text>.*)"
MAYBE_LEVELLED: Final = rf"(?:(?P<level>{LEVEL}): *)?{_LOCATION}(?P<text>.*)"

INNER: Final = rf"\s*(?:(?P<inner>{OWN_TIME}): )?{MARKS}{MAYBE_LEVELLED}"
"""What racoon writes when somebody else adds the time."""

HOST: Final = r"(?:(?P<host>[\w.-]+|[0-9a-fA-F.]*:[0-9a-fA-F:.]+)\s+)?"
IDENT: Final = r"(?P<ident>[^\s:\[\]<>|()\"']+)(?:\[(?P<pid>\w+)\])?(?: \(\S+\))?(?: <(?P<collected>\w+)>)?:"
FACILITY: Final = r"(?:(?:auth|authpriv|daemon|local\d|security|syslog|user|kern)\.\w+ )?"

ASL: Final = {
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
"""Levels of Apple's system log and of its unified log; classic syslog heads of its systems carry them as well."""

GROUPS: Final = (
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
"""What a pattern may name. `collected` is the collector's word for the level, `own_pid` a number that racoon itself prints."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which racoon's records are stored."""

    name: str
    kind: str
    """How `stamp` is written: a key of `clock.READERS`, or "" where there is none."""
    pattern: re.Pattern[str]
    groups: tuple[int, ...]
    """Numbers of the groups of `GROUPS` in the pattern."""
    raw: bool = False
    """Whether racoon's lines stand there as it wrote them, newlines within a value and all; collectors escape those."""
    levels: tuple[tuple[str, str], ...] = ()
    """The collector's levels as racoon's words."""


def head(name: str, kind: str, pattern: str, *, raw: bool = False, levels: Mapping[str, str] = MappingProxyType({})) -> Format:
    """Make a format of a pattern that names the parts it has."""
    absent = "".join(f"(?P<{group}>)" for group in GROUPS if f"(?P<{group}>" not in pattern)
    compiled = re.compile(pattern + absent, re.DOTALL)
    groups = tuple(compiled.groupindex[group] for group in GROUPS)
    return Format(name, kind, compiled, groups, raw, tuple(levels.items()))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one system writes racoon's messages down."""

    name: str
    """The folder's name, and the word in the column `dialects` of message rows."""
    title: str
    """What the system is called where people speak of it."""
    formats: tuple[Format, ...] = field(default=())
    """Heads that no other dialect has, the commonest first."""


__all__ = ["GROUPS", "LEVELS", "STAMPS", "TAG", "Dialect", "Format", "head"]
