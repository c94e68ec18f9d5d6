"""`--maintenance`: windows of planned work, a line each: begin, end, and the gateway if it is not all."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from racoon_exporter.zone import seconds_of

_LEAST: Final = 2
_MOST: Final = 3


def read_windows(text: str, zone: tzinfo) -> tuple[tuple[float, float, str], ...]:
    """Read lines such as `2026-03-01T22:00 2026-03-02T02:00 berlin`; `#` begins a remark. Raises ValueError with the line."""
    windows = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if not _LEAST <= len(words) <= _MOST:
            raise ValueError(f"{number}: expected begin, end and perhaps a gateway, such as 2026-03-01T22:00 2026-03-02T02:00")
        begin, end = (_moment(word, zone, number) for word in words[:2])
        if begin >= end:
            raise ValueError(f"{number}: the window ends before it begins")
        windows.append((begin, end, words[2] if len(words) == _MOST else ""))
    return tuple(windows)


def _moment(word: str, zone: tzinfo, number: int) -> float:
    try:
        return seconds_of(datetime.fromisoformat(word), zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{number}: {word!r} is no time, such as 2026-03-01T22:00 or 2026-03-01T22:00+01:00") from error
