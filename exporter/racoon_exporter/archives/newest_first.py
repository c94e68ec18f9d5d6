"""Logs whose newest line stands first, as web interfaces show them and people save them: turned round before they are read.

The first block tells: where times fall from line to line and do not rise, the whole log is taken to be newest first. It is
spooled to a temporary file and given from its end, so that memory does not grow with it. Lines keep their numbers, as negative
ones: the line -7 is the seventh, and the next is -6.
"""

from __future__ import annotations

import tempfile
from itertools import chain, pairwise
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from racoon_exporter.source.contract import Block
from racoon_parsers.clock import Clock
from racoon_parsers.line import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

Order = Literal["oldest first", "newest first", "neither"]

_LOOKED_AT: Final = 1000
"""Lines looked at."""
_CHUNK: Final = 1 << 16
_SLIP: Final = 2.0
"""Seconds by which lines of one moment may stand in the wrong order: several processes write at once."""
_STEADY: Final = 10
"""Times fall steadily where they rise at most once in so many falls."""
_JUMP: Final = 120.0
"""Seconds back that are no matter of clocks."""
_JUMPS: Final = 3


def oldest_first(
    blocks: Iterable[Block], zone: tzinfo, reference: float | None = None, say: Callable[[str], None] = lambda _text: None
) -> Iterator[Block]:
    """Give the blocks of a log in the order of its times; what cannot be put in order is said once and given as it is."""
    coming = iter(blocks)
    first = next(coming, None)
    if first is None:
        return
    order = order_of(first.data.decode("utf-8", "replace").split("\n")[:_LOOKED_AT], zone, reference)
    if order == "newest first":
        yield from turned(chain((first,), coming))
        return
    if order == "neither":
        say(out_of_order(first.source))
    yield first
    yield from coming


def order_of(lines: Iterable[str], zone: tzinfo, reference: float | None = None) -> Order:
    """Tell the order of lines from the times of those that have one."""
    splitter = LineSplitter()
    parsed = (splitter.split(line) for line in lines)
    times = [Clock(zone, reference).time(line.kind, line.stamp) for line in parsed if line is not None and line.stamp]
    steps = [two - one for one, two in pairwise(time for time in times if time is not None) if two != one]
    falls = [step for step in steps if step < 0]
    rises = len(steps) - len(falls)
    if falls and rises * _STEADY <= len(falls) and (len(falls) > 1 or falls[0] < -_SLIP):
        return "newest first"
    return "neither" if sum(1 for step in falls if step < -_JUMP) >= _JUMPS else "oldest first"


def out_of_order(source: str) -> str:
    """Say of a log that it cannot be put in order."""
    return f"{source}: times fall and rise; lines are read as they stand, and ends may be missing"


def turned(blocks: Iterable[Block]) -> Iterator[Block]:
    """Give a log's lines from the last to the first."""
    with tempfile.TemporaryFile(prefix="racoon-exporter-") as spool:
        lines, last = 0, None
        for block in blocks:
            spool.write(block.data)
            lines += block.data.count(b"\n")
            last = block
        for data in _from_the_end(spool):
            assert last is not None
            yield Block(last.source, data, -lines, last.position)
            lines -= data.count(b"\n")


def _from_the_end(spool: BinaryIO) -> Iterator[bytes]:
    """Give whole lines, the last one first, in chunks."""
    place = spool.tell()
    head = b""
    ends_here = True
    while place > 0:
        size = min(_CHUNK, place)
        place -= size
        spool.seek(place)
        lines = (spool.read(size) + head).split(b"\n")
        head = lines.pop(0) if place > 0 else b""
        if ends_here:
            ends_here = False
            if lines and not lines[-1]:
                lines.pop()
        if lines:
            yield b"".join(line + b"\n" for line in reversed(lines))


__all__ = ["Order", "oldest_first", "order_of", "out_of_order", "turned"]
