"""Our own log where nobody reads it: nothing waits for it, and what is missing is told."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.cli import logging_setup
from racoon_exporter.cli.unread_log import UnreadLogHandler
from tests.exporter.web.client import until
from tests.ports import free_port

SECONDS = 60


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        os.close(descriptor)


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("own")
    logger.propagate, level = False, logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.propagate = True
    logger.setLevel(level)
    logger.handlers.clear()


def drained(descriptor: int) -> list[str]:
    os.set_blocking(descriptor, False)
    text = b""
    try:
        while piece := os.read(descriptor, 65536):
            text += piece
    except BlockingIOError:
        pass
    return text.decode().splitlines()


def test_what_is_read_is_written(pipe: tuple[int, int], log: logging.Logger) -> None:
    reading, writing = pipe
    log.addHandler(UnreadLogHandler(writing, "ascii"))
    log.warning("peer %s", "M\xfcnchen")
    log.info("x" * 10_000)
    assert drained(reading) == ["peer M\\xfcnchen", "x" * 10_000]


@pytest.mark.parametrize("socketed", [False, True], ids=["pipe", "socket"])
def test_nobody_waits_where_nobody_reads_and_what_is_missing_is_told(log: logging.Logger, *, socketed: bool) -> None:
    """A socket is what journald reads."""
    reading, writing = (each.detach() for each in socket.socketpair()) if socketed else os.pipe()
    log.addHandler(UnreadLogHandler(writing, "utf-8", patience=0.0))
    for number in range(20_000):
        log.info("line %d %s", number, "." * 100)
    before = drained(reading)
    assert [line.split()[1] for line in before] == [str(number) for number in range(len(before))]
    log.error("again")
    assert drained(reading) == [f"{20_000 - len(before)} lines of this log could not be written, and are left out", "again"]
    os.close(reading)
    log.error("to nobody")
    os.close(writing)


def test_a_line_that_was_begun_is_no_part_of_the_next(pipe: tuple[int, int], log: logging.Logger) -> None:
    reading, writing = pipe
    log.addHandler(UnreadLogHandler(writing, "utf-8", patience=0.0))
    log.info("x" * 1_000_000)
    assert set(drained(reading)[0]) == {"x"}
    log.info("next")
    assert drained(reading) == ["", "1 lines of this log could not be written, and are left out", "next"]


def test_what_cannot_be_formatted_raises_nothing(
    pipe: tuple[int, int], log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = pipe
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log.addHandler(UnreadLogHandler(writing, "utf-8"))
    log.info("%d", "no number")
    log.info("next")
    assert drained(reading) == ["next"]


@pytest.mark.parametrize("log_format", logging_setup.FORMATS)
def test_what_is_missing_is_told_in_the_format_of_the_log(log_format: str, pipe: tuple[int, int], log: logging.Logger) -> None:
    reading, writing = pipe
    handler = UnreadLogHandler(writing, "utf-8", patience=0.0)
    handler.setFormatter(logging_setup.FORMATS[log_format]())
    log.addHandler(handler)
    for _ in range(2000):
        log.info("%s", "." * 100)
    drained(reading)
    log.info("again")
    told, again = drained(reading)
    assert "lines of this log could not be written" in told
    assert "warn" in told
    assert "again" in again


def test_an_exporter_whose_log_nobody_reads_answers(tmp_path: Path, pipe: tuple[int, int]) -> None:
    """What started it holds the pipe and does not empty it."""
    _, writing = pipe
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"." * 4096):
            pass
    os.set_blocking(writing, True)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "racoon_exporter",
        "serve",
        "--web.listen-address",
        f"127.0.0.1:{port}",
        "--log.level=debug",
    ]
    with subprocess.Popen([*command, str(tmp_path / "racoon.log")], stderr=writing, stdin=subprocess.DEVNULL) as process:
        try:
            until(lambda: is_ready(port))
            process.terminate()
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
