r"""Cutting bytes into whole lines of bounded length. Pure, and without work per line: a debug log is mostly thrown away.

A line is at most MAX_LINE bytes before its newline. A longer one is skipped whole, up to its newline. NULs at the
beginning of a line are no text: they are the hole that copytruncate leaves when the writer kept its offset (and what some
file systems leave after a crash), and are dropped so that the text behind them is read. A crash leaves them within a line as
well: what stands before so many is a line that was torn, and what stands behind them begins another.
"""

from __future__ import annotations

import re

MAX_LINE = 64 * 1024
"""Longest line in bytes, newline not counted. racoon's own buffers are smaller; what is longer is damage or malice."""

_NULS = re.compile(rb"\0+")
_HOLE = re.compile(rb"[^\0\n](\0{16})")
_LEADING_NULS = re.compile(rb"(?<=\n)\0+")


def whole_lines(raw: bytes, limit: int) -> int:
    """Length of the whole lines in front, about `limit` bytes of them but at least one line; 0 if no line is complete."""
    return raw.rfind(b"\n", 0, limit) + 1 or raw.find(b"\n") + 1


def bounded_lines(raw: bytes, end: int) -> int:
    """Length of those whole lines of `raw[:end]` that stand before the first line that is too long."""
    at = 0
    while end - at > MAX_LINE + 1:
        newline = raw.rfind(b"\n", at, at + MAX_LINE + 1)
        if newline < 0:
            return at
        at = newline + 1
    return end


def leading_nuls(raw: bytes) -> int:
    """How many NULs stand in front."""
    run = _NULS.match(raw)
    return run.end() if run else 0


def torn_at(raw: bytes) -> int:
    """Tell where a hole begins within a line; -1 if none does."""
    hole = _HOLE.search(raw) if b"\0" in raw else None
    return hole.start(1) if hole else -1


def without_holes(data: bytes) -> bytes:
    """Return the same lines without NULs at their beginning; the first line is expected to have none."""
    return _LEADING_NULS.sub(b"", data) if b"\0" in data else data
