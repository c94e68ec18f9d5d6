"""The order in which people look for names and addresses: 192.0.2.9 before 192.0.2.10, branch-2 before branch-10. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

Natural = tuple[tuple[bool, int, str], ...]
_PART: Final = re.compile(r"([0-9]+)|([^0-9]+)")
_MOST_KEPT: Final = 32_768
"""Names of thousands of gateways and their peers, which each look compares again."""
_MOST_DIGITS: Final = 4000
"""Python reads no longer number; text of others may hold one."""


@lru_cache(maxsize=_MOST_KEPT)
def natural(text: str) -> Natural:
    """Give what texts are compared by: their numbers as numbers, all else without regard to case."""
    return tuple(_part(digits, other) for digits, other in _PART.findall(text))


def _part(digits: str, other: str) -> tuple[bool, int, str]:
    return (True, 0, other.casefold()) if other else (False, int(digits[:_MOST_DIGITS]), digits)


__all__ = ["Natural", "natural"]
