"""All inputs as one: turns, positions, waking, and the end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from racoon_exporter.source import kinds
from racoon_exporter.source.inputs import GAP_SECONDS, Inputs
from racoon_exporter.source.journal.journalctl import JournalOptions
from racoon_exporter.source.kinds import Surroundings
from racoon_exporter.source.streams.fifo_stdin import StdinSource
from racoon_exporter.source.syslog.receiver import SyslogSource
from racoon_exporter.source.wake_up import WakeUp
from racoon_exporter.source.watch import Watcher
from tests.exporter.source.files.logs import Log, lines, record, records
from tests.exporter.source.journal.journals import FakeJournal, cursor, entry

SOON = 20.0
"""Seconds within which something was noticed on any machine; a test that passes does not wait so long."""

Make = Callable[..., Inputs]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Inputs] = []

    def make(
        *paths: str,
        journal: JournalOptions | None = None,
        syslog: tuple[str, ...] = (),
        watcher: Callable[[Iterable[str]], Watcher] = Watcher,
        **around: object,
    ) -> Inputs:
        wanted = (*kinds.paths(*paths), *((kinds.journal(journal),) if journal else ()), *kinds.syslog(*syslog))
        made.append(Inputs(wanted, Surroundings(**around), watcher=watcher))  # type: ignore[arg-type] # as they are
        return made[-1]

    yield make
    for inputs in made:
        inputs.close()


def some(inputs: Inputs, count: int) -> list[bytes]:
    """Return so many lines, waiting as the loop does."""
    found = lines(inputs)
    while len(found) < count:
        assert inputs.wait(SOON)
        found += lines(inputs)
    return found


def ended(inputs: Inputs) -> bool:
    return inputs.finished


def settle(inputs: Inputs) -> None:
    """Take notice of all that has happened so far."""
    while inputs.wait(0.1):
        assert inputs.read() is None


def send(inputs: Inputs, message: bytes) -> None:
    """Send a datagram to the only syslog address."""
    (source,) = (each for each in inputs._sources if isinstance(each, SyslogSource))
    (where,) = source.addresses
    host, _, port = where.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(message, (host, int(port)))


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeJournal]:
    home = tmp_path / "journal"
    home.mkdir()
    fake = FakeJournal(home)
    yield fake
    fake.close()


def test_all_kinds_of_input_are_read(make: Make, log: Log, tmp_path: Path, fake: FakeJournal) -> None:
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    reading, writing = os.pipe()
    log.write(1)
    fake.store(entry(1, "INFO: five"))
    inputs = make(
        log.name,
        fifo,
        "-",
        journal=fake.options,
        syslog=("udp://127.0.0.1:0",),
        stdin=lambda: StdinSource(reading),
    )
    found = lines(inputs)  # opens what is to be opened
    os.write(writing, record(2))
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, record(3))
    send(inputs, record(4))
    found += some(inputs, 5 - len(found))
    assert set(records(1, 2, 3, 4)) < set(found)
    assert b'"INFO: five"' in b"".join(found)
    assert [status.name for status in inputs.statuses()] == ["-", log.name, fifo, "journal", "udp://127.0.0.1:0"]
    assert all(status.up and status.counts.lines == 1 for status in inputs.statuses())
    assert not inputs.finished
    for descriptor in (reading, writing, writer):
        os.close(descriptor)


def test_a_busy_input_does_not_starve_the_others(make: Make, log: Log, tmp_path: Path) -> None:
    log.write(*range(100))
    other = Log(tmp_path / "other.log")
    other.write(200)
    inputs = make(log.name, other.name, syslog=("udp://127.0.0.1:0",))
    send(inputs, record(201))
    names = [block.source for _ in range(3) if (block := inputs.read(100)) is not None]
    assert names == [log.name, "udp://127.0.0.1:0", other.name]


def test_after_a_stop_every_input_goes_on_where_it_stood(make: Make, log: Log, fake: FakeJournal) -> None:
    log.write(1)
    fake.store(entry(1, "INFO: one"))
    inputs = make(log.name, journal=fake.options, syslog=("udp://127.0.0.1:0",))
    assert len(some(inputs, 2)) == 2
    positions = json.loads(json.dumps(inputs.positions()))
    assert set(positions) == {log.name, "journal"}
    assert positions["journal"]["cursor"] == cursor(1)
    inputs.close()
    log.write(2)
    fake.store(entry(2, "INFO: two"))
    later = make(log.name, journal=fake.options, syslog=("udp://127.0.0.1:0",))
    later.resume(positions)
    found = some(later, 2)
    assert record(2) in found
    assert b'"INFO: two"' in b"".join(found)
    assert len(found) == 2


@pytest.mark.parametrize("wrong", ["OTHER", "journal"])
def test_one_position_that_is_none_is_told_before_any_is_taken(
    make: Make, log: Log, tmp_path: Path, fake: FakeJournal, wrong: str
) -> None:
    other = Log(tmp_path / "other.log")
    log.write(1)
    other.write(2)
    before = make(log.name, other.name)
    assert len(lines(before)) == 2
    inputs = make(log.name, other.name, journal=fake.options)
    name = other.name if wrong == "OTHER" else wrong
    positions = before.positions() | {name: {"offset": -1}}
    with pytest.raises(ValueError, match="position: "):
        inputs.check(positions)
    assert lines(inputs) == records(1, 2)


def test_standard_input_alone_comes_to_an_end(make: Make) -> None:
    reading, writing = os.pipe()
    inputs = make("-", stdin=lambda: StdinSource(reading))
    os.write(writing, record(1))
    assert some(inputs, 1) == records(1)
    assert not ended(inputs)
    os.close(writing)
    assert inputs.wait(SOON)
    assert inputs.read() is None
    assert ended(inputs)
    assert inputs.positions() == {}
    os.close(reading)


def test_with_another_input_there_is_no_end(make: Make, log: Log) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    inputs = make("-", log.name, stdin=lambda: StdinSource(reading))
    assert inputs.read() is None
    assert not inputs.finished
    os.close(reading)


def test_a_file_that_is_written_wakes(make: Make, log: Log) -> None:
    inputs = make(log.name)
    settle(inputs)
    log.write(1)
    assert inputs.wait(SOON)
    assert lines(inputs) == records(1)


def test_a_message_that_arrives_wakes(make: Make) -> None:
    inputs = make(syslog=("udp://127.0.0.1:0",))
    assert not inputs.wait(0)
    send(inputs, record(1))
    assert inputs.wait(SOON)
    assert lines(inputs) == records(1)


def test_wake_ends_the_present_wait_and_else_the_next(make: Make) -> None:
    inputs = make(syslog=("udp://127.0.0.1:0",))
    inputs.wake()
    assert inputs.wait(SOON)
    assert not inputs.wait(0)
    waker = threading.Timer(0.05, inputs.wake)
    waker.start()
    assert inputs.wait(SOON)
    waker.join()


def test_a_ring_when_the_time_is_over_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    wake_up = WakeUp()

    class LatePoll:
        """A poll whose time is over just before somebody rings."""

        def register(self, _descriptor: int, _events: int) -> None:
            """Whatever is waited for does not come."""

        def poll(self, _timeout: int) -> list[tuple[int, int]]:
            wake_up.wake()
            return []

    monkeypatch.setattr(select, "poll", LatePoll)
    assert wake_up.sleep(0.001)
    wake_up.close()


def test_a_thousand_rings_are_one(make: Make) -> None:
    inputs = make(syslog=("udp://127.0.0.1:0",))
    for _ in range(100_000):
        inputs.wake()
    assert inputs.wait(SOON)
    assert not inputs.wait(0)


def test_a_signal_handler_may_wake(make: Make) -> None:
    inputs = make(syslog=("udp://127.0.0.1:0",))

    def handler(_number: int, _frame: FrameType | None) -> None:
        inputs.wake()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert inputs.wait(SOON)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_pieces_that_come_quickly_are_read_together(make: Make) -> None:
    """Between two returns for descriptors there is a gap."""
    inputs = make(syslog=("udp://127.0.0.1:0",))
    send(inputs, record(1))
    begun = time.monotonic()
    assert inputs.wait(SOON)
    assert inputs.wait(SOON)
    assert time.monotonic() - begun >= GAP_SECONDS  # a slow machine makes it longer, never shorter
    assert lines(inputs) == records(1)


def test_a_fifo_that_comes_later_is_read_as_one(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = str(tmp_path / "later")
    inputs = make(path)
    assert inputs.read() is None
    assert not inputs.statuses()[0].up
    os.mkfifo(path)
    assert inputs.read() is None
    writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, record(1))
    assert some(inputs, 1) == records(1)
    os.close(writer)
    (status,) = inputs.statuses()
    assert (status.up, status.counts.lines, status.error) == (True, 1, None)
    assert [log.getMessage() for log in caplog.records] == [f"log {path}: No such file or directory"]


@pytest.mark.parametrize("at_start", [True, False])
def test_a_file_in_the_place_of_a_fifo_is_read_as_one(make: Make, log: Log, *, at_start: bool) -> None:
    if at_start:
        os.mkfifo(log.path)
    inputs = make(log.name, start_at="end")
    assert inputs.read() is None
    if not at_start:
        os.mkfifo(log.path)
        assert inputs.read() is None
    log.path.unlink()
    assert inputs.read() is None
    log.write(1)
    assert lines(inputs) == records(1)
    assert set(inputs.positions()) == {log.name}
    (status,) = inputs.statuses()
    assert status.up


def test_what_is_given_twice_is_read_once(make: Make, log: Log) -> None:
    log.write(1)
    inputs = make(log.name, log.name)
    assert lines(inputs) == records(1)
    assert len(inputs.statuses()) == 1


def test_a_bad_address_is_refused_and_leaves_nothing_open(make: Make, log: Log) -> None:
    threads = threading.active_count()
    with pytest.raises(ValueError, match="syslog address"):
        make(log.name, syslog=["udp://127.0.0.1:0", "nonsense"])
    assert threading.active_count() == threads


def test_closing_ends_threads_and_children(make: Make, log: Log, fake: FakeJournal) -> None:
    threads = threading.active_count()
    fake.store(entry(1, "INFO: one"))
    inputs = make(log.name, journal=fake.options)
    some(inputs, 1)
    inputs.close()
    inputs.close()
    inputs.wake()
    assert threading.active_count() == threads
    with pytest.raises(ProcessLookupError):
        os.kill(fake.pid, 0)
    assert inputs.read() is None


def test_without_journalctl_the_rest_is_read(make: Make, log: Log, tmp_path: Path) -> None:
    log.write(1)
    inputs = make(log.name, journal=JournalOptions(command=(str(tmp_path / "nowhere"),)))
    assert lines(inputs) == records(1)
    assert [status.up for status in inputs.statuses()] == [True, False]
