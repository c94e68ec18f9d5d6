"""The timeline of a peer as inline SVG with a text that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, get_args

from racoon_exporter.status.overview.timeline import Counted, Stretch
from racoon_exporter.wording.markup import Html, element
from racoon_exporter.wording.words import clock, clock_with_seconds, count, duration

_WIDTH: Final = 100.0
"""Percent: hatching then keeps its size however wide the page is."""
_HEIGHT: Final = 24
_LEAST_GAP: Final = 0.4
"""Percent of the whole. A gap is drawn at least so wide, so that one of seconds can be seen."""
_NAMED_GAPS: Final = 4
_DAY: Final = 86400.0
_MINUTES: Final = 600.0
"""Seconds below which an axis names seconds."""

HATCH: Final = element(
    "svg",
    element(
        "defs",
        *(
            element(
                "pattern",
                element("rect", width=8, height=8, class_=f"{name}-ground"),
                element("path", d="M-2 2 2 -2M0 8 8 0M6 10 10 6", class_=f"{name}-line"),
                id=name,
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
            )
            for name in ("hatch", "faint")
        ),
    ),
    class_="defs",
    width=0,
    height=0,
    aria_hidden="true",
    focusable="false",
)
"""Patterns that all timelines of a page share; gaps are told by hatching, not by colour alone."""


def timeline(spans: Sequence[Stretch], zone: tzinfo, *, outage: bool) -> Html:
    """Draw spans. `outage` says that a gap is one: of a peer that comes and goes it is nothing to worry about."""
    begin, end = spans[0].begin, spans[-1].end
    scale = _WIDTH / (end - begin)
    shapes = [_shape(span, begin, scale, outage=outage) for span in sorted(spans, key=lambda span: span.state == "down")]
    ticks = [element("line", x1=f"{at}%", x2=f"{at}%", y1=0, y2=_HEIGHT, class_="tick") for at in (25, 50, 75)]
    return element(
        "svg",
        *shapes,
        *ticks,
        class_="timeline",
        width="100%",
        height=_HEIGHT,
        role="img",
        aria_label=in_words(spans, zone),
    )


def _shape(span: Stretch, begin: float, scale: float, *, outage: bool) -> Html:
    x, width = (span.begin - begin) * scale, span.seconds * scale
    if span.state == "down" and width < _LEAST_GAP:
        x, width = max(0.0, min(x - (_LEAST_GAP - width) / 2, _WIDTH - _LEAST_GAP)), _LEAST_GAP
    kind = "off" if span.state == "before" or (span.state == "down" and not outage) else span.state
    inset = 0 if span.state == "up" else 2
    return element("rect", x=f"{x:.2f}%", y=inset, width=f"{width:.2f}%", height=_HEIGHT - 2 * inset, class_=f"span-{kind}")


def legend(seconds: float) -> Html:
    """Say what the looks of a timeline of so long mean; for eyes only."""
    looks = (
        ("up", "up: an IPsec SA alive in each direction"),
        ("down", "down"),
        ("off", "not connected"),
        ("planned", "racoon was stopped in order"),
        ("unknown", "not known"),
    )
    return element(
        "p",
        f"The {_last(seconds)}: ",
        (element("span", _swatch(kind), text) for kind, text in looks),
        class_="legend",
        aria_hidden="true",
    )


def _swatch(kind: str) -> Html:
    return element("svg", element("rect", width=20, height=12, class_=f"span-{kind}"), width=20, height=12, class_="swatch")


def _last(seconds: float) -> str:
    return f"last {'24 hours' if seconds >= _DAY else duration(seconds)}"


def in_words(spans: Sequence[Stretch], zone: tzinfo) -> str:
    """Say what the drawing shows."""
    total = {state: sum(span.seconds for span in spans if span.state == state) for state in get_args(Counted)}
    whole = spans[-1].end - spans[0].begin
    begun = _last(whole).capitalize()
    if total["unknown"] >= whole:
        return f"{begun}: not known."
    parts = [f"up {duration(total['up'])}", *_gaps([span for span in spans if span.state == "down"], zone)]
    if total["planned"]:
        parts.append(f"racoon stopped in order {duration(total['planned'])}")
    if total["before"]:
        parts.append(f"not yet seen {duration(total['before'])}")
    if total["unknown"]:
        parts.append(f"not known {duration(total['unknown'])}")
    return f"{begun}: {', '.join(parts)}."


def _gaps(gaps: Sequence[Stretch], zone: tzinfo) -> list[str]:
    if not gaps:
        return ["never down"]
    seconds = sum(gap.seconds for gap in gaps)
    named = ", ".join(f"{clock(gap.begin, zone)} to {clock(gap.end, zone)}" for gap in gaps[-_NAMED_GAPS:])
    more = "last " if len(gaps) > _NAMED_GAPS else ""
    return [f"down {duration(seconds)} in {count(len(gaps), 'gap')} ({more}{named})"]


def axis(begin: float, end: float, zone: tzinfo) -> Html:
    """Write the times of day under the timelines; for eyes only, as the text alternative names the gaps."""
    quarter = (end - begin) / 4
    written = clock if end - begin >= _MINUTES else clock_with_seconds
    return element(
        "div",
        *(element("span", written(begin + quarter * number, zone)) for number in range(4)),
        element("span", "now"),
        class_="axis",
        aria_hidden="true",
    )
