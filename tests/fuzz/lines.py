"""Valid lines of every row and head, taken apart and put together wrongly.

A line is a list of pieces: the parts of its head, then the literals and values of a row. Pieces are dropped, doubled, swapped,
lengthened, nested in one another, and values are given the worst that ever stood in their place. Most lines stay nearly right,
so that they reach what bytes at random never do; peers, cookies and SPIs are few, so that lines speak of the same SAs.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from racoon_parsers.line import LEVELS
from racoon_parsers.message import Message
from racoon_parsers.messages import catalogue
from racoon_parsers.template import Hole
from tests.parsers.samples import UNREAD

ADDRESSES: Final = ("192.0.2.1", "198.51.100.2", "198.51.100.3", "203.0.113.4", "2001:db8::5", "fe80::1%eth0")
COOKIES: Final = ("8f1b2c3d4e5f6071:a1b2c3d4e5f60718", "0123456789abcdef:fedcba9876543210", "8f1b2c3d4e5f6071:0000000000000000")
SPIS: Final = ("241280704", "4711", "9999999999", "4294967295", "0xe61a6c0", "1")
_PORTS: Final = ("[500]", "[4500]", "[0]", "")
_ENDS: Final = frozenset({"local", "peer", "addr", "db_addr"})
NASTY: Final = (
    *("", " ", "0", "-1", "9" * 30, "9" * 4301, "٣٤٥", "0x", "0xffffffffffffffffffff", "1e999", "nan", "%s", "{}", "\\n", "\t"),
    *(
        "<a[b>[500]",
        "<",
        ">",
        "[",
        "]",
        "[500]",
        "[[500]]",
        "<a>[b]",
        "<a>[99999]",
        "a[b]c[1]",
        "::",
        "1.2.3.4[99999]",
        "/",
        "//",
    ),
    *(
        "<=>",
        "->",
        "-",
        "&lt;=&gt;",
        "(",
        ")",
        '"',
        "'",
        "=",
        ":",
        "@(#)",
        "'\"",
        "é",
        "\ud800",
        "\u202e",
        "\x1b[31m",
        "\0",
        "#012",
    ),
    *(
        "unattributed",
        "other",
        "None",
        "main",
        "(not defined)",
        "message repeated 3 times: [ ",
        "last message repeated 9 times",
    ),
)
_HEADS: Final[tuple[Callable[[Random], list[str]], ...]] = (
    lambda some: [_day(some), " ", _clock(some), ": "],
    lambda some: [
        _syslog_day(some),
        " ",
        _clock(some),
        " ",
        some.choice(("gw1", "gw2", "2001:db8::9")),
        " ",
        "racoon",
        "[99]",
        ": ",
    ],
    lambda some: ["<30>", _syslog_day(some), " ", _clock(some), " ", "gw1", " ", "racoon", ": "],
    lambda some: [_day(some), "T", _clock(some), ".123456", "+01:00", " ", "gw1", " ", "racoon", "[99]", ": "],
    lambda some: ["<30>1 ", _day(some), "T", _clock(some), "Z", " ", "gw1", " racoon", " 99", " - ", "-", " "],
    lambda some: [_day(some), "T", _clock(some), ".1Z", " stderr F ", _day(some), " ", _clock(some), ": "],
    lambda _some: ["1480000000", ".123456", " ", "mx", " events ", "Site-to-site VPN: "],
    lambda some: ["11-24 ", _clock(some), ".123", "  ", "99", "   ", "99", " I ", "racoon", "  : "],
    lambda some: [_syslog_day(some), " ", _clock(some), " mac racoon", "[99]", " (IPSec)", " <Notice>", ": "],
    lambda _some: ["racoon", "[99]", ": "],
    lambda _some: [],
)
_ROWS: Final = tuple(row for row in catalogue().messages if row.pieces)
_EVENTFUL: Final = tuple(row for row in _ROWS if row.has_values)


def _day(some: Random) -> str:
    return f"2026-11-{some.randint(1, 28):02}"


def _syslog_day(some: Random) -> str:
    return f"Nov {some.randint(1, 28):2}"


def _clock(some: Random) -> str:
    return f"{some.randint(0, 23):02}:{some.randint(0, 59):02}:{some.randint(0, 59):02}"


def _value(hole: Hole, some: Random) -> str:
    """Print a value: one of the few that tie lines together, or a sample."""
    if hole.name in _ENDS:
        return some.choice(ADDRESSES) + some.choice(_PORTS)
    if hole.name in {"cookies", "cookies_new"}:
        return some.choice(COOKIES)
    if hole.name == "spi":
        return some.choice(SPIS)
    if hole.name == "sa":
        one, other = some.sample(ADDRESSES, 2)
        return f"ESP/Tunnel {one}[500]->{other}[500] spi={some.choice(SPIS[:4])}(0x1267)"
    return some.choice(hole.field.samples) if hole.field else UNREAD[hole.conversion[-1]]


def _message(row: Message, some: Random) -> list[str]:
    return [piece if isinstance(piece, str) else _value(piece, some) for piece in row.pieces]


def _row(some: Random) -> Message:
    return some.choice(_EVENTFUL if some.random() < 0.7 else _ROWS)


def _drop(pieces: list[str], at: int, _some: Random) -> None:
    del pieces[at]


def _double(pieces: list[str], at: int, _some: Random) -> None:
    pieces.insert(at, pieces[at])


def _swap(pieces: list[str], at: int, some: Random) -> None:
    other = some.randrange(len(pieces))
    pieces[at], pieces[other] = pieces[other], pieces[at]


def _lengthen(pieces: list[str], at: int, some: Random) -> None:
    pieces[at] *= some.choice((2, 3, 9, 99, 999))


def _nest(pieces: list[str], at: int, some: Random) -> None:
    place = some.randint(0, len(pieces[at]))
    pieces[at] = pieces[at][:place] + some.choice(pieces) + pieces[at][place:]


def _spoil(pieces: list[str], at: int, some: Random) -> None:
    pieces[at] = some.choice(NASTY)


def _graft(pieces: list[str], at: int, some: Random) -> None:
    place = some.randint(0, len(pieces[at]))
    pieces[at] = pieces[at][:place] + some.choice(NASTY) + pieces[at][place:]


def _foreign(pieces: list[str], at: int, some: Random) -> None:
    pieces[at] = some.choice(_message(_row(some), some))


def _cut(pieces: list[str], at: int, some: Random) -> None:
    pieces[at] = pieces[at][: some.randint(0, len(pieces[at]))]


CHANGES: Final = (_drop, _double, _swap, _lengthen, _nest, _spoil, _graft, _foreign, _cut)


def line(some: Random) -> str:
    """Make one line: a good one, or one to which something was done, mostly little."""
    pieces = some.choice(_HEADS)(some)
    if some.random() < 0.5:
        pieces += ["[", some.choice(ADDRESSES), "] "]
    if some.random() < 0.9:
        pieces += [some.choice(LEVELS), ": "]
    pieces += _message(_row(some), some)
    while pieces and some.random() < 0.6:
        some.choice(CHANGES)(pieces, some.randrange(len(pieces)), some)
    return "".join(pieces)[:65536]
