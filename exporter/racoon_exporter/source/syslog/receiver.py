"""Syslog messages received over UDP, TCP and unix sockets.

Nothing here waits and nothing is read ahead: sockets are read only when the loop asks for lines, and no further than it
asked. While the exporter is busy, datagrams stay in the kernel's buffer (and are dropped there when it is full, as UDP is; the
kernel says how many), and whoever sends over TCP or a unix socket is held up. So only UDP has a limit for each sender: it is
the only one that cannot wait. Sockets have their turn one after the other, so that a fast sender keeps nobody from being heard.
What must be kept, the beginnings of messages on open connections, is bounded in number of
connections and in bytes; the connection silent for longest gives way, of the sender that has most.
"""

from __future__ import annotations

import fcntl
import logging
import selectors
import socket
import struct
import sys
import termios
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, OneStream, SourceStatus
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.reporting import LiveCounts, Throttle, Trouble, reason
from racoon_exporter.source.streams.framing import Framer, as_line
from racoon_exporter.source.syslog.listen import ListenAddress, remove_name
from racoon_exporter.source.syslog.relay import complete, name_of
from racoon_exporter.source.syslog.sender_limit import Buckets, SenderLimit

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 256
MOST_HELD = 8 * 1024 * 1024
"""Bytes kept of messages that are not complete, over all connections of an address."""

RETRY_SECONDS = 5.0
"""How often an address that cannot be had is tried again."""

_PIECE = 64 * 1024
_TURN = 64
"""Datagrams read of one socket, and connections taken, before the others have their turn."""
_ROUNDS = 8
"""How often all sockets have their turn in one read."""

_MEMINFO = 55 if sys.platform == "linux" else None
"""Linux's SO_MEMINFO (asm-generic/socket.h), which Python does not name: what a socket holds, and how much it dropped.

SO_RXQ_OVFL tells the latter with a datagram, so what a flood lost at its end only when somebody sends again.
"""
_OF_A_SOCKET = struct.Struct("@9I")
_DROPS = 8
"""SK_MEMINFO_DROPS (linux/sock_diag.h)."""
_UNREAD = struct.Struct("@i")


@dataclass(frozen=True, slots=True)
class SyslogLimits:
    """What senders may take: connections, bytes of incomplete messages, and over UDP messages a second of each."""

    connections: int = MOST_CONNECTIONS
    held: int = MOST_HELD
    sender: SenderLimit = field(default_factory=SenderLimit)


@dataclass(slots=True, eq=False)
class _Connection:
    socket: socket.socket
    sender: str
    framer: Framer
    heard: float
    said: bool = False
    """Whether a whole message came on it."""


class SyslogSource(OneStream):
    """The messages that arrive at one address. Implements `Source`."""

    def __init__(
        self,
        address: str,
        *,
        limits: SyslogLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Listen at `address` (see `ListenAddress.read`) from now on. `clock` gives seconds, `now` those since the epoch.

        Raises ValueError for what is no address. One that cannot be had is told by `status` and tried again.
        """
        self._address = ListenAddress.read(address)
        self._limits = limits or SyslogLimits()
        self._clock = clock
        self._now = now
        self._counts = LiveCounts()
        self._buckets = Buckets(self._limits.sender)
        self._throttle = Throttle(clock)
        self._trouble = Trouble()
        self._selector = selectors.DefaultSelector()
        self._listening: list[socket.socket] = []
        self._connections: dict[socket.socket, _Connection] = {}
        self._ready: deque[socket.socket] = deque()
        """Sockets that have something and did not have their turn yet."""
        self._dropped_before: dict[socket.socket, int] = {}
        self._noting = threading.Lock()
        """Held while what is dropped is counted: by the reader, and by whoever asks how it is doing."""
        self._tried: float | None = None
        self._closed = False
        self._listen()

    @property
    def name(self) -> str:
        """The address as it was given."""
        return self._address.text

    @property
    def finished(self) -> bool:
        """Never: anybody may send."""
        return False

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as `HOST:PORT` or path; tells the port that was taken for port 0."""
        return [_shown(opened.getsockname()) for opened in self._listening]

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._connections)

    @property
    def held(self) -> int:
        """Bytes kept of messages that are not complete."""
        return sum(connection.framer.held for connection in self._connections.values())

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return messages as lines, about `limit` bytes of them."""
        if self._closed:
            return None
        self._listen()
        lines: list[bytes] = []
        size = 0
        for _ in range(_ROUNDS):  # a flood of what is dropped must end as well
            self._ready = self._ready or deque(key.fileobj for key, _ in self._selector.select(0))  # type: ignore[misc]
            while self._ready and size < limit:
                received = self._received(self._ready.popleft())
                size += sum(map(len, received))
                lines += received
        self._note_drops()
        return self._counts.block(self.name, b"".join(lines))

    def descriptors(self) -> Sequence[int]:
        """Return the descriptor that stands for all sockets."""
        return () if self._closed else (self._selector.fileno(),)

    def status(self) -> SourceStatus:
        """Counters; `up` while it listens. Messages dropped for their number are in `dropped`."""
        self._note_drops()
        return self._counts.status(self.name, up=bool(self._listening), error=self._trouble.error)

    def close(self) -> None:
        """Close all sockets."""
        if self._closed:
            return
        self._note_drops()
        self._closed = True
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._stop_listening()
        self._selector.close()

    def _stop_listening(self) -> None:
        for opened in self._listening:
            remove_name(opened)
            opened.close()
        self._listening.clear()
        self._dropped_before.clear()

    def _listen(self) -> None:
        if self._listening or (self._tried is not None and self._clock() - self._tried < RETRY_SECONDS):
            return
        self._tried = self._clock()
        try:
            self._listening = self._address.listen()
        except OSError as error:
            self._trouble.set(f"cannot listen on {self.name}: {reason(error)}")
            return
        try:
            for opened in self._listening:
                self._selector.register(opened, selectors.EVENT_READ)
        except OSError as error:  # the kernel lets a user watch so many, and no more
            self._stop_listening()
            self._trouble.set(f"cannot listen on {self.name}: {reason(error)}")
            return
        self._trouble.over(f"listening on {self.name}")

    def _received(self, ready: socket.socket) -> list[bytes]:
        connection = self._connections.get(ready)
        if connection is not None:
            return self._from_connection(connection)
        if ready not in self._listening:  # it gave way to another one a moment ago
            return []
        if ready.type == socket.SOCK_STREAM:
            for _ in range(_TURN):
                if not self._accept(ready):
                    break
            return []
        return self._datagrams(ready)

    def _datagrams(self, opened: socket.socket) -> list[bytes]:
        lines: list[bytes] = []
        size = 0
        for _ in range(_TURN):
            try:
                message, where = opened.recvfrom(MAX_LINE + 1)
            except BlockingIOError:
                break
            except OSError as error:  # an ICMP error of an earlier packet, say: the next read goes on
                logger.debug("%s: %s", self.name, error)
                break
            if isinstance(where, tuple):
                self._admit_from(str(where[0]), message, lines)
            else:
                self._admit(self.name, message, lines)
            size += len(message)
            if size >= _PIECE:
                break
        return lines

    def _accept(self, opened: socket.socket) -> bool:
        """Take a connection; whether there may be another one."""
        try:
            accepted, where = opened.accept()
        except BlockingIOError:
            return False
        except ConnectionError:  # gone again
            return True
        except OSError as error:  # no descriptors left: one is needed, and the next look tries again
            self._give_way(f"a connection cannot be accepted: {reason(error)}")
            return False
        if len(self._connections) >= self._limits.connections:
            self._give_way("there are too many connections")
        try:
            accepted.settimeout(0)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._selector.register(accepted, selectors.EVENT_READ)
        except OSError as error:  # gone again, or the kernel lets nobody watch one more
            accepted.close()
            if self._throttle.allows("watch"):
                logger.warning("%s: a connection cannot be read: %s", self.name, reason(error))
            return False
        self._connections[accepted] = _Connection(accepted, self._sender(where), Framer(self._counts), self._clock())
        return True

    def _from_connection(self, connection: _Connection) -> list[bytes]:
        lines: list[bytes] = []
        try:
            piece = connection.socket.recv(_PIECE)
        except BlockingIOError:
            return lines
        except OSError as error:
            logger.debug("%s: %s: %s", self.name, connection.sender, error)
            piece = b""
        if not piece:
            self._admit(connection.sender, connection.framer.rest(), lines)
            self._drop(connection)
            return lines
        connection.heard = self._clock()
        for message in connection.framer.feed(piece):
            connection.said = True
            self._admit(connection.sender, message, lines)
        while self.held > self._limits.held:
            self._give_way("too much is kept of incomplete messages", holding=True)
        return lines

    def _note_drops(self) -> None:
        """Count what the kernel dropped for want of room, whoever asks. Its counter goes round after 2^32."""
        with self._noting:
            for opened in self._listening:
                dropped = _dropped(opened) if opened.type == socket.SOCK_DGRAM else 0
                new = (dropped - self._dropped_before.get(opened, 0)) % 2**32
                self._dropped_before[opened] = dropped
                self._counts.dropped += new
                if new and self._throttle.allows("dropped by the kernel"):
                    logger.warning("%s: messages come faster than they are read; the kernel dropped %d", self.name, new)

    def _admit_from(self, sender: str, message: bytes, lines: list[bytes]) -> None:
        """Add a datagram of a sender that cannot be made to wait, unless it is one too many."""
        if self._buckets.take(sender, self._clock()):
            self._admit(sender, message, lines)
            return
        with self._noting:
            self._counts.dropped += 1
        self._counts.lost_bytes += len(message)
        if self._throttle.allows(sender):
            logger.warning("%s: %s sends too many messages; some are dropped", self.name, sender)

    def _admit(self, sender: str, message: bytes, lines: list[bytes]) -> None:
        """Add a message as a line unless it is empty or too long; what it does not say of its time and host is added."""
        line = as_line(message)
        if len(line) > MAX_LINE + 1:
            self._counts.too_long += 1
            self._counts.lost_bytes += len(line)
        elif line:
            lines.append(complete(line, name_of(sender), self._now()))

    def _give_way(self, why: str, *, holding: bool = False) -> None:
        """Close a connection of the sender that has most of them, or holds most in incomplete messages if it is about these.

        So nobody makes another sender lose lines; of senders that have as much, those that never said anything go first. It is
        the one silent for longest; one that has sent something which was not read yet is not silent.
        """
        if self._throttle.allows(why):
            logger.warning("%s: %s; the one silent for longest is closed", self.name, why)
        candidates = [each for each in self._connections.values() if each.framer.held or not holding]
        if not candidates:
            return
        shares: Counter[str] = Counter()
        for each in candidates:
            shares[each.sender] += each.framer.held if holding else 1
        most = max(shares.values())
        silent = min(
            (each for each in candidates if shares[each.sender] == most),
            key=lambda each: (each.said, _unread(each.socket) > 0, each.heard),
        )
        self._counts.lost_bytes += silent.framer.held + _unread(silent.socket)
        self._drop(silent)

    def _drop(self, connection: _Connection) -> None:
        del self._connections[connection.socket]
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _sender(self, where: object) -> str:
        """Return the address a message comes from; of a unix socket all are one sender."""
        return str(where[0]) if isinstance(where, tuple) else self.name


def _dropped(opened: socket.socket) -> int:
    """Tell how many datagrams the kernel had no room for, as far as it says so."""
    if _MEMINFO is None:
        return 0
    try:
        told = opened.getsockopt(socket.SOL_SOCKET, _MEMINFO, _OF_A_SOCKET.size)
    except OSError as error:  # before Linux 4.12
        logger.debug("dropped datagrams: %s", error)
        return 0
    return int(_OF_A_SOCKET.unpack(told)[_DROPS]) if len(told) == _OF_A_SOCKET.size else 0


def _unread(connection: socket.socket) -> int:
    """Tell how many bytes wait in the kernel to be read."""
    try:
        (count,) = _UNREAD.unpack(fcntl.ioctl(connection, termios.FIONREAD, bytes(_UNREAD.size)))
    except OSError as error:  # a connection that was reset meanwhile
        logger.debug("unread bytes: %s", error)
        return 0
    return int(count)


def _shown(where: object) -> str:
    match where:
        case (str() as host, int() as port, *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case _:
            return str(where)
