"""What we tell systemd, as it would read it from its socket."""

import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.serve.systemd import Notifier, message, socket_address, watchdog_seconds
from tests.clock import Clock


class Systemd:
    """The receiving end: a datagram socket and what came through it."""

    def __init__(self, address: str | bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(5)

    def next(self) -> list[str]:
        return self.socket.recv(4096).decode().split("\n")

    def has_nothing(self) -> bool:
        self.socket.settimeout(0)
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(5)
        return False


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    end = Systemd(str(tmp_path / "notify"))
    yield end
    end.socket.close()


def notifier(tmp_path: Path, clock: Clock | None = None, **environment: str) -> Notifier:
    return Notifier.from_environment(
        {"NOTIFY_SOCKET": str(tmp_path / "notify"), **environment}, pid=42, monotonic=clock or time.monotonic
    )


def test_ready_brings_its_status(systemd: Systemd, tmp_path: Path) -> None:
    notifier(tmp_path).ready("serving on http://localhost:10500")
    assert systemd.next() == ["READY=1", "STATUS=serving on http://localhost:10500"]


def test_messages_without_status_are_one_line(systemd: Systemd, tmp_path: Path) -> None:
    ours = notifier(tmp_path)
    ours.ready()
    ours.stopping()
    assert [systemd.next(), systemd.next()] == [["READY=1"], ["STOPPING=1"]]


def test_stopping_and_status_show_their_text(systemd: Systemd, tmp_path: Path) -> None:
    ours = notifier(tmp_path)
    ours.status("12 peers")
    ours.stopping("writing the state file")
    assert [systemd.next(), systemd.next()] == [["STATUS=12 peers"], ["STOPPING=1", "STATUS=writing the state file"]]


def test_reloading_carries_the_monotonic_clock_in_microseconds(systemd: Systemd, tmp_path: Path) -> None:
    notifier(tmp_path, Clock()).reloading()
    assert systemd.next() == ["RELOADING=1", "MONOTONIC_USEC=1000000000"]


def test_the_monotonic_clock_is_the_one_that_systemd_compares_with(systemd: Systemd, tmp_path: Path) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier(tmp_path).reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert before <= int(systemd.next()[1].removeprefix("MONOTONIC_USEC=")) <= after


def test_an_abstract_socket_is_reached() -> None:
    name = f"racoon-exporter-test-{os.getpid()}"
    end = Systemd(f"\0{name}")
    try:
        Notifier.from_environment({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert end.next() == ["READY=1"]
    finally:
        end.socket.close()


def test_a_sign_of_life_is_sent_once_in_half_an_interval(systemd: Systemd, tmp_path: Path) -> None:
    clock = Clock()
    ours = notifier(tmp_path, clock, WATCHDOG_USEC="30000000", WATCHDOG_PID="42")
    sent = []
    for _ in range(60):
        clock.now += 1
        ours.watchdog()
        if not systemd.has_nothing():
            sent.append(clock.now)
    assert sent == [1001, 1016, 1031, 1046]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        pytest.param({}, None, id="no watchdog"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="zero"),
        pytest.param({"WATCHDOG_USEC": "-5"}, None, id="negative"),
        pytest.param({"WATCHDOG_USEC": "30s"}, None, id="not a number"),
        pytest.param({"WATCHDOG_USEC": "1500000"}, 1.5, id="for whoever reads it"),
        pytest.param({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "42"}, 1.5, id="for us"),
        pytest.param({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "43"}, None, id="for our parent"),
    ],
)
def test_the_watchdog_interval_is_read_from_the_environment(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment, 42) == seconds


def test_a_process_that_is_not_watched_gives_no_sign(systemd: Systemd, tmp_path: Path) -> None:
    notifier(tmp_path, WATCHDOG_USEC="1000000", WATCHDOG_PID="43").watchdog()
    assert systemd.has_nothing()


def test_without_systemd_every_message_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    ours = Notifier.from_environment({"WATCHDOG_USEC": "1000000"})
    ours.ready("serving")
    ours.reloading()
    ours.watchdog()
    ours.stopping()
    assert ours.watchdog_seconds is None
    assert not caplog.records


def test_a_socket_of_another_kind_is_logged_and_not_used(caplog: pytest.LogCaptureFixture) -> None:
    Notifier.from_environment({"NOTIFY_SOCKET": "vsock:2:1234"}).ready()
    assert [record.message for record in caplog.records] == [
        "systemd is not told how we are: NOTIFY_SOCKET is neither a path nor an abstract socket: vsock:2:1234"
    ]


def test_a_socket_that_is_gone_is_logged_once_and_again_after_it_came_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    ours = notifier(tmp_path)
    ours.ready()
    ours.ready()
    assert [record.message for record in caplog.records] == ["cannot tell systemd how we are: No such file or directory"]
    end = Systemd(str(tmp_path / "notify"))
    ours.ready()
    end.socket.close()
    ours.ready()
    assert [record.message for record in caplog.records][1:] == ["cannot tell systemd how we are: Connection refused"]


@pytest.mark.parametrize("name", ["", "@", "notify", "./notify", "vsock:2:1"])
def test_names_that_are_no_address_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="neither a path nor an abstract socket"):
        socket_address(name)


@given(st.text())
def test_no_text_becomes_a_variable_of_its_own(text: str) -> None:
    lines = message(READY=1, STATUS=text).decode().split("\n")
    assert len(lines) == 2
    assert lines[0] == "READY=1"
    assert re.match("STATUS=", lines[1])
