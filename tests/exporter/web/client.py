"""Clients that do what well-behaved libraries do not."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from racoon_exporter.web import WebServer

#: Seconds after which a test gives up; nothing that works takes as long.
PATIENCE = 60.0


def connect(server: WebServer, receive_buffer: int | None = None) -> socket.socket:
    address = urlsplit(server.urls[0])
    with ExitStack() as opened:
        sock = opened.enter_context(socket.socket())
        sock.settimeout(PATIENCE)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(("127.0.0.1", address.port))
        opened.pop_all()
    return sock


def read_all(sock: socket.socket) -> bytes:
    """Read until the server closes; a reset ends the answer as well."""
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass  # the server cut the connection with our bytes unread
    return b"".join(parts)


def read_until(sock: socket.socket, end: bytes) -> bytes:
    answer = b""
    while not answer.endswith(end):
        part = sock.recv(65536)
        assert part, f"closed after {answer!r}"
        answer += part
    return answer


def exchange(server: WebServer, data: bytes) -> bytes:
    with connect(server) as sock:
        sock.sendall(data)
        return read_all(sock)


def exchange_in_time(server: WebServer, data: bytes) -> bytes:
    """Exchange with a server that waits for a request for a moment only: who was too slow to send his tries again."""
    answer = b""

    def is_answered() -> bool:
        nonlocal answer
        with suppress(OSError):  # cut while it was sent
            answer = exchange(server, data)
        return bool(answer)

    until(is_answered)
    return answer


def kept_connection(server: WebServer, request: bytes, end: bytes) -> socket.socket:
    """Return a connection on which a request was answered in the same way, up to the end of its answer."""
    sock = connect(server)

    def is_answered() -> bool:
        nonlocal sock
        with suppress(OSError):
            sock.sendall(request)
            if sock.recv(1):
                return bool(read_until(sock, end))
        sock.close()
        sock = connect(server)
        return False

    until(is_answered)
    return sock


def get(server: WebServer, path: bytes, *headers: bytes) -> bytes:
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    return exchange(server, b"\r\n".join(lines) + b"\r\n\r\n")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def scrape(server: WebServer) -> None:
    """Fetch the metrics, as a scraper does that nobody else may keep waiting."""
    assert b"racoon_test_total" in get(server, b"/metrics")


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does and tells nobody of."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        pause.wait(0.005)
