"""State files that were changed in one place: the checksum is good, the value is nonsense, or might be true."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

Path = tuple[str | int, ...]
"""Keys and places that lead to a value."""


def _raised(value: Any) -> Any:
    return value + 1 if isinstance(value, (int, float)) and not isinstance(value, bool) else [value]


def _twice(value: Any) -> Any:
    return value + value[-1:] if isinstance(value, list) and value else {"twice": value}


def _shorter(value: Any) -> Any:
    return value[:-1] if isinstance(value, (list, str)) and value else None


CHANGES: Final[tuple[Callable[[Any], Any], ...]] = (
    lambda _value: None,
    lambda _value: -1,
    lambda _value: 10**30,
    lambda _value: 1e300,
    lambda _value: float("nan"),
    lambda _value: "nonsense",
    lambda _value: True,
    lambda _value: [],
    lambda _value: {},
    lambda _value: [[["nonsense"]]],
    str,
    _raised,
    _twice,
    _shorter,
    lambda _value: 99_999,
    lambda _value: 0.5,
    lambda _value: 2**62,
    lambda _value: 2**63 - 1,
    lambda _value: 1e30,
    lambda _value: 1e12,
    lambda _value: 253_402_387_200.0,
)


def places(content: Any, path: Path = ()) -> Iterator[Path]:
    """Give the way to every value, lists and objects among them."""
    if path:
        yield path
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def changed(content: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """Give a copy that is changed in one place."""
    whole = copy.deepcopy(content)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = change(inner[path[-1]])
    return whole
