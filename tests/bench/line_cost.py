"""What the dearest lines cost: each row of the catalogue, and each head, with what hurts it most, at 1 to 64 KiB.

    python -m tests.bench.line_cost [--every N] [--part I/N] [--bound MILLISECONDS]

A line is read as `serve` reads it, head and all. Fillers are what a pattern could go back and forth on: each literal of the
row, whole and with its ends cut, each word, each sample of its values, and brackets, arrows and blanks; repeated in every
place of the row, with what follows and without. Rows of a dialect stand behind its own heads, and a share of the others there
and in a collector's object as well, where a text that is not known is looked up as it may have been changed. Of a head each
place between two words is filled. Prints the dearest, in milliseconds of processor time for each 4 KiB, and fails beyond the
bound. (That a cost can't grow faster than the line is proved by `tests/parsers/test_linear.py`.)
"""

from __future__ import annotations

import argparse
import heapq
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import chain
from typing import Final, NamedTuple

from racoon_parsers.clock import Clock
from racoon_parsers.message import Message
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader
from racoon_parsers.record import LONGEST_TEXT
from racoon_parsers.template import Hole
from tests.parsers.samples import FOLDER, NOTHING, UNREAD, read_samples

Wrap = Callable[[str], str]
"""Makes a line of a message."""


def _behind(head: str) -> Wrap:
    return lambda text: head + text


FILE: Final = _behind("2026-01-15 08:30:02: INFO: ")
DIALECTS: Final[dict[str, tuple[Wrap, ...]]] = {
    "iked": (
        _behind("2023-01-13 11:39:21 [PROTO_ERR]: ikev1.c:520:isakmp_main(): "),
        _behind("Jan 15 08:30:02 gw iked[44]: [INFO]: ikev1.c:800:ikev1_initiate(): "),
    ),
    "mikrotik": (
        _behind("09:12:31 ipsec,error "),
        _behind("<30>Jan 15 17:08:43 rb4011 ipsec,info "),
        _behind("<30>Jan 15 17:08:43 rb4011 "),
        _behind('time=09:12:31 topics=ipsec,error message="'),
        _behind("Jan 15 17:08:43 gw CEF:0|MikroTik|RB|7|1|ipsec,error|Low|dvchost=gw dvc=192.0.2.1 msg="),
    ),
    "teamf1": (
        _behind("Mon Oct 24 09:47:47 2011 (GMT -0500): [FVS336GV2] [IKE] INFO:  "),
        _behind("VPN Information [Tue Dec  4 11:05:12 2018(GMT)] [DSR-250] [2.11] [VPN] [Information] [IPSEC] ["),
    ),
}
"""Heads behind which the rows of a dialect are read."""
OTHERS: Final[tuple[Wrap, ...]] = (
    _behind("<30>Jan 15 08:30:02 gw racoon[99]: [192.0.2.1] DEBUG: "),
    _behind("2026-01-15 08:30:02.698510+0100 0x20eeab6  Default     0x0   490    0    racoon: (lib) [com.apple.net:] "),
    _behind("Jan 15 08:30:02 \tNon-Meraki / Client VPN negotiation\tmsg: "),
    lambda text: json.dumps({"__REALTIME_TIMESTAMP": "1760000000000000", "_COMM": "racoon", "MESSAGE": f"INFO: {text}"}),
    lambda text: json.dumps({"time": "2026-01-15T08:30:02Z", "log": f"2026-01-15 08:30:02: INFO: {text}\n"}),
    *(wrap for wraps in DIALECTS.values() for wrap in wraps),
)
_OTHERS: Final = (FILE(f"got pfkey {'x' * 600} message"), FILE("the password is another"), "")
"""What is asked before each line: the last answer of a long text, and of one with a secret, is remembered."""
_SHARE: Final = 16
"""Of the rows that all heads share, one in so many is read behind the other heads as well, and one in so many at the sizes of
which a row sees no more than `LONGEST_TEXT`: these cost what the head and the search for secrets do."""
_TRIES: Final = 7
_MOST_TRIES: Final = 50
SIZES: Final = (1024, LONGEST_TEXT, 4096, 16384, 65536)
"""And where a row still sees all of its text."""
UNIT: Final = 4096
JUNK: Final = (
    *"0a([<:-./ =\"'",
    "->",
    "<=>",
    "(a",
    "[a",
    "a.",
    "a:",
    "0 ",
    "a ",
    "1.2.3.4[5",
    "a[1]",
    "a-",
    "x->",
    "\t",
    ": ",
    "-&gt;",
    "pass",
    "passkey",
    'Key is x"',
    "key(x)",
    "key enckey ",
    "KEYpsk",
    "cookie: KEY ",
    "2026-01-15 ",
    '2026-01-15"',
)


class Measured(NamedTuple):
    """What one line cost."""

    milliseconds: float
    """For each 4 KiB; of lines below that length, for the line."""
    size: int
    filler: str
    template: str


def fillers(row: Message) -> Iterator[str]:
    """Give what could hurt a row."""
    yield from JUNK
    for piece in row.pieces:
        if isinstance(piece, str):
            yield from (piece, piece[:-1], piece[1:], *piece.split())
        elif piece.field:
            yield from piece.field.samples


def printed(piece: str | Hole) -> str:
    """Print a piece of a row."""
    if isinstance(piece, str):
        return piece
    if piece.conversion in {"%d", "%u"}:
        return "17"
    return piece.field.samples[0] if piece.field else UNREAD[piece.conversion[-1]]


def texts(row: Message, filler: str, size: int) -> Iterator[str]:
    """Give the row's text with a filler in each place, with what follows and cut off there."""
    pieces = [printed(piece) for piece in row.pieces]
    junk = filler * (size // len(filler) + 1)
    for place in range(len(pieces) + 1):
        before, behind = "".join(pieces[:place]), "".join(pieces[place:])
        yield (before + junk)[: size - len(behind)] + behind
        yield (before + junk)[:size]


def seconds(line: str, enough: float) -> float:
    """Give the processor time of reading a line, the least of some tries, of more where it is dear: others are busy, too."""
    least = float("inf")
    for tries in range(1, _MOST_TRIES + 1):
        LogReader(catalogue(), Clock(UTC)).feed(_OTHERS)
        reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
        begun = time.thread_time()
        for record in reader.feed([line]) + reader.flush():
            _ = record.event
        least = min(least, time.thread_time() - begun)
        if least < enough or (tries >= _TRIES and least < 3 * enough):
            break
    return least


def _dearest(lines: Iterator[str], size: int, bound: float) -> float:
    """Give what the dearest of these lines costs for each 4 KiB; of shorter ones, the line."""
    units = max(size, UNIT) / UNIT
    return max(seconds(line, bound / 4000 * units) for line in lines) * 1000 / units


def measure(rows: list[tuple[Wrap, Message]], bound: float = 1.0) -> Iterator[Measured]:
    """Measure each row with each filler, at each size."""
    for number, (wrap, row) in enumerate(rows):
        for filler in sorted(set(fillers(row)) - {""}):
            for size in SIZES:
                if size > LONGEST_TEXT and number % _SHARE:
                    continue
                lines = (wrap(text) for text in texts(row, filler, size))
                yield Measured(_dearest(lines, size, bound), size, filler, wrap(row.template))


def measure_heads(heads: list[str], bound: float = 1.0) -> Iterator[Measured]:
    """Measure each head, filled between each two of its words."""
    for line in heads:
        places = [0, *(found.end() for found in re.finditer(r"\w+|\W", line))]
        for filler in (*JUNK, *re.findall(r"\w+\W*", line)):
            for size in SIZES:
                junk = filler * (size // len(filler) + 1)
                lines = ((line[:place] + junk)[: size - len(line) + place] + line[place:] for place in places)
                yield Measured(_dearest(lines, size, bound), size, filler, line)


def rows_of(every: int) -> list[tuple[Wrap, Message]]:
    """Give the rows that are measured, each with its head."""
    known = catalogue()
    shared = [row for row in known.messages if not row.constant][::every]
    own = [(wrap, row) for name, rows in known.own.items() for wrap in DIALECTS[name] for row in rows if not row.constant]
    return [
        *((FILE, row) for row in shared),
        *own[::every],
        *((wrap, row) for wrap in OTHERS for row in shared[::_SHARE]),
    ]


def heads_of(every: int) -> list[str]:
    """Give a line with each head that is known."""
    files = [FOLDER / "formats.log", *sorted((FOLDER / "heads").glob("*.log"))]
    return [sample.lines[0] for file in files for sample in read_samples(file) if sample.expected != (NOTHING,)][::every]


def main() -> int:
    """Measure, print, and hold the bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="measure every N-th row only")
    parser.add_argument("--part", default="1/1", help="measure a part of them only, such as 2/4")
    parser.add_argument("--bound", type=float, default=1.0, help="milliseconds for each 4 KiB")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    rows, heads = rows_of(options.every)[part - 1 :: parts], heads_of(options.every)[part - 1 :: parts]
    dearest = heapq.nlargest(20, chain(measure_heads(heads, options.bound), measure(rows, options.bound)))
    for found in dearest:
        print(f"{found.milliseconds:7.3f} ms for each 4 KiB, {found.size:5} bytes of {found.filler!r} in {found.template!r}")
    return int(dearest[0].milliseconds > options.bound)


if __name__ == "__main__":
    sys.exit(main())
