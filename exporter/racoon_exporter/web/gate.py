"""The beginning of a connection: it is counted, TLS is made where the configuration says so, and HTTP takes it over.

TLS is made here and not by the listening socket: each connection then gets the certificates and CA in force when it comes,
and one that never finishes its handshake counts and is timed like any other.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
from typing import TYPE_CHECKING, cast

from racoon_exporter.web.handshakes import could_become_client_hello
from racoon_exporter.web.protocol import HttpConnection
from racoon_exporter.web.tls import client_is_allowed
from racoon_exporter.web.tls_bytes import CountedTls

if TYPE_CHECKING:
    import ssl

    from racoon_exporter.web.config_reload import Loaded
    from racoon_exporter.web.connections import Connection, Connections
    from racoon_exporter.web.protocol import Endpoint


def shrink_tls_buffers() -> None:
    """Let asyncio read TLS in pieces of 32 KiB, in the whole process.

    It keeps a buffer of 256 KiB for each connection, 16 MiB for 64 of them, where a TLS record has 16 KiB at most
    (RFC 8446, 5.1). The size is an attribute of its class, and there is no other way to it.
    """
    asyncio.sslproto.SSLProtocol.max_size = 32 * 1024


class Gate(asyncio.Protocol):
    """The first protocol of every connection: counts it, makes TLS where the configuration says so, hands it to HTTP.

    TLS is begun when a ClientHello has come that may be answered: until then a client has cost no more than its socket.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._transport: asyncio.Transport
        self._connection: Connection
        self._book: Connections
        self._timer: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._early = bytearray()
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit a connection that was accepted."""
        self._transport = cast("asyncio.Transport", transport)
        plain = self._endpoint.live.current().context is None
        self._book = self._endpoint.connections if plain else self._endpoint.waiting
        self._connection = self._book.admit(self._transport)
        self._connection.served = self._endpoint.handshakes.has_served(self._connection.client)
        if self._transport.is_closing():  # it was the one to give way
            return
        if plain:
            self._hand_over(self._transport)
        else:
            self._timer = self._endpoint.loop.call_later(self._endpoint.limits.request_timeout, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        """Keep what comes before HTTP can take it: the ClientHello, and a request with the last message of the handshake."""
        self._early += data
        if self._handshake is None and not could_become_client_hello(bytes(self._early)):
            self._begin_handshake()

    def eof_received(self) -> None:
        """Close where a client ends before it has begun."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that ended before HTTP had it."""
        del exc
        self._lost = True
        self._stop_timer()
        self._book.remove(self._connection)

    def _begin_handshake(self) -> None:
        self._stop_timer()
        loaded = self._endpoint.live.current()
        client, handshakes = self._connection.client, self._endpoint.handshakes
        if loaded.context is None or not handshakes.may_begin(client, bytes(self._early)):
            self._transport.abort()
            return
        self._book.remove(self._connection)
        self._book = self._endpoint.connections
        self._connection = self._book.admit(self._transport, served=handshakes.has_served(client))
        if self._transport.is_closing():
            return
        self._transport.pause_reading()  # what the client says next is for TLS
        self._handshake = self._endpoint.loop.create_task(self._secure(self._transport, loaded, loaded.context))
        self._endpoint.loop.call_soon(self._pass_on_hello)

    def _pass_on_hello(self) -> None:
        """Give TLS what was read before it was there, ahead of all that comes.

        start_tls() has just set the protocol that reads TLS, and has queued its beginning and then the reading; what is
        queued now runs between these and the first bytes that are read.
        """
        hello, self._early = bytes(self._early), bytearray()
        self._endpoint.loop.call_soon(_feed, self._transport, hello)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _secure(self, transport: asyncio.Transport, loaded: Loaded, context: ssl.SSLContext) -> None:
        secured = None
        try:
            secured = await self._endpoint.loop.start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=self._endpoint.limits.request_timeout,
                ssl_shutdown_timeout=self._endpoint.limits.request_timeout,
            )
        except OSError as error:  # ssl.SSLError is one, and so are time-outs
            self._endpoint.logger.debug("TLS handshake with %s failed: %s", self._connection.client, error)
        # None also if the connection was cut meanwhile: asyncio then calls nobody's connection_lost.
        if secured is None or self._lost:
            self._endpoint.connections.remove(self._connection)
        elif self._is_allowed(secured, loaded):
            tls = cast("asyncio.BufferedProtocol", transport.get_protocol())
            transport.set_protocol(CountedTls(transport, tls, self._connection, self._endpoint.limits.max_tls_bytes))
            self._hand_over(secured)
        else:
            self._endpoint.logger.debug("client %s has none of client_allowed_sans", self._connection.client)
            secured.abort()

    @staticmethod
    def _is_allowed(secured: asyncio.Transport, loaded: Loaded) -> bool:
        certificate = secured.get_extra_info("ssl_object").getpeercert()
        return loaded.config.tls is not None and client_is_allowed(loaded.config.tls, certificate)

    def _hand_over(self, transport: asyncio.Transport) -> None:
        http = HttpConnection(self._endpoint, self._connection)
        transport.set_protocol(http)
        http.connection_made(transport)
        if self._early:
            http.data_received(bytes(self._early))


def _feed(transport: asyncio.Transport, data: bytes) -> None:
    """Give data to a transport's protocol as the event loop does (asyncio.BufferedProtocol)."""
    protocol = cast("asyncio.BufferedProtocol", transport.get_protocol())
    while data and not transport.is_closing():
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]
