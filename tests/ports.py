"""Ports of loopback for programs that must be told theirs before they listen there.

What `bind` to port 0 gives is of the range from which the system takes the ports of whoever connects, and is free only as long
as nobody does. These are not of that range, and none is given twice, in whatever process of the tests.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

_FIRST: Final = 20_000
_LAST: Final = 32_000
"""Linux takes ports from 32,768 on (net.ipv4.ip_local_port_range), others from 49,152 (RFC 6335, 6)."""

_taken: list[IO[bytes]] = []
"""Held until the process ends."""


def free_port() -> int:
    """Give a port that nobody listens on, by TCP or UDP, and that no other test will be given while this process lives."""
    span = _LAST - _FIRST
    for step in itertools.count():
        port = _FIRST + (os.getpid() * 61 + step) % span
        assert step < span, "no port is free"
        if _is_free(port) and _take(port):
            return port
    raise AssertionError("not reached")


def free_ports(number: int) -> list[int]:
    """Give several."""
    return [free_port() for _ in range(number)]


def _is_free(port: int) -> bool:
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams, suppress(OSError):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for probe in (stream, datagrams):
            probe.bind(("127.0.0.1", port))
        return True
    return False


def _take(port: int) -> bool:
    """Lock a file that stands for a port; its holders are the tests of all processes."""
    folder = Path(tempfile.gettempdir(), f"racoon-exporter-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    lock = (folder / str(port)).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _taken.append(lock)
    return True
