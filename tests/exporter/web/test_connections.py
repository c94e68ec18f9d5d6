from __future__ import annotations

import resource
import socket
import struct
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import pytest
from starlette.routing import Route

from racoon_exporter.web import Limits
from racoon_exporter.web.connections import Connections
from racoon_exporter.web.network import client_network
from racoon_exporter.web.pieces import PiecesResponse
from racoon_exporter.web.server import affordable
from tests.exporter.web.client import (
    PATIENCE,
    connect,
    exchange,
    exchange_in_time,
    get,
    kept_connection,
    read_all,
    read_until,
    scrape,
    status,
    until,
)
from tests.exporter.web.conftest import BIG

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from racoon_exporter.web import WebServer
    from tests.exporter.web.conftest import Serve


HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"


async def _sliced(request: Request) -> Response:
    del request
    return PiecesResponse([BIG], {})


SLICED = Route("/sliced", _sliced)


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Keep clients open until the test ends."""
    with ExitStack() as opened:
        yield opened


def test_a_thousand_idle_connections_do_not_keep_a_scraper_out(serve: Serve, clients: ExitStack) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2048 <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    server = serve()
    for _ in range(1000):
        clients.enter_context(connect(server))
    scrape(server)
    assert server.connections <= Limits().max_connections


def test_half_sent_heads_do_not_delay_a_scrape_and_are_cut(serve: Serve, clients: ExitStack) -> None:
    server = serve(limits=Limits(request_timeout=0.3))
    slow = [clients.enter_context(connect(server)) for _ in range(100)]
    for client in slow:
        client.sendall(b"GET /metrics HTTP/1.1\r\nX-a: b\r\n")
    assert b"racoon_test_total" in exchange_in_time(server, b"GET /metrics HTTP/1.0\r\n\r\n")
    for client in slow:
        assert read_all(client) == b""
    until(lambda: server.connections == 0)


def test_a_drip_of_header_bytes_buys_no_time(serve: Serve) -> None:
    server = serve(limits=Limits(request_timeout=0.2))
    with connect(server) as client:
        client.settimeout(0.02)
        sent = drip(client, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)
    assert sent < 1000


def test_empty_lines_do_not_keep_a_connection(serve: Serve) -> None:
    """They may stand before a request and are none; whoever sends one a minute would hold his connection for ever."""
    server = serve(limits=Limits(keep_alive_timeout=0.2))
    with connect(server) as client:
        client.sendall(HEALTHY)
        read_until(client, b"Healthy.\n")
        client.sendall(b"\r\n")
        assert read_all(client) == b""


def test_a_drip_of_body_bytes_buys_no_time(serve: Serve) -> None:
    server = serve(limits=Limits(request_timeout=0.2))
    with connect(server) as client:
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        read_until(client, b"Healthy.\n")
        client.settimeout(0.02)
        sent = drip(client, b"x" * 100_000)
    assert sent < 1000


def drip(client: socket.socket, data: bytes) -> int:
    """Send a byte each 20 ms until the server closes; return how many it took."""
    for count in range(len(data)):
        try:
            client.sendall(data[count : count + 1])
            if not client.recv(65536):
                return count
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return count
    return len(data)


def reads(server: WebServer) -> list[bool]:
    """Tell of each connection whether what comes on it is read."""
    assert server._connections is not None
    return [cast("asyncio.ReadTransport", each.transport).is_reading() for each in list(server._connections._all)]


def test_small_pieces_of_a_head_are_read_as_one_after_a_pause(serve: Serve) -> None:
    """Each costs as much as a large one: a few hundred connections that let them drip took all of the event loop's time."""
    server = serve(limits=Limits(max_small_pieces=0, pause_between_pieces=PATIENCE, request_timeout=PATIENCE))
    with connect(server) as client:
        client.sendall(b"GET /-/healthy HTTP/1.1\r\n")
        until(lambda: reads(server) == [False])


@pytest.mark.parametrize("piece", [b"x", b"\r\n"])
def test_small_pieces_behind_an_answer_are_read_as_one_after_a_pause(serve: Serve, piece: bytes) -> None:
    server = serve(limits=Limits(max_small_pieces=0, pause_between_pieces=PATIENCE, request_timeout=PATIENCE))
    head = HEALTHY if piece == b"\r\n" else b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
    with connect(server) as client:
        client.sendall(head)
        read_until(client, b"Healthy.\n")
        client.sendall(piece)
        until(lambda: reads(server) == [False])


def test_a_request_in_small_pieces_is_answered_and_the_next_one_is_read_at_once(serve: Serve) -> None:
    server = serve(limits=Limits(max_small_pieces=1, pause_between_pieces=0.001))
    with connect(server) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(3):
            for byte in HEALTHY:
                client.sendall(bytes([byte]))
            assert status(read_until(client, b"Healthy.\n")) == 200
            client.sendall(HEALTHY)
            assert status(read_until(client, b"Healthy.\n")) == 200
            assert reads(server) == [True]


def test_a_silent_connection_is_cut_and_a_kept_one_lives_longer(serve: Serve) -> None:
    server = serve(limits=Limits(request_timeout=0.1, keep_alive_timeout=30))
    with kept_connection(server, HEALTHY, b"Healthy.\n") as kept, connect(server) as silent:
        assert read_all(silent) == b""
        with connect(server) as another:
            assert read_all(another) == b""
        kept.sendall(HEALTHY)
        read_until(kept, b"Healthy.\n")


def test_a_kept_connection_is_closed_after_its_time(serve: Serve) -> None:
    server = serve(limits=Limits(keep_alive_timeout=0.05))
    with connect(server) as kept:
        kept.sendall(HEALTHY)
        assert read_all(kept).endswith(b"Healthy.\n")


def test_the_beginning_of_a_second_request_is_timed_like_the_first(serve: Serve) -> None:
    server = serve(limits=Limits(request_timeout=0.1))
    assert exchange_in_time(server, HEALTHY + b"GET /").endswith(b"Healthy.\n")


def test_clients_that_do_not_read_are_cut_and_delay_nobody(serve: Serve, clients: ExitStack) -> None:
    server = serve(limits=Limits(write_timeout=0.2, max_stalled=100))
    for _ in range(20):
        stuck = clients.enter_context(connect(server, receive_buffer=4096))
        stuck.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    scrape(server)
    until(lambda: server.connections == 0)


def stuck_client(server: WebServer, clients: ExitStack) -> socket.socket:
    """Ask for something large, and read no more than its first byte."""
    client = clients.enter_context(connect(server, receive_buffer=4096))
    client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    client.recv(1)
    return client


def test_of_too_many_clients_that_do_not_read_the_first_is_cut(serve: Serve, clients: ExitStack) -> None:
    server = serve(limits=Limits(write_timeout=60, max_stalled=3))
    stuck = [stuck_client(server, clients) for _ in range(6)]
    until(lambda: server.connections == 3)
    scrape(server)
    assert len(read_all(stuck[0])) < len(BIG)
    assert len(read_all(stuck[-1])) > len(BIG)


def test_of_clients_that_do_not_read_what_is_large_the_last_is_kept(serve: Serve, clients: ExitStack) -> None:
    server = serve(limits=Limits(write_timeout=60, max_stalled_bytes=2 * len(BIG)))
    stuck = [stuck_client(server, clients) for _ in range(6)]
    until(lambda: server.connections == 2)
    scrape(server)
    assert len(read_all(stuck[3])) < len(BIG)
    assert [len(read_all(each)) > len(BIG) for each in stuck[4:]] == [True, True]


def test_a_client_that_leaves_the_end_unread_is_cut(serve: Serve) -> None:
    """What is left fits into the buffers, so nothing is stalled: only the closing takes for ever."""
    server = serve(limits=Limits(write_timeout=0.1))
    with connect(server, receive_buffer=4096) as client:
        client.sendall(b"GET /big HTTP/1.0\r\n\r\n")
        assert client.recv(1)
        until(lambda: server.connections == 0)


def test_a_client_that_goes_away_in_the_middle_harms_nobody(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    server = serve()
    for _ in range(20):
        client = connect(server, receive_buffer=4096)
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset
    scrape(server)
    until(lambda: server.connections == 0)
    assert caplog.messages == []


def test_a_scraper_that_resets_in_the_middle_writes_no_log_line(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Asyncio warns of every write to a connection that is gone, from the fifth on."""
    caplog.set_level("INFO")
    server = serve([SLICED])
    for _ in range(10):
        with connect(server) as client:
            client.sendall(b"GET /sliced HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            client.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until(lambda: server.connections == 0)
    assert caplog.messages == []


def test_a_body_that_breaks_while_its_response_is_under_way_cuts_the_connection(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server = serve([SLICED])
    with connect(server, receive_buffer=4096) as client:
        client.sendall(b"GET /sliced HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        client.recv(1)
        client.sendall(b"no chunk\r\n")
        assert len(read_all(client)) < len(BIG)
    until(lambda: server.connections == 0)
    assert caplog.messages == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000,
    ],
    ids=["request line", "header", "headers"],
)
def test_a_giant_head_is_refused(serve: Serve, request_bytes: bytes) -> None:
    server = serve()
    with connect(server) as client:
        answer = b""
        try:
            client.sendall(request_bytes)
            answer = read_all(client)
        except (ConnectionResetError, BrokenPipeError):
            pass  # refused before all of it was sent
    assert answer == b"" or status(answer) in {400, 431}
    scrape(server)


@pytest.mark.parametrize("path", [b"/metrics?" + b"a" * 17_000, b"/" + b"a" * 17_000])
def test_a_long_path_in_one_piece_is_refused_too(serve: Serve, path: bytes) -> None:
    assert status(get(serve(), path)) in {400, 431}


def test_a_long_method_is_part_of_a_head(serve: Serve) -> None:
    assert status(exchange(serve(), b"A" * 17_000 + b" / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) in {400, 431}


def test_a_head_that_is_complete_is_measured_too(serve: Serve) -> None:
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 9_000 + b"\r\n"
    answer = exchange(serve(), request)
    assert answer == b"" or status(answer) in {400, 431}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"G@T / HTTP/1.1", id="method"),
        pytest.param(b"GET /", id="HTTP 0.9"),
        pytest.param(b"GET / HTTP/2.0x", id="version"),
        pytest.param(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1", id="TLS"),
        pytest.param(b"\x00" * 100, id="NULs"),
        pytest.param(b"GET /a b HTTP/1.1", id="blank in the path"),
        pytest.param(b"GET /\x00 HTTP/1.1", id="NUL in the path"),
        pytest.param(b"GET /\xff HTTP/1.1", id="not ASCII"),
    ],
)
def test_what_is_no_http_is_refused(serve: Serve, line: bytes) -> None:
    answer = exchange(serve(), line + b"\r\nHost: x\r\n\r\n")
    assert status(answer) == 400
    assert b"racoon" not in answer


@pytest.mark.parametrize(
    "path",
    [
        b"//metrics",
        b"/metrics/",
        b"/./metrics",
        b"/x/../metrics",
        b"/%2e%2e/metrics",
        b"/..%2fmetrics",
        b"/%2fmetrics",
        b"/metrics%00",
        b"/metrics%2f..",
        b"/metrics;x",
        b"/METRICS",
        b"/metrics%0d%0aX:y",
        b"/%ff%fe",
        b"/%",
        b"http://x/metrics/",
        b"/../../etc/passwd",
    ],
)
def test_a_path_means_what_it_says_and_nothing_else(serve: Serve, path: bytes) -> None:
    assert status(get(serve(), path)) == 404


@pytest.mark.parametrize("path", [b"/metrics?x=/../..", b"/metri%63s", b"/metrics?", b"http://x/metrics"])
def test_a_path_in_another_spelling_is_the_same_path(serve: Serve, path: bytes) -> None:
    assert b"racoon_test_total" in get(serve(), path)


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"BREW", b"get", b"PROPFIND"])
def test_other_methods_are_405(serve: Serve, method: bytes) -> None:
    answer = exchange(serve(), method + b" /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status(answer) == 405
    assert b"\r\nallow: GET, HEAD\r\n" in answer or b"\r\nallow: HEAD, GET\r\n" in answer


def test_http_1_0_is_answered_and_closed(serve: Serve) -> None:
    assert b"racoon_test_total" in exchange(serve(), b"GET /metrics HTTP/1.0\r\n\r\n")


def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = exchange(serve(), HEALTHY * 20 + last)
    assert answer.count(b"HTTP/1.1 200 ") == 20
    assert answer.index(b"HTTP/1.1 404 ") > answer.rindex(b"HTTP/1.1 200 ")


def test_an_upgrade_is_ignored(serve: Serve) -> None:
    answer = get(serve(), b"/-/healthy", b"Upgrade: websocket", b"Connection: upgrade")
    assert status(answer) == 200


def test_a_host_header_is_never_echoed(serve: Serve) -> None:
    for path in (b"/", b"/metrics/", b"//evil.example.org/", b"/nowhere"):
        request = b"GET " + path + b" HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n\r\n"
        answer = exchange(serve(), request)
        assert b"evil" not in answer
        assert b"\r\nlocation:" not in answer


class Transport:
    """As much of a transport as `Connections` uses."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self.aborted = False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        assert name == "peername"
        return self._peer, 12345

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


def transport(peer: str) -> Any:
    return cast("asyncio.Transport", Transport(peer))


def test_the_oldest_idle_connection_of_the_busiest_network_gives_way() -> None:
    connections = Connections(limit=4, max_stalled=1)
    scraper, *flood = (transport(peer) for peer in ("198.51.100.1", "2001:db8::1", "2001:db8::2", "2001:db8::ffff"))
    for each in (scraper, *flood, transport("203.0.113.9")):
        connections.admit(each)
    assert [each.aborted for each in (scraper, *flood)] == [False, True, False, False]
    assert len(connections) == 4


def test_a_connection_that_was_served_gives_way_last() -> None:
    connections = Connections(limit=3, max_stalled=1)
    scraper, *strangers = (transport(f"192.0.2.{number}") for number in range(9))
    connections.admit(scraper).served = True
    for stranger in strangers:
        connections.admit(stranger)
    assert [each.aborted for each in (scraper, *strangers)] == [False, *[True] * 6, False, False]
    assert len(connections) == 3


def test_where_all_were_served_the_oldest_gives_way() -> None:
    connections = Connections(limit=2, max_stalled=1)
    first, second, third = (transport(f"192.0.2.{number}") for number in range(3))
    for each in (first, second, third):
        connections.admit(each, served=True)
    assert [each.aborted for each in (first, second, third)] == [True, False, False]


def often(**visits: int) -> Callable[[str], int]:
    """Tell how often networks came: ``n7=3`` is 192.0.2.7."""
    return lambda network: visits.get(f"n{network.rpartition('.')[2]}", 0)


def test_where_all_were_served_who_came_often_gives_way_last() -> None:
    """A flood from many networks that is answered, where no password is asked for."""
    connections = Connections(limit=3, max_stalled=1, visits=often(n0=2, n1=1, n2=1, n3=1, n4=1))
    scraper, *flood = (transport(f"192.0.2.{number}") for number in range(5))
    for each in (scraper, *flood):
        connections.admit(each, served=True)
    assert [each.aborted for each in (scraper, *flood)] == [False, True, True, False, False]


def test_who_does_not_read_gives_way_before_who_came_often() -> None:
    connections = Connections(limit=2, max_stalled=5, visits=often(n0=2))
    scraper, stuck, newcomer = (transport(f"192.0.2.{number}") for number in range(3))
    connections.admit(scraper, served=True)
    entry = connections.admit(stuck)
    connections.set_idle(entry, idle=False)
    connections.set_stalled(entry, stalled=True)
    connections.admit(newcomer)
    assert [each.aborted for each in (scraper, stuck, newcomer)] == [False, True, False]


def test_a_newcomer_does_not_displace_who_came_often_while_requests_run() -> None:
    connections = Connections(limit=2, max_stalled=5, visits=often(n0=2))
    scraper, running, newcomer = (transport(f"192.0.2.{number}") for number in range(3))
    connections.admit(scraper, served=True)
    connections.set_idle(connections.admit(running), idle=False)
    connections.admit(newcomer)
    assert [each.aborted for each in (scraper, running, newcomer)] == [False, False, True]


def test_where_all_who_came_often_wait_for_a_request_the_oldest_gives_way() -> None:
    connections = Connections(limit=2, max_stalled=5, visits=often(n0=2, n1=2))
    first, second, newcomer = (transport(f"192.0.2.{number}") for number in range(3))
    for each in (first, second):
        connections.admit(each, served=True)
    connections.admit(newcomer)
    assert [each.aborted for each in (first, second, newcomer)] == [True, False, False]


def test_who_came_often_displaces_running_requests_until_it_holds_as_much() -> None:
    """256 networks, each with one request behind the other, kept every new connection of a scraper out."""
    connections = Connections(limit=4, max_stalled=5, visits=often(n9=2, n0=1, n1=1))
    flood = [transport(f"192.0.2.{number}") for number in range(4)]
    for each in flood:
        connections.set_idle(connections.admit(each), idle=False)
    scraper, again = transport("192.0.2.9"), transport("192.0.2.9")
    connections.set_idle(connections.admit(scraper), idle=False)
    connections.admit(again)
    assert [each.aborted for each in (*flood, scraper, again)] == [False, False, False, True, False, True]


def test_a_running_request_does_not_give_way() -> None:
    connections = Connections(limit=2, max_stalled=1)
    running, idle = transport("192.0.2.1"), transport("192.0.2.1")
    connections.set_idle(connections.admit(running), idle=False)
    connections.admit(idle)
    connections.admit(transport("192.0.2.1"))
    assert (running.aborted, idle.aborted) == (False, True)


def test_where_all_are_busy_one_that_does_not_read_gives_way() -> None:
    connections = Connections(limit=2, max_stalled=5)
    reading, stuck, newcomer = (transport("192.0.2.1") for _ in range(3))
    connections.set_idle(connections.admit(reading), idle=False)
    entry = connections.admit(stuck)
    connections.set_idle(entry, idle=False)
    connections.set_stalled(entry, stalled=True)
    connections.admit(newcomer)
    assert (reading.aborted, stuck.aborted, newcomer.aborted) == (False, True, False)


def test_a_response_of_any_size_waits_for_one_client() -> None:
    connections = Connections(limit=9, max_stalled=5, max_stalled_bytes=10)
    transports: list[Any] = [transport("192.0.2.1") for _ in range(4)]
    for each, size in zip(transports, (1, 1000, 4, 6), strict=True):
        entry = connections.admit(each)
        entry.response_bytes = size
        connections.set_stalled(entry, stalled=True)
        assert not each.is_closing()
    assert [each.aborted for each in transports] == [True, True, False, False]


def test_where_all_requests_are_running_the_newcomer_gives_way() -> None:
    connections = Connections(limit=1, max_stalled=5)
    running, newcomer = transport("192.0.2.1"), transport("192.0.2.1")
    entry = connections.admit(running)
    connections.set_idle(entry, idle=False)
    connections.admit(newcomer)
    assert (running.aborted, newcomer.aborted, len(connections)) == (False, True, 1)
    connections.remove(entry)
    assert connections.empty.is_set()


@pytest.mark.parametrize(("files", "connections"), [(16, 8), (64, 16), (1000, 250), (4096, 256), (resource.RLIM_INFINITY, 256)])
def test_connections_leave_files_for_logs(files: int, connections: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, resource.RLIM_INFINITY))
    assert affordable(256) == connections


def test_no_more_connections_are_open_than_there_are_files_for(
    serve: Serve, clients: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    server = serve()
    for _ in range(60):
        clients.enter_context(connect(server))
    scrape(server)
    assert server.connections <= 16


def running(connections: Connections, peer: str) -> Any:
    """Admit a connection whose request is under way."""
    made = transport(peer)
    connections.set_idle(connections.admit(made), idle=False)
    return made


def test_where_all_requests_are_running_the_last_of_the_network_that_holds_most_gives_way_to_another() -> None:
    connections = Connections(limit=4, max_stalled=5)
    others = running(connections, "192.0.2.1")
    flood = [running(connections, "198.51.100.1") for _ in range(3)]
    scraper = running(connections, "203.0.113.9")
    assert [each.aborted for each in (others, *flood, scraper)] == [False, False, False, True, False]
    assert len(connections) == 4


def test_a_network_does_not_displace_another_that_holds_less() -> None:
    connections = Connections(limit=4, max_stalled=5)
    kept, stuck = transport("192.0.2.1"), transport("192.0.2.2")
    connections.admit(kept).served = True
    entry = connections.admit(stuck)
    connections.set_idle(entry, idle=False)
    connections.set_stalled(entry, stalled=True)
    flood = [running(connections, "198.51.100.1") for _ in range(5)]
    assert [each.aborted for each in (kept, stuck, *flood)] == [False, False, False, False, True, True, True]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1:2:3:4", "2001:db8::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_its_network(address: str, network: str) -> None:
    assert client_network(address) == network
