"""Counting a peer's time costs no more than there is to count: who writes the log may make many lives, outages and failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.availability.log import Failed, GatewayLog, PeerLog
from racoon_exporter.availability.peer import _Failures, availability
from racoon_exporter.availability.spans import Span, among, common, is_within, union
from racoon_exporter.sa import DaemonRun
from tests.steps import grows_linearly

EVERY = 100.0
"""Seconds in which racoon is started, a peer comes up, goes down and fails, and racoon is stopped."""


def runs(number: int) -> GatewayLog:
    log = GatewayLog(first=0.0, last=number * EVERY, informed=True)
    log.runs = [
        DaemonRun("", EVERY * each + 10, version=None, openssl=None, stopped=EVERY * each + 50, end="shutdown")
        for each in range(number)
    ]
    log.silences = [(EVERY * each + 60, EVERY * each + 70) for each in range(number)]
    log.lapsed = [EVERY * each + 65 for each in range(number)]
    return log


def lives(number: int) -> PeerLog:
    peer = PeerLog()
    for each in range(number):
        for direction in ("in", "out"):
            peer.add(direction, EVERY * each + 15, EVERY * each + 40, "expired", None)
    peer.failed = [Failed(EVERY * each + 41, EVERY * each + 42, f"reason {each % 2}", None) for each in range(number)]
    return peer


def counted(number: int) -> object:
    log = runs(number)
    return availability(lives(number), known=log.known(), planned=log.stops(), window=(0.0, EVERY * number))


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda number: runs(number).stops(), id="stops of racoon"),
        pytest.param(lambda number: runs(number).known(), id="silences with lines missing"),
        pytest.param(lives, id="lives"),
        pytest.param(counted, id="outages, flaps and failures of a peer"),
    ],
)
def test_eight_times_as_much_takes_eight_times_the_steps(work: Callable[[int], object]) -> None:
    assert grows_linearly(work)


TIMES = st.integers(0, 60).map(float)
SPANS = st.lists(st.tuples(TIMES, TIMES)).map(union)
FAILED = st.lists(st.builds(lambda first, lasts: Failed(first, first + lasts, "timeout", None), TIMES, st.integers(0, 20)))


@given(SPANS, TIMES, TIMES)
def test_spans_among_a_time_are_all_that_reach_into_it(spans: list[Span], begin: float, end: float) -> None:
    assert common([(begin, end)], among(spans, begin, end)) == common([(begin, end)], spans)


@given(SPANS, TIMES)
def test_a_time_is_within_a_span_bounds_included(spans: list[Span], time: float) -> None:
    assert is_within(spans, time) is any(begin <= time <= end for begin, end in spans)


@given(FAILED, TIMES, TIMES)
def test_failures_of_an_outage_are_found_whatever_their_order(failed: list[Failed], begin: float, end: float) -> None:
    within = [one for one in failed if one.last >= begin and one.first <= end]
    assert _Failures(failed).within(begin, end) == within


@given(st.lists(st.tuples(TIMES, TIMES), max_size=8), TIMES)
def test_racoon_is_stopped_until_its_next_start(given_runs: list[tuple[float, float]], last: float) -> None:
    log = GatewayLog(last=last)
    log.runs = [
        DaemonRun("", started, version=None, openssl=None, stopped=stopped, end="shutdown") for started, stopped in given_runs
    ]
    starts = [started for started, _ in given_runs]
    expected = union((end, min((each for each in starts if each >= end), default=last)) for _, end in given_runs)
    assert log.stops() == expected
