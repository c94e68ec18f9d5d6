from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from racoon_exporter.history import timestamp
from racoon_exporter.wording.words import ago, clock, clock_with_seconds, count, duration, moment


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
        (180000, "2 d 2 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("time", "text"), [(1000.0, "now"), (280.0, "12 min ago"), (1300.0, "in 5 min")])
def test_a_distance_says_its_direction(time: float, text: str) -> None:
    assert ago(time, 1000.0) == text


def test_a_moment_names_its_offset_in_summer_and_winter_east_and_west() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment(1795500000.0, berlin) == "2026-11-24 07:00:00 +01:00"
    assert moment(1782000000.0, berlin) == "2026-06-21 02:00:00 +02:00"
    assert moment(1795500000.25, timezone(-timedelta(hours=3, minutes=30))) == "2026-11-24 02:30:00 -03:30"
    assert clock(1795500000.0, UTC) == "06:00"


def test_numbers_agree_with_their_nouns() -> None:
    assert [count(number, "peer") for number in (0, 1, 1200)] == ["0 peers", "1 peer", "1,200 peers"]


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Pacific/Kiritimati"), timezone(timedelta(hours=-23, minutes=-59))], ids=str)
def test_a_time_that_no_calendar_has_is_written_as_the_nearest(zone: tzinfo) -> None:
    for late in (253402300800.0, 1e16 + 1.8e9):
        assert moment(late, zone)[:4] == str(timestamp(late, zone))[:4] == "9999"
    for early in (-62135596800.0, -1e16):
        assert moment(early, zone)[:4] == str(timestamp(early, zone))[:4] == "0001"
        assert clock_with_seconds(early, zone).startswith(clock(early, zone))
