"""Values out of an answer, whatever is in it: text is made visible, and what is missing or of another kind is nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from racoon_exporter.text import visible

NOTHING: Final = "-"
_MOST_TEXT: Final = 500


def text_of(value: object) -> str:
    """Give a value of an answer as text that is safe to show; a dash for none."""
    if value is None or value == "":
        return NOTHING
    text = value if isinstance(value, str) else str(value)
    return visible(text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…")


def moment_of(value: object) -> datetime | None:
    """Read a time of an answer; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def seconds_between(earlier: object, later: object) -> float | None:
    """Give the seconds from one time of an answer to another."""
    begin, end = moment_of(earlier), moment_of(later)
    return None if begin is None or end is None else (end - begin).total_seconds()


def number_of(value: object) -> int:
    """Give a number of an answer; 0 where it is none."""
    return int(value) if isinstance(value, int | float) and abs(value) < 1e15 else 0


def part(body: Any, *keys: str) -> Any:
    """Give a value within mappings; None where there is none."""
    for key in keys:
        if not isinstance(body, Mapping):
            return None
        body = body.get(key)
    return body


def list_of(body: Any, key: str) -> list[Any]:
    """Give the mappings of a list of an answer."""
    found = part(body, key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


__all__ = ["NOTHING", "list_of", "moment_of", "number_of", "part", "seconds_between", "text_of"]
