"""No file at the start."""

from __future__ import annotations

import logging

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, lines, records


def test_a_missing_file_is_told_and_read_when_it_comes(log: Log, source: FileSource) -> None:
    assert source.read() is None
    assert not source.status().up
    assert source.status().error == f"{log.name}: No such file or directory"
    assert source.position() is None
    log.write(1)
    assert lines(source) == records(1)
    assert source.status().up
    assert source.status().counts.rotations == 0


def test_a_missing_directory_is_told_and_read_when_it_comes(log: Log) -> None:
    inner = Log(log.path.parent / "later" / "racoon.log")
    source = FileSource(inner.name)
    assert source.read() is None
    inner.path.parent.mkdir()
    inner.write(1)
    assert lines(source) == records(1)
    source.close()


def test_a_file_that_comes_later_is_read_from_its_beginning_even_if_told_to_start_at_the_end(log: Log) -> None:
    source = FileSource(log.name, start_at="end")
    assert source.read() is None
    log.write(1)
    assert lines(source) == records(1)
    source.close()


def test_what_came_and_was_rotated_before_the_second_look_is_read(log: Log, source: FileSource) -> None:
    log.sibling(".1").write(0)
    assert source.read() is None
    log.write(1)
    log.rename()
    log.write(2)
    log.rename()
    assert lines(source) == records(1, 2)
    log.write(3)
    assert lines(source) == records(3)


def test_starting_at_the_end_skips_what_is_there_and_keeps_the_line_numbers(log: Log) -> None:
    log.write(*range(5000))
    log.append(b"begun before, ")
    source = FileSource(log.name, start_at="end")
    assert source.read() is None
    log.append(b"ended after\n")
    log.write(7)
    block = source.read()
    assert block is not None
    assert block.first_line == 5001
    assert block.data.startswith(b"begun before, ended after\n")
    source.close()


def test_trouble_is_logged_when_it_begins_and_when_it_ends(
    log: Log, source: FileSource, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            source.read()
        log.write(1)
        for _ in range(5):
            source.read()
    assert caplog.messages == [
        f"log {log.name}: No such file or directory",
        f"log {log.name}: readable again",
    ]


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_can_be_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        FileSource(path)
