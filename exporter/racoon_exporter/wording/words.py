"""Times and durations in words: absolute in the log's zone with its offset, and how long ago."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from racoon_exporter.zone import moment_of

if TYPE_CHECKING:
    from datetime import tzinfo

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_ROUNDING: Final = 1e-6
"""What binary fractions may lack."""
_SECONDS: Final = len("2026-11-24 02:13:05")


def moment(time: float, zone: tzinfo) -> str:
    """Write a time as `2026-11-24 02:13:05 +01:00`."""
    text = moment_of(time, zone).isoformat(sep=" ", timespec="seconds")
    return f"{text[:_SECONDS]} {text[_SECONDS:]}"


def clock(time: float, zone: tzinfo) -> str:
    """Write the time of day, `02:13`."""
    return moment_of(time, zone).strftime("%H:%M")


def clock_with_seconds(time: float, zone: tzinfo) -> str:
    """Write the time of day, `02:13:05`."""
    return moment_of(time, zone).strftime("%H:%M:%S")


def percent(share: float) -> str:
    """Write a share with up to three digits behind the point."""
    return cut_percent(share, 3).rstrip("0").rstrip(".") + " %"


def cut_percent(share: float, digits: int) -> str:
    """Write a share as so many hundredths, cut: 100 says that nothing was lost."""
    cut = math.floor(share * 10 ** (digits + 2) + _ROUNDING)
    return f"{cut / 10**digits:.{digits}f}"


def duration(seconds: float) -> str:
    """Write a duration in its two largest units: `35 s`, `12 min`, `4 h 5 min`, `3 d 2 h`."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"


def ago(time: float, now: float) -> str:
    """Write how far a time is from now: `12 min ago`, `in 5 min`."""
    distance = now - time
    if abs(distance) < 1:
        return "now"
    return f"{duration(distance)} ago" if distance > 0 else f"in {duration(-distance)}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: `1 peer`, `2 peers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
