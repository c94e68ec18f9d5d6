"""What a dialect is: tables of how a system writes racoon's messages down.

A dialect is a folder: `dialect.py` with one `DIALECT`, which is data and nothing else, and `rows.tsv` with the messages that
no other dialect prints. `line.py` and `messages` read them; no code is called after a dialect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from racoon_parsers.tsv import no_such

# `re` and not `regex`: these patterns have one way to match, hold no text of a peer but the last group, and stand in
# the hottest place; `re` is twice as fast there.

_MOST_BLANKS: Final = 32
_LONGEST_WORD: Final = 255
_UNBOUNDED: Final = re.compile(r"(\\[sSwd]|(?<!\\)\])([+*])(?![+?])")


def _bounded(pattern: str) -> str:
    """Bound what a head may repeat: a line of nothing but blanks or one word costs no more than a short one.

    Only the message itself, `.*`, may be as long as a line is.
    """

    def bound(found: re.Match[str]) -> str:
        most = _MOST_BLANKS if found[1] == r"\s" else _LONGEST_WORD
        return f"{found[1]}{{{0 if found[2] == '*' else 1},{most}}}"

    return _UNBOUNDED.sub(bound, pattern)


LEVELS: Final = ("ERROR", "WARNING", "NOTIFY", "INFO", "DEBUG", "DEBUG2", "(not defined)")
"""racoon's level names (`plog.c`)."""

_LEVELS_TOLD: Final = (*LEVELS, "NOTICE")
LEVEL: Final = r"ERROR|WARNING|NOTIFY|INFO|DEBUG2?|\(not defined\)"
OWN_TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
RFC3164: Final = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
ISO: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,12})?(?:Z|[+-]\d\d:?\d\d)?"
_CLOCK: Final = r"\d\d:\d\d:\d\d"
STAMPS: Final = {
    kind: _bounded(pattern)
    for kind, pattern in {
        "local": OWN_TIME,
        "rfc3164": RFC3164,
        "iso": ISO,
        "time_of_day": rf"{_CLOCK}(?:\.\d+)?",
        "month_day": rf"[A-Za-z]{{3}}/\d\d(?:/\d{{4}})? {_CLOCK}",
        "dotted": rf"\d{{4}}\.\d\d\.\d\d-{_CLOCK}",
        "asctime": rf"[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ \d]\d {_CLOCK} \d{{4}}(?: ?\((?:GMT|UTC)(?: ?[+-]\d\d:?\d\d)?\))?",
        "dated": rf"[A-Z][a-z]{{2}} [ \d]\d \d{{4}} {_CLOCK}",
        "year_first": rf"\d{{4}} [A-Z][a-z]{{2}} [ \d]?\d {_CLOCK}",
        "slashed": rf"\d{{4}}/\d\d/\d\d {_CLOCK}",
        "american": r"\d{1,2}/\d{1,2}/\d{2,4},? \d{1,2}:\d\d:\d\d(?:[.,]\d+)?[ \u00a0\u202f]?[APap]\.?[Mm]?\.?",
        "european": rf"\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}},? {_CLOCK}(?:[.,]\d+)?",
        "logcat": rf"\d\d-\d\d {_CLOCK}(?:\.\d+)?",
    }.items()
}
"""How a time text of each kind looks (`clock.READERS`)."""


def stamp(*kinds: str) -> str:
    """Give the pattern of a time that may be of any of these kinds; the head tells which it was. Raises ValueError."""
    for kind in kinds:
        if kind not in STAMPS:
            raise ValueError(f"{no_such('kind of time', kind, STAMPS)} (base.STAMPS says how each looks)")
    return "(?:" + "|".join(f"(?P<stamp_{kind}>{STAMPS[kind]})" for kind in kinds) + ")"


TAG: Final = _bounded(
    r"(?:[0-9a-fA-FxX]*[.:][0-9a-fA-FxX.:]*(?:%[\w.-]+)?"
    rf"|(?!\d+\])[^\s\[\]]{{1,64}}(?=\] (?:{LEVEL}): ))"
)
"""An address without port, with its scope, or what people put in its place; a bare number is a process."""
NO_MODEL: Final = r"(?!\s?\[[^\[\]]{1,40}\]\s?\[[A-Za-z]{2,8}\])"
"""What racoon never prints behind its time: two boxes, a router's model and the program."""
MARKS: Final = (
    r"(?:(?:<strong>)?\[(?P<tunnel>[^\]]*)\](?:</strong>)?: ?)?"
    rf"(?:\[(?P<tag>{TAG})\] )?"
    r"(?:\[(?P<own_pid>\d+)\] )?"
)
_LOCATION: Final = r"(?:[\w.-]+\.[cyl]:\d+:(?:\w+\(\):)? ?)?"
LEVELLED: Final = rf"(?P<level>{LEVEL}): *+{_LOCATION}(?P<text>.*)"
MAYBE_LEVELLED: Final = rf"(?:(?P<level>{LEVEL}): *+)?{_LOCATION}(?P<text>.*)"

_LONGEST_TEXT: Final = 65_536
"""As long as a line may be that is read (`limits` of the exporter)."""


def text_before(end: int) -> str:
    """Give the pattern of a long text behind which an end of no more than so many characters may stand, and a newline.

    All before the last characters is taken at once: to look for the end at each was most of what the head of a long line cost.
    """
    last = end + 1
    return rf"(?P<text>(?:.{{0,{_LONGEST_TEXT}}}(?=.{{{last}}}$))?.{{0,{last}}}?)"


INNER: Final = rf"\s*(?:(?P<inner>{OWN_TIME}): )?{MARKS}{MAYBE_LEVELLED}"
"""What racoon writes when somebody else adds the time."""

FACILITIES: Final = r"(?:auth|authpriv|daemon|local\d|security|syslog|user|kern)"
_PRIORITIES: Final = r"(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug)"
SOURCE: Final = r"(?:[\w.-]{1,64}@)?"
"""syslog-ng's name of what received a line, before the host that wrote it (`chain_hostnames`)."""
RELAYS: Final = r"(?:/[\w.:-]{1,255}){0,4}"
"""Hosts that passed a line on, behind the one that wrote it (`chain_hostnames`)."""
HOST: Final = (
    rf"(?:(?!{FACILITIES}\.{_PRIORITIES}\s){SOURCE}(?P<host>[\w.-]+|\(none\)|[0-9a-fA-F.]*:[0-9a-fA-F:.]+){RELAYS}\s+)?"
)
"""The host that wrote a line; `(none)` is Linux's where nobody named it."""
_NO_IDENT: Final = r"(?!\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:|CEF:\d|(?:\S*/)?iked(?:\[\d+\])?: \[[A-Z]|VPN: |events )"
"""What looks like a program's name and belongs to a head of some dialect."""
IDENT: Final = _NO_IDENT + r"(?P<ident>[^\s:\[\]<>|()\"']+)(?:\[(?P<pid>\w+)\])?(?: \(\S+\))?(?: <(?P<collected>\w+)>)?:"
FACILITY: Final = rf"(?:{FACILITIES}\.\w+ |{_PRIORITIES} )?"

STRUCTURED_DATA: Final = r"(?:-|(?:\[(?:[^\]\\]|\\.){0,2048}\]){1,16})"
STRUCTURED: Final = rf"1 (?P<stamp>{ISO}|-) (?P<host>\S+) (?P<ident>\S+) (?P<pid>\S+) \S+ {STRUCTURED_DATA} ?"
"""The head of RFC 5424, behind the priority."""

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
    kinds: tuple[tuple[str, int], ...] = ()
    """Where the time may be written in several ways: each kind and its group."""
    needs: str = ""
    """What a line must hold besides this head, which other programs' lines may have as well: `known`, a message that the
    dialect knows; `whole`, one without free text in it. Such a head is tried last and never remembered."""
    escapes: tuple[tuple[str, str], ...] = ()
    """What the collector writes in place of a character of the message."""
    doubled: bool = False
    """Whether a line may stand there twice, to the letter."""
    dialect: str = ""
    """The dialect that alone has such heads; "" where the rows that all share are meant."""


_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_TIMES: Final = {*STAMPS, "unix", ""}
_NEEDS: Final = ("", "known", "whole")


def _wrong_head(kind: str, pattern: str, groups: Iterable[str], levels: Mapping[str, str], needs: str) -> Iterator[str]:
    if kind not in _TIMES:
        yield f"{no_such('kind of time', kind, _TIMES)} (empty where stamp(...) tells it, or where there is none)"
    for group in groups:
        if group not in GROUPS and not group.startswith("stamp_"):
            yield no_such("part of a head", group, GROUPS)
    if "(?P<text>" not in pattern:
        yield "its pattern does not say where the message stands; name that part (?P<text>.*)"
    for word in levels.values():
        if word not in _LEVELS_TOLD:
            yield no_such("level of racoon's", word, _LEVELS_TOLD)
    if needs not in _NEEDS:
        yield f"{no_such('need', needs, _NEEDS)} (empty where the head is enough)"


def head(
    name: str,
    kind: str,
    pattern: str,
    *,
    raw: bool = False,
    levels: Mapping[str, str] = _NOTHING,
    needs: str = "",
    escapes: Mapping[str, str] = _NOTHING,
    doubled: bool = False,
) -> Format:
    """Make a format of a pattern that names the parts it has. Raises ValueError where it is none."""
    pattern = _bounded(pattern)
    absent = "".join(f"(?P<{group}>)" for group in GROUPS if f"(?P<{group}>" not in pattern)
    try:
        compiled = re.compile(pattern + absent, re.DOTALL)
    except re.error as error:
        raise ValueError(f"head {name}: no pattern: {error.msg}: {pattern[error.pos or 0 :][:20]!r}") from error
    for wrong in _wrong_head(kind, pattern, compiled.groupindex, levels, needs):
        raise ValueError(f"head {name}: {wrong}")
    groups = tuple(compiled.groupindex[group] for group in GROUPS)
    found = compiled.groupindex.items()
    kinds = tuple((group.removeprefix("stamp_"), number) for group, number in found if group.startswith("stamp_"))
    return Format(name, kind, compiled, groups, raw, tuple(levels.items()), kinds, needs, tuple(escapes.items()), doubled)


Spellings = tuple[tuple[re.Pattern[str], str], ...]
"""What is found in a text, and what stands in its place."""
_ANY: Final = re.compile("")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one system writes racoon's messages down."""

    name: str
    """The folder's name, and the word in the column `dialects` of message rows."""
    title: str
    """What the system is called where people speak of it."""
    formats: tuple[Format, ...] = ()
    """Heads that no other dialect has, the commonest first."""
    own: bool = False
    """Whether its lines are told by their heads alone: its rows, and its spelling, are then read behind these only."""
    program: re.Pattern[str] = _ANY
    """Which of the programs or topics that its heads name is its IKE daemon."""
    inner: re.Pattern[str] | None = None
    """What the daemon itself writes, as it stands within another record: `tag` and `text`."""
    capital: bool = False
    """Whether its texts begin with a capital letter where racoon's do not."""
    spellings: Spellings = ()
    """How its texts are turned into those of the rows: each pattern in turn, where the text as it stands is not known."""
    glue: str = " "
    """What a terminal took away where it broke a line: a blank, or nothing where it breaks within words."""
    true_arrows: bool = False
    """Whether both established lines of a pair print the true direction, and a purge names each SA of it."""
    phase2_rule: str = ""
    """The logging rule without which its log does not tell of phase 2; "" where it always does."""
    copies: bool = False
    """Whether one message may be logged once more at once, by a second rule with another prefix."""


def spelling(*pairs: tuple[str, str]) -> Spellings:
    """Make rules of spelling: what is found, and what stands in its place. Raises ValueError."""
    return tuple((_spelled(pattern), replacement) for pattern, replacement in pairs)


def _spelled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_bounded(pattern), re.DOTALL)
    except re.error as error:
        raise ValueError(f"spelling: no pattern: {error.msg}: {pattern!r}") from error


__all__ = ["GROUPS", "LEVELS", "STAMPS", "TAG", "Dialect", "Format", "Spellings", "head", "spelling", "stamp"]
