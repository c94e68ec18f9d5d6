"""An admin socket that answers from a script: what racoon would say, or what it never should."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

Answer = Callable[[socket.socket, bytes], None]
"""Gets the connection and the request."""


@contextlib.contextmanager
def admin_server(path: Path, answer: Answer) -> Iterator[None]:
    """Serve until the end of the block; connections stay open until then, unless the answer closes them."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            answer(connection, connection.recv(8))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


def reply(command: int, body: bytes = b"", *, error: int = 0) -> bytes:
    """Make a reply as admin.c: admin_reply() does."""
    total = 8 + len(body)
    if total > 0xFFFF:
        return struct.pack("=HHHH", total & 0xFFFF, command | 0x8000, total >> 16, 0) + body
    return struct.pack("=HHHH", total, command, error, 0) + body


def command_of(request: bytes) -> int:
    """Name what is asked for."""
    return int(struct.unpack("=HHHH", request)[1]) & 0x7FFF
