"""`--time-zone`: the zone in which racoon's host writes its log."""

from __future__ import annotations

import os
import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from racoon_parsers.clock import LATEST

_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
_LOCALTIME: Final = Path("/etc/localtime")
_EARLIEST: Final = -62135510400.0
"""0001-01-03, UTC: no calendar begins later, in any zone."""


def moment_of(time: float, zone: tzinfo) -> datetime:
    """Give when a time is in a zone; the nearest that the calendar has in every zone, as lifetimes may have any length."""
    return datetime.fromtimestamp(min(max(time, _EARLIEST), LATEST), zone)


def seconds_of(moment: datetime, zone: tzinfo | None = None) -> float:
    """Give when a time is, in a zone if it names none itself.

    Raises ValueError where it has none, and for an outermost year: in another zone it may be one that nobody can write.
    """
    placed = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    if placed.tzinfo is None or not MINYEAR < moment.year < MAXYEAR:
        raise ValueError(f"{moment.isoformat()} is no time in every zone")
    return placed.timestamp()


def read_zone(name: str) -> tzinfo:
    """Read `local`, `UTC`, an IANA name such as `Europe/Berlin`, or an offset such as `+02:00`. Raises ValueError."""
    if name == "local":
        return local_zone()
    offset = _OFFSET.fullmatch(name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes >= _DAY or int(offset[3]) >= _HOUR:
            raise ValueError(f"{name!r} is no time zone: offsets go from -23:59 to +23:59")
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write UTC, +02:00 or a name such as Europe/Berlin") from error


def local_zone() -> tzinfo:
    """Give this machine's zone with its rules for summer time, as the C library finds it: TZ, then /etc/localtime."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if name:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # a POSIX rule or a path; /etc/localtime is the nearest answer
    try:
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError):
        return UTC


def zone_name(zone: tzinfo) -> str:
    """Give the name by which `read_zone` gives a zone again, in another process as well."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    offset = zone.utcoffset(None) or timedelta()
    minutes = round(abs(offset).total_seconds()) // _HOUR
    return f"{'-' if offset < timedelta() else '+'}{minutes // _HOUR:02d}:{minutes % _HOUR:02d}"
