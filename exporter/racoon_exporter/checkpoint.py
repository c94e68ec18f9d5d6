"""The state file: positions, counters and SA state together, replaced as one.

Because they are written together, each line counts exactly once after any stop: either a line is behind the position and in
the counts, or it is neither.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import zlib
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any, Final

import msgspec

FORMAT: Final = "racoon-exporter state"
VERSION: Final = 2
"""Written; of 1, positions were those of files and the journal only."""
READ: Final = (1, VERSION)
MOST_BYTES: Final = 64 * 1024 * 1024
"""A file beyond it would fill the memory while it is read, and the next start would meet it again."""
_BYTES_OF_GATEWAY: Final = 32 * 1024
_USUAL_GATEWAYS: Final = 1000
_SHARE: Final = 20
"""Writing takes a twentieth of the time at most: what takes long comes more rarely."""
_SPARED: Final = 6
"""So much rarer is written where only time passed: whoever goes on from before lets it pass again."""
_ROWS_AT_ONCE: Final = 64
_TAKEN: Final = frozenset({errno.EAGAIN, errno.EACCES})
_HEAD_BYTES: Final = 128
"""Kept free for the first line, which says what only the last piece completes; blanks fill it."""


def pause(interval: float, took: float, *, only_time_passed: bool = False) -> float:
    """Tell how long to wait from a checkpoint, which took some seconds, to the next."""
    return max(interval * (_SPARED if only_time_passed else 1), took * _SHARE)


class StateFileError(Exception):
    """A state file that cannot be used, in words for the operator."""


def write(path: Path, content: dict[str, Any], *, version: int = VERSION) -> None:
    """Write a state file: to a temporary file beside it, synced, renamed. Raises OSError; the old file then stands.

    No more than a piece of it is held in memory as text.
    """
    _check_regular(path)
    size, crc32 = 0, 0
    temporary = path.with_name(f"{path.name}.new")
    descriptor = _open_alone(temporary)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  the descriptor carries the file's mode
            file.write(b"\n".rjust(_HEAD_BYTES))
            for piece in encoded(content):
                file.write(piece)
                size, crc32 = size + len(piece), zlib.crc32(piece, crc32)
            file.write(b"\n")
            file.seek(0)
            file.write(json.dumps({"format": FORMAT, "version": version, "crc32": crc32, "bytes": size}).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)  # while it is locked
    except BaseException:  # what is made while it is written may raise anything
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_directory(path.parent)


def _open_alone(path: Path) -> int:
    """Open an empty file to write. Raises OSError where another exporter with the same state file is writing it just now.

    Either would make a mixture of both; so each file is whole, and the last stands.
    """
    descriptor = open_beside(path, os.O_WRONLY | os.O_CREAT)
    try:
        _lock(descriptor, path)
        os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_beside(path: Path, flags: int) -> int:
    """Open one of the files beside a state file. Raises OSError where somebody has put something else there.

    Whoever opens a FIFO waits for its other end, and what a link leads to is not ours to write to.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return descriptor


def _lock(descriptor: int, path: Path) -> None:
    taken = BlockingIOError(errno.EAGAIN, "another exporter writes it", str(path))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:  # else it is a file system without locks
            raise taken from error
    if not os.path.samestat(os.fstat(descriptor), path.stat()):  # it was finished and renamed since it was opened
        raise taken


def _check_regular(path: Path) -> None:
    """Raise OSError for a device or a FIFO: whoever means no state by /dev/null would else, as root, lose it to a file."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def encoded(value: Any) -> Iterator[bytes]:
    """Write a value as JSON, in pieces: other threads have their turn between two, as none can while one is written.

    What an iterator gives is written as a list, each when it is its turn: of thousands of gateways only one is made at a time.
    """
    if isinstance(value, dict) and value:
        begin = b"{"
        for key, inner in value.items():
            yield begin + _json(key) + b":"
            yield from encoded(inner)
            begin = b","
        yield b"}"
    elif isinstance(value, Iterator) or (isinstance(value, list) and any(map(_has_parts, value[:1]))):
        begin = b"["
        for inner in value:
            yield begin
            yield from encoded(inner)
            begin = b","
        yield b"]" if begin == b"," else b"[]"
    elif isinstance(value, list) and len(value) > _ROWS_AT_ONCE:
        for start in range(0, len(value), _ROWS_AT_ONCE):
            yield (b"," if start else b"[") + _json(value[start : start + _ROWS_AT_ONCE])[1:-1]
        yield b"]"
    else:
        yield _json(value)


def _has_parts(value: Any) -> bool:
    """Whether a value is large: no row, but an object of objects."""
    return isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values())


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError):  # half of a surrogate pair out of a log in JSON
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def _sync_directory(directory: Path) -> None:
    """Make the rename itself survive a power failure, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def most_bytes(gateways: int) -> int:
    """Give how large a state file may be where so many gateways are let in."""
    return MOST_BYTES + max(0, gateways - _USUAL_GATEWAYS) * _BYTES_OF_GATEWAY


def read(path: Path, most: int = MOST_BYTES) -> dict[str, Any] | None:
    """Read a state file; None if there is none. Raises StateFileError if it is damaged or foreign, OSError if unreadable."""
    try:
        _check_regular(path)
        size = path.stat().st_size
        if size > most:
            raise StateFileError(
                f"{path} is too large ({size >> 20} MiB, at most {most >> 20}): no bounded state fills so much"
            )
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    head, _, body = data.partition(b"\n")
    body = body.removesuffix(b"\n")
    try:
        header = load(head)
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise StateFileError(f"{path} is no state file of racoon-exporter")
        if header.get("version") not in READ:
            raise StateFileError(f"{path} is of another version ({header.get('version')})")
        if header.get("bytes") != len(body) or header.get("crc32") != zlib.crc32(body):
            raise StateFileError(f"{path} is damaged")
        content = load(body)
    except ValueError as error:
        raise StateFileError(f"{path} is no state file of racoon-exporter") from error
    if not isinstance(content, dict):
        raise StateFileError(f"{path} is damaged")
    return content | {"version": header["version"]}


def load(body: bytes) -> Any:
    """Give the value of a JSON text. Raises ValueError where there is none, NaN and infinities among them, nor an end."""
    try:
        return _value(body)
    except RecursionError as error:
        raise ValueError("it is nested without end") from error


def _value(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except ValueError:  # half of a surrogate pair, which only the other reads; what else is refused, it refuses too
        return json.loads(body, parse_constant=_refuse, parse_float=_finite)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text)


def set_aside(path: Path) -> Path:
    """Move a file that cannot be used out of the way, so that it can be looked at. Raises OSError."""
    _check_regular(path)
    aside = path.with_name(f"{path.name}.unusable")
    path.replace(aside)
    return aside
