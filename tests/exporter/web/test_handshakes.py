"""What a stranger's ClientHello may cost, and that it costs a scraper nothing."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from racoon_exporter.web.handshakes import HELLO_BYTES, Handshakes, could_become_client_hello
from tests.clock import Clock
from tests.exporter.web.client import PATIENCE, connect, read_all, read_until, until
from tests.exporter.web.test_tls import handshake, identity, refused, serve_tls

if TYPE_CHECKING:
    from racoon_exporter.web import WebServer
    from tests.exporter.web.certificates import Authority
    from tests.exporter.web.test_tls import ServeTls

__all__ = ["identity", "serve_tls"]  # fixtures

HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"


def client_hello() -> bytes:
    """Return the ClientHello of a client that never said more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def another(hello: bytes) -> bytes:
    return hello[: HELLO_BYTES - 32] + os.urandom(32) + hello[HELLO_BYTES:]


def send_from(opened: ExitStack, server: WebServer, address: str, data: bytes) -> socket.socket:
    port = urlsplit(server.urls[0]).port or 0
    sock = opened.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(address, 0)))
    sock.sendall(data)
    return sock


@pytest.fixture
def hello() -> bytes:
    return client_hello()


def begun(handshakes: Handshakes, hello: bytes, networks: list[str]) -> int:
    return sum(handshakes.may_begin(network, another(hello)) for network in networks)


def test_a_hello_is_answered_once_whoever_sends_it(hello: bytes, clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    assert handshakes.may_begin("192.0.2.1", hello)
    clock.now += 3600
    assert not handshakes.may_begin("192.0.2.1", hello)
    assert not handshakes.may_begin("192.0.2.2", hello)
    assert handshakes.may_begin("192.0.2.1", another(hello))


def test_a_network_that_was_not_served_has_its_rate_and_all_of_them_have_one(hello: bytes, clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    assert begun(handshakes, hello, ["192.0.2.1"] * 100) == 10
    known = [f"198.51.100.{i}" for i in range(24)]
    assert begun(handshakes, hello, known) == 24
    assert begun(handshakes, hello, known) == 25 - 9
    clock.now += 1
    assert begun(handshakes, hello, ["192.0.2.1"] * 100) == 10
    assert begun(handshakes, hello, known) == 15


def test_who_comes_for_the_first_time_is_not_kept_out_by_who_was_there(hello: bytes, clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    flood = [f"198.51.100.{i}" for i in range(100)]
    for _ in range(10):  # 25 of them are new each second, until all have been here
        begun(handshakes, hello, flood)
        clock.now += 1
    begun(handshakes, hello, flood * 5)
    assert handshakes.may_begin("192.0.2.1", another(hello))


def test_who_was_turned_away_may_come_again_as_a_newcomer(hello: bytes, clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    begun(handshakes, hello, [f"198.51.100.{i}" for i in range(100)])
    assert not handshakes.may_begin("192.0.2.1", another(hello))
    clock.now += 1 / 20
    assert handshakes.may_begin("192.0.2.1", another(hello))


def test_a_network_that_was_served_is_not_kept_out_by_strangers(hello: bytes, clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    handshakes.note_served("192.0.2.1")
    assert begun(handshakes, hello, [f"198.51.100.{i}" for i in range(100)]) == 25
    assert begun(handshakes, hello, ["192.0.2.1"] * 100) == 25
    clock.now += 0.1
    assert begun(handshakes, hello, ["192.0.2.1"] * 100) == 5


def test_a_scraper_is_remembered_before_a_flood_that_is_served_as_well(clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    assert handshakes.visits("192.0.2.1") == 0
    for _ in range(1000):
        handshakes.note_served("192.0.2.1")
    assert handshakes.visits("192.0.2.1") == 1
    clock.now += 15
    handshakes.note_served("192.0.2.1")
    for number in range(1000):
        handshakes.note_served(f"198.51.100.{number}")
    assert handshakes.visits("192.0.2.1") == 2
    assert not handshakes.has_served("198.51.100.0")
    assert handshakes.visits("198.51.100.999") == 1


def test_what_is_remembered_is_bounded(hello: bytes, clock: Clock) -> None:
    handshakes = Handshakes(50, 10, 25, clock)
    for number in range(10_000):
        clock.now += 1
        assert handshakes.may_begin(f"n{number}", another(hello))
        handshakes.note_served(f"s{number}")
    assert (len(handshakes._strangers), len(handshakes._served), len(handshakes._hellos)) == (4096, 64, 4096)
    assert handshakes.has_served("s9999")
    assert not handshakes.has_served("s9935")


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n" * 10, b"\x16\x03\x01" + b"\x00" * 100, b"\x15" * 100])
def test_what_is_no_hello_begins_nothing(data: bytes, clock: Clock) -> None:
    assert not Handshakes(50, 10, 25, clock).may_begin("192.0.2.1", data)


def test_a_hello_is_waited_for_byte_by_byte(hello: bytes) -> None:
    assert [could_become_client_hello(hello[:size]) for size in range(HELLO_BYTES + 1)] == [True] * HELLO_BYTES + [False]
    assert not could_become_client_hello(b"G")


def test_a_hello_that_comes_in_pieces_is_answered(serve_tls: ServeTls, hello: bytes) -> None:
    with connect(serve_tls()) as sock:
        for byte in hello:
            sock.sendall(bytes([byte]))
        assert sock.recv(1) == b"\x16"


def test_a_replayed_hello_is_cut_without_an_answer(serve_tls: ServeTls, hello: bytes) -> None:
    server = serve_tls()
    with connect(server) as first:
        first.sendall(hello)
        assert first.recv(1) == b"\x16"
        with ExitStack() as opened:
            for number in range(2, 50):
                replayed = send_from(opened, server, f"127.0.0.{number}", hello)
                assert read_all(replayed) == b""
    until(lambda: server.connections == 0)


def test_a_flood_of_hellos_leaves_a_scraper_its_connection_and_new_ones(
    serve_tls: ServeTls, authority: Authority, hello: bytes
) -> None:
    """From 200 addresses, four connections each, all kept open: more than all that may be open at once."""
    server = serve_tls()
    context = authority.client_context()
    with ExitStack() as opened, connect(server) as raw, context.wrap_socket(raw, server_hostname="localhost") as kept:
        kept.sendall(HEALTHY)
        read_until(kept, b"Healthy.\n")
        for number in range(800):
            send_from(opened, server, f"127.0.0.{2 + number % 200}", another(hello))
            if number % 100 == 0:
                kept.sendall(HEALTHY)
                read_until(kept, b"Healthy.\n")
                assert handshake(server, context)
    until(lambda: server.connections == 0)


@pytest.mark.parametrize("group", ["ffdhe2048", "ffdhe3072", "ffdhe8192", "ffdhe2048:ffdhe8192"])
def test_no_finite_field_is_agreed_on(serve_tls: ServeTls, group: str) -> None:
    assert "Cipher is (NONE)" in s_client(serve_tls(), "-groups", group)


def test_an_elliptic_curve_is_agreed_on_instead(serve_tls: ServeTls) -> None:
    assert "Server Temp Key: ECDH, prime256v1, 256 bits" in s_client(serve_tls(), "-groups", "ffdhe8192:X25519:P-256")


def s_client(server: WebServer, *options: str) -> str:
    port = urlsplit(server.urls[0]).port
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=PATIENCE * 3, check=False)
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize(
    "suite", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "DHE-RSA-AES256-GCM-SHA384", "AES128-SHA"]
)
def test_suites_that_are_not_offered_unless_asked_for(serve_tls: ServeTls, authority: Authority, suite: str) -> None:
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    assert refused(serve_tls(), context)


def test_a_cbc_suite_is_offered_where_it_is_asked_for(serve_tls: ServeTls, authority: Authority) -> None:
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    assert handshake(serve_tls("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]"), context)
