"""Sets of spans of time: sorted, apart from each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

Span = tuple[float, float]
_begin: Final = itemgetter(0)
_end: Final = itemgetter(1)


def union(spans: Iterable[Span]) -> list[Span]:
    """Put spans together; what touches is one."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > begin:
            merged.append((begin, end))
    return merged


def common(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Give what lies in both."""
    found = []
    left = right = 0
    while left < len(one) and right < len(other):
        begin, end = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if begin < end:
            found.append((begin, end))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return found


def without(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Give what lies in the first and not in the second."""
    return common(one, gaps(other, one[0][0], one[-1][1])) if one else []


def gaps(spans: Sequence[Span], begin: float, end: float) -> list[Span]:
    """Give what lies between `begin` and `end` and in none of the spans."""
    bounds = [begin, *(bound for span in spans for bound in span), end]
    return [
        (max(first, begin), min(last, end))
        for first, last in zip(bounds[::2], bounds[1::2], strict=True)
        if max(first, begin) < min(last, end)
    ]


def among(spans: Sequence[Span], begin: float, end: float) -> Sequence[Span]:
    """Give those that reach into a time. Who asks for one time after the other passes each span once, not all for each."""
    return spans[bisect_right(spans, begin, key=_end) : bisect_left(spans, end, key=_begin)]


def is_within(spans: Sequence[Span], time: float) -> bool:
    """Tell whether a time is within a span, or at its bounds."""
    place = bisect_right(spans, time, key=_begin)
    return place > 0 and time <= spans[place - 1][1]


def seconds(spans: Iterable[Span]) -> float:
    """Give how long they are together."""
    return sum(end - begin for begin, end in spans)
