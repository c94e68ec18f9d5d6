"""Timeline and calendar as inline SVG: small enough for a thousand peers and a year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta, tzinfo
from typing import Final

from racoon_exporter.availability.spans import Span
from racoon_exporter.wording.markup import Html, element
from racoon_exporter.wording.words import count
from racoon_exporter.zone import moment_of

_WIDTH: Final = 1000
_LEAST: Final = 2
"""Width of what is short: an outage of seconds is seen in a year."""
_DAY: Final = 12
"""Size of a day of the calendar."""
_ROWS: Final = 7
_WEEKS_OF_NAME: Final = 4
"""Columns that the name of a month takes."""


def timeline(ups: Sequence[Span], outages: Sequence[Span], planned: Sequence[Span], window: Span, label: str) -> Html:
    """Draw a peer's time; what is not drawn is unknown."""
    begin, end = window
    scale = _WIDTH / (end - begin) if end > begin else 0.0
    return element(
        "svg",
        _bars("up", ups, begin, scale, 1),
        _bars("planned", planned, begin, scale, 1),
        _bars("down", outages, begin, scale, _LEAST),
        class_="line",
        viewBox=f"0 0 {_WIDTH} 16",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )


def _bars(kind: str, spans: Iterable[Span], begin: float, scale: float, least: int) -> Html | None:
    """Draw spans as one path: those that a pixel would hold together are one."""
    drawn: list[list[int]] = []
    for first, last in sorted(spans):
        left = max(0, int((first - begin) * scale))
        right = min(_WIDTH, max(left + least, round((last - begin) * scale)))
        if drawn and left <= drawn[-1][1]:
            drawn[-1][1] = max(drawn[-1][1], right)
        elif right > left:
            drawn.append([left, right])
    if not drawn:
        return None
    return element("path", class_=kind, d="".join(f"M{left} 0H{right}V16H{left}z" for left, right in drawn))


def calendar(outages: Iterable[Span], known: Sequence[Span], window: Span, zone: tzinfo) -> Html:
    """Draw a square for each day, a column for each week: any outage colours its day."""
    first, last = (moment_of(moment, zone).date() for moment in window)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    hit = Counter(_touched(outages, first, zone))
    told = set(_touched(known, first, zone))
    shift = first.weekday()
    squares = [
        element(
            "rect",
            element("title", f"{day.isoformat()}: {_said(hit[number], known=number in told)}"),
            x=(number + shift) // _ROWS * _DAY,
            y=_DAY + (number + shift) % _ROWS * _DAY,
            width=_DAY - 2,
            height=_DAY - 2,
            class_="down" if hit[number] else "up" if number in told else "unknown",
        )
        for number, day in enumerate(days)
    ]
    months = [
        element("text", days[number].strftime("%Y-%m"), x=(number + shift) // _ROWS * _DAY, y=_DAY - 3)
        for number in _named(days, shift)
    ]
    width = (len(days) + shift) // _ROWS * _DAY + 4 * _DAY
    bad = sum(1 for number in hit if 0 <= number < len(days))
    return element(
        "svg",
        *months,
        *squares,
        class_="calendar",
        width=width,
        height=(_ROWS + 1) * _DAY,
        role="img",
        aria_label=f"{count(bad, 'day')} of {len(days)} had an outage.",
    )


def _named(days: Sequence[date], shift: int) -> list[int]:
    """Give the days that their months stand above: each month's first, and the very first where that leaves room for it."""
    firsts = [number for number, day in enumerate(days) if day.day == 1]
    return firsts if firsts and (firsts[0] + shift) // _ROWS < _WEEKS_OF_NAME else [0, *firsts]


def _touched(spans: Iterable[Span], first: date, zone: tzinfo) -> Iterator[int]:
    """Give each day that a span touches, counted from the first one."""
    for begin, end in spans:
        yield from range(_day_of(begin, zone) - first.toordinal(), _day_of(end, zone) - first.toordinal() + 1)


def _day_of(moment: float, zone: tzinfo) -> int:
    return moment_of(moment, zone).toordinal()


def _said(outages: int, *, known: bool) -> str:
    if outages:
        return count(outages, "outage")
    return "no outage" if known else "not known"
