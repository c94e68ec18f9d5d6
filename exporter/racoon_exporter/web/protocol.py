"""What happens on one connection: its TLS, its HTTP, and how long a client may take.

uvicorn's h11 protocol reads requests and runs the application. It trusts clients in two ways that the open internet does
not deserve, and this module adds what is missing: the time for a request to arrive (a drip of header bytes would be waited
for without end), and the time for a response to be taken (a client that stops reading keeps its response in memory).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from racoon_exporter.web.application import ANSWERING, SERVED, WAITING
from racoon_exporter.web.requests import StrictConnection

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from racoon_exporter.web.config_reload import LiveConfig
    from racoon_exporter.web.connections import Connection, Connections, Limits
    from racoon_exporter.web.handshakes import Handshakes

#: Seconds that are left at the end of the server for the first request of a connection which was just made.
_ON_ITS_WAY = 0.25


@dataclass(slots=True)
class Endpoint:
    """What all connections of one server share."""

    config: Config
    live: LiveConfig
    limits: Limits
    connections: Connections
    #: Those that TLS has not begun on: they hold a socket and nothing else, so there may be more of them.
    waiting: Connections
    handshakes: Handshakes
    logger: logging.Logger
    loop: asyncio.AbstractEventLoop
    state: ServerState = field(default_factory=ServerState)
    #: Whether the server ends: each connection is closed behind the response that runs, or its first one.
    ends: bool = False


class HttpConnection(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with time limits."""

    def __init__(self, endpoint: Endpoint, connection: Connection) -> None:
        told = {SERVED: self._note_served, ANSWERING: self._note_answer, WAITING: self._note_waiting}
        super().__init__(endpoint.config, endpoint.state, told, endpoint.loop)
        self.logger = _ProtocolLogger(endpoint.logger)
        self.access_log = False
        connection.finish = self.shutdown
        self.conn = StrictConnection(h11.SERVER, endpoint.limits.max_head_bytes)
        self._endpoint = endpoint
        self._connection = connection
        self._ended = False
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_is_for = ""
        self._stall: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._pieces = 0
        self._pause: asyncio.TimerHandle | None = None
        self._last_chance = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time of the first request."""
        super().connection_made(transport)
        self._observe()
        if self._endpoint.ends:  # it was accepted just before
            self.shutdown()

    def data_received(self, data: bytes) -> None:
        """Read what came, and see how far the request is."""
        self._connection.tls_bytes = 0
        last = self._cycle_or_none()
        try:
            super().data_received(data)
        except h11.LocalProtocolError:
            # A body that breaks after its response has begun: uvicorn tries to answer 400, which is too late.
            self.transport.abort()
        if self._endpoint.ends and self._is_running():
            self.cycle.keep_alive = False
        self._observe()
        self._note_piece(len(data), begins=self._cycle_or_none() is not last)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio asks for it, uvicorn has none
        """Answer what came before a client closed its half (RFC 9112, 9.6), then close ours."""
        self._ended = True
        # asyncio has no half-closed TLS: it closes whatever is returned, and warns of True.
        keeps_open = self._is_running() and self.scheme == "http"
        if keeps_open:
            self._observe()
        return keeps_open

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. A request whose body it was is answered with that: its own response comes too late."""
        cycle = self._cycle_or_none()
        if cycle is not None:
            cycle.disconnected = True
        super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        super().on_response_complete()
        if self._ended and not self._is_running():
            self.transport.close()
        self._observe()

    def pause_writing(self) -> None:
        """Start the time of a client that does not read."""
        super().pause_writing()
        self._endpoint.connections.set_stalled(self._connection, stalled=True)
        self._stall = self._endpoint.loop.call_later(self._endpoint.limits.write_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self._endpoint.connections.set_stalled(self._connection, stalled=False)
        if self._stall is not None:
            self._stall.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        for timer in (self._deadline, self._stall, self._pause):
            if timer is not None:
                timer.cancel()
        if self._waiting is not None:
            self._waiting.cancel()  # nobody needs its answer, and who comes and goes would make a queue without end
        self._endpoint.connections.remove(self._connection)

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that was kept for nothing, at once if the client has not even read its last response."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _note_piece(self, size: int, *, begins: bool) -> None:
        """Read no more for a moment where many small pieces make no request: each costs as much as a large one.

        What comes meanwhile waits in the kernel and is read as one.
        """
        limits = self._endpoint.limits
        self._pieces = 0 if begins else self._pieces + (size < limits.small_piece_bytes)
        if self._pieces > limits.max_small_pieces:
            self.transport.pause_reading()
            self._pause = self._endpoint.loop.call_later(limits.pause_between_pieces, self._read_on)

    def _read_on(self) -> None:
        if not self.flow.read_paused:
            self.transport.resume_reading()

    def shutdown(self) -> None:
        """Close after the running response, at once if there is none; but a new client's request may be on its way."""
        if self._is_running():
            self.cycle.keep_alive = False
        elif self._cycle_or_none() is None and not self._last_chance:
            self._last_chance = True
            self._endpoint.loop.call_later(_ON_ITS_WAY, self.shutdown)
        else:
            self.transport.close()
        self._observe()

    def _note_answer(self, size: int) -> None:
        self._connection.response_bytes = size

    def _note_waiting(self, task: asyncio.Task[None] | None) -> None:
        self._waiting = task
        self._note_idle()

    def _note_served(self) -> None:
        self._connection.served = True
        self._endpoint.handshakes.note_served(self._connection.client)

    def _observe(self) -> None:
        """Set the clock that fits the state of the connection.

        A running clock is not set anew while the state lasts: a drip of bytes buys no time.
        """
        limits = self._endpoint.limits
        if self.transport.is_closing():
            self._set_deadline("the client to take the rest", limits.write_timeout)
        elif self._is_receiving():
            self._set_deadline("a request", limits.request_timeout)
        elif not self._is_running():
            # uvicorn's own timer ends with any bytes that come: empty lines, which are no request, would keep a connection.
            self._set_deadline("the next request", limits.keep_alive_timeout)
        else:
            self._set_deadline("", 0)
        self._note_idle()

    def _note_idle(self) -> None:
        """One whose request waits for its turn gives way like an idle one: nothing was done for it yet."""
        self._endpoint.connections.set_idle(self._connection, idle=self._waiting is not None or not self._is_running())

    def _is_running(self) -> bool:
        cycle = self._cycle_or_none()
        return cycle is not None and not cycle.response_complete

    def _is_receiving(self) -> bool:
        """Tell whether a request is under way: the first one, a beginning of the next, or the body of this one."""
        if self.conn.their_state is h11.IDLE:
            return self._cycle_or_none() is None or bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.SEND_BODY

    def _cycle_or_none(self) -> RequestResponseCycle | None:
        return self.cycle  # uvicorn leaves the None of the beginning out of its type

    def _set_deadline(self, purpose: str, seconds: float) -> None:
        if purpose == self._deadline_is_for:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._endpoint.loop.call_later(seconds, self.transport.abort) if purpose else None
        self._deadline_is_for = purpose


class _ProtocolLogger(logging.Logger):
    """Takes what uvicorn's protocol logs and passes it on as debug: all of it is what clients do, once per occurrence."""

    def __init__(self, target: logging.Logger) -> None:
        super().__init__(f"{target.name}.protocol", logging.INFO)
        self._target = target

    def handle(self, record: logging.LogRecord) -> None:
        self._target.debug("%s", record.getMessage().strip())
