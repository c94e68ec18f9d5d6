"""Lines beyond 64 KiB are skipped whole, counted once, and cost no memory."""

from __future__ import annotations

import tracemalloc

import pytest

from racoon_exporter.source import MAX_LINE, FileSource, System
from racoon_exporter.source.files import open_file as generation_module
from tests.exporter.source.files.logs import Log, again, blocks, lines, record, records


def test_a_line_of_the_bound_is_given_and_one_byte_more_is_not(log: Log, source: FileSource) -> None:
    longest = b"x" * MAX_LINE + b"\n"
    log.append(longest + b"x" + longest + record(1))
    assert lines(source) == [longest, record(1)]
    assert source.status().counts.too_long == 1
    assert source.status().counts.lost_bytes == MAX_LINE + 2
    assert source.status().counts.lines == 2


@pytest.mark.parametrize("limit", [1, 4096, 256 * 1024, 1024 * 1024])
def test_the_lines_around_overlong_ones_are_given_with_their_numbers(log: Log, source: FileSource, limit: int) -> None:
    overlong = b"y" * (3 * MAX_LINE) + b"\n"
    log.append(record(1) + overlong + record(3) + overlong + overlong + record(6))
    found = blocks(source, limit)
    assert [(block.first_line, block.data) for block in found] == [(1, record(1)), (3, record(3)), (6, record(6))]
    assert source.status().counts.too_long == 3
    assert source.status().counts.lost_bytes == 3 * len(overlong)


def test_an_overlong_line_that_grows_is_counted_once(log: Log, source: FileSource) -> None:
    for _ in range(10):
        log.append(b"z" * 20_000)
        assert source.read() is None
    log.append(b"\n")
    log.write(1)
    assert lines(source) == records(1)
    assert source.status().counts.too_long == 1
    assert source.status().counts.lost_bytes == 200_001


def test_a_stop_in_the_middle_of_an_overlong_line_goes_on_skipping_it(log: Log, source: FileSource) -> None:
    log.write(1)
    log.append(b"z" * 100_000)
    assert lines(source) == records(1)
    position = source.position()
    assert position is not None
    assert position.skipping
    resumed = again(source)
    log.append(b"the end of it\n")
    log.write(3)
    block = resumed.read()
    assert block is not None
    assert (block.data, block.first_line) == (record(3), 3)
    assert resumed.status().counts.too_long == 0
    assert resumed.status().counts.lost_bytes == len(b"the end of it\n")
    resumed.close()


def test_the_rest_of_an_overlong_line_is_not_final_text_when_the_file_is_replaced(log: Log, source: FileSource) -> None:
    log.append(b"z" * 100_000)
    assert source.read() is None
    log.rename()
    log.write(1)
    assert lines(source) == records(1)
    assert source.status().counts.lost_bytes == 100_000


def test_a_gibibyte_without_a_newline_is_survived_in_flat_memory(log: Log) -> None:
    """The bytes are made up in memory, no disk holds them."""
    size = 2**30
    log.append(b"x")

    def pread(_fd: int, count: int, offset: int) -> bytes:
        if offset + count > size:
            return b"x" * max(0, size - offset) + record(2)[: max(0, offset + count - size)]
        return b"x" * count

    source = FileSource(log.name, system=System(pread=pread))
    tracemalloc.start()
    for _ in range(size // generation_module.SKIP_BUDGET + 1):
        assert source.read() is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    source.close()
    assert peak < 4 * 2**20
    assert source.status().counts.too_long == 1
    assert source.status().counts.lost_bytes == size + len(record(2))


def test_skipping_comes_back_to_the_caller_in_between(log: Log, source: FileSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "SKIP_BUDGET", 100_000)
    log.append(b"z" * 1_000_000 + b"\n")
    log.write(1)
    looks = 0
    while source.read() is None:
        looks += 1
    assert looks > 1
    assert source.status().counts.lines == 1


def test_nuls_and_bytes_that_are_no_text_pass_unchanged(log: Log, source: FileSource) -> None:
    junk = b"a\0b\xff\xfe\r\x1b[31m\n"
    log.append(junk + b"\n" + junk)
    assert [block.data for block in blocks(source)] == [junk + b"\n" + junk]
    assert source.status().counts.lost_bytes == 0
