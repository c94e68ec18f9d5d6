"""Addresses to listen on for syslog messages, and the sockets there."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

SYSLOG_PORT = 514
"""Where the address names no port (RFC 5426 section 3.3; used for TCP too)."""

BACKLOG = 1024
"""Connections that the kernel completes before they are taken; who comes when it is full tries again after whole seconds."""
RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes the kernel is asked to keep of datagrams that were not read yet; it gives what `net.core.rmem_max` allows."""

UNIX_MODE = 0o660
_NETWORK = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
_UNIX = {"unix": socket.SOCK_DGRAM, "unix-stream": socket.SOCK_STREAM}
_HOSTS = {"": ("0.0.0.0", "::"), "localhost": ("127.0.0.1", "::1")}  # noqa: S104 - only where the user names no host
_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """One address, taken apart. `host` is empty for every address of this machine, `path` is of a unix socket."""

    text: str
    kind: socket.SocketKind
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def read(cls, text: str) -> ListenAddress:
        """Read `udp://HOST:PORT`, `tcp://HOST:PORT`, `unix:///PATH` (datagrams, as /dev/log) or `unix-stream:///PATH`.

        Raises ValueError for anything else.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"syslog address {text!r}: {error}") from error
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"syslog address {text!r}: expected no more than an address")
        if parts.scheme in _UNIX:
            if parts.netloc or not parts.path.startswith("/") or "\0" in parts.path:
                raise ValueError(f"syslog address {text!r}: expected a path, as in {parts.scheme}:///run/racoon.sock")
            return cls(text, _UNIX[parts.scheme], path=parts.path)
        if parts.scheme not in _NETWORK:
            raise ValueError(f"syslog address {text!r}: expected udp://, tcp://, unix:// or unix-stream://")
        if parts.path.strip("/") or not parts.netloc:
            raise ValueError(f"syslog address {text!r}: expected HOST:PORT, as in {parts.scheme}://127.0.0.1:514")
        host = "" if parts.hostname in {None, "*"} else parts.hostname or ""
        if host not in _HOSTS and not _is_address(host):
            raise ValueError(f"syslog address {text!r}: {host} is neither an address nor localhost")  # names would need DNS
        return cls(text, _NETWORK[parts.scheme], host=host, port=SYSLOG_PORT if port is None else port)

    def listen(self) -> list[socket.socket]:
        """Return non-blocking sockets bound to the address, IPv4 and IPv6 each its own; raises OSError where there is none."""
        if self.path:
            return [_unix_socket(self.path, self.kind)]
        sockets: list[socket.socket] = []
        missing: OSError | None = None
        try:
            for host in _HOSTS.get(self.host, (self.host,)):
                try:
                    sockets.append(_network_socket(host, self.port, self.kind))
                except OSError as error:
                    if error.errno not in _NO_SUCH_FAMILY or self.host not in _HOSTS:
                        raise
                    missing = error  # a host without IPv6, or without IPv4
        except OSError:
            for opened in sockets:
                opened.close()
            raise
        if missing is not None and not sockets:
            raise missing
        return sockets


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _network_socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family, _, _, _, where = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)[0]
    opened = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        if kind == socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _begin(opened, kind, where)
    except OSError:
        opened.close()
        raise
    return opened


def _unix_socket(path: str, kind: socket.SocketKind) -> socket.socket:
    _remove_dead(path, kind)
    opened = socket.socket(socket.AF_UNIX, kind)
    try:
        _begin(opened, kind, path)
        os.chmod(path, UNIX_MODE)  # noqa: PTH101 - paths are text here
    except OSError:
        opened.close()
        raise
    return opened


def _begin(opened: socket.socket, kind: socket.SocketKind, where: Any) -> None:
    opened.settimeout(0)
    if kind == socket.SOCK_DGRAM:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    opened.bind(where)
    if kind == socket.SOCK_STREAM:
        opened.listen(BACKLOG)


def _remove_dead(path: str, kind: socket.SocketKind) -> None:
    """Remove the socket of one who did not clean up; raises OSError where somebody listens, or it is no socket."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "exists and is no socket", path)
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, kind) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)  # noqa: PTH108 - paths are text here
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), path)


def remove_name(opened: socket.socket) -> None:
    """Remove the name that a unix socket has in the file system, as its owner should."""
    if opened.family == socket.AF_UNIX:
        with suppress(FileNotFoundError):  # somebody was tidy before us
            os.unlink(opened.getsockname())  # noqa: PTH108 - paths are text here
