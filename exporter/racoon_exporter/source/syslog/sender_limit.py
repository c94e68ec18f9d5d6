"""How many messages a sender may send: a bucket of tokens for each, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from racoon_exporter.source.reporting import SUBJECTS_KEPT


@dataclass(frozen=True, slots=True)
class SenderLimit:
    """`rate` messages a second in the long run, `burst` at once."""

    rate: float = 10_000.0
    burst: int = 20_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Buckets:
    """One bucket for each sender. The one silent for longest is forgotten where there are too many."""

    def __init__(self, limit: SenderLimit) -> None:
        """Every sender begins with a full bucket."""
        self._limit = limit
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, sender: str, now: float) -> bool:
        """Whether the sender may send one more message at `now` (seconds of any clock that only goes forward)."""
        bucket = self._buckets.get(sender)
        if bucket is None:
            bucket = self._buckets[sender] = _Bucket(self._limit.burst, now)
            if len(self._buckets) > SUBJECTS_KEPT:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(sender)
        bucket.tokens = min(self._limit.burst, bucket.tokens + (now - bucket.filled) * self._limit.rate)
        bucket.filled = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
