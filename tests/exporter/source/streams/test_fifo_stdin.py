"""Standard input and FIFOs: whole lines, the end where there is one, and no waiting."""

from __future__ import annotations

import logging
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.source.contract import Source
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.streams.fifo_stdin import FifoSource, StdinSource, is_fifo
from tests.exporter.source.files.logs import lines, record, records


class Pipe:
    """A pipe in the place of standard input."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def write(self, raw: bytes) -> None:
        os.write(self.writing, raw)

    def end(self) -> None:
        os.close(self.writing)
        self.writing = -1

    def close(self) -> None:
        os.close(self.reading)
        if self.writing >= 0:
            self.end()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def stdin(pipe: Pipe) -> StdinSource:
    return StdinSource(pipe.reading)


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "racoon.fifo")
    os.mkfifo(path)
    return path


@pytest.fixture
def fifo(path: str) -> Iterator[FifoSource]:
    fifo = FifoSource(path)
    assert fifo.read() is None  # opens it: a writer would wait for that
    yield fifo
    fifo.close()


def writer(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_NONBLOCK)


def pending(source: Source) -> bool:
    """Whether the loop would be woken for this input."""
    poller = select.poll()
    for descriptor in source.descriptors():
        poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


def test_standard_input_gives_lines_as_they_come(pipe: Pipe, stdin: StdinSource) -> None:
    assert stdin.read() is None
    pipe.write(record(1) + b"half")
    block = stdin.read()
    assert block is not None
    assert (block.source, block.data, block.first_line, block.position, block.final) == ("-", record(1), 1, None, False)
    assert stdin.read() is None
    pipe.write(b" and half\n" + record(2))
    block = stdin.read()
    assert block is not None
    assert (block.data, block.first_line) == (b"half and half\n" + record(2), 2)
    assert not stdin.finished


def test_standard_input_ends_with_its_last_line(pipe: Pipe, stdin: StdinSource) -> None:
    pipe.write(record(1) + b"torn")
    pipe.end()
    assert lines(stdin) == [record(1), b"torn"]
    assert stdin.finished
    assert (stdin.status().counts.lines, stdin.status().up, stdin.status().error) == (2, False, None)
    assert list(stdin.descriptors()) == []


def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    """As in `serve - < racoon.log`."""
    log = tmp_path / "racoon.log"
    log.write_bytes(record(1) * 3)
    with log.open("rb") as file:
        stdin = StdinSource(file.fileno())
        assert lines(stdin, limit=150) == [record(1)] * 3
        assert stdin.finished


def test_standard_input_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    stdin = StdinSource(descriptor)
    assert stdin.read() is None
    os.close(descriptor)
    assert stdin.finished
    assert stdin.status().error == "standard input: Is a directory"


def test_the_flags_of_standard_input_stay(pipe: Pipe, stdin: StdinSource) -> None:
    """A shell shares it with us and does not expect it to be non-blocking afterwards."""
    pipe.write(record(1))
    stdin.read()
    assert os.get_blocking(pipe.reading)


def test_an_overlong_line_is_skipped_and_counted(pipe: Pipe, stdin: StdinSource) -> None:
    for _ in range(2):
        pipe.write(b"x" * 40_000)
        assert stdin.read() is None
    pipe.write(b"\n" + record(1))
    assert lines(stdin) == [record(1)]
    assert (stdin.status().counts.too_long, stdin.status().counts.lost_bytes) == (1, 80_001)
    assert MAX_LINE < 80_000


def test_closed_standard_input_is_left_alone(pipe: Pipe, stdin: StdinSource) -> None:
    pipe.write(record(1))
    stdin.close()
    assert stdin.read() is None
    assert os.read(pipe.reading, 1000) == record(1)


def test_a_fifo_outlives_its_writers(path: str, fifo: FifoSource) -> None:
    for number in range(3):
        descriptor = writer(path)
        os.write(descriptor, record(number))
        assert lines(fifo) == [record(number)]
        os.close(descriptor)
        assert fifo.read() is None
        assert not fifo.finished
    assert fifo.status().up


def test_a_fifo_without_a_writer_does_not_wake(path: str, fifo: FifoSource) -> None:
    """At its end a FIFO counts as readable until it is opened anew."""
    assert not pending(fifo)
    descriptor = writer(path)
    os.write(descriptor, record(1))
    assert pending(fifo)
    assert lines(fifo) == [record(1)]
    assert not pending(fifo)
    os.close(descriptor)
    assert pending(fifo)
    assert fifo.read() is None
    assert not pending(fifo)


def test_what_a_writer_left_incomplete_is_given_when_it_went(path: str, fifo: FifoSource) -> None:
    descriptor = writer(path)
    os.write(descriptor, b"torn")
    assert fifo.read() is None
    os.close(descriptor)
    block = fifo.read()
    assert block is not None
    assert (block.data, block.final) == (b"torn", True)


def test_several_writers_of_a_fifo_are_read(path: str, fifo: FifoSource) -> None:
    first, second = writer(path), writer(path)
    os.write(first, record(1))
    os.close(first)
    os.write(second, record(2))
    assert lines(fifo) == records(1, 2)
    os.close(second)


def test_a_fifo_made_anew_is_followed(path: str, fifo: FifoSource, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Path(path).unlink()
    assert fifo.read() is None
    assert not fifo.status().up
    assert fifo.status().error == f"{path}: No such file or directory"
    os.mkfifo(path)
    assert fifo.read() is None
    descriptor = writer(path)
    os.write(descriptor, record(1))
    assert lines(fifo) == [record(1)]
    os.close(descriptor)
    assert [log.getMessage() for log in caplog.records] == [f"{path}: No such file or directory", f"{path}: readable again"]


def test_a_file_in_the_place_of_a_fifo_is_refused(path: str, fifo: FifoSource) -> None:
    Path(path).unlink()
    Path(path).write_bytes(record(1))
    assert lines(fifo) == []
    assert fifo.status().error == f"{path}: a regular file, and no FIFO any more"


def test_a_fifo_is_told_from_anything_else(path: str, tmp_path: Path) -> None:
    assert is_fifo(path)
    assert not is_fifo(str(tmp_path))
    assert not is_fifo(f"{path}.missing")
    assert not is_fifo("no\0path")
