"""What a service tells systemd about itself: ready, reloading, stopping, alive.

The protocol of sd_notify(3) and sd_watchdog_enabled(3): one datagram of `NAME=value` lines for each message, to the socket that
NOTIFY_SOCKET names. Without that variable nobody listens and every message is dropped; from a terminal all works the same.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger("racoon_exporter")
_MICROSECONDS: Final = 1_000_000
_SEND_SECONDS: Final = 1.0
"""How long a message waits while systemd does not read; the reader of logs must not hang on it."""

Send = Callable[[bytes], None]


def socket_address(name: str) -> str | bytes:
    """Give the address of NOTIFY_SOCKET; `@` at the beginning stands for the NUL of Linux' abstract namespace.

    Raises ValueError for what is neither a path nor an abstract name, such as the `vsock:` of virtual machines.
    """
    if name.startswith("@") and len(name) > 1:
        return b"\0" + os.fsencode(name[1:])
    if name.startswith("/"):
        return name
    raise ValueError(f"NOTIFY_SOCKET is neither a path nor an abstract socket: {name}")


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Give the seconds after which systemd takes this process to be stuck; None where it does not watch.

    WATCHDOG_PID says whom the variables are for: a child that inherited them is not watched.
    """
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    value = environment.get("WATCHDOG_USEC", "")
    if not (value.isascii() and value.isdecimal()) or int(value) == 0:
        return None
    return int(value) / _MICROSECONDS


def message(**variables: str | int) -> bytes:
    r"""Write variables as a datagram: `READY=1\nSTATUS=…`. No control character of a value begins another variable."""
    return "\n".join(f"{name}={visible(str(value))}" for name, value in variables.items()).encode()


def sender(name: str) -> Send:
    """Open a way to the socket of that name. Raises ValueError for a name of another kind; sending raises OSError."""
    address = socket_address(name)

    def send(datagram: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
            way.settimeout(_SEND_SECONDS)
            way.sendto(datagram, address)

    return send


def _nobody(_datagram: bytes) -> None:
    """Drop a message that nobody waits for."""


@dataclass(slots=True)
class Notifier:
    """Tells systemd how we are. A message that cannot be sent is logged once and never stops the exporter."""

    send: Send = _nobody
    watchdog_seconds: float | None = None
    """Seconds of silence after which systemd kills us."""
    monotonic: Callable[[], float] = time.monotonic
    _next_sign: float = field(default=0.0, init=False)
    _trouble: bool = field(default=False, init=False)

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] = os.environ,
        *,
        pid: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        open_sender: Callable[[str], Send] = sender,
    ) -> Notifier:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; a socket of a kind we do not know is logged and not used."""
        name = environment.get("NOTIFY_SOCKET", "")
        if not name:
            return cls(monotonic=monotonic)
        try:
            send = open_sender(name)
        except ValueError as error:
            _LOGGER.warning("systemd is not told how we are: %s", error)
            return cls(monotonic=monotonic)
        return cls(send, watchdog_seconds(environment, os.getpid() if pid is None else pid), monotonic)

    def ready(self, status: str = "") -> None:
        """Say that we serve: after the start, and after a reload."""
        self._tell(message(READY=1, STATUS=status) if status else message(READY=1))

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._tell(message(STATUS=text))

    def reloading(self) -> None:
        """Say that the configuration is being read anew; `ready` says when that is done."""
        self._tell(message(RELOADING=1, MONOTONIC_USEC=int(self.monotonic() * _MICROSECONDS)))

    def stopping(self, status: str = "") -> None:
        """Say that we are about to end."""
        self._tell(message(STOPPING=1, STATUS=status) if status else message(STOPPING=1))

    def watchdog(self) -> None:
        """Give a sign of life, from the loop that must not hang. Call it often: one in half an interval is sent."""
        if self.watchdog_seconds is None:
            return
        now = self.monotonic()
        if now >= self._next_sign:
            self._next_sign = now + self.watchdog_seconds / 2
            self._tell(message(WATCHDOG=1))

    def _tell(self, datagram: bytes) -> None:
        try:
            self.send(datagram)
        except OSError as error:
            if not self._trouble:
                _LOGGER.warning("cannot tell systemd how we are: %s", error.strerror or error)
            self._trouble = True
        else:
            self._trouble = False
