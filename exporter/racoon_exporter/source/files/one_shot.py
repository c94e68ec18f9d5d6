"""Logs read once from front to back: files, pipes and standard input, plain or compressed."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, SourceCounts, SourceStatus
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.position import Identity
from racoon_exporter.source.files.remote import is_url, open_url
from racoon_exporter.source.files.stored_bytes import StreamReader, compression, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "-"
"""Stands for standard input where a path is expected."""
_UNPACKED_ELSEWHERE: Final = {
    b"\x28\xb5\x2f\xfd": "zstd -d",
    b"\x04\x22\x4d\x18": "lz4 -d",
    b"LZIP\x01": "lzip -d",
    b"\x1f\x9d\x90": "gzip -d",  # compress(1), which Python does not read
    b"PK\x03\x04": "unzip",
    b"7z\xbc\xaf\x27\x1c": "7z x",
}
"""First bytes of what is compressed in ways that are not read here, and what unpacks them."""


class OneShotLog:
    """The blocks of one log that does not grow; `status` tells afterwards what was read, and what was wrong."""

    def __init__(self, path: str, limit: int, stdin: BinaryIO | None) -> None:
        """Of the log at `path`; nothing is opened yet."""
        self._path = path
        self._limit = limit
        self._stdin = stdin
        self._counts = SourceCounts()
        self._opened = False
        self._error: str | None = None
        self._stream: io.BufferedReader | None = None

    @property
    def consumed(self) -> int:
        """Bytes of the file that were read, compressed as they are; 0 for what is no file, or not open."""
        stream = self._stream
        return 0 if stream is None or stream.closed or not stream.seekable() else stream.tell()

    def __iter__(self) -> Iterator[Block]:
        """Return the blocks in order, as they can be had: what cannot be opened gives none, what is damaged those before."""
        try:
            stream = self._stream = self._open()
            identity = _identity(stream)
            unpacked = _unpacked(stream)
        except (OSError, ValueError) as error:
            self._error = f"{self._path}: {getattr(error, 'strerror', None) or error}"
            self._close()
            return
        self._opened = True
        reader = StreamReader(unpacked, identity, name=self._path)
        try:
            yield from self._blocks(OpenFile(reader, self._counts))
        finally:
            self._error = reader.error
            if self._path != STDIN:
                reader.close()
            self._close()

    def _close(self) -> None:
        if self._stream is not None and self._path != STDIN:
            self._stream.close()

    def _blocks(self, generation: OpenFile) -> Iterator[Block]:
        while not generation.at_end:
            if chunk := generation.take(self._limit):
                yield Block(self._path, chunk.data, chunk.first_line, generation.position())
        if chunk := generation.end():
            yield Block(self._path, chunk.data, chunk.first_line, generation.position(), final=True)

    def _open(self) -> io.BufferedReader:
        if is_url(self._path):
            return open_url(self._path)
        if self._path != STDIN:
            return open(self._path, "rb")  # noqa: PTH123 - closed by the iteration; paths are text here
        stdin = self._stdin or sys.stdin.buffer
        return stdin if isinstance(stdin, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", stdin))

    def status(self) -> SourceStatus:
        """Tell what was given so far. `error` names what could not be opened or where damage ended the reading."""
        return SourceStatus(self._path, self._opened and self._error is None, 0, replace(self._counts), self._error)


def blocks_of(path: str, limit: int = DEFAULT_LIMIT, *, stdin: BinaryIO | None = None) -> OneShotLog:
    """All blocks of a log, for commands that run once: a file, a FIFO, or `-` for standard input (`stdin` in tests).

    gzip, bzip2 and xz are told by their first bytes, whatever the name; what is compressed otherwise gives none. Never raises
    for I/O trouble or damage: see `OneShotLog.status`.
    """
    return OneShotLog(path, limit, stdin)


def _unpacked(stream: io.BufferedReader) -> BinaryIO:
    head = stream.peek(16)
    command = unpacker(head)
    if command is not None:
        raise ValueError(f"compressed in a way that is not read: unpack it ({command})")
    return unpack(stream, compression(head))


def unpacker(beginning: bytes) -> str | None:
    """Give the command for what is compressed in a way that is not read here, told by its first bytes; None for all else."""
    return next((command for magic, command in _UNPACKED_ELSEWHERE.items() if beginning.startswith(magic)), None)


def _identity(stream: io.BufferedReader) -> Identity:
    try:
        status = os.fstat(stream.fileno())
    except (OSError, io.UnsupportedOperation):
        return Identity(0, 0)  # bytes in memory are no file
    return Identity.of(status)
