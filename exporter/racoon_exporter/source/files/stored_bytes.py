"""Bytes at an offset, from an open plain file or out of a stream that only goes forward (compressed files, pipes)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import zlib
from typing import BinaryIO, Protocol, cast

from racoon_exporter.source.contract import DEFAULT_LIMIT
from racoon_exporter.source.files.position import Identity
from racoon_exporter.source.files.system import SYSTEM, System, kind_of
from racoon_exporter.source.rotated_names import COMPRESSED, may_be_packed

_MAGIC = (
    (re.compile(rb"\x1f\x8b\x08"), ".gz"),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", re.DOTALL), ".bz2"),
    (re.compile(rb"\xfd7zXZ\x00"), ".xz"),
)
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)


class Reader(Protocol):
    """One open file. `pread` offsets never go back by more than what was last asked for."""

    identity: Identity
    error: str | None
    exhausted: bool
    """Whether there is nothing behind what `pread` gives now. Of a plain file it gives all there is."""
    plain: bool
    """Whether bytes are stored as they are read, so that offsets are those of the file."""

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes at `offset`, fewer where the file has no more now; raises OSError for a plain file."""

    def behind(self, offset: int) -> int:
        """Bytes stored behind the offset."""

    def data_at(self, offset: int) -> int:
        """Return the first offset from `offset` on where the file may hold something else than a hole."""

    def status(self) -> os.stat_result | None:
        """Return the status of the open file, None where there is none."""

    def rewind(self) -> None:
        """Make offsets from the beginning on possible again; raises OSError for a pipe."""

    def where(self) -> str | None:
        """Return the path that the open file has by now, where the system tells."""

    def close(self) -> None:
        """Let go of the file."""


class PlainReader:
    """A regular file by its descriptor: it goes on being read after it was renamed or deleted."""

    def __init__(self, path: str, system: System) -> None:
        """Open `path`; raises OSError when that fails and when it is no regular file (such are never opened)."""
        _refuse_irregular(path, system.stat(path).st_mode)
        self.error: str | None = None
        self.exhausted = True
        self.plain = True
        self._system = system
        self._fd = system.open(path)
        try:
            status = system.fstat(self._fd)
            _refuse_irregular(path, status.st_mode)  # it may have been swapped between the two looks
        except OSError:
            system.close(self._fd)
            raise
        self.identity = Identity.of(status)

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to `size` bytes at `offset`; raises OSError."""
        return self._system.pread(self._fd, size, offset)

    def behind(self, offset: int) -> int:
        """Return the number of bytes behind the offset; raises OSError."""
        return max(0, self.status().st_size - offset)

    def data_at(self, offset: int) -> int:
        """Return where the next data may stand, as the file system knows its holes."""
        try:
            return max(offset, self._system.lseek(self._fd, offset, os.SEEK_DATA))
        except (OSError, AttributeError):
            # No data behind the offset, or a system without SEEK_DATA: the hole is then read as NULs.
            return offset

    def status(self) -> os.stat_result:
        """Return the status of the open file, whatever its name is by now."""
        return self._system.fstat(self._fd)

    def rewind(self) -> None:
        """Any offset is possible anyway."""

    def where(self) -> str | None:
        """Return the present path, of a directory renamed meanwhile too, or the last; None where the system does not tell."""
        return _where(self._fd, self._system)

    def close(self) -> None:
        """Close the descriptor."""
        self._system.close(self._fd)


class StreamReader:
    """A stream read once from front to back, with a window over what was read last. Damage ends it, with `error` set."""

    def __init__(
        self, stream: BinaryIO, identity: Identity, *, name: str, raw: BinaryIO | None = None, system: System = SYSTEM
    ) -> None:
        self.identity = identity
        self.error: str | None = None
        self.exhausted = False
        self.plain = False
        self._stream, self._raw, self._name, self._system = stream, raw, name, system
        self._window, self._start = b"", 0

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to `size` bytes at `offset`; may wait for a pipe's writer. Never raises."""
        while self._end < offset and not self.exhausted:
            self._extend(offset)
        if self._end < offset + size:
            self._extend(offset)  # one piece and no more: a pipe may not have the rest yet
        at = offset - self._start
        return self._window[at : at + size]

    @property
    def _end(self) -> int:
        return self._start + len(self._window)

    def _extend(self, offset: int) -> None:
        """Read a piece more and forget what stands before the offset."""
        kept = self._window[max(0, offset - self._start) :]
        self._start = self._end - len(kept)
        self._window = kept + self._piece()

    def _piece(self) -> bytes:
        if self.exhausted:
            return b""
        try:
            piece = cast("io.BufferedReader", self._stream).read1(DEFAULT_LIMIT)
        except _DAMAGE as error:
            self.error = f"{self._name}: {error}"
            piece = b""
        self.exhausted = not piece
        return piece

    def behind(self, offset: int) -> int:
        """Return the bytes behind the offset as far as known: unpacked in the window, still packed in the file."""
        held = max(0, self._end - offset)
        if self._raw is None or self.exhausted:
            return held
        return held + max(0, os.fstat(self._raw.fileno()).st_size - self._raw.tell())

    def data_at(self, offset: int) -> int:
        """Return the offset: a stream has no holes."""
        return offset

    def status(self) -> os.stat_result | None:
        """Return the status of the compressed file, None for a pipe."""
        return os.fstat(self._raw.fileno()) if self._raw is not None else None

    def rewind(self) -> None:
        """Unpack from the beginning again; raises OSError for a pipe."""
        self._stream.seek(0)
        self.error, self.exhausted = None, False
        self._window, self._start = b"", 0

    def where(self) -> str | None:
        """Return the present path of the compressed file as that of a plain one, None for a pipe."""
        return None if self._raw is None else _where(self._raw.fileno(), self._system)

    def close(self) -> None:
        """Close the stream and the file under it."""
        self._stream.close()
        if self._raw is not None:
            self._raw.close()


def open_reader(path: str, system: System) -> Reader:
    """Open a log or one of its rotated siblings, unpacking by the end of its name, or what it begins with; raises OSError."""
    how = next((end for end in COMPRESSED if path.endswith(end)), None)
    if how is None and may_be_packed(os.path.basename(path)):  # noqa: PTH119 - paths are text here
        how = _found_packed(path, system)
    if how is None:
        return PlainReader(path, system)
    _refuse_irregular(path, system.stat(path).st_mode)
    raw = os.fdopen(system.open(path), "rb")
    status = os.fstat(raw.fileno())
    return StreamReader(unpack(raw, how), Identity.of(status), name=path, raw=raw, system=system)


def _found_packed(path: str, system: System) -> str | None:
    reader = PlainReader(path, system)
    try:
        return compression(reader.pread(16, 0))
    finally:
        reader.close()


def compression(beginning: bytes) -> str | None:
    """How a file is compressed, told by its first bytes: one of COMPRESSED, or None."""
    return next((end for magic, end in _MAGIC if magic.match(beginning)), None)


def unpack(raw: BinaryIO, how: str | None) -> BinaryIO:
    """Return the plain text of a stream that is compressed in the manner of COMPRESSED; the stream itself for None."""
    if how == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb"))
    if how == ".bz2":
        return cast("BinaryIO", bz2.BZ2File(raw))
    if how == ".xz":
        return cast("BinaryIO", lzma.LZMAFile(raw))
    return raw


def _where(descriptor: int, system: System) -> str | None:
    try:
        return system.where(descriptor).removesuffix(" (deleted)")
    except OSError:
        return None


def _refuse_irregular(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotALogError(path, kind_of(mode))


class NotALogError(OSError):
    """Something other than a regular file stands at the path of a log."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(f"is {kind}, not a log file")
        self.filename = path
        self.strerror = f"is {kind}, not a log file"
