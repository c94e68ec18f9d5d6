"""Addresses of ``--web.listen-address`` and systemd's sockets, turned into listening sockets."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from racoon_exporter.web.problems import ListenError

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

#: Connections that the kernel completes ahead of accept(). When it is full, the kernel drops a scraper's SYN, which comes
#: again after a whole second.
BACKLOG = 4096

_FIRST_SYSTEMD_FD = 3  # SD_LISTEN_FDS_START of sd_listen_fds(3)
_MAX_PORT = 65535
_ATTEMPTS = 8
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})
_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- compared with, not bound


@dataclass(frozen=True, slots=True)
class Listener:
    """The sockets of one address and the name a person would use for it, ``localhost:10500``."""

    name: str
    sockets: tuple[socket.socket, ...]


def listen(addresses: Sequence[str]) -> list[Listener]:
    """Listen on every address, or on none: raises ListenError and closes what was open."""
    with ExitStack() as opened:
        listeners = []
        for address in addresses:
            listener = _listen_on(address)
            listeners.append(listener)
            for sock in listener.sockets:
                opened.callback(sock.close)
        opened.pop_all()
    return listeners


def activated(
    environment: MutableMapping[str, str] = os.environ, *, first_descriptor: int = _FIRST_SYSTEMD_FD
) -> list[Listener]:
    """Return the sockets that systemd passed, sd_listen_fds(3); the variables are removed, as children have no part in it."""
    pid, count = environment.pop("LISTEN_PID", ""), environment.pop("LISTEN_FDS", "")
    environment.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdecimal() or int(count) == 0:
        raise ListenError("cannot listen on systemd sockets: none were passed (LISTEN_PID, LISTEN_FDS)")
    return [_activated(descriptor) for descriptor in range(first_descriptor, first_descriptor + int(count))]


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port``, ``:port`` or ``[v6]:port``; raises ListenError."""
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise _error(address, "write an IPv6 address as [::1]:10500")
    if not colon:
        raise _error(address, "no port given")
    if not (port.isascii() and port.isdigit() and int(port) <= _MAX_PORT):
        raise _error(address, f"the port must be a number up to {_MAX_PORT}")
    return host, int(port)


def _listen_on(address: str) -> Listener:
    host, port = split_address(address)
    try:
        sockets = (_everywhere(port),) if not host else _at_name(host, port)
    except OSError as error:
        raise _error(address, error.strerror or str(error)) from error
    except UnicodeError as error:  # what the IDNA codec says of a label that is empty or too long
        raise _error(address, "not a host name") from error
    shown = "localhost" if host in _ANYWHERE else f"[{host}]" if ":" in host else host
    return Listener(f"{shown}:{sockets[0].getsockname()[1]}", sockets)


def _everywhere(port: int) -> socket.socket:
    """Listen on all addresses: one socket for IPv6 and IPv4, or for IPv4 alone on a host without IPv6."""
    try:
        return _socket(socket.AF_INET6, ("::", port), dual_stack=True)
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        return _socket(socket.AF_INET, ("", port))


def _at_name(host: str, port: int) -> tuple[socket.socket, ...]:
    """Listen on every address of a name that this host has. For port 0 all of them share one free port."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    endpoints = sorted({(family, address) for family, _, _, _, address in found}, key=_ipv4_first)
    for attempt in range(_ATTEMPTS):
        try:
            return _at(endpoints)
        except OSError as error:
            # The port that was free on 127.0.0.1 may be taken on ::1.
            if port or error.errno != errno.EADDRINUSE or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _at(endpoints: Sequence[tuple[int, tuple[object, ...]]]) -> tuple[socket.socket, ...]:
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    with ExitStack() as opened:
        for family, (host, port, *scope) in endpoints:
            shared = sockets[0].getsockname()[1] if sockets else port
            try:
                sock = _socket(family, (host, shared, *scope))
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                absent = error
            else:
                sockets.append(sock)
                opened.callback(sock.close)
        if not sockets and absent is not None:
            raise absent
        opened.pop_all()
    return tuple(sockets)


def _socket(family: int, address: tuple[object, ...], *, dual_stack: bool = False) -> socket.socket:
    with ExitStack() as opened:
        sock = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not dual_stack))
        sock.bind(address)
        sock.listen(BACKLOG)
        opened.pop_all()
    return sock


def _activated(descriptor: int) -> Listener:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        raise _error(f"systemd socket {descriptor}", error.strerror or str(error)) from error
    if sock.family not in {socket.AF_INET, socket.AF_INET6} or sock.type != socket.SOCK_STREAM:
        sock.close()
        raise _error(f"systemd socket {descriptor}", "not a TCP socket")
    sock.set_inheritable(False)
    host, port = sock.getsockname()[:2]
    shown = "localhost" if host in _ANYWHERE else f"[{host}]" if ":" in host else host
    return Listener(f"{shown}:{port}", (sock,))


def _ipv4_first(endpoint: tuple[int, tuple[object, ...]]) -> tuple[bool, str]:
    family, address = endpoint
    return family != socket.AF_INET, str(address)


def _error(address: str, reason: str) -> ListenError:
    return ListenError(f"cannot listen on {address}: {reason}")
