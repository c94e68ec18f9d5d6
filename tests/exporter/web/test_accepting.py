"""What is opened beyond a rate costs the server no more than taking it off the kernel's queue."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from racoon_exporter.web import Limits, WebServer
from racoon_exporter.web.accepting import ConnectionRates, RatedSocket
from racoon_exporter.web.config import RateLimit
from racoon_exporter.web.handshakes import Handshakes
from tests.clock import Clock
from tests.exporter.web.client import PATIENCE, connect, get, status, until
from tests.exporter.web.test_tls import identity, serve_tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.exporter.web.conftest import Serve
    from tests.exporter.web.test_tls import ServeTls

__all__ = ["identity", "serve_tls"]  # fixtures


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.settimeout(0)
        yield opened


def test_a_network_has_its_rate_and_the_others_theirs(clock: Clock) -> None:
    rates = ConnectionRates(3, clock)
    assert [rates.may_open("192.0.2.1") for _ in range(5)] == [True] * 3 + [False] * 2
    assert rates.may_open("192.0.2.2")
    assert [rates.may_open(f"2001:db8::{host}") for host in range(1, 5)] == [True] * 3 + [False]  # a /64 is one network
    clock.now += 1 / 3
    assert [rates.may_open("::ffff:192.0.2.1") for _ in range(2)] == [True, False]


def test_what_is_beyond_the_rate_is_closed_and_the_next_is_given(listening: socket.socket, clock: Clock) -> None:
    with ExitStack() as opened:
        rated = opened.enter_context(RatedSocket(listening, ConnectionRates(1, clock)))
        one, two = (opened.enter_context(socket.create_connection(rated.getsockname(), 5)) for _ in range(2))
        accepted, address = rated.accept()
        opened.enter_context(accepted)
        assert address == one.getsockname()
        with pytest.raises(BlockingIOError):
            rated.accept()
        assert two.recv(1) == b""
        clock.now += 1
        three = opened.enter_context(socket.create_connection(rated.getsockname(), 5))
        accepted, address = rated.accept()
        opened.enter_context(accepted)
        assert address == three.getsockname()


def test_it_takes_the_place_of_the_socket_it_is_made_of(listening: socket.socket) -> None:
    with RatedSocket(listening, ConnectionRates(1)) as rated:
        assert listening.fileno() == -1
        assert rated.fileno() != -1


def open_until_one_is_cut(server: WebServer) -> None:
    with ExitStack() as opened:
        clients: list[socket.socket] = []

        def one_more_and_one_is_cut() -> bool:
            clients.append(opened.enter_context(connect(server)))
            return bool(select.select(clients, [], [], 0)[0])

        until(one_more_and_one_is_cut)


def test_with_tls_a_network_that_opens_too_many_is_cut(serve_tls: ServeTls) -> None:
    server = serve_tls(limits=Limits(max_new_connections=1, request_timeout=10 * PATIENCE))
    open_until_one_is_cut(server)


def test_without_tls_who_came_most_often_is_not_cut(serve: Serve) -> None:
    server = serve(limits=Limits(max_new_connections=1))
    for _ in range(5):
        assert status(get(server, b"/-/healthy")) == 200


def test_without_tls_who_was_served_and_came_less_often_is_cut(clock: Clock) -> None:
    """A flood is served as well, where nobody is asked for a password."""
    handshakes = Handshakes(50, 10, 25, clock)
    for network in ("192.0.2.1", "198.51.100.9", "192.0.2.1"):
        handshakes.note_served(network)
        clock.now += 10
    rates = ConnectionRates(2, clock, visits=handshakes.visits, bounded=handshakes.came_less_often)
    assert [rates.may_open("198.51.100.9") for _ in range(4)] == [True] * 2 + [False] * 2
    assert all(rates.may_open("192.0.2.1") for _ in range(100))


def strangers(per_second: int, at_once: int, clock: Clock, served: tuple[str, ...] = ()) -> ConnectionRates:
    return ConnectionRates(None, clock, strangers=RateLimit(1 / per_second, at_once), visits=served.count)


def test_who_was_not_served_shares_a_rate_with_all_who_were_not(clock: Clock) -> None:
    rates = strangers(2, 3, clock, served=("198.51.100.1",))
    known = [f"192.0.2.{number}" for number in range(9)]
    assert [rates.may_open(each) for each in known] == [True] * 2 + [False] * 7
    assert [rates.may_open(known[0]) for _ in range(5)] == [True] * 3 + [False] * 2
    assert all(rates.may_open("198.51.100.1") for _ in range(100))
    clock.now += 0.5
    assert [rates.may_open(known[1]) for _ in range(2)] == [True, False]


def test_who_comes_for_the_first_time_is_not_kept_out_by_who_was_there(clock: Clock) -> None:
    rates = strangers(2, 3, clock)
    for _ in range(9):
        rates.may_open("192.0.2.1")
    assert rates.may_open("203.0.113.9")


def test_what_strangers_open_beyond_their_rate_is_closed_unread(serve: Serve) -> None:
    server = serve(limits=Limits(max_new_strangers=1, max_new_strangers_at_once=1, request_timeout=10 * PATIENCE))
    open_until_one_is_cut(server)


def test_who_was_served_is_not_held_to_the_rate_of_strangers(serve: Serve) -> None:
    server = serve(limits=Limits(max_new_strangers=1, max_new_strangers_at_once=1))
    for _ in range(20):
        assert status(get(server, b"/-/healthy")) == 200
