"""Files that are named by a URL, such as s3://logs/racoon.log.gz: fsspec reads them, where it is installed.

Each storage raises errors of its own; here all of them are OSError, with what the storage says.
"""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]+://")
_CHAINED: Final = re.compile(r"::[a-z][a-z0-9_+.-]*://")
"""What stands before it is in an archive that is named behind it; two colons in a name are nothing to fsspec but this."""
_GLOB: Final = re.compile(r"[*?\[]")
_GLOB_OF_WEB: Final = re.compile(r"[*\[]")
"""What stands behind the `?` of an address of the web is for its server."""
_NOT_FOUND: Final = 404
MISSING: Final = "files named by a URL are read by fsspec: pip install 'racoon-exporter[dask]'"


class RemoteStatus(NamedTuple):
    """What a storage tells of a file."""

    size: int
    changed: float | None
    """Seconds since the epoch, where it is told."""


def is_url(path: str) -> bool:
    """Whether a file is named by a URL."""
    return _URL.match(path) is not None


def expanded(path: str) -> list[str]:
    """Give the files that a URL with wildcards names; nobody's shell did it. Anything else is one.

    So is a pattern that names nothing, or of which nothing can be learned: who reads it is told what is wrong.
    """
    wildcards = _GLOB_OF_WEB if path.startswith(("http://", "https://")) else _GLOB
    if not is_url(path) or not wildcards.search(path):
        return [path]
    try:
        with _errors():
            system, inside = _system(path)
            within = _CHAINED.search(path)
            where = "" if within is None else path[within.start() :]
            return sorted(f"{system.unstrip_protocol(found)}{where}" for found in system.glob(inside)) or [path]
    except OSError:
        return [path]


def status_of(url: str) -> RemoteStatus:
    """Tell how large a file is, and when it was changed. Raises OSError."""
    with _errors():
        system, inside = _system(url)
        size = int(system.size(inside) or 0)
        try:
            changed = system.modified(inside).timestamp()
        except NotImplementedError:
            changed = None
        return RemoteStatus(size, changed)


def open_url(url: str) -> io.BufferedReader:
    """Open a file. Raises OSError."""
    with _errors():
        system, inside = _system(url)
        return io.BufferedReader(_Reading(system.open(inside, "rb"), system))


class _Reading(io.RawIOBase):
    """A file of a storage; what its connection raises in the middle is an OSError as well."""

    def __init__(self, file: Any, system: Any) -> None:
        self._file = file
        self._system = system
        """An archive is closed with the last who knows of it."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        with _errors(), memoryview(buffer) as view:
            data: bytes = self._file.read(len(view))
            view[: len(data)] = data
            return len(data)

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _errors():
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


def _system(url: str) -> Any:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise OSError(MISSING) from error
    if _CHAINED.search(url):
        return url_to_fs(url)
    system, _ = url_to_fs(url.partition("::")[0])
    return system, system._strip_protocol(url)  # noqa: SLF001  there is no other way to name a file with two colons


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:  # most storages say only which one
        cause = error.__cause__
        if cause is not None and _is_more_than_missing(cause):
            raise OSError(_words(cause)) from error
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
    except OSError:
        raise
    except Exception as error:  # storages have errors of their own
        raise OSError(_words(error)) from error


def _is_more_than_missing(cause: BaseException) -> bool:
    """Whether a file is said to be missing by a server that refused to tell, failed, or was not reached."""
    return not isinstance(cause, (FileNotFoundError, LookupError)) and getattr(cause, "status", None) != _NOT_FOUND


def _words(error: BaseException) -> str:
    """Give what a server answered, without the address, which may hold a password; or what else is said."""
    status, message = getattr(error, "status", None), getattr(error, "message", None)
    return f"{status} {message}" if status and message else str(error) or type(error).__name__
