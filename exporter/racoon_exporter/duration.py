"""Durations as commands and queries are given them: `60s`, `5m`, `7d`. Pure."""

from __future__ import annotations

import re
from typing import Final

_DURATION: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def read_duration(text: str) -> int | None:
    """Give the seconds of a duration; None where a text is none."""
    found = _DURATION.fullmatch(text)
    return None if found is None else int(found[1]) * _SECONDS[found[2]]


__all__ = ["read_duration"]
