"""Ends of lines that were read of a file, to tell how much of it is left where its end was cut off.

A host that loses power loses what its kernel had not written yet: the log is shorter then than it was read, or has NULs there,
and goes on behind that. So does one that comes back out of an older backup, or of a disk to which it is written now and then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from racoon_exporter.source.contract import newlines, whole_number
from racoon_exporter.source.files.fingerprint import FINGERPRINT_SPAN, Fingerprint

DENSE = 32
"""The ends of so many lines are remembered; further back two on each stretch that is twice as far away as the one before."""

MOST_MARKS = 128

_DIGEST = 16


class Mark(NamedTuple):
    """The end of a line: its offset, the number of the line, and a hash of what stands before it."""

    offset: int
    line: int
    digest: str

    @classmethod
    def of(cls, offset: int, line: int, tail: bytes) -> Mark:
        """Mark the end of a line before which `tail` stands."""
        return cls(offset, line, Fingerprint.of(tail).digest[:_DIGEST])

    @property
    def span(self) -> int:
        """So many bytes before it are compared."""
        return min(FINGERPRINT_SPAN, self.offset)

    def fits(self, tail: bytes) -> bool:
        """Whether `tail`, read back from before the offset, is what was there."""
        return len(tail) == self.span and Fingerprint.of(tail).digest[:_DIGEST] == self.digest


def marked(tail: bytes, data: bytes, offset: int, line: int) -> Iterator[Mark]:
    """Give marks of whole lines, `data`, the newest first; `tail` and an offset stand before them, `line` is the last of them.

    In the middle of many lines they are as far from another as from the end.
    """
    text, end, start = tail + data, len(tail) + len(data), offset - len(tail)
    number = line
    for _ in range(DENSE):
        yield Mark.of(start + end, number, text[max(0, end - FINGERPRINT_SPAN) : end])
        end, number = text.rfind(b"\n", len(tail), end - 1) + 1, number - 1
        if not end:
            return
    while (wanted := 2 * end - len(text)) > len(tail) and (end := text.rfind(b"\n", len(tail), wanted) + 1):
        yield Mark.of(start + end, line - newlines(text[end:]), text[max(0, end - FINGERPRINT_SPAN) : end])


def thinned(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Leave out what stands close to another, far from the last one; the first of each stretch stays, to become old."""
    if len(marks) <= DENSE:
        return tuple(marks)
    last = marks[-1].line
    stretches: dict[int, Mark] = {}
    for mark in marks[:-DENSE]:
        away = last - mark.line
        stretches.setdefault((away * away).bit_length(), mark)
    return (*stretches.values(), *marks[-DENSE:])


def marks_to_json(marks: Sequence[Mark]) -> list[list[object]]:
    """Return them as values that any JSON library can write."""
    return [list(mark) for mark in marks]


def marks_from_json(value: object, offset: int, line: int) -> tuple[Mark, ...]:
    """Read them back as marks of what stands before an offset; raises ValueError for what `marks_to_json` does not write."""
    if not isinstance(value, list) or len(value) > MOST_MARKS:
        raise ValueError("position: marks must be a list, and not a long one")
    marks = [_mark(each) for each in value]
    if any(not (a.offset < b.offset and a.line <= b.line) for a, b in pairwise(marks)):
        raise ValueError("position: marks must be in their order")
    if marks and (marks[-1].offset > offset or marks[-1].line > line):
        raise ValueError("position: a mark lies behind the offset")
    return tuple(marks)


def _mark(value: object) -> Mark:
    match value:
        case [offset, line, str(digest)] if len(digest) == _DIGEST and not digest.strip("0123456789abcdef"):
            return Mark(whole_number({"offset": offset}, "offset"), whole_number({"line": line}, "line"), digest)
        case _:
            raise ValueError("position: a mark must have an offset, a line and a digest")
