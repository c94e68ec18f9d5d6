"""Rotation goes on between the calls of one read: the files are looked at again rather than believed."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource, System
from tests.exporter.source.files.logs import Log, again, lines, record, records

Wrapper = Callable[[Callable[[str], list[str]], Iterator[Callable[[], None]]], Callable[[str], list[str]]]


def before(function: Callable[[str], list[str]], steps: Iterator[Callable[[], None]]) -> Callable[[str], list[str]]:
    """Return the function, made to take one of the steps before each call as long as there are any."""

    def wrapped(path: str) -> list[str]:
        next(steps, lambda: None)()
        return function(path)

    return wrapped


def after(function: Callable[[str], list[str]], steps: Iterator[Callable[[], None]]) -> Callable[[str], list[str]]:
    """Return the function, made to take one of the steps after each call as long as there are any."""

    def wrapped(path: str) -> list[str]:
        found = function(path)
        next(steps, lambda: None)()
        return found

    return wrapped


def rotated_source(log: Log, system: System) -> FileSource:
    """Return a source that has read record 1; then the log was renamed."""
    source = FileSource(log.name)
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.rename()
    log.write(3)
    return again(source, system=system)


def rotate(log: Log, number: int) -> Callable[[], None]:
    def step() -> None:
        log.rename()
        log.write(number)

    return step


def test_files_renamed_while_they_are_listed_are_not_missed(log: Log) -> None:
    steps = iter([rotate(log, number) for number in range(4, 14)])
    source = rotated_source(log, System(listdir=after(System().listdir, steps)))
    found = lines(source) + lines(source)
    assert found == records(*range(2, 4 + len(found) - 2))
    assert found[-1] == log.path.read_bytes()
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_files_renamed_without_end_are_told_and_read_when_it_ends(log: Log) -> None:
    numbers = iter(range(4, 1000))
    steps = (rotate(log, number) for number in numbers)
    renaming = [True]

    def listdir(path: str) -> list[str]:
        if renaming:
            next(steps)()
        return System().listdir(path)

    source = rotated_source(log, System(listdir=listdir))
    assert source.read() is None
    assert source.status().error == f"{log.name}: its rotated files are being renamed"
    renaming.clear()
    assert lines(source) == records(*range(2, next(numbers)))
    assert source.status().counts.lost_bytes == 0
    assert source.status().error is None
    source.close()


def test_what_the_old_file_got_before_it_was_seen_to_be_followed_is_read(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.rename()

    def late() -> None:
        log.sibling(".1").write(2)
        log.write(3)
        log.rename()

    source = again(source, system=System(listdir=before(System().listdir, iter([lambda: None] * 3 + [late]))))
    assert lines(source) + lines(source) == records(2, 3)
    source.close()


@pytest.mark.parametrize("how", [before, after])
@pytest.mark.parametrize("calls", range(14))
def test_files_rotated_at_any_moment_are_read_in_their_order(log: Log, how: Wrapper, calls: int) -> None:
    """So is the one that was at the path at the look before, of which nothing was read yet."""

    def often() -> None:
        for number in range(4, 7):
            rotate(log, number)()

    steps: Iterator[Callable[[], None]] = iter([lambda: None] * calls + [often])
    source = rotated_source(log, System(listdir=how(System().listdir, steps)))
    found = lines(source)
    for step in steps:
        step()
    assert found + lines(source) + lines(source) == records(*range(2, 7))
    assert source.status().counts.lost_bytes == 0
    source.close()


WRITER = """
import os, sys
path, record = sys.argv[1], sys.argv[2].encode()
def rename():
    number = 1
    while os.path.exists(f"{path}.{number}"):
        number += 1
    for each in range(number, 1, -1):
        os.rename(f"{path}.{each - 1}", f"{path}.{each}")
    os.rename(path, path + ".1")
for number in range(1, 5000):
    log = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(log, record % number)
    os.close(log)
    if number % 200 == 199:
        rename()
"""


def test_a_writer_that_rotates_at_full_speed_loses_nothing(tmp_path: Path) -> None:
    """Another process writes and rotates while this one reads and starts again from time to time."""
    log = Log(tmp_path / "racoon.log")
    source = FileSource(log.name)
    log.write(0)
    found = lines(source)  # what was rotated away before the log was ever seen would be backfill
    pattern = record(7).replace(b"=7\n", b"=%d\n").decode()
    with subprocess.Popen([sys.executable, "-c", WRITER, log.name, pattern]) as writer:
        reads = 0
        while writer.poll() is None:
            found += lines(source)
            reads += 1
            if reads % 50 == 0 and source.position() is not None:
                source = again(source)
    assert writer.returncode == 0
    log.write(5000)
    found += lines(source)
    assert found == records(*range(5001))
    assert source.status().counts.lost_bytes == 0
    source.close()


def rotated_twice(log: Log) -> FileSource:
    """Give a source that has read the first line of a log which was rotated twice since, with a line in each file."""
    source = FileSource(log.name)
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.rename()
    log.write(3)
    log.rename()
    log.write(4)
    return source


def test_a_sibling_renamed_before_it_is_opened_is_found_under_its_new_name(log: Log) -> None:
    steps = iter([rotate(log, 5)])

    def open_late(path: str) -> int:
        if path == log.sibling(".1").name:
            next(steps, lambda: None)()
        return System().open(path)

    source = again(rotated_twice(log), system=System(open=open_late))
    assert lines(source) + lines(source) == records(2, 3, 4, 5)
    source.close()


def pack(log: Log) -> None:
    """Compress as gzip does: the new file has the time of the old one."""
    times = log.path.stat()
    packed = log.sibling(".gz")
    packed.append(gzip.compress(log.path.read_bytes()))
    os.utime(packed.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    log.path.unlink()


def test_a_sibling_compressed_before_it_is_opened_is_read_compressed(log: Log) -> None:
    opened = iter([lambda: pack(log.sibling(".1"))])

    def open_late(path: str) -> int:
        if path == log.sibling(".1").name:
            next(opened, lambda: None)()
        return System().open(path)

    source = again(rotated_twice(log), system=System(open=open_late))
    assert lines(source) + lines(source) == records(2, 3, 4)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_a_file_compressed_before_its_turn_is_filled_in(log: Log) -> None:
    """Filling in may take an hour, and the rotation of the night comes in between."""
    for number in range(1, 5):
        log.write(number)
        log.rename()
    log.write(5)
    source = FileSource(log.name, backfill=True)
    block = source.read()
    assert block is not None
    for number in range(1, 4):
        pack(log.sibling(f".{number}"))
    assert [block.data, *lines(source)] == records(1, 2, 3, 4, 5)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_a_compressed_file_that_is_renamed_while_it_is_compared_is_the_same_file(log: Log) -> None:
    """What stands at its name then is another."""
    packed = log.sibling(".1.gz").path

    def rotated() -> None:
        packed.rename(log.sibling(".3.gz").path)
        log.path.rename(log.sibling(".1").path)
        pack(log.sibling(".1"))
        log.write(5)

    steps = iter([rotated])

    def open_early(path: str) -> int:
        descriptor = System().open(path)
        if path == str(packed):
            next(steps, lambda: None)()
        return descriptor

    source = FileSource(log.name)
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.path.rename(log.sibling(".2").path)
    log.write(3)
    log.path.rename(log.sibling(".1").path)
    for suffix in (".1", ".2"):
        pack(log.sibling(suffix))
    log.write(4)
    source = again(source, system=System(open=open_early))
    assert lines(source) + lines(source) == records(2, 3, 4, 5)
    source.close()
