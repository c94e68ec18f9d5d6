"""What the dearest lines cost: each row of the catalogue, with what hurts it most, at 1 to 64 KiB.

    python -m tests.bench.line_cost [--every N] [--bound MILLISECONDS]

A line is read as `serve` reads it, head and all. Fillers are what a pattern could go back and forth on: each literal of the
row, whole and with its ends cut, each word, each sample of its values, and brackets, arrows and blanks; repeated in every
place of the row, with what follows and without. Prints the dearest, in milliseconds of processor time for each 4 KiB, and
fails beyond the bound. (That a cost can't grow faster than the line is proved by `tests/parsers/test_linear.py`.)
"""

from __future__ import annotations

import argparse
import heapq
import sys
import time
from collections.abc import Iterator
from datetime import UTC
from typing import Final, NamedTuple

from racoon_parsers.clock import Clock
from racoon_parsers.message import Hole, Message
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader

HEAD: Final = "2026-01-15 08:30:02: INFO: "
SIZES: Final = (1024, 4096, 16384, 65536)
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
)
_UNREAD: Final = {**dict.fromkeys("diou", "7"), "x": "1f", "X": "1F", "c": "c", "s": "some words", "p": "0x7ffd", "f": "0.5"}


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
    return piece.field.samples[0] if piece.field else _UNREAD[piece.conversion[-1]]


def texts(row: Message, filler: str, size: int) -> Iterator[str]:
    """Give the row's text with a filler in each place, with what follows and cut off there."""
    pieces = [printed(piece) for piece in row.pieces]
    junk = filler * (size // len(filler) + 1)
    for place in range(len(pieces) + 1):
        before, behind = "".join(pieces[:place]), "".join(pieces[place:])
        yield (before + junk)[: size - len(behind)] + behind
        yield (before + junk)[:size]


def seconds(line: str) -> float:
    """Give the processor time of reading a line, the least of some tries: others use the machine as well."""
    least = float("inf")
    for _ in range(5):
        reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
        begun = time.thread_time()
        for record in reader.feed([line]) + reader.flush():
            _ = record.event
        least = min(least, time.thread_time() - begun)
        if least < 0.0002:
            break
    return least


def measure(rows: list[Message]) -> Iterator[Measured]:
    """Measure each row with each filler, at each size."""
    for row in rows:
        for filler in sorted(set(fillers(row)) - {""}):
            for size in SIZES:
                dearest = max(seconds(HEAD + text) for text in texts(row, filler, size))
                yield Measured(dearest * 1000 * UNIT / max(size, UNIT), size, filler, row.template)


def main() -> int:
    """Measure, print, and hold the bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="measure every N-th row only")
    parser.add_argument("--bound", type=float, default=1.0, help="milliseconds for each 4 KiB")
    options = parser.parse_args()
    rows = [row for row in catalogue().messages if not row.constant][:: options.every]
    dearest = heapq.nlargest(20, measure(rows))
    for found in dearest:
        print(f"{found.milliseconds:7.3f} ms for each 4 KiB, {found.size:5} bytes of {found.filler!r} in {found.template!r}")
    return int(dearest[0].milliseconds > options.bound)


if __name__ == "__main__":
    sys.exit(main())
