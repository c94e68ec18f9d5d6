"""Witness `racoon`: the admin socket of the daemon, spoken directly."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from racoon_exporter.witness.contract import RacoonLook, WitnessError
from racoon_parsers import admin_socket
from racoon_parsers.admin_socket import AdminError, Event, Phase1, Status

SECONDS: Final = 5.0
"""An answer that takes longer is given up."""
_CHUNK: Final = 65536
_MOST_CHUNKS: Final = 1000
"""Pieces of what racoon tells that are taken at one look; the rest waits for the next."""


class RacoonSocket:
    """A racoon, asked over its admin socket."""

    name = "racoon"

    def __init__(self, path: Path, *, gateway: str | None = None, events: bool = True) -> None:
        """Name the socket; `events`: whether to listen to what racoon tells between two looks."""
        self.gateway = gateway
        self._path = path
        self._listens = events
        self._listener: socket.socket | None = None
        self._unread = b""
        self._documented: bool | None = None
        """Whether this daemon has the status document. Asked once a connection to a new daemon, as older ones log an error."""
        self._daemon: tuple[int, int] | None = None

    def look(self) -> RacoonLook:
        """Ask for the ISAKMP SAs, the status document where there is one, and take what was told meanwhile."""
        taken = time.time()
        try:
            self._notice_new_daemon()
            sas = admin_socket.read_show_sa(self._ask(admin_socket.show_sa_request()))
            status = self._status()
            events = tuple(self._events()) if self._listens and status is not None else ()
        except AdminError as error:
            raise WitnessError(f"{self._path}: {error}") from error
        except OSError as error:
            raise WitnessError(f"{self._path}: {error.strerror or error}") from error
        if status is None:
            return RacoonLook(taken, sas)
        return RacoonLook(taken, _joined(sas, status), status.phase2, events, documented=True)

    def close(self) -> None:
        """Stop listening."""
        listener, self._listener, self._unread = self._listener, None, b""
        if listener is not None:
            listener.close()

    def _notice_new_daemon(self) -> None:
        """A new daemon makes its socket anew; it may be of another version."""
        status = self._path.stat()
        if (daemon := (status.st_ino, status.st_ctime_ns)) != self._daemon:
            self._daemon, self._documented = daemon, None
            self.close()

    def _status(self) -> Status | None:
        if self._documented is False:
            return None
        try:
            status = admin_socket.read_status(self._ask(admin_socket.status_request()))
        except _RefusedError:
            self._documented = False
            return None
        self._documented = True
        return status

    def _ask(self, question: bytes) -> bytes:
        with contextlib.closing(self._connected()) as connection:
            connection.sendall(question)
            until = time.monotonic() + SECONDS
            head = admin_socket.read_head(_received(connection, admin_socket.HEAD.size, until), question)
            if head.error:
                raise _RefusedError(f"racoon refused with error {head.error} ({errno.errorcode.get(head.error, 'unknown')})")
            return _received(connection, head.body, until)

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | getattr(socket, "SOCK_CLOEXEC", 0))
        connection.settimeout(SECONDS)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    def _events(self) -> Iterator[Event]:
        """Take what racoon told since the last look. The first look subscribes, and so does the one after an error."""
        try:
            if self._listener is None:
                self._listener = self._connected()
                self._listener.sendall(admin_socket.events_request())
                self._listener.setblocking(False)  # noqa: FBT003
            for _ in range(_MOST_CHUNKS):
                data = self._listener.recv(_CHUNK)
                if not data:
                    self.close()
                    return
                self._unread += data
                yield from self._complete_events()
        except BlockingIOError:
            return  # nothing more was told so far
        except (AdminError, OSError):
            self.close()
            raise

    def _complete_events(self) -> Iterator[Event]:
        size = admin_socket.HEAD.size
        while len(self._unread) >= size:
            head = admin_socket.read_head(self._unread)
            if len(self._unread) < size + head.body:
                return
            body, self._unread = self._unread[size : size + head.body], self._unread[size + head.body :]
            event = admin_socket.read_event(body)
            if event is not None:
                yield event


class _RefusedError(AdminError):
    """racoon answered with an error."""


def _received(connection: socket.socket, size: int, until: float) -> bytes:
    """Receive so many bytes. Raises AdminError where they do not come in time, or at all."""
    data = bytearray()
    while len(data) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise AdminError(f"no answer within {SECONDS:.0f} s")
        connection.settimeout(left)
        try:
            chunk = connection.recv(min(_CHUNK, size - len(data)))
        except TimeoutError as error:
            raise AdminError(f"no answer within {SECONDS:.0f} s") from error
        if not chunk:
            raise AdminError("racoon closed the connection before its answer was whole")
        data += chunk
    return bytes(data)


def _joined(sas: tuple[Phase1, ...], status: Status) -> tuple[Phase1, ...]:
    """Lay the two answers together: the SA dump has the addresses, the document the rest."""
    told = {one.cookies: one for one in status.phase1}
    joined = []
    for sa in sas:
        document = told.get(sa.cookies)
        joined.append(
            sa
            if document is None
            else replace(
                document,
                state=sa.state,
                local=sa.local,
                remote=sa.remote,
                role=sa.role,
                created=sa.created,
                exchange=sa.exchange,
            )
        )
    return tuple(joined)
