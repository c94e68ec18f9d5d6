"""A listening socket that closes what a network opens beyond its rate, before anything is made of it.

A connection costs asyncio six times as much as taking it off the kernel's queue and closing it, and leaves a cycle of objects
for the garbage collector. With TLS most of a flood comes to nothing anyway (`handshakes.py`): here it does so at that price.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from racoon_exporter.web.config import RateLimit
from racoon_exporter.web.handshakes import remember
from racoon_exporter.web.network import client_network
from racoon_exporter.web.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

#: Connections closed in one turn of the event loop.
_CLOSED_AT_ONCE = 64


class ConnectionRates:
    """How many connections a network may open each second, and at once."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = RateLimit(1 / per_second, per_second)
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}

    def may_open(self, address: str) -> bool:
        """Tell whether a client may have one more connection."""
        network = client_network(address)
        bucket = self._buckets.get(network) or TokenBucket(self._limit, self._clock)
        remember(self._buckets, network, bucket)
        return bucket.take()


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
