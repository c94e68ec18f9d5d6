"""A writer that kept its offset over a truncation leaves a hole of NULs: it is no line, and hides none."""

from __future__ import annotations

import os

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, blocks, lines, record, records
from tests.steps import steps


def test_the_text_behind_a_hole_is_read(log: Log, source: FileSource) -> None:
    with log.path.open("wb", buffering=0) as writer:  # not for appending: it keeps its offset
        for number in (1, 2, 3):
            writer.write(record(number))
        assert lines(source) == records(1, 2, 3)
        hole = writer.tell()
        os.truncate(log.path, 0)
        writer.write(record(4))
    assert log.path.read_bytes().startswith(b"\0" * hole)
    assert lines(source) == records(4)
    assert source.status().counts.lost_bytes == hole
    assert source.status().counts.too_long == 0


@pytest.mark.parametrize("hole", [1, 100, 70_000, 1_000_000])
@pytest.mark.parametrize("limit", [1, 256 * 1024])
def test_a_hole_between_lines_is_dropped_whatever_the_block_borders(
    log: Log, source: FileSource, hole: int, limit: int
) -> None:
    log.append(record(1) + b"\0" * hole + record(2) + b"\0" * hole)
    found = blocks(source, limit)
    assert b"".join(block.data for block in found) == record(1) + record(2)
    assert source.status().counts.lost_bytes == 2 * hole
    log.append(record(3))
    assert [(block.data, block.first_line) for block in blocks(source, limit)] == [(record(3), 3)]


def test_a_sparse_hole_of_a_tebibyte_is_jumped_over(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    size, found = 2**40, list[bytes]()
    os.truncate(log.path, size)
    log.append(record(2))
    assert steps(lambda: found.extend(lines(source))) < 100_000  # a block of it each step would be millions
    assert found == records(2)
    assert source.status().counts.lost_bytes == size - len(record(1))


def test_a_stop_behind_a_hole_goes_on_there(log: Log, source: FileSource) -> None:
    log.append(b"\0" * 5000)
    assert source.read() is None
    resumed = again(source)
    log.write(1)
    assert lines(resumed) == records(1)
    assert resumed.status().counts.lost_bytes == 0
    resumed.close()
