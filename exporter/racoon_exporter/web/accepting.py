"""A listening socket that closes what is opened beyond a rate, before anything is made of it.

A connection costs asyncio six times as much as taking it off the kernel's queue and closing it, and leaves a cycle of objects
for the garbage collector. Most of a flood comes to nothing anyway (`handshakes.py`, `connections.py`): here it does so at that
price.
"""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from racoon_exporter.web.config import RateLimit
from racoon_exporter.web.handshakes import remember
from racoon_exporter.web.network import client_network, never_came
from racoon_exporter.web.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

#: Connections closed in one turn of the event loop.
_CLOSED_AT_ONCE = 64


def everybody(network: str) -> bool:
    """Tell that a network's rate is bounded."""
    del network
    return True


class ConnectionRates:
    """How many connections may be opened each second, and at once.

    Networks that were not served before share what they have, so that a flood from many costs little and does not fill the
    kernel's queue, where a scraper would wait for seconds. Those that come for the first time have that rate once more: a flood
    from addresses that have been here does not keep them out.
    """

    def __init__(
        self,
        per_second: int | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        strangers: RateLimit | None = None,
        visits: Callable[[str], int] = never_came,
        bounded: Callable[[str], bool] = everybody,
    ) -> None:
        """Take the rate of each network that is ``bounded``, and that of those that ``visits`` knows nothing of, if any."""
        self._limit = None if per_second is None else RateLimit(1 / per_second, per_second)
        self._clock = clock
        self._visits = visits
        self._bounded = bounded
        self._strangers = None if strangers is None else TokenBucket(strangers, clock)
        self._newcomers = None if strangers is None else TokenBucket(_a_second_of(strangers), clock)
        self._buckets: dict[str, TokenBucket | None] = {}

    def may_open(self, address: str) -> bool:
        """Tell whether a client may have one more connection."""
        network = client_network(address)
        is_new = network not in self._buckets
        bucket = TokenBucket(self._limit, self._clock) if is_new and self._limit is not None else self._buckets.get(network)
        shared = None if self._visits(network) else self._newcomers if is_new else self._strangers
        if shared is not None and not shared.take():
            return False  # and a newcomer is one still
        remember(self._buckets, network, bucket)
        return bucket is None or bucket.take() or not self._bounded(network)


def _a_second_of(limit: RateLimit) -> RateLimit:
    return replace(limit, burst=min(limit.burst, round(1 / limit.interval)))


class RatedSocket(socket.socket):
    """A listening socket whose `accept` gives those connections that rates allow."""

    def __init__(self, listening: socket.socket, rates: ConnectionRates) -> None:
        """Take the place of a listening socket, which is closed by that."""
        super().__init__(listening.family, listening.type, listening.proto, fileno=listening.detach())
        self._rates = rates

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection; raises BlockingIOError where there is none, or enough were closed for now."""
        for _ in range(_CLOSED_AT_ONCE):
            connection, address = super().accept()
            if self._rates.may_open(str(address[0])):
                return connection, address
            connection.close()
        raise BlockingIOError
