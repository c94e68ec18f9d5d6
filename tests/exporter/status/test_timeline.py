from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.availability.spans import Span, common, union, without
from racoon_exporter.status.overview.timeline import stretches

BEGIN, END = 1000.0, 2000.0
spans = st.lists(
    st.tuples(st.integers(900, 2100), st.integers(900, 2100)).map(lambda ends: (float(min(ends)), float(max(ends))))
).map(union)


def inside(spans: list[Span], moment: float) -> bool:
    return any(begin <= moment < end for begin, end in spans)


def test_without_any_line_nothing_is_known() -> None:
    (one,) = stretches(BEGIN, END, up=(), planned=(), counted=(), known=())
    assert one == ("unknown", BEGIN, END)


@given(spans, spans, spans, st.integers(900, 2100).map(float))
def test_stretches_have_no_holes_and_say_at_each_moment_what_was(
    ups: list[Span], stops: list[Span], told: list[Span], first: float
) -> None:
    known = common(told, [(BEGIN, END)])
    counted = common(known, [(first, 2200.0)])
    up = common(ups, counted)
    planned = without(common(stops, counted), up)
    found = stretches(BEGIN, END, up=up, planned=planned, counted=counted, known=known)
    assert (found[0].begin, found[-1].end) == (BEGIN, END)
    assert all(one.end == other.begin and one.seconds > 0 for one, other in pairwise(found))
    for moment in range(1000, 2000, 7):
        (state,) = {one.state for one in found if one.begin <= moment < one.end}
        if not inside(known, moment):
            assert state == "unknown"
        elif not inside(counted, moment):
            assert state == "before"
        elif inside(up, moment):
            assert state == "up"
        else:
            assert state == ("planned" if inside(planned, moment) else "down")
