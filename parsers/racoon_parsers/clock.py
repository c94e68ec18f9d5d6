"""The time of a line, from what stands in it.

racoon prints local time without zone or offset; classic syslog leaves out the year as well. A `Clock` adds what is missing
from the zone it is given and from the lines before. It never asks the system for the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_HALF_A_YEAR: Final = 183 * 86400.0
"""Half a leap year."""
_DAY: Final = 86400.0
LATEST: Final = 253402214400.0
"""9999-12-31, UTC: no calendar goes further in every zone, while a number in a collector's JSON may."""
_OUT_OF_ORDER: Final = 120.0
"""Seconds by which lines of a merged log may come too early before the earlier reading of a repeated hour is given up."""
_SECONDS: Final = {f"{second:02d}": float(second) for second in range(60)}
_ENDS_IN_SECONDS: Final = frozenset({"local", "rfc3164"})
"""Kinds of time texts that end in whole seconds. Zones change by whole minutes, so all lines of a minute are read alike."""
_WIDEST_ZONE: Final = 14 * 3600.0 + 450.0
"""Seconds; no zone is further from UTC, and racoon's time and a collector's may be half a step apart."""
_ZONE_STEP: Final = 900
"""Seconds; every zone's offset is a multiple of a quarter of an hour (since 1972, IANA time zone database)."""
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2,4}),? (\d{1,2}):(\d\d:\d\d(?:[.,]\d{1,12})?)\W{0,8}([APap])")
_TWO_DIGITS: Final = 99
"""Years up to it are of this century."""
_MONTHS: Final = {
    name: number
    for number, name in enumerate(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1)
}


class Clock:
    """Turns the time texts of one stream of lines into seconds since the epoch.

    `zone` is the gateway's; `reference` is a time that no line is later than by a day, such as the file's last change: it
    gives the year of the first line that has none. Without it such lines are taken to be of 1970 on.
    """

    def __init__(self, zone: tzinfo, reference: float | None = None) -> None:
        self._zone = zone
        self._reference = reference
        self._first: float | None = None
        self._last: float | None = None
        self._text = ""
        self._time: float | None = None
        self._minute = ""
        """What the last time text began with, up to its seconds; "" where those are not its end."""
        self._minute_began = 0.0

    @property
    def first(self) -> float | None:
        """Time of the first line that had one, of those read here."""
        return self._first

    @property
    def last(self) -> float | None:
        """Time of the last line that had one."""
        return self._last

    def resume(self, last: float | None) -> None:
        """Go on after a line of that time, as after a restart."""
        self._last = last
        self._minute = ""

    def time(self, kind: str, text: str) -> float | None:
        """Read a time text of a kind named in `READERS`; None where it is no time, such as the 31st of February."""
        if text == self._text:
            return self._time
        try:
            time = READERS[kind](self, text)
        except (ValueError, OverflowError, OSError, LookupError):
            time = None
        if time is not None and not 0 <= time < LATEST:
            time = None
        if time is not None:
            if self._first is None:
                self._first = time
            self._last = time
            self._text, self._time = text, time
            self._minute = text[:-2] if kind in _ENDS_IN_SECONDS else ""
            self._minute_began = time - _SECONDS.get(text[-2:], 0.0)
        return time

    def same_minute(self, text: str) -> float | None:
        """Read a time text that differs from the last in its seconds only; None for any other text."""
        seconds = _SECONDS.get(text[-2:])
        if seconds is None or text[:-2] != self._minute:
            return None
        time = self._minute_began + seconds
        self._last = self._time = time
        self._text = text
        return time

    def combined(self, inner: str, kind: str, outer: str) -> float | None:
        """Read a record that carries racoon's own time within a collector's.

        racoon's tells when: it is not late where a pipe was. The collector's tells the zone, or racoon's the year.
        """
        arrived = self.time(kind, outer) if kind in _WITH_ZONE else None
        if arrived is None:
            return self.time("local", inner)
        try:
            printed = datetime.fromisoformat(inner).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return arrived
        if abs(printed - arrived) > _WIDEST_ZONE:  # an old log that a collector read late tells no zone
            return self.time("local", inner)
        return printed - round((printed - arrived) / _ZONE_STEP) * _ZONE_STEP

    def _local(self, text: str) -> float:
        return self._resolve(datetime.fromisoformat(text))

    def _resolve(self, naive: datetime) -> float:
        """Give a local time its place; of a repeated hour's two readings the first that does not go back."""
        time = naive.replace(tzinfo=self._zone).timestamp()
        if self._last is not None and time < self._last - _OUT_OF_ORDER:
            second = naive.replace(tzinfo=self._zone, fold=1).timestamp()
            if second > time:
                return second
        return time

    def _rfc3164(self, text: str) -> float:
        month, day = _MONTHS[text[:3]], int(text[4:6])
        return self._without_year(month, day, text[7:])

    def _logcat(self, text: str) -> float:
        return self._without_year(int(text[:2]), int(text[3:5]), text[6:])

    def _without_year(self, month: int, day: int, clock: str) -> float:
        """Give a time the year in which it is nearest to the line before."""
        if self._last is None:
            return self._in_year(self._first_year(month, day, clock), month, day, clock)
        last = self._last
        year = datetime.fromtimestamp(last, self._zone).year
        possible = []
        for candidate in (year, year + 1, year - 1):
            try:
                time = self._in_year(candidate, month, day, clock)
            except ValueError:  # the 29th of February of a common year, or no day at all
                continue
            if abs(time - last) <= _HALF_A_YEAR:
                return time
            possible.append(time)
        if not possible:
            raise ValueError(month, day, clock)
        return min(possible, key=lambda time: abs(time - last))

    def _first_year(self, month: int, day: int, clock: str) -> int:
        if self._reference is None:
            return 1970 if (month, day) != (2, 29) else 1972
        year = datetime.fromtimestamp(self._reference, self._zone).year
        for candidate in (year + 1, year, year - 1, year - 2, year - 3, year - 4):
            try:
                if self._in_year(candidate, month, day, clock) <= self._reference + _DAY:
                    return candidate
            except ValueError:  # as above
                continue
        return year

    def _month_day(self, text: str) -> float:
        """Read `jul/08 09:12:31` or `Oct/02/2026 16:49:36`."""
        date, _, clock = text.partition(" ")
        month, day, *year = date.split("/")
        number = _MONTHS[month.capitalize()]
        if year:
            return self._in_year(int(year[0]), number, int(day), clock)
        return self._without_year(number, int(day), clock)

    def _asctime(self, text: str) -> float:
        """Read `Thu Jan 15 08:30:02 2026`, with its zone where one stands behind it: `(GMT +0100)`."""
        date, bracket, zone = text.partition("(")
        moment = datetime.strptime(" ".join(date.split()[1:]), "%b %d %H:%M:%S %Y")  # noqa: DTZ007  given below
        if not bracket:
            return self._resolve(moment)
        offset = zone.rstrip(")").removeprefix("GMT").removeprefix("UTC").strip()
        return datetime.fromisoformat(f"{moment.isoformat()}{offset or '+00:00'}").timestamp()

    def _dated(self, text: str) -> float:
        """Read `Jan 15 2026 08:30:02`."""
        month, day, year, clock = text.split()
        return self._in_year(int(year), _MONTHS[month], int(day), clock)

    def _year_first(self, text: str) -> float:
        """Read `2010 Dec 28 21:44:13`."""
        year, month, day, clock = text.split()
        return self._in_year(int(year), _MONTHS[month], int(day), clock)

    def _slashed(self, text: str) -> float:
        """Read `2026/01/15 08:30:02`."""
        return self._local(text.replace("/", "-"))

    def _american(self, text: str) -> float:
        """Read `1/15/26 8:30:02.123 PM`: twelve hours, the month first."""
        found = _AMERICAN.match(text)
        if found is None:
            raise ValueError(text)
        month, day, year, hour, rest, half = found.groups()
        hours = int(hour) % 12 + (12 if half in "pP" else 0)
        return self._moment(int(year), int(month), int(day), f"{hours:02d}:{rest.replace(',', '.')}")

    def _european(self, text: str) -> float:
        """Read `15/01/2026 08:30:02,123` or `15.01.26 08:30:02`: the day first."""
        date, _, clock = text.partition(" ")
        day, month, year = (int(part) for part in date.rstrip(",").replace(".", "/").split("/"))
        return self._moment(year, month, day, clock.strip().replace(",", "."))

    def _moment(self, year: int, month: int, day: int, clock: str) -> float:
        return self._in_year(year if year > _TWO_DIGITS else 2000 + year, month, day, clock)

    def _dotted(self, text: str) -> float:
        """Read `2025.09.14-10:00:00`."""
        date, _, clock = text.partition("-")
        return self._local(f"{date.replace('.', '-')} {clock}")

    def _in_year(self, year: int, month: int, day: int, clock: str) -> float:
        return self._resolve(datetime.fromisoformat(f"{year:04d}-{month:02d}-{day:02d} {clock}"))

    def _iso(self, text: str) -> float:
        moment = datetime.fromisoformat(text.replace(",", "."))
        return self._resolve(moment) if moment.tzinfo is None else moment.timestamp()

    def _unix(self, text: str) -> float:
        return float(text)

    def _time_of_day(self, text: str) -> float:
        """Read a time that has no date: the day of the line before, or of the reference."""
        known = self._last if self._last is not None else self._reference
        moment = datetime.fromisoformat(f"1970-01-01T{text}")
        zone = moment.tzinfo or self._zone
        day = datetime.fromtimestamp(known or 0.0, zone)
        time = moment.replace(year=day.year, month=day.month, day=day.day, tzinfo=zone).timestamp()
        if known is not None and time < known - _DAY / 2:
            time += timedelta(days=1).total_seconds()
        return time


READERS: Final[dict[str, Callable[[Clock, str], float]]] = {
    "local": Clock._local,  # noqa: SLF001  the readers are the clock's own
    "rfc3164": Clock._rfc3164,  # noqa: SLF001
    "logcat": Clock._logcat,  # noqa: SLF001
    "iso": Clock._iso,  # noqa: SLF001
    "unix": Clock._unix,  # noqa: SLF001
    "time_of_day": Clock._time_of_day,  # noqa: SLF001
    "month_day": Clock._month_day,  # noqa: SLF001
    "dotted": Clock._dotted,  # noqa: SLF001
    "asctime": Clock._asctime,  # noqa: SLF001
    "dated": Clock._dated,  # noqa: SLF001
    "year_first": Clock._year_first,  # noqa: SLF001
    "slashed": Clock._slashed,  # noqa: SLF001
    "american": Clock._american,  # noqa: SLF001
    "european": Clock._european,  # noqa: SLF001
}
"""Kinds of time texts: racoon's own, those of collectors and systems, seconds since the epoch, time of day."""

_WITH_ZONE: Final = frozenset({"iso", "unix"})
