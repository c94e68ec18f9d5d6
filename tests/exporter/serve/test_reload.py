"""Sources that are added, removed and named anew while the exporter runs: the others go on, and one that comes back, too."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.metrics import collect
from racoon_exporter.serve.former_sources import MOST_SOURCES, keep
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import Wanted, paths, syslog
from racoon_exporter.source.syslog.receiver import SyslogSource
from tests.exporter.reading import up

SYSLOG = "<30>1 2026-01-15T08:30:00Z {} racoon - - - {}\n"
FILE = "2026-01-15 08:30:00: {}\n"


class Exporter:
    """An exporter whose sources change."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.gateways: dict[str, str] = {}
        self.now = 1000.0
        self._cookie = 0
        self.start()

    def start(self, *names: str) -> None:
        """Begin, or begin again from the state file."""
        self.inputs = Inputs(paths(*map(self.path, names)))
        gateways = dict(self.gateways)
        engine = Engine(UTC, gateway_of=lambda source: gateways.get(source, ""))
        clock = lambda: self.now  # noqa: E731
        self.follower = Follower(engine, self.inputs, state_file=self.directory / "state", monotonic=clock, wall=clock)
        self.follower.restore()
        self.drain()

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def write(self, name: str, host: str = "") -> None:
        """Write of one more phase 1."""
        self._cookie += 1
        text = up(f"{self._cookie:016x}:a1b2c3d4e5f60718")
        with (self.directory / name).open("a") as file:
            file.write(SYSLOG.format(host, text) if host else FILE.format(text))

    def drain(self) -> None:
        while self.follower.step():
            pass

    def change(self, **gateways: str) -> None:
        """Read these logs from now on; what they are called tells whose they are."""
        self.gateways = {self.path(name): gateway for name, gateway in gateways.items()}
        self.read(*paths(*self.gateways))

    def read(self, *wanted: Wanted) -> None:
        """Read this from now on."""
        gateways = dict(self.gateways)
        self.follower.change(wanted, lambda source: gateways.get(source, ""))
        self.drain()

    def counted(self) -> dict[str, int]:
        """Phase 1s by gateway, or by log where lines name none."""
        samples, _ = self.follower.look(collect)
        found: dict[str, int] = {}
        for (gateway, *_), number in samples.values["racoon_phase1_established"].items():
            found[gateway] = found.get(gateway, 0) + int(number)
        return found

    def lines(self) -> dict[str, int]:
        return {Path(status.name).name: status.counts.lines for status in self.follower.statuses()}


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    made = Exporter(tmp_path)
    yield made
    made.inputs.close()


def test_a_source_is_added_and_the_others_lose_nothing(exporter: Exporter) -> None:
    exporter.write("a")
    exporter.change(a="alpha")
    exporter.write("a")
    exporter.write("b")
    exporter.change(a="alpha", b="beta")
    exporter.write("a")
    exporter.drain()
    assert exporter.counted() == {"alpha": 3, "beta": 1}
    assert exporter.lines() == {"a": 3, "b": 1}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_removed_source_has_no_series_and_one_that_comes_back_goes_on(exporter: Exporter, *, restarted: bool) -> None:
    exporter.write("a")
    exporter.write("b")
    exporter.change(a="alpha", b="beta")
    exporter.change(b="beta")
    assert exporter.counted() == {"beta": 1}
    assert exporter.lines() == {"b": 1}
    exporter.write("a")
    exporter.drain()
    if restarted:
        exporter.follower.save()
        exporter.inputs.close()
        exporter.start("b")
        assert exporter.counted() == {"beta": 1}
    exporter.change(a="alpha", b="beta")
    assert exporter.counted() == {"alpha": 2, "beta": 1}
    assert exporter.lines() == {"a": 2, "b": 1}


def test_gateways_that_lines_name_go_with_the_log_that_they_were_heard_in(exporter: Exporter) -> None:
    """Otherwise their peers would go down one by one: nobody logs for them any more."""
    for log, host in (("a", "one"), ("a", "both"), ("b", "two"), ("b", "both")):
        exporter.write(log, host)
    exporter.change(a="", b="")
    exporter.change(b="")
    assert exporter.counted() == {"two": 1, "both": 2}
    exporter.write("a", "one")
    exporter.change(a="", b="")
    assert exporter.counted() == {"one": 2, "two": 1, "both": 2}


def test_logs_without_hosts_are_told_apart(exporter: Exporter) -> None:
    exporter.write("a")
    exporter.write("b")
    exporter.change(a="", b="")
    exporter.change(b="")
    streams = {Path(racoon.stream).name for racoon in exporter.follower.engine.state.racoons.values()}
    assert streams == {"b"}


def test_a_source_that_is_another_gateway_s_takes_its_counters_along(exporter: Exporter) -> None:
    exporter.write("a")
    exporter.change(a="alpha")
    exporter.change(a="omega")
    exporter.write("a")
    exporter.drain()
    assert exporter.counted() == {"omega": 2}


def test_what_was_set_aside_grows_older_meanwhile(exporter: Exporter) -> None:
    exporter.write("a")
    exporter.change(a="alpha")
    exporter.change()
    exporter.now += 500.0
    exporter.change(a="alpha")
    live = exporter.follower._live
    ((_, read_at),) = live._silent_time.read_at.values()
    assert exporter.now - read_at == 500.0


def test_what_cannot_be_read_leaves_everything_as_it_was(exporter: Exporter) -> None:
    exporter.write("a")
    exporter.change(a="alpha")
    with pytest.raises(ValueError, match="not a path"):
        exporter.read(*paths(exporter.path("a"), "/log/\0"))
    exporter.write("a")
    exporter.drain()
    assert exporter.counted() == {"alpha": 2}
    assert exporter.lines() == {"a": 2}


def test_pipes_and_connections_stay_open_and_keep_half_a_line(exporter: Exporter) -> None:
    """A writer that was cut off may not come back, and what it has written is in nobody's log."""
    fifo = exporter.path("fifo")
    os.mkfifo(fifo)
    exporter.read(*paths(fifo), *syslog("tcp://127.0.0.1:0"))
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    (receiver,) = (source for source in exporter.inputs._sources if isinstance(source, SyslogSource))
    host, _, port = receiver.addresses[0].rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        first, second = (SYSLOG.format(name, up()).encode() for name in ("piped", "sent"))
        os.write(writer, first[:40])
        connection.sendall(second[:40])
        _until(exporter, lambda: bool(receiver.status().up))
        exporter.read(*paths(fifo, exporter.path("a")), *syslog("tcp://127.0.0.1:0"))
        os.write(writer, first[40:])
        connection.sendall(second[40:])
        _until(exporter, lambda: exporter.counted().keys() >= {"piped", "sent"})
    os.close(writer)
    assert exporter.counted() == {"piped": 1, "sent": 1}


def _until(exporter: Exporter, done: Callable[[], bool]) -> None:
    for _ in range(100):
        exporter.drain()
        if done():
            return
        exporter.inputs.wait(0.1)
    pytest.fail("nothing came")


def test_what_is_set_aside_is_bounded() -> None:
    content: dict[str, object] = {
        "saved": 1.0,
        "gateways": {f"log{number}": "" for number in range(2 * MOST_SOURCES)},
        "positions": {},
        "sources": {},
        "seen": [],
        "engine": {"state": {"archive": {"negotiations": []}, "racoons": []}, "readers": {}, "last_line": {}},
    }
    keep(content, [f"log{number}" for number in range(2 * MOST_SOURCES)], {})
    aside = content["aside"]
    assert isinstance(aside, dict)
    assert len(aside) == MOST_SOURCES
    assert f"log{2 * MOST_SOURCES - 1}" in aside


def test_nobody_looks_while_the_record_that_was_kept_back_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "a"
    log.write_text(FILE.format(up()))
    waited: list[bool] = []
    threads: list[threading.Thread] = []

    def look(*_: object) -> None:
        thread = threading.Thread(target=lambda: follower.look(collect))
        thread.start()
        thread.join(0.05)
        waited.append(thread.is_alive())
        threads.append(thread)

    inputs = Inputs(paths(str(log)))
    follower = Follower(Engine(UTC, on_record=look), inputs)
    follower.step()
    assert not waited, "the next line may belong to it"
    follower.change(paths(str(log)), lambda _: "")
    assert waited == [True]
    threads[0].join()
    inputs.close()
