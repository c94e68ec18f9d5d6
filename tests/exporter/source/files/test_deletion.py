"""Deleted, and perhaps made anew."""

from __future__ import annotations

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, blocks, lines, record, records


def test_the_rest_of_a_deleted_file_is_read(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.append(b"last words")
    log.path.unlink()
    assert [(block.data, block.final) for block in blocks(source)] == [(record(2), False), (b"last words", True)]
    assert not source.status().up
    assert source.status().error == f"{log.name}: No such file or directory"


def test_a_file_made_anew_is_read_from_its_beginning(log: Log, source: FileSource) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.path.unlink()
    log.write(3)
    assert lines(source) == records(3)
    log.path.unlink()
    assert lines(source) == []
    log.write(4)
    assert lines(source) == records(4)
    assert source.status().counts.rotations == 2
    assert source.status().up
    assert source.status().error is None


def test_a_writer_that_holds_a_deleted_file_open_is_still_heard(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    with log.path.open("ab", buffering=0) as writer:
        log.path.unlink()
        assert lines(source) == []
        writer.write(record(2))
        assert lines(source) == records(2)
        log.path.touch()
        writer.write(record(3))
        assert lines(source) == records(3)
    log.write(4)
    assert lines(source) == records(4)
