"""Logs read once: files, pipes and standard input, plain or compressed, whole or damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source import MAX_LINE, Block, blocks_of
from racoon_exporter.source.files.one_shot import unpacker
from racoon_exporter.source.files.stored_bytes import compression
from tests.exporter.source.files.logs import record

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}

TEXT = b"".join(record(number) for number in range(3000)) + b"no newline at the end"


@pytest.mark.parametrize("limit", [1000, 256 * 1024])
@pytest.mark.parametrize("packer", sorted(PACKERS))
def test_a_log_is_read_whatever_it_is_compressed_with_and_called(tmp_path: Path, packer: str, limit: int) -> None:
    path = tmp_path / "racoon.log.old"
    path.write_bytes(PACKERS[packer](TEXT))
    log = blocks_of(str(path), limit)
    found = list(log)
    assert b"".join(block.data for block in found) == TEXT
    assert [block.final for block in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].first_line == 3001
    assert found[-1].source == str(path)
    status = log.status()
    assert (status.counts.lines, status.counts.bytes, status.error, status.up) == (3001, len(TEXT), None, True)


@pytest.mark.parametrize("packer", sorted(PACKERS))
def test_standard_input_is_read_and_left_open(packer: str) -> None:
    stdin = io.BufferedReader(io.BytesIO(PACKERS[packer](TEXT)))
    found = list(blocks_of("-", stdin=stdin))
    assert b"".join(block.data for block in found) == TEXT
    assert not stdin.closed


def test_bytes_in_memory_will_do_for_standard_input() -> None:
    assert [block.data for block in blocks_of("-", stdin=io.BytesIO(b"a\nb"))] == [b"a\n", b"b"]


@pytest.mark.parametrize("packer", ["gzip", "bzip2", "xz"])
def test_a_truncated_file_gives_what_could_be_read_and_says_so(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "racoon.log.1"
    text = b"".join(os.urandom(300).hex().encode() + b"\n" for _ in range(4000))
    packed = PACKERS[packer](text)
    path.write_bytes(packed[: len(packed) * 3 // 4])
    log = blocks_of(str(path))
    data = b"".join(block.data for block in log)
    assert text.startswith(data)
    assert len(data) > len(text) // 2
    assert log.status().error == (f"{path}: Compressed file ended before the end-of-stream marker was reached")
    assert not log.status().up


def test_a_damaged_file_gives_what_could_be_read_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log.1.gz"
    packed = bytearray(gzip.compress(b"".join(os.urandom(300).hex().encode() + b"\n" for _ in range(10_000))))
    packed[len(packed) // 2 :] = b"\xff" * 100
    path.write_bytes(packed)
    log = blocks_of(str(path))
    assert sum(len(block.data) for block in log) > 2_000_000
    assert (log.status().error or "").startswith(f"{path}: ")


@given(st.binary(max_size=200), st.sampled_from(sorted(PACKERS)))
def test_no_input_raises(junk: bytes, packer: str) -> None:
    log = blocks_of("-", stdin=io.BytesIO(PACKERS[packer](TEXT)[:20] + junk))
    data = b"".join(block.data for block in log)
    assert log.status().counts.bytes == len(data)
    assert (log.status().error is None) == (packer == "plain")


@given(st.binary(max_size=200).filter(lambda junk: compression(junk) is None and unpacker(junk) is None))
def test_what_is_not_compressed_is_given_as_it_is(junk: bytes) -> None:
    log = blocks_of("-", stdin=io.BytesIO(junk))
    data = b"".join(block.data for block in log)
    assert data == b"\n".join(line.lstrip(b"\0") for line in junk.split(b"\n"))
    assert log.status().counts.bytes + log.status().counts.lost_bytes == len(junk)


@pytest.mark.parametrize("text", [b"BZh, he said\n", b"\x1f\x8b\n", b"\xfd7z\n"], ids=repr)
def test_text_that_begins_like_a_compressed_file_is_text(text: bytes) -> None:
    assert [block.data for block in blocks_of("-", stdin=io.BytesIO(text))] == [text]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    ],
    ids=["missing", "directory", "loop"],
)
def test_what_cannot_be_opened_gives_nothing_and_says_why(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    path = tmp_path / "racoon.log"
    make(path)
    log = blocks_of(str(path))
    assert list(log) == []
    assert log.status().error == f"{path}: {words}"
    assert not log.status().up


@pytest.mark.parametrize(
    ("head", "command"),
    [
        (b"\x28\xb5\x2f\xfd\xa4", "zstd -d"),
        (b"\x04\x22\x4d\x18\x64", "lz4 -d"),
        (b"LZIP\x01\x8c", "lzip -d"),
        (b"\x1f\x9d\x90", "gzip -d"),
        (b"PK\x03\x04\x14", "unzip"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7z x"),
    ],
    ids=["zstd", "lz4", "lzip", "compress", "zip", "7z"],
)
def test_what_is_compressed_otherwise_says_what_unpacks_it(tmp_path: Path, head: bytes, command: str) -> None:
    path = tmp_path / "racoon.log.1"
    path.write_bytes(head + bytes(range(256)))
    log = blocks_of(str(path))
    assert list(log) == []
    assert log.status().error == f"{path}: compressed in a way that is not read: unpack it ({command})"


def test_a_path_with_a_nul_gives_nothing_and_says_why() -> None:
    log = blocks_of("a\0b")
    assert list(log) == []
    assert log.status().error == "a\0b: embedded null byte"


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        yield reader, writer


def test_lines_of_a_pipe_come_as_they_are_written(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    writer.write(b"first\nsec")
    log = iter(blocks_of("-", stdin=reader))
    assert next(log).data == b"first\n"
    writer.write(b"ond\n")
    assert next(log).data == b"second\n"
    writer.write(b"end")
    writer.close()
    last = next(log)
    assert (last.data, last.final, last.first_line) == (b"end", True, 3)
    assert list(log) == []


def test_a_fifo_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    found: list[Block] = list(blocks_of(str(path)))
    writer.join()
    assert b"".join(block.data for block in found) == TEXT


def test_overlong_lines_and_holes_are_skipped_in_streams_too(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log.gz"
    overlong = b"x" * (20 * MAX_LINE) + b"\n"
    path.write_bytes(gzip.compress(record(1) + overlong + b"\0" * 3_000_000 + record(3)))
    log = blocks_of(str(path))
    assert [(block.data, block.first_line) for block in log] == [(record(1), 1), (record(3), 3)]
    assert log.status().counts.too_long == 1
    assert log.status().counts.lost_bytes == len(overlong) + 3_000_000


def test_what_is_not_read_to_the_end_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log"
    path.write_bytes(TEXT)
    before = len(list(Path("/proc/self/fd").iterdir()))
    log = iter(blocks_of(str(path), 1))
    assert next(log).data == record(0)
    log.close()  # type: ignore[attr-defined] # a generator, though an Iterator by its type
    assert len(list(Path("/proc/self/fd").iterdir())) == before
