"""Times of lines: what a format leaves out comes from the zone and from the lines before, never from the system's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.clock import Clock

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def times(clock: Clock, kind: str, *texts: str) -> list[float | None]:
    return [clock.time(kind, text) for text in texts]


def test_the_year_rolls_over_between_two_lines() -> None:
    clock = Clock(UTC, utc("2026-01-02T00:00:00"))
    expected = [utc("2025-12-31T23:59:58"), utc("2026-01-01T00:00:03")]
    assert times(clock, "rfc3164", "Dec 31 23:59:58", "Jan  1 00:00:03") == expected


def test_a_line_of_last_year_that_comes_late_stays_in_last_year() -> None:
    clock = Clock(UTC, utc("2026-01-02T00:00:00"))
    expected = [utc("2025-12-31T23:59:58"), utc("2026-01-01T00:00:03"), utc("2025-12-31T23:59:59")]
    assert times(clock, "rfc3164", "Dec 31 23:59:58", "Jan  1 00:00:03", "Dec 31 23:59:59") == expected


def test_a_first_line_later_than_the_file_is_of_the_year_before() -> None:
    assert Clock(UTC, utc("2026-03-01T00:00:00")).time("rfc3164", "Nov 20 10:00:00") == utc("2025-11-20T10:00:00")


def test_a_day_that_no_year_has_says_nothing_of_the_year() -> None:
    clock = Clock(UTC, utc("2026-01-16T00:00:00"))
    assert times(clock, "rfc3164", "Jan 55 08:30:02", "Jan 30 08:30:02") == [None, utc("2025-01-30T08:30:02")]


@pytest.mark.parametrize("last", ["2027-12-30T10:00:00", "2027-08-20T10:00:00"])
def test_the_first_line_of_a_year_may_be_of_its_leap_day(last: str) -> None:
    clock = Clock(UTC)
    clock.resume(utc(last))
    assert clock.time("rfc3164", "Feb 29 08:30:02") == utc("2028-02-29T08:30:02")


def test_the_leap_day_is_of_the_last_leap_year() -> None:
    assert Clock(UTC, utc("2026-03-01T00:00:00")).time("rfc3164", "Feb 29 10:00:00") == utc("2024-02-29T10:00:00")
    assert Clock(UTC).time("logcat", "02-29 10:00:00.500") == utc("1972-02-29T10:00:00.5")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("local", "2026-02-31 08:30:02"),
        ("rfc3164", "Feb 30 08:30:02"),
        ("rfc3164", "Xyz 15 08:30:02"),
        ("iso", "-"),
        ("local", "2026-01-15 25:00:00"),
        ("unix", "9" * 40),
        ("unix", "1e300"),
        ("nothing", "2026"),
    ],
)
def test_what_is_no_time_is_none(kind: str, text: str) -> None:
    assert Clock(UTC, utc("2026-03-01T00:00:00")).time(kind, text) is None


def test_the_repeated_hour_goes_on() -> None:
    """2026-10-25, 03:00 CEST is 02:00 CET: the second 02:00 comes after 02:59."""
    texts = ("2026-10-25 02:00:00", "2026-10-25 02:59:50", "2026-10-25 02:00:10", "2026-10-25 03:00:00")
    expected = ["2026-10-25T00:00:00", "2026-10-25T00:59:50", "2026-10-25T01:00:10", "2026-10-25T02:00:00"]
    assert times(Clock(BERLIN), "local", *texts) == [utc(text) for text in expected]


def test_lines_out_of_order_by_seconds_stay_in_the_first_reading_of_the_hour() -> None:
    texts = ("2026-10-25 02:30:05", "2026-10-25 02:30:01", "2026-10-25 02:30:06")
    expected = ["2026-10-25T00:30:05", "2026-10-25T00:30:01", "2026-10-25T00:30:06"]
    assert times(Clock(BERLIN), "local", *texts) == [utc(text) for text in expected]


def test_the_missing_hour_is_survived() -> None:
    texts = ("2026-03-29 01:59:59", "2026-03-29 03:00:00")
    assert times(Clock(BERLIN), "local", *texts) == [utc("2026-03-29T00:59:59"), utc("2026-03-29T01:00:00")]
    assert Clock(BERLIN).time("local", "2026-03-29 02:30:00") is not None


def test_a_time_of_day_goes_past_midnight() -> None:
    clock = Clock(UTC, utc("2026-01-15T23:00:00"))
    expected = [utc("2026-01-15T23:59:59"), utc("2026-01-16T00:00:01")]
    assert times(clock, "time_of_day", "23:59:59.000000+00:00", "00:00:01.000000+00:00") == expected


def test_racoons_own_time_within_a_collectors_tells_when() -> None:
    """The line came three seconds late through a pipe; the collector tells that racoon's clock shows UTC+1."""
    assert Clock(UTC).combined("2026-01-15 09:30:02", "iso", "2026-01-15T08:30:05Z") == utc("2026-01-15T08:30:02")
    assert Clock(BERLIN).combined("2026-01-15 09:30:02", "rfc3164", "Jan 15 09:30:05") == utc("2026-01-15T08:30:02")
    assert Clock(UTC).combined("2026-02-31 09:30:02", "iso", "2026-01-15T08:30:05Z") == utc("2026-01-15T08:30:05")


def test_an_old_log_that_is_sent_late_keeps_its_times() -> None:
    assert Clock(BERLIN).combined("2026-01-15 09:30:02", "iso", "2026-11-26T08:30:05Z") == utc("2026-01-15T08:30:02")
    assert Clock(UTC).combined("2026-01-15 22:30:02", "iso", "2026-01-15T08:30:05Z") == utc("2026-01-15T08:30:02")


def test_a_clock_goes_on_after_a_restart() -> None:
    clock = Clock(UTC)
    clock.resume(utc("2025-12-31T23:59:58"))
    assert clock.time("rfc3164", "Jan  1 00:00:03") == utc("2026-01-01T00:00:03")


@given(st.lists(st.integers(0, 86400 * 150), min_size=1, max_size=30))
def test_times_without_year_never_lose_their_way(gaps: list[int]) -> None:
    """As long as no half year passes without a line."""
    told = [utc("2026-01-01T00:00:00") + second for second in accumulate(gaps)]
    texts = [datetime.fromtimestamp(second, UTC).strftime("%b %d %H:%M:%S") for second in told]
    assert times(Clock(UTC, told[0]), "rfc3164", *texts) == told


@given(st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1)))  # noqa: DTZ001  a local time
def test_a_local_time_is_read_in_its_zone(naive: datetime) -> None:
    naive = naive.replace(microsecond=0, fold=0)
    read = Clock(BERLIN).time("local", naive.strftime("%Y-%m-%d %H:%M:%S"))
    assert read == naive.replace(tzinfo=BERLIN).timestamp()
