from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.sa import IpsecSa
from racoon_exporter.status.timeline import Span, spans

BEGIN, END = 1000.0, 2000.0


def sa(direction: str | None, established: float | None, ended: float | None = None, **more: Any) -> IpsecSa:
    return IpsecSa("", "esp", None, "a", "b", 1, "b", direction, established, ended=ended, **more)


def drawn(*sas: IpsecSa, known_from: float | None = 0.0, known_to: float | None = END) -> list[tuple[str, float, float]]:
    return [(span.state, span.begin, span.end) for span in spans(sas, BEGIN, END, known_from, known_to)]


def test_without_any_line_nothing_is_known() -> None:
    assert drawn(known_from=None) == [("unknown", BEGIN, END)]
    assert drawn(known_to=None) == [("unknown", BEGIN, END)]
    assert drawn(known_from=5000.0, known_to=6000.0) == [("unknown", BEGIN, END)]


def test_before_the_first_line_and_after_the_last_readable_one_nothing_is_known() -> None:
    assert drawn(known_from=1200.0, known_to=1900.0) == [
        ("unknown", BEGIN, 1200.0),
        ("down", 1200.0, 1900.0),
        ("unknown", 1900.0, END),
    ]


def test_up_needs_an_sa_in_each_direction() -> None:
    assert drawn(sa("in", 1100.0), sa("out", 1300.0, 1500.0)) == [
        ("down", BEGIN, 1300.0),
        ("up", 1300.0, 1500.0),
        ("down", 1500.0, END),
    ]


def test_a_rekey_is_no_gap() -> None:
    old = [sa(way, 500.0, 1500.0) for way in ("in", "out")]
    new = [sa(way, 1400.0) for way in ("in", "out")]
    assert drawn(*old, *new) == [("up", BEGIN, END)]


def test_a_dying_sa_is_up() -> None:
    assert drawn(*(sa(way, 500.0, dying=1200.0, state="dying") for way in ("in", "out"))) == [("up", BEGIN, END)]


def test_an_sa_of_unknown_direction_speaks_for_none() -> None:
    assert drawn(sa("in", 500.0), sa(None, 500.0)) == [("down", BEGIN, END)]


def test_an_sa_of_unknown_beginning_lived_since_the_first_line() -> None:
    pair = [sa(way, None, 1500.0) for way in ("in", "out")]
    assert drawn(*pair, known_from=1100.0) == [("unknown", BEGIN, 1100.0), ("up", 1100.0, 1500.0), ("down", 1500.0, END)]


times = st.one_of(st.none(), st.integers(800, 2200).map(float))
sas = st.builds(sa, st.sampled_from(["in", "out", None]), times, times)


def _alive(one: IpsecSa, direction: str, moment: float, low: float) -> bool:
    since = low if one.established is None else one.established
    return one.direction == direction and since <= moment and (one.ended is None or moment < one.ended)


@given(st.lists(sas, max_size=8), st.integers(800, 2200), st.integers(800, 2200))
def test_spans_have_no_holes_and_say_at_each_moment_what_was_alive(given_sas: list[IpsecSa], low: int, high: int) -> None:
    found = spans(given_sas, BEGIN, END, float(low), float(high))
    assert (found[0].begin, found[-1].end) == (BEGIN, END)
    assert all(one.end == other.begin and one.seconds > 0 for one, other in pairwise(found))
    for moment in range(1000, 2000, 7):
        span = next(span for span in found if span.begin <= moment < span.end)
        assert span.state == _expected(given_sas, moment, low, high), (moment, Span(*span))


def _expected(given_sas: list[IpsecSa], moment: float, low: float, high: float) -> str:
    if not low <= moment < high:
        return "unknown"
    both = all(any(_alive(one, way, moment, low) for one in given_sas) for way in ("in", "out"))
    return "up" if both else "down"
