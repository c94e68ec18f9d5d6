"""A connection is cut where a client sends much within TLS that is no request.

It may ask for new keys as often as it likes (RFC 8446, 4.6.3): that costs a key for each 22 bytes, and an answer which waits in
memory while the client does not read it. Python's ssl can neither refuse nor count that; what comes can be counted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from racoon_exporter.web.connections import Connection


class CountedTls(asyncio.BufferedProtocol):
    """Stands between a transport and the protocol that reads TLS on it, and counts for the books of a connection."""

    def __init__(self, transport: asyncio.Transport, tls: asyncio.BufferedProtocol, connection: Connection, most: int) -> None:
        """Cut the transport when more than the most bytes come without one of HTTP."""
        self._transport = transport
        self._tls = tls
        self._connection = connection
        self._most = most

    def get_buffer(self, sizehint: int) -> bytearray:
        """Give TLS' own buffer."""
        return self._tls.get_buffer(sizehint)  # type: ignore[return-value]  # any buffer will do

    def buffer_updated(self, nbytes: int) -> None:
        """Count, and let TLS read; where that gives any of HTTP, it begins anew."""
        self._connection.tls_bytes += nbytes
        self._tls.buffer_updated(nbytes)
        if self._connection.tls_bytes > self._most:
            self._transport.abort()

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._tls.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._tls.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._tls.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._tls.connection_lost(exc)
