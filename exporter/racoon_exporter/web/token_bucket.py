"""A token bucket, as golang.org/x/time/rate keeps it for the toolkit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from racoon_exporter.web.config import RateLimit


class TokenBucket:
    """Holds up to ``burst`` tokens, full at first; one comes back each interval. A burst of 0 lets nothing through."""

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._tokens = float(limit.burst)
        self._counted_at = clock()

    def take(self) -> bool:
        """Take a token; False where there is none."""
        now = self._clock()
        self._tokens = min(self.limit.burst, self._tokens + (now - self._counted_at) / self.limit.interval)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
