"""Looks at the engine that requests share: however many pages are open, the cost is that of one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_FRESH_SECONDS: Final = 1.0


class SharedSnapshot(Generic[T]):
    """Looks at most once a second, and one at a time. `take` is given the time of a look."""

    def __init__(self, take: Callable[[float], T], now: Callable[[], float]) -> None:
        self._take = take
        self._now = now
        self._lock = threading.Lock()
        self._last: tuple[float, T] | None = None

    def look(self) -> T:
        """Give what is known, not older than a second."""
        with self._lock:
            now = self._now()
            if self._last is None or not 0 <= now - self._last[0] < _FRESH_SECONDS:
                self._last = now, self._take(now)
            return self._last[1]


__all__ = ["SharedSnapshot"]
