"""Addresses for syslog: what is understood, what is refused, what is bound."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from racoon_exporter.source.syslog.listen import SYSLOG_PORT, UNIX_MODE, ListenAddress, remove_name

UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "path"),
    [
        ("udp://127.0.0.1:5514", UDP, "127.0.0.1", 5514, ""),
        ("tcp://[::1]:5514", TCP, "::1", 5514, ""),
        ("udp://:5514", UDP, "", 5514, ""),
        ("udp://*:5514", UDP, "", 5514, ""),
        ("tcp://localhost", TCP, "localhost", SYSLOG_PORT, ""),
        ("udp://127.0.0.1:0/", UDP, "127.0.0.1", 0, ""),
        ("unix:///run/x.sock", UDP, "", 0, "/run/x.sock"),
        ("unix-stream:///run/x.sock", TCP, "", 0, "/run/x.sock"),
    ],
)
def test_addresses_are_read(text: str, kind: socket.SocketKind, host: str, port: int, path: str) -> None:
    assert ListenAddress.read(text) == ListenAddress(text, kind, host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:514",
        "http://127.0.0.1:514",
        "udp://",
        "udp:///run/x.sock",
        "udp://127.0.0.1:x",
        "udp://127.0.0.1:65536",
        "udp://127.0.0.1:514/path",
        "udp://127.0.0.1:514?a=b",
        "udp://user@127.0.0.1:514",
        "tcp://[::1",
        "tcp://gateway.example.org:514",
        "unix://run/x.sock",
        "unix:///run/\0",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="syslog address"):
        ListenAddress.read(text)


def test_a_unix_socket_is_open_to_its_group_and_goes_with_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    (opened,) = ListenAddress.read(f"unix://{path}").listen()
    assert stat.S_IMODE(path.stat().st_mode) == UNIX_MODE
    remove_name(opened)
    assert not path.exists()
    remove_name(opened)
    opened.close()


@pytest.mark.parametrize("scheme", ["unix", "unix-stream"])
def test_a_dead_unix_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path, scheme: str) -> None:
    address = ListenAddress.read(f"{scheme}://{tmp_path}/x.sock")
    (first,) = address.listen()
    with pytest.raises(OSError, match="Address already in use"):
        address.listen()
    first.close()
    (second,) = address.listen()
    second.close()


def test_a_file_in_the_place_of_a_unix_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    path.write_text("precious")
    with pytest.raises(OSError, match="is no socket"):
        ListenAddress.read(f"unix://{path}").listen()
    assert path.read_text() == "precious"


def test_localhost_is_every_loopback_address_there_is() -> None:
    sockets = ListenAddress.read("udp://localhost:0").listen()
    assert {opened.getsockname()[0] for opened in sockets} <= {"127.0.0.1", "::1"}
    assert sockets
    for opened in sockets:
        opened.close()
