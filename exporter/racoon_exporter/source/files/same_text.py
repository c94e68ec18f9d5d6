"""What two files have in common: a copy holds the text of its original up to where either was written to alone.

A fingerprint tells whether a file holds what was read up to the one place where it was taken. A copy may be shorter, and end
anywhere; as long as both can be read, their bytes tell what no fingerprint can.
"""

from __future__ import annotations

from typing import NamedTuple

from racoon_exporter.source.contract import DEFAULT_LIMIT
from racoon_exporter.source.files.former_files import WHOLE_PROOF
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.stored_bytes import Reader


class ReadText(NamedTuple):
    """A plain file that was read up to an offset."""

    reader: Reader
    read_to: int

    def pread(self, size: int, offset: int) -> bytes:
        """Return bytes that were read before; none where they cannot be read again, for then they prove nothing."""
        try:
            return self.reader.pread(min(size, self.read_to - offset), offset)
        except OSError:
            return b""


def known_to(generation: OpenFile, text: ReadText, *, grows: bool = False) -> int:
    """Tell up to where a file holds nothing but what was read of another; it is read forward only. Raises OSError.

    Where the two part within a line, that line is another one in each, and not known. So it is where the file ends within a
    line and `grows`: the rest of its line may be another.
    """
    same = _same(generation, text)
    parted = same < text.read_to
    if generation.only_begins_alike(same, goes_on=parted or grows):
        return 0
    if parted and (grows or generation.exactly(1, same)):
        same = _line_start(text, same)
    return same if same >= WHOLE_PROOF else 0


def _same(generation: OpenFile, text: ReadText) -> int:
    at = 0
    while at < text.read_to:
        there = text.pread(DEFAULT_LIMIT, at)
        here = generation.exactly(len(there), at)
        if here != there or not there:
            return at + next(
                (same for same, (ours, its) in enumerate(zip(here, there, strict=False)) if ours != its), len(here)
            )
        at += len(here)
    return at


def _line_start(text: ReadText, offset: int) -> int:
    """Return where the line begins that an offset is in; 0 if it is longer than a line may be."""
    start = max(0, offset - MAX_LINE)
    newline = text.pread(offset - start, start).rfind(b"\n")
    return start + newline + 1 if newline >= 0 else 0
