from __future__ import annotations

import os
import socket
import subprocess
import sys

import httpx
import pytest

from racoon_exporter.web import ListenError
from racoon_exporter.web.listen import activated, listen, split_address
from tests.ports import free_port


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("localhost:10500", "localhost", 10500),
        (":10500", "", 10500),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:10500", "::1", 10500),
        ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
    ],
)
def test_an_address_is_host_and_port(address: str, host: str, port: int) -> None:
    assert split_address(address) == (host, port)


@pytest.mark.parametrize(
    "address", ["localhost", "", "::1:10500", "localhost:", "localhost:http", "localhost:65536", "a:-1", "a:\u0661"]
)
def test_a_malformed_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(ListenError, match="cannot listen on ") as caught:
        split_address(address)
    assert str(caught.value).startswith(f"cannot listen on {address}: ")


@pytest.mark.parametrize("address", ["no-such-host.invalid:0", "192.0.2.1:0", "a..b:0", f"{'x' * 300}:0"])
def test_an_address_that_is_not_ours_is_one_line(address: str) -> None:
    with pytest.raises(ListenError) as caught:
        listen([address])
    assert str(caught.value).startswith(f"cannot listen on {address}: ")
    assert "\n" not in str(caught.value)


def test_localhost_is_both_families_on_one_port() -> None:
    (listener,) = listen(["localhost:0"])
    names = [sock.getsockname() for sock in listener.sockets]
    close(listener.sockets)
    assert names[0][0] == "127.0.0.1"
    assert {name[1] for name in names} == {names[0][1]}
    assert listener.name == f"localhost:{names[0][1]}"
    assert [name[0] for name in names[1:]] in ([], ["::1"])


def test_no_host_is_every_address_of_both_families() -> None:
    (listener,) = listen([":0"])
    port = listener.sockets[0].getsockname()[1]
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        if family == socket.AF_INET or listener.sockets[0].family == socket.AF_INET6:
            with socket.socket(family) as client:
                client.connect((address, port))
    close(listener.sockets)
    assert listener.name == f"localhost:{port}"


def test_an_ipv6_address_keeps_its_brackets() -> None:
    if not socket.has_dualstack_ipv6():
        with pytest.raises(ListenError, match=r"cannot listen on \[::1\]:0"):
            listen(["[::1]:0"])
        return
    (listener,) = listen(["[::1]:0"])
    close(listener.sockets)
    assert listener.name.startswith("[::1]:")


def test_one_bad_address_leaves_none_open() -> None:
    port = free_port()
    with pytest.raises(ListenError):
        listen([f"127.0.0.1:{port}", "192.0.2.1:0"])
    (listener,) = listen([f"127.0.0.1:{port}"])
    close(listener.sockets)


def test_sockets_of_systemd_are_taken_and_its_variables_removed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        descriptor = os.dup(passed.fileno())
        environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web", "HOME": "/"}
        (listener,) = activated(environment, first_descriptor=descriptor)
        assert listener.name == f"127.0.0.1:{passed.getsockname()[1]}"
        assert environment == {"HOME": "/"}
        assert not listener.sockets[0].get_inheritable()
        close(listener.sockets)


@pytest.mark.parametrize(
    "environment",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"}],
    ids=["none", "of another process", "zero"],
)
def test_missing_sockets_of_systemd_are_an_error(environment: dict[str, str]) -> None:
    with pytest.raises(ListenError, match="none were passed"):
        activated(environment)


def test_a_socket_of_systemd_that_is_no_tcp_socket_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as passed:
        environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
        with pytest.raises(ListenError, match="not a TCP socket"):
            activated(environment, first_descriptor=os.dup(passed.fileno()))


def test_a_descriptor_that_is_not_open_is_an_error() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    os.close(reading)
    with pytest.raises(ListenError, match=f"systemd socket {reading}: Bad file descriptor"):
        activated({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}, first_descriptor=reading)


#: What systemd does: descriptor 3, LISTEN_PID with the number the process has at last, and exec.
_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "-c", sys.argv[2]])
"""
_ACTIVATED_SERVER = """
import sys
from racoon_exporter.web import WebServer
from racoon_exporter.web.pages import health_routes
server = WebServer(health_routes(lambda: (True, "Ready.")), addresses=[], config_file=None, systemd_socket=True)
server.start()
print(*server.urls, flush=True)
sys.stdin.read()
server.stop()
"""


def test_a_process_started_by_systemd_serves_its_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        descriptor = passed.fileno()
        with subprocess.Popen(
            [sys.executable, "-c", _SYSTEMD, str(descriptor), _ACTIVATED_SERVER],
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url == f"http://127.0.0.1:{passed.getsockname()[1]}/"
            assert httpx.get(f"{url}-/ready").text == "Ready.\n"
            process.communicate(timeout=30)
    assert process.returncode == 0


def close(sockets: tuple[socket.socket, ...]) -> None:
    for sock in sockets:
        sock.close()
