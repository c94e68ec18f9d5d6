"""The books of all open connections: how many there may be, and which one gives way.

Beyond its limit uvicorn answers 503 to everybody, the scraper included. Here the oldest idle connection gives way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from racoon_exporter.web.network import client_network, never_came

if TYPE_CHECKING:
    from collections.abc import Callable

_STALLED_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what clients may take. Times are seconds."""

    #: Open connections. Well below the usual limit of 1,024 file descriptors, the logs need some too.
    max_connections: int = 256
    #: The same with TLS, where each costs some 100 KiB.
    max_tls_connections: int = 64
    #: Clients that have stopped reading in the middle of a response, each of which holds that response in memory.
    max_stalled: int = 8
    #: Bytes of such responses, but for one of any size.
    max_stalled_bytes: int = _STALLED_BYTES
    #: TLS handshakes begun in a second by a network (an IPv4 address or an IPv6 /64) that was served before.
    max_handshakes: int = 50
    #: The same of a network that was not, of all such networks together, and of all that come for the first time.
    max_stranger_handshakes: int = 10
    max_strangers_handshakes: int = 25
    #: Connections opened in a second, and at once, by a network; without TLS by one that was served less often than another.
    max_new_connections: int = 400
    #: The same of all networks together that were not served before, and of all that come for the first time. As many at once
    #: as are made in half a second.
    max_new_strangers: int = 200
    max_new_strangers_at_once: int = 1200
    #: What a client may send within TLS without a byte of HTTP among it: four of the largest records.
    max_tls_bytes: int = 64 * 1024
    #: Pieces of fewer bytes than this that a request may come in; behind more, reading pauses for so many seconds after each.
    small_piece_bytes: int = 1024
    max_small_pieces: int = 16
    pause_between_pieces: float = 0.1
    #: For a TLS handshake, and again for a whole request.
    request_timeout: float = 10.0
    #: A kept connection without a request: longer than any usual scrape interval.
    keep_alive_timeout: float = 150.0
    #: Without the client reading anything of what was sent.
    write_timeout: float = 20.0
    #: Request line and headers together, in bytes.
    max_head_bytes: int = 16 * 1024


@dataclass(eq=False, slots=True)
class Connection:
    """One accepted connection, for the books of `Connections`."""

    transport: asyncio.Transport
    client: str
    #: Ends the connection in good order: HTTP puts its own way here.
    finish: Callable[[], None]
    #: A request that came on it, or from its network, was let in and answered: of two idle connections, the other gives way.
    served: bool = False
    #: Size of the response under way, in bytes.
    response_bytes: int = 0
    #: What came within TLS since the last byte of HTTP.
    tls_bytes: int = 0


class Connections:
    """All open connections; decides which one gives way when there are too many."""

    def __init__(
        self,
        limit: int,
        max_stalled: int,
        max_stalled_bytes: int = _STALLED_BYTES,
        visits: Callable[[str], int] = never_came,
    ) -> None:
        """Keep books of so many. ``visits`` tells how often a network came and was served."""
        self._visits = visits
        self._limit = limit
        self._max_stalled = max_stalled
        self._max_stalled_bytes = max_stalled_bytes
        self._all: dict[Connection, None] = {}
        self._idle: dict[Connection, None] = {}  # dicts keep order: the oldest comes first
        self._stalled: dict[Connection, None] = {}
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, transport: asyncio.Transport, *, served: bool = False) -> Connection:
        """Enter a new connection, which is idle until a request has come, and close another where there are too many."""
        peer = transport.get_extra_info("peername") or ("",)  # a client that has gone already has none
        connection = Connection(transport, client_network(str(peer[0])), transport.abort, served)
        if len(self._all) >= self._limit:
            self._drop(self._dispensable(connection.client) or connection)
        if not transport.is_closing():
            self._all[connection] = None
            self._idle[connection] = None
            self.empty.clear()
        return connection

    def remove(self, connection: Connection) -> None:
        """Forget a closed connection."""
        for table in (self._all, self._idle, self._stalled):
            table.pop(connection, None)
        if not self._all:
            self.empty.set()

    def set_idle(self, connection: Connection, *, idle: bool) -> None:
        """Note whether a connection waits, for a request or its turn, or has one running. Its idle age starts anew."""
        if not idle:
            self._idle.pop(connection, None)
        elif connection in self._all:
            self._idle.setdefault(connection)

    def set_stalled(self, connection: Connection, *, stalled: bool) -> None:
        """Note whether a client has stopped reading; of too many such clients, or too much for them, the first is dropped."""
        self._stalled.pop(connection, None)
        if stalled and connection in self._all:
            self._stalled[connection] = None
            while len(self._stalled) > 1 and self._holds_too_much():
                self._drop(next(iter(self._stalled)))

    def _holds_too_much(self) -> bool:
        size = sum(connection.response_bytes for connection in self._stalled)
        return len(self._stalled) > self._max_stalled or size > self._max_stalled_bytes

    def finish_all(self) -> None:
        """End every connection that has no request running, and the others after their response."""
        for connection in list(self._all):
            connection.finish()

    def drop_all(self) -> None:
        """Cut every connection."""
        for connection in list(self._all):
            self._drop(connection)

    def _dispensable(self, newcomer: str) -> Connection | None:
        """Return the connection that gives way to one of a network, None for that one itself.

        The first of: an idle one, a running one whose client has not read its response for longest, a running one of a network
        that holds more. No network makes one give way that holds less: a flood displaces itself. A flood from many networks
        holds one connection of each, as a scraper does: so one that was served does not give way to a network that came less
        often, while there is any other, and who came often makes a running one of who did not give way.
        """
        held = Counter(connection.client for connection in self._all)
        stalled = (connection for connection in self._stalled if held[connection.client] >= held[newcomer])
        return self._idle_one(newcomer, held) or next(stalled, None) or self._running_one(newcomer, held)

    def _idle_one(self, newcomer: str, held: Counter[str]) -> Connection | None:
        """Return the oldest of those that were not served, else of those that came least often; of who has most of these."""
        idle = [connection for connection in self._idle if held[connection.client] >= held[newcomer]]
        candidates = [connection for connection in idle if not connection.served] or [
            connection
            for connection in idle
            if len(self._idle) == len(self._all) or self._visits(connection.client) <= self._visits(newcomer)
        ]
        number = Counter(connection.client for connection in candidates)
        return max(
            candidates, key=lambda connection: (number[connection.client], -self._visits(connection.client)), default=None
        )

    def _running_one(self, newcomer: str, held: Counter[str]) -> Connection | None:
        """Return the last of the network that holds most, of those that may give way."""
        visits = self._visits(newcomer)
        candidates = [
            connection
            for connection in reversed(self._all)
            if held[connection.client] > held[newcomer] + 1
            or (held[connection.client] > held[newcomer] and self._visits(connection.client) < visits)
        ]
        return max(candidates, key=lambda connection: held[connection.client], default=None)

    def _drop(self, connection: Connection) -> None:
        self.remove(connection)
        connection.transport.abort()
