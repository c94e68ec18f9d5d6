"""Syslog over loopback sockets: framing, limits, and senders that misbehave."""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.syslog import receiver
from racoon_exporter.source.syslog.receiver import RETRY_SECONDS, SyslogLimits, SyslogSource
from racoon_exporter.source.syslog.sender_limit import SenderLimit
from racoon_parsers.line import LineSplitter
from tests.clock import Clock
from tests.exporter.source.files.logs import lines

OLD = b"<30>Jan 15 08:30:02 gw racoon: [198.51.100.7] INFO: received INITIAL-CONTACT"
NEW = b"<30>1 2026-01-15T08:30:02.123456+01:00 gw racoon - - - INFO: caught signal 15"


NOW = 1_768_465_802.9
"""2026-01-15 08:30:02.9 UTC"""
Make = Callable[..., SyslogSource]
Connect = Callable[[SyslogSource], socket.socket]


@pytest.fixture
def make(clock: Clock) -> Iterator[Make]:
    made: list[SyslogSource] = []

    def make(address: str, limits: SyslogLimits | None = None) -> SyslogSource:
        made.append(SyslogSource(address, limits=limits, clock=clock, now=lambda: NOW))
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[socket.socket] = []

    def connect(source: SyslogSource) -> socket.socket:
        """Return a connection to a source of any kind."""
        (where,) = source.addresses
        kind = socket.SOCK_STREAM if "tcp" in source.name or "stream" in source.name else socket.SOCK_DGRAM
        host, _, port = where.rpartition(":")
        family = socket.AF_UNIX if where.startswith("/") else socket.AF_INET6 if ":" in host else socket.AF_INET
        opened.append(socket.socket(family, kind))
        opened[-1].connect(where if family == socket.AF_UNIX else (host.strip("[]"), int(port)))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def arrived(source: SyslogSource) -> bool:
    """Whether the loop would be woken; loopback delivers before `send` returns, but a connection's end may take a moment."""
    poller = select.poll()
    for descriptor in source.descriptors():
        poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(10_000))


def some(source: SyslogSource, count: int) -> list[bytes]:
    """Return so many lines, as soon as they are there, and whatever comes with them."""
    found: list[bytes] = []
    while len(found) < count:
        assert arrived(source)
        found += lines(source)
    return found


def fill(sender: socket.socket, data: bytes) -> int:
    """Send until nobody takes more; returns the bytes taken."""
    sender.settimeout(0)
    sent = 0
    while True:
        try:
            sent += sender.send(data)
        except BlockingIOError:
            return sent


def gone(connection: socket.socket) -> bool:
    connection.settimeout(10)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("message", [OLD, NEW, b"2026-01-15 08:30:02: INFO: caught signal 15"])
def test_a_datagram_is_a_line(make: Make, connect: Connect, message: bytes) -> None:
    source = make("udp://127.0.0.1:0")
    assert source.read() is None
    connect(source).send(message)
    assert arrived(source)
    block = source.read()
    assert block is not None
    assert (block.source, block.data, block.first_line, block.position) == ("udp://127.0.0.1:0", message + b"\n", 1, None)
    assert LineSplitter().split(message.decode()) is not None
    assert source.read() is None
    assert (source.status().up, source.status().counts.lines) == (True, 1)


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_message_without_a_time_has_the_time_it_came(make: Make, connect: Connect, scheme: str) -> None:
    """Of a sender on this machine; another's address is its host besides."""
    source = make(f"{scheme}://127.0.0.1:0")
    connect(source).sendall(b"<30>ipsec,info killing ike2 SA: gw1\n")
    assert some(source, 1) == [b"<30>2026-01-15T08:30:02Z ipsec,info killing ike2 SA: gw1\n"]


def test_messages_come_in_order_and_in_blocks(make: Make, connect: Connect) -> None:
    source = make("udp://127.0.0.1:0")
    sender = connect(source)
    sent = [b"%s %d" % (OLD, number) for number in range(200)]
    for message in sent:
        sender.send(message)
    first = source.read(limit=1000)
    assert first is not None
    assert first.data.count(b"\n") < len(sent)
    assert [*first.data.splitlines(), *(line.rstrip(b"\n") for line in lines(source))] == sent


def test_a_newline_inside_is_written_as_rsyslog_writes_it(make: Make, connect: Connect) -> None:
    source = make("udp://127.0.0.1:0")
    connect(source).send(b"<30>Jan 15 08:30:02 gw racoon: DEBUG: \n8f1b2c3d\n\0")
    assert some(source, 1) == [b"<30>Jan 15 08:30:02 gw racoon: DEBUG: #0128f1b2c3d\n"]


@pytest.mark.parametrize("scheme", ["unix", "unix-stream"])
def test_unix_sockets_are_listened_on(make: Make, connect: Connect, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "x.sock"
    source = make(f"{scheme}://{path}")
    connect(source).send(OLD + b"\n")
    assert some(source, 1) == [OLD + b"\n"]
    source.close()
    assert not path.exists()


def test_ipv6_is_listened_on(make: Make, connect: Connect) -> None:
    source = make("tcp://[::1]:0")
    connect(source).send(OLD + b"\n")
    assert some(source, 1) == [OLD + b"\n"]


def test_senders_with_both_framings_are_read(make: Make, connect: Connect) -> None:
    source = make("tcp://127.0.0.1:0")
    first, second = connect(source), connect(source)
    counted = b"%d %s" % (len(NEW), NEW)
    first.send(counted + counted[:20])
    second.send(OLD + b"\n" + OLD[:10])
    assert sorted(some(source, 2)) == sorted([NEW + b"\n", OLD + b"\n"])
    first.send(counted[20:] + OLD + b"\n")
    second.send(OLD[10:] + b"\n")
    assert sorted(some(source, 3)) == sorted([NEW + b"\n", OLD + b"\n", OLD + b"\n"])
    assert source.held == 0


def test_what_a_connection_leaves_is_a_message(make: Make, connect: Connect) -> None:
    source = make("tcp://127.0.0.1:0")
    sender = connect(source)
    sender.send(OLD)
    assert lines(source) == []
    sender.close()
    assert arrived(source)
    assert some(source, 1) == [OLD + b"\n"]
    assert source.connections == 0


def test_a_connection_that_is_reset_is_forgotten(make: Make, connect: Connect) -> None:
    source = make("tcp://127.0.0.1:0")
    sender = connect(source)
    sender.send(OLD + b"\n")
    assert some(source, 1) == [OLD + b"\n"]
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sender.close()
    assert arrived(source)
    assert lines(source) == []
    assert source.connections == 0


@pytest.mark.parametrize("scheme", ["unix", "tcp"])
def test_messages_that_are_too_long_are_skipped_and_counted(make: Make, connect: Connect, tmp_path: Path, scheme: str) -> None:
    source = make(f"unix://{tmp_path}/x.sock" if scheme == "unix" else "tcp://127.0.0.1:0")
    sender = connect(source)
    sender.sendall(b"x" * (MAX_LINE + 10) + b"\n")
    while source.status().counts.too_long == 0:
        assert arrived(source)
        assert source.read() is None
    sender.sendall(OLD + b"\n")
    while source.status().counts.lines == 0:
        assert arrived(source)
        source.read()
    assert (source.status().counts.too_long, source.status().counts.lines) == (1, 1)
    assert source.status().counts.lost_bytes >= MAX_LINE


def test_a_sender_over_its_rate_is_dropped_counted_and_told_once(
    make: Make, connect: Connect, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    source = make("udp://127.0.0.1:0", SyslogLimits(sender=SenderLimit(rate=10, burst=5)))
    sender = connect(source)
    for _ in range(8):
        sender.send(OLD)
    assert len(some(source, 5)) == 5
    assert source.status().counts.lost_bytes == 3 * len(OLD)
    assert source.status().counts.dropped == 3
    assert [log.getMessage() for log in caplog.records] == [
        "udp://127.0.0.1:0: 127.0.0.1 sends too many messages; some are dropped"
    ]
    clock.now += 0.2
    for _ in range(4):
        sender.send(OLD)
    assert len(some(source, 2)) == 2
    assert len(caplog.records) == 1
    clock.now += 60
    for _ in range(6):
        sender.send(OLD)
    assert len(some(source, 5)) == 5
    assert len(caplog.records) == 2


def connected(source: SyslogSource, connect: Connect, clock: Clock) -> socket.socket:
    """Connect a sender, which is taken note of a second before anything else happens."""
    sender = connect(source)
    assert source.read() is None
    clock.now += 1
    return sender


def test_the_connection_silent_for_longest_gives_way(make: Make, connect: Connect, clock: Clock) -> None:
    source = make("tcp://127.0.0.1:0", SyslogLimits(connections=2))
    senders = [connected(source, connect, clock) for _ in range(2)]
    senders[0].send(OLD + b"\n")
    assert some(source, 1) == [OLD + b"\n"]
    third = connect(source)
    assert source.read() is None
    assert gone(senders[1])
    assert source.connections == 2
    third.send(OLD + b"\n")
    senders[0].send(OLD + b"\n")
    assert len(some(source, 2)) == 2


def test_a_connection_that_sent_something_which_was_not_read_yet_is_not_silent(
    make: Make, connect: Connect, clock: Clock
) -> None:
    """The newcomer is seen first; what waits at the kernel would be lost without a number that tells."""
    source = make("tcp://127.0.0.1:0", SyslogLimits(connections=2))
    senders = [connected(source, connect, clock) for _ in range(2)]
    connect(source)
    assert arrived(source)
    senders[0].send(OLD + b"\n")
    assert some(source, 1) == [OLD + b"\n"]
    assert gone(senders[1])


def test_what_a_connection_sent_that_gave_way_is_given_or_lost(make: Make, connect: Connect) -> None:
    source = make("tcp://127.0.0.1:0", SyslogLimits(connections=1))
    sender = connect(source)
    assert source.read() is None
    connect(source)
    assert arrived(source)
    sender.send(OLD + b"\n")
    given = b"".join(lines(source))  # nothing where the newcomer is seen first, as on Linux
    assert gone(sender)
    assert len(given) + source.status().counts.lost_bytes == len(OLD) + 1


def test_incomplete_messages_are_bounded_over_all_connections(make: Make, connect: Connect, clock: Clock) -> None:
    source = make("tcp://127.0.0.1:0", SyslogLimits(held=1000))
    senders = [connect(source) for _ in range(3)]
    for sender in senders:
        sender.send(b"x" * 400)
        clock.now += 1
        assert source.read() is None
        assert source.held <= 1000
    assert gone(senders[0])
    assert (source.connections, source.held, source.status().counts.lost_bytes) == (2, 800, 400)


def sender_at(source: SyslogSource, opened: ExitStack, address: str) -> socket.socket:
    """Connect from an address of this machine, and be taken note of."""
    host, _, port = source.addresses[0].rpartition(":")
    sender = opened.enter_context(socket.create_connection((host, int(port)), 10, source_address=(address, 0)))
    assert arrived(source)
    assert source.read() is None
    return sender


def test_a_sender_of_many_connections_closes_its_own(make: Make, clock: Clock) -> None:
    """A gateway that says little was the one silent for longest, and lost its connection to each newcomer of a flood."""
    source = make("tcp://127.0.0.1:0", SyslogLimits(connections=4))
    with ExitStack() as opened:
        gateway = sender_at(source, opened, "127.0.0.2")
        for _ in range(20):
            clock.now += 1
            sender_at(source, opened, "127.0.0.3")
        gateway.send(OLD + b"\n")
        assert some(source, 1) == [OLD + b"\n"]


def test_connections_are_taken_as_fast_as_they_come(make: Make, connect: Connect) -> None:
    """A few in each look left a gateway waiting at the kernel, behind those of a flood."""
    source = make("tcp://127.0.0.1:0")
    senders = [connect(source) for _ in range(100)]
    senders[-1].send(OLD + b"\n")
    assert arrived(source)
    block = source.read()
    assert block is not None
    assert block.data == OLD + b"\n"
    assert source.connections == 100


def test_of_many_senders_those_that_never_said_anything_give_way_first(make: Make, clock: Clock) -> None:
    source = make("tcp://127.0.0.1:0", SyslogLimits(connections=4))
    with ExitStack() as opened:
        gateway = sender_at(source, opened, "127.0.0.2")
        gateway.send(OLD + b"\n")
        assert some(source, 1) == [OLD + b"\n"]
        for number in range(3, 20):
            clock.now += 1
            sender_at(source, opened, f"127.0.0.{number}").send(b"half a message")
            assert arrived(source)
            assert source.read() is None
        gateway.send(OLD + b"\n")
        assert some(source, 1) == [OLD + b"\n"]


def test_a_sender_of_many_incomplete_messages_loses_its_own(make: Make, clock: Clock) -> None:
    source = make("tcp://127.0.0.1:0", SyslogLimits(held=1000))
    with ExitStack() as opened:
        gateway = sender_at(source, opened, "127.0.0.2")
        gateway.send(OLD[:20])
        assert arrived(source)
        assert source.read() is None
        for _ in range(9):
            clock.now += 1
            sender_at(source, opened, "127.0.0.3").send(b"x" * 400)
            assert arrived(source)
            assert source.read() is None
        gateway.send(OLD[20:] + b"\n")
        assert some(source, 1) == [OLD + b"\n"]


def test_a_sender_is_held_up_while_nobody_reads(make: Make, connect: Connect) -> None:
    """Back-pressure: what is not asked for stays with the kernel and then with the sender."""
    source = make("tcp://127.0.0.1:0")
    sender = connect(source)
    assert source.read() is None
    message = OLD + b"\n"
    sent = fill(sender, message * 1000)
    received = 0
    while received < sent // len(message) * len(message):
        assert arrived(source)
        block = source.read(limit=65_536)
        assert block is not None
        assert len(block.data) <= 3 * 65_536
        received += len(block.data)
    assert received == sent // len(message) * len(message)


@pytest.mark.parametrize("scheme", ["tcp://127.0.0.1:0", "unix-stream://{folder}/log", "unix://{folder}/log"])
def test_a_sender_as_fast_as_it_goes_loses_nothing_where_it_can_wait(
    make: Make, connect: Connect, tmp_path: Path, scheme: str
) -> None:
    """The limit for a sender is far below this, and the clock stands still: nothing but waiting can help it."""
    source = make(scheme.format(folder=tmp_path))
    sender = connect(source)
    sender.settimeout(None)
    messages = [b"<30>Jan 15 08:30:02 gw racoon: INFO: %d\n" % number for number in range(60_000)]

    def send() -> None:
        for at in range(0, len(messages), 50):
            if sender.type == socket.SOCK_STREAM:
                sender.sendall(b"".join(messages[at : at + 50]))
            else:
                for message in messages[at : at + 50]:
                    sender.send(message)

    sending = threading.Thread(target=send)
    sending.start()
    found: list[bytes] = []
    while len(found) < len(messages):
        assert arrived(source)
        found += lines(source, 65_536)
    sending.join()
    assert found == messages
    assert source.status().counts.dropped == source.status().counts.lost_bytes == 0


def test_a_fast_sender_keeps_nobody_from_being_heard(make: Make, connect: Connect) -> None:
    source = make("tcp://127.0.0.1:0")
    fast, slow = connect(source), connect(source)
    assert source.read() is None
    fill(fast, (OLD + b"\n") * 1000)
    slow.sendall(NEW + b"\n")
    assert arrived(source)
    found: list[bytes] = []
    for _ in range(3):
        block = source.read(limit=1)
        found += block.data.splitlines() if block else []
    assert NEW in found


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell")
def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_address_that_the_kernel_lets_nobody_watch_is_told_and_tried_again(
    make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fs.epoll.max_user_watches are used up, by whatever else this user runs."""
    with monkeypatch.context() as kernel:
        kernel.setattr(selectors.DefaultSelector, "register", no_room)
        source = make("udp://127.0.0.1:0")
        assert source.read() is None
        status = source.status()
    assert (status.up, status.error) == (False, "cannot listen on udp://127.0.0.1:0: No space left on device")
    clock.now += RETRY_SECONDS
    assert source.read() is None
    assert source.status().up


def test_a_connection_that_the_kernel_lets_nobody_watch_is_closed_and_the_others_go_on(
    make: Make, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source = make("tcp://127.0.0.1:0")
    first = connect(source)
    first.sendall(NEW + b"\n")
    assert lines(source) == [NEW + b"\n"]
    with monkeypatch.context() as kernel:
        kernel.setattr(source._selector, "register", no_room)
        second = connect(source)
        assert source.read() is None
    assert source.connections == 1
    assert second.recv(1) == b""
    assert caplog.messages == ["tcp://127.0.0.1:0: a connection cannot be read: No space left on device"]
    first.sendall(NEW + b"\n")
    assert lines(source) == [NEW + b"\n"]


def test_who_asks_how_a_source_is_doing_counts_nothing_twice(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape asks in another thread, while the reader notes what the kernel dropped."""
    source = make("udp://127.0.0.1:0")
    noted: list[bool] = []

    def dropped(_socket: socket.socket) -> int:
        noted.append(source._noting.locked())
        return 7

    monkeypatch.setattr(receiver, "_dropped", dropped)
    source.read()
    assert source.status().counts.dropped == 7
    assert noted == [True, True]


def test_what_the_kernel_drops_of_udp_is_counted(make: Make, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    source = make("udp://127.0.0.1:0", SyslogLimits(sender=SenderLimit(rate=10**9, burst=10**9)))
    (listening,) = source._listening
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sender = connect(source)
    for _ in range(500):
        sender.send(OLD)
    assert source.status().counts.dropped > 0  # before anything is read
    received = len(lines(source))
    assert received < 500
    assert received + source.status().counts.dropped == 500  # and nobody sent another one
    assert "messages come faster than they are read" in caplog.text


def test_a_flood_of_nothing_ends(make: Make, connect: Connect) -> None:
    """One read comes back even if all that arrives is dropped."""
    source = make("udp://127.0.0.1:0", SyslogLimits(sender=SenderLimit(rate=0, burst=0)))
    sender = connect(source)
    for _ in range(2000):
        sender.send(b"x")
    assert source.read() is None
    assert 0 < source.status().counts.lost_bytes < 2 * 2000
    assert arrived(source)


def test_without_descriptors_a_connection_gives_way(make: Make, connect: Connect, clock: Clock) -> None:
    source = make("tcp://127.0.0.1:0")
    first = connect(source)
    assert source.read() is None
    clock.now += 1
    (listening,) = source._listening
    second = connect(source)

    class Exhausted:
        def accept(self) -> tuple[socket.socket, object]:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    source._accept(Exhausted())  # type: ignore[arg-type] # accept is all that is used
    assert gone(first)
    source._accept(listening)
    second.send(OLD + b"\n")
    assert some(source, 1) == [OLD + b"\n"]


def test_an_address_in_use_is_told_and_tried_again(
    make: Make, connect: Connect, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first = make("udp://127.0.0.1:0")
    (where,) = first.addresses
    source = make(f"udp://{where}")
    assert source.read() is None
    error = f"cannot listen on udp://{where}: Address already in use"
    assert (source.status().up, source.status().error) == (False, error)
    assert [log.getMessage() for log in caplog.records] == [error]
    first.close()
    assert source.read() is None
    assert not source.status().up
    clock.now += RETRY_SECONDS
    assert source.read() is None
    assert (source.status().up, source.status().error) == (True, None)
    connect(source).send(OLD)
    assert some(source, 1) == [OLD + b"\n"]


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="syslog address"):
        SyslogSource("127.0.0.1:514")


def test_after_closing_nothing_is_read(make: Make) -> None:
    source = make("udp://127.0.0.1:0")
    source.close()
    source.close()
    assert source.read() is None
    assert list(source.descriptors()) == []
    assert not source.status().up
