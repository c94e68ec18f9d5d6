"""Half a line is kept back until its newline comes, however long that takes."""

from __future__ import annotations

import gzip

import pytest

from racoon_exporter.source import FileSource
from racoon_exporter.source.files.position import Position
from tests.exporter.source.files.logs import Log, again, blocks, lines, record, records


def test_a_line_written_byte_by_byte_is_given_once_and_whole(log: Log, source: FileSource) -> None:
    text = record(1)
    for at in range(len(text)):
        assert source.read() is None
        log.append(text[at : at + 1])
    assert lines(source) == [text]


def test_the_position_stays_before_half_a_line(log: Log, source: FileSource) -> None:
    log.write(1)
    log.append(record(2)[:20])
    assert lines(source) == records(1)
    position = source.position()
    assert position is not None
    assert position.offset == len(record(1))
    assert source.status().lag_bytes == 20
    resumed = again(source)
    log.append(record(2)[20:])
    assert lines(resumed) == records(2)
    resumed.close()


def test_half_a_line_becomes_final_when_a_new_file_takes_over(log: Log, source: FileSource) -> None:
    log.append(b"torn")
    assert blocks(source) == []
    log.rename()
    assert blocks(source) == []
    log.write(1)
    first, second = blocks(source)
    assert (first.data, first.final, first.first_line) == (b"torn", True, 1)
    assert (second.data, second.final, second.first_line) == (record(1), False, 1)
    assert source.status().counts.lines == 2


def test_after_the_final_block_the_position_is_the_beginning_of_the_new_file(log: Log, source: FileSource) -> None:
    log.append(b"torn")
    assert blocks(source) == []
    log.rename()
    log.write(1)
    block = source.read()
    assert block is not None
    assert block.final
    assert isinstance(block.position, Position)
    assert (block.position.inode, block.position.offset) == (log.path.stat().st_ino, 0)
    resumed = again(source)
    assert lines(resumed) == records(1)
    resumed.close()


@pytest.mark.parametrize("torn", [51, 90])
def test_a_compressed_file_whose_first_line_begins_like_a_torn_one_is_read(log: Log, source: FileSource, torn: int) -> None:
    log.append(record(1)[:torn])
    assert lines(source) == []
    log.rename()
    log.write(2)
    assert lines(source) == [record(1)[:torn], record(2)]
    log.rename()
    log.write(3, 4)
    log.rename()
    between = log.sibling(".1")
    log.sibling(".1.gz").append(gzip.compress(between.path.read_bytes()))
    between.path.unlink()
    log.write(5)
    assert lines(source) == records(3, 4, 5)


@pytest.mark.parametrize("limit", [1, 10, 101, 1000])
def test_any_limit_gives_the_same_lines(log: Log, source: FileSource, limit: int) -> None:
    log.write(*range(50))
    log.append(b"rest")
    assert lines(source, limit) == records(*range(50))


def test_a_small_limit_gives_one_line_at_a_time(log: Log, source: FileSource) -> None:
    log.write(1, 2, 3)
    assert [block.data for block in blocks(source, 1)] == records(1, 2, 3)
