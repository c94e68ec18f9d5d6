"""Witness `racoon`: a real socket with a racoon of 0.6 to 0.9.1 behind it, one that is gone, hangs, or talks nonsense."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from pathlib import Path

import pytest

from racoon_exporter.witness import WitnessError, racoon_socket
from racoon_exporter.witness.racoon_socket import RacoonSocket
from tests.exporter.witness.admin_server import admin_server, command_of, reply
from tests.parsers.test_admin_socket import DOCUMENT, dumped, sockaddr

SHOW_SA, STATUS, EVENTS = 0x0101, 0x0104, 0x0003
ENOTSUP = 95
AUTH_FAILED = struct.pack("=I4xq", 0x0104, 1000) + sockaddr("192.0.2.1", 500) + sockaddr("192.0.2.2", 500) + bytes(8)


def racoon_091(connection: socket.socket, request: bytes) -> None:
    bodies = {SHOW_SA: dumped(), STATUS: json.dumps(DOCUMENT).encode(), EVENTS: b""}
    connection.sendall(reply(command_of(request), bodies[command_of(request)]))
    if command_of(request) == EVENTS:
        connection.sendall(reply(EVENTS, AUTH_FAILED) + reply(EVENTS, AUTH_FAILED)[:20])


class Racoon08:
    """Knows no status document, and logs an error for each request it does not know."""

    def __init__(self) -> None:
        self.errors = 0

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        if command_of(request) == SHOW_SA:
            connection.sendall(reply(SHOW_SA, dumped() * 300))
        else:
            self.errors += 1
            connection.sendall(reply(command_of(request), error=ENOTSUP))


def test_a_racoon_of_today_tells_addresses_and_algorithms(tmp_path: Path) -> None:
    with admin_server(tmp_path / "racoon.sock", racoon_091):
        look = RacoonSocket(tmp_path / "racoon.sock", events=False).look()
    (sa,) = look.phase1
    assert look.documented
    assert sa.remote is not None
    assert (sa.remote.address, sa.encryption, sa.lifetime, sa.expires) == ("192.0.2.2", "3DES-CBC", 86400, 87400.0)
    assert [phase2.group for phase2 in look.phase2] == [2]


def test_events_that_came_between_two_looks_are_told_once(tmp_path: Path) -> None:
    with admin_server(tmp_path / "racoon.sock", racoon_091):
        witness = RacoonSocket(tmp_path / "racoon.sock")
        told = [*witness.look().events, *witness.look().events]
        witness.close()
    assert [event.name for event in told] == ["phase1_auth_failed"]


def test_nonsense_among_events_is_trouble_once_and_the_next_look_listens_anew(tmp_path: Path) -> None:
    subscribed: list[bytes] = []

    def garbled_at_first(connection: socket.socket, request: bytes) -> None:
        if command_of(request) == EVENTS:
            subscribed.append(request)
            if len(subscribed) == 1:
                connection.sendall(bytes(16))
                return
        racoon_091(connection, request)

    with admin_server(tmp_path / "racoon.sock", garbled_at_first):
        witness = RacoonSocket(tmp_path / "racoon.sock")
        told: list[str] = []
        for _ in range(4):
            with contextlib.suppress(WitnessError):
                told += [event.name for event in witness.look().events]
        witness.close()
    assert len(subscribed) == 2
    assert told == ["phase1_auth_failed"]


def test_an_older_racoon_tells_its_sas_in_a_long_reply_and_is_asked_for_a_document_once(tmp_path: Path) -> None:
    racoon = Racoon08()
    with admin_server(tmp_path / "racoon.sock", racoon):
        witness = RacoonSocket(tmp_path / "racoon.sock")
        looks = [witness.look() for _ in range(3)]
    assert [len(look.phase1) for look in looks] == [300] * 3
    assert not any(look.documented for look in looks)
    assert racoon.errors == 1


def test_a_new_daemon_behind_the_same_path_is_asked_anew(tmp_path: Path) -> None:
    path = tmp_path / "racoon.sock"
    witness = RacoonSocket(path)
    with admin_server(path, Racoon08()):
        assert not witness.look().documented
    path.unlink()
    (tmp_path / "occupies the old inode").touch()
    with admin_server(path, racoon_091):
        assert witness.look().documented
    witness.close()


def test_a_socket_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(WitnessError, match=r"racoon\.sock: No such file"):
        RacoonSocket(tmp_path / "racoon.sock").look()


def test_a_socket_that_nobody_listens_at_says_so(tmp_path: Path) -> None:
    with admin_server(tmp_path / "racoon.sock", racoon_091):
        pass
    with pytest.raises(WitnessError, match="refused"):
        RacoonSocket(tmp_path / "racoon.sock").look()


def test_a_racoon_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racoon_socket, "SECONDS", 0.05)
    with (
        admin_server(tmp_path / "racoon.sock", lambda _connection, _request: None),
        pytest.raises(WitnessError, match="no answer"),
    ):
        RacoonSocket(tmp_path / "racoon.sock").look()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "another question"),
        (b"\x08", "closed the connection"),
        (reply(SHOW_SA, dumped())[:100], "closed the connection"),
        (reply(SHOW_SA, b"x" * 77), "in a layout nobody knows"),
        (struct.pack("=HHHH", 0, 0x8000 | SHOW_SA, 0xFFFF, 0), "a reply of"),
        (reply(SHOW_SA, error=13), "EACCES"),
    ],
    ids=["another protocol", "half a head", "half a reply", "another layout", "a length beyond reason", "an error"],
)
def test_nonsense_is_told_as_what_it_is(tmp_path: Path, said: bytes, why: str) -> None:
    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)

    with admin_server(tmp_path / "racoon.sock", answer), pytest.raises(WitnessError, match=why):
        RacoonSocket(tmp_path / "racoon.sock").look()
