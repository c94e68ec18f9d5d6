"""`serve` as a process of its own: what it reads, how it is told new things, how it ends."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

SECONDS = 60
WEB_SERVER_ENDS = """
from racoon_exporter.cli import run
from racoon_exporter.serve.service import Service

def end():
    raise SystemExit("of itself")

def start(service, begin=Service.start):
    begin(service)
    service._server._loop.call_soon_threadsafe(end)

Service.start = start
run()
"""
"""An exporter whose web server ends by itself, as by a fault in the event loop."""
HANG_UP_EARLY = """
import os
import signal
from racoon_exporter.cli import run
from racoon_exporter.serve.service import Service

def start(service, begin=Service.start):
    os.kill(os.getpid(), signal.SIGHUP)
    begin(service)

Service.start = start
run()
"""
"""An exporter that somebody tells to reload before it can."""
PEER_UP = 'racoon_phase1_up{peer="10.0.0.2"} 1.0'
ESTABLISHED = "INFO: ISAKMP-SA established 10.0.0.1[500]-10.0.0.2[500] spi:2698c81446191f6c:9b9127e3b6956065"


@dataclass
class Served:
    """A running exporter."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def until_metrics_hold(self, text: str) -> str:
        """Return the metrics as soon as they hold a text; fail if they do not."""
        deadline = time.monotonic() + SECONDS
        while text not in (metrics := self.get("metrics")):
            assert time.monotonic() < deadline, f"{text} is not in\n{metrics}"
        return metrics

    def until_it_says(self, text: str) -> str:
        """Return the first line of its own log, from here on, that holds a text."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if text in line)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def serving(*arguments: str, program: Sequence[str] = ("-m", "racoon_exporter")) -> Iterator[Served]:
    command = [sys.executable, *program, "serve", "--web.listen-address", "127.0.0.1:0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        try:
            served = Served(process, "")
            served.url = served.until_it_says("serving on").split("serving on ")[1].rstrip('"\n')
            yield served
        finally:
            process.kill()


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "racoon_exporter", "serve", "--web.listen-address", "127.0.0.1:0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "racoon.log"
    path.touch()
    return path


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(f"2026-11-24 07:55:01: {text}\n")


def test_what_racoon_writes_is_shown_and_sigterm_ends_it(log: Path) -> None:
    with serving(str(log)) as served:
        served.until_metrics_hold('racoon_exporter_source_up{source="')
        append(log, ESTABLISHED)
        served.until_metrics_hold(PEER_UP)
        assert served.get("-/healthy")
        assert "racoon-exporter" in served.get("")
        assert served.end(signal.SIGTERM) == 0


def test_sigint_ends_it_cleanly(log: Path) -> None:
    with serving(str(log)) as served:
        assert served.end(signal.SIGINT) == 0


def test_a_log_that_comes_later_is_read(tmp_path: Path) -> None:
    with serving(str(tmp_path / "racoon.log")) as served:
        served.until_metrics_hold(f'racoon_exporter_source_up{{source="{tmp_path}/racoon.log"}} 0.0')
        append(tmp_path / "racoon.log", ESTABLISHED)
        served.until_metrics_hold(PEER_UP)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_a_new_start_goes_on_where_the_last_one_stood(log: Path, tmp_path: Path, number: int) -> None:
    arguments = (str(log), "--state.file", str(tmp_path / "state"), "--state.interval", "0.1")
    append(log, ESTABLISHED)
    with serving(*arguments) as served:
        served.until_metrics_hold(PEER_UP)
        served.end(number)
    append(log, "INFO: ISAKMP-SA expired 10.0.0.1[500]-10.0.0.2[500] spi:2698c81446191f6c:9b9127e3b6956065")
    with serving(*arguments) as served:
        metrics = served.until_metrics_hold('racoon_phase1_up{peer="10.0.0.2"} 0.0')
    assert 'racoon_phase1_established_total{peer="10.0.0.2",role="unknown"} 1.0' in metrics


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_syslog_is_received(scheme: str) -> None:
    kind = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}[scheme]
    port = free_port()
    with serving("--syslog.listen-address", f"{scheme}://127.0.0.1:{port}") as served, socket.socket(type=kind) as sender:
        served.until_metrics_hold(f'racoon_exporter_source_up{{source="{scheme}://127.0.0.1:{port}"}} 1.0')
        sender.connect(("127.0.0.1", port))
        sender.sendall(f"<30>Nov 24 07:55:01 berlin racoon: {ESTABLISHED}\n".encode())
        served.until_metrics_hold('racoon_phase1_up{gateway="berlin",peer="10.0.0.2"} 1.0')


def test_sighup_takes_over_peers_and_keeps_the_state(log: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(f"sources: [{{path: {log}}}]\n")
    append(log, ESTABLISHED)
    with serving("--config.file", str(config)) as served:
        served.until_metrics_hold(PEER_UP)
        config.write_text(f"sources: [{{path: {log}}}]\npeers: [{{address: 10.0.0.9, name: branch}}]\n")
        served.process.send_signal(signal.SIGHUP)
        metrics = served.until_metrics_hold('racoon_phase1_up{peer="branch"} 0.0')
        assert PEER_UP in metrics


def test_sighup_takes_sources_over_and_the_others_go_on(log: Path, tmp_path: Path) -> None:
    config, other = tmp_path / "config.yml", tmp_path / "other.log"
    both = f"sources: [{{path: {log}, gateway: one}}, {{path: {other}, gateway: two}}]\n"
    config.write_text(f"sources: [{{path: {log}, gateway: one}}]\n")
    append(log, ESTABLISHED)
    append(other, ESTABLISHED)
    counted = 'racoon_phase1_established_total{{gateway="{}",peer="10.0.0.2",role="unknown"}} 1.0'
    with serving("--config.file", str(config), "--state.file", str(tmp_path / "state")) as served:
        assert 'gateway="two"' not in served.until_metrics_hold(counted.format("one"))
        config.write_text(both)
        served.process.send_signal(signal.SIGHUP)
        assert counted.format("one") in served.until_metrics_hold(counted.format("two"))
        config.write_text(f"sources: [{{path: {other}, gateway: two}}]\n")
        served.process.send_signal(signal.SIGHUP)
        served.until_it_says("set aside")
        assert 'gateway="one"' not in served.get("metrics")
        config.write_text("sources: []\n")
        served.process.send_signal(signal.SIGHUP)
        served.until_it_says("nothing to read")
        assert counted.format("two") in served.until_metrics_hold("racoon_exporter_config_ok 0.0")
        config.write_text(both)
        served.process.send_signal(signal.SIGHUP)
        assert counted.format("two") in served.until_metrics_hold(counted.format("one"))


def test_a_bad_configuration_at_a_reload_leaves_the_old_one_in_force(log: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(f"sources: [{{path: {log}}}]\npeers: [{{address: 10.0.0.9, name: branch}}]\n")
    with serving("--config.file", str(config)) as served:
        config.write_text("pears: []\n")
        served.process.send_signal(signal.SIGHUP)
        assert "pears" in served.until_it_says("was not taken over")
        assert 'racoon_phase1_up{peer="branch"} 0.0' in served.until_metrics_hold("racoon_exporter_config_ok 0.0")


@pytest.mark.parametrize(
    "more", ["time_zone: Europe/Berlin\n", "witnesses: {kernel: {netlink: true}}\n"], ids=["time zone", "witnesses"]
)
def test_what_needs_a_restart_is_told_at_a_reload_and_the_rest_is_taken_over(more: str, log: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(f"sources: [{{path: {log}}}]\n")
    with serving("--config.file", str(config)) as served:
        config.write_text(f"sources: [{{path: {log}}}]\npeers: [{{address: 10.0.0.9, name: branch}}]\n{more}")
        served.process.send_signal(signal.SIGHUP)
        served.until_it_says("witnesses and the time zone change with a restart, not with a reload")
        assert "racoon_exporter_config_ok 1.0" in served.until_metrics_hold('racoon_phase1_up{peer="branch"} 0.0')


def test_a_port_in_use_is_one_line_and_status_1(log: Path) -> None:
    with serving(str(log)) as served:
        port = served.url.rstrip("/").rsplit(":", 1)[1]
        second = serve(str(log), "--web.listen-address", f"127.0.0.1:{port}")
    assert second.returncode == 1
    assert "in use" in second.stderr.splitlines()[-1]
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to read"),
        (("--syslog.listen-address", "514"), "expected udp://"),
        (("racoon.log", "--web.telemetry-path", "metrics"), "must begin with /"),
        (("racoon.log", "--web.telemetry-path", "/api/v1/peers"), "page of its own"),
        (("racoon.log", "--web.telemetry-path", "/gateways"), "page of its own"),
        (("racoon.log", "--web.telemetry-path", "/runbooks/metrics"), "page of its own"),
        (("racoon.log", "--web.telemetry-path", "/{path}"), "page of its own"),
        (("racoon.log", "--web.config.file", "missing.yml"), "racoon-exporter: missing.yml: cannot read"),
        (("racoon.log", "--expect-peer", "192.0.2.1:500"), "an address is expected"),
    ],
    ids=[
        "no source",
        "bad syslog address",
        "bad path",
        "taken path",
        "path of the gateways",
        "path of a runbook",
        "pattern as path",
        "no web configuration",
        "port of a peer",
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    done = serve(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_sighup_during_the_start_waits_until_it_can_be_taken(log: Path) -> None:
    """logrotate's script does not know whether a service has just begun; without a handler the signal would end it."""
    with serving(str(log), program=("-c", HANG_UP_EARLY)) as served:
        served.until_it_says("the configuration was read anew")
        assert served.end(signal.SIGTERM) == 0


def test_where_the_web_server_ends_so_does_the_exporter_and_goes_on_at_the_next_start(log: Path, tmp_path: Path) -> None:
    """Else it would look alive, and answer nobody, until somebody misses it."""
    append(log, ESTABLISHED)
    state = tmp_path / "state"
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            WEB_SERVER_ENDS,
            "serve",
            "--web.listen-address",
            "127.0.0.1:0",
            str(log),
            "--state.file",
            state,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ended.returncode == 1
    assert ended.stderr.endswith("racoon-exporter: the web server ended: SystemExit('of itself')\n")
    with serving(str(log), "--state.file", str(state)) as served:
        metrics = served.until_metrics_hold(PEER_UP)
    assert 'racoon_phase1_established_total{peer="10.0.0.2",role="unknown"} 1.0' in metrics
