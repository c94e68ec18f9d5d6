r"""Pieces of a stream put together to whole lines of bounded length.

A pipe or a socket gives bytes cut anywhere. What is behind the last newline is kept until the rest comes; a line that
grows longer than the bound is skipped up to its newline, so that no writer can make us hold more than one line.
"""

from __future__ import annotations

from racoon_exporter.source.contract import SourceCounts
from racoon_exporter.source.files.lines import MAX_LINE


class Assembler:
    """The lines of one stream. What is lost on the way is counted in the counts it was made with."""

    def __init__(self, counts: SourceCounts, *, longest: int = MAX_LINE) -> None:
        """Begin at the beginning of a line; `counts.too_long` and `counts.lost_bytes` are kept up. `longest` is in bytes."""
        self._counts = counts
        self._longest = longest
        self._held = bytearray()
        self._skipping = False

    @property
    def held(self) -> int:
        """Bytes kept of a line that is not complete."""
        return len(self._held)

    def add(self, piece: bytes) -> bytes:
        """Take the next bytes of the stream; returns the lines they complete, each with its newline."""
        newline = piece.rfind(b"\n") + 1
        if not newline:
            self._keep(piece)
            return b""
        self._keep(b"")
        whole = bytes(self._held) + piece[:newline]
        self._held.clear()
        if self._skipping:
            whole = self._after_skipped(whole)
        lines = self._bounded(whole)
        self._keep(piece[newline:])
        return lines

    def rest(self) -> bytes:
        """Return the incomplete last line, for when its newline will never come, and begin anew."""
        rest = bytes(self._held)
        self._held.clear()
        self._skipping = False
        return rest

    def _keep(self, piece: bytes) -> None:
        """Hold on to a beginning of a line, or let go of it where it is too long."""
        if self._skipping:
            self._counts.lost_bytes += len(piece)
            return
        self._held += piece
        if len(self._held) > self._longest:
            self._counts.too_long += 1
            self._counts.lost_bytes += len(self._held)
            self._held.clear()
            self._skipping = True

    def _after_skipped(self, whole: bytes) -> bytes:
        end = whole.find(b"\n") + 1
        self._counts.lost_bytes += end
        self._skipping = False
        return whole[end:]

    def _bounded(self, whole: bytes) -> bytes:
        """Return whole lines without those that are too long."""
        kept = []
        while whole:
            good = self._good(whole)
            kept.append(whole[:good])
            end = whole.find(b"\n", good) + 1 or good
            if end > good:
                self._counts.too_long += 1
                self._counts.lost_bytes += end - good
            whole = whole[end:]
        return b"".join(kept)

    def _good(self, whole: bytes) -> int:
        """Return the length of the lines before the first that is too long."""
        at = 0
        while (end := whole.find(b"\n", at)) >= 0 and end - at <= self._longest:
            at = end + 1
        return at
