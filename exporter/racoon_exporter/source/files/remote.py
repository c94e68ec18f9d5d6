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
from typing import Any, Final, NamedTuple, cast

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]+://")
_GLOB: Final = re.compile(r"[*?\[]")
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
    """Give the files that a URL with wildcards names; nobody's shell did it. Anything else is one."""
    if not is_url(path) or not _GLOB.search(path):
        return [path]
    with _errors():
        system, inside = _system(path)
        return sorted(system.unstrip_protocol(found) for found in system.glob(inside))


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
        return io.BufferedReader(cast("io.RawIOBase", system.open(inside, "rb")))


def _system(url: str) -> Any:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise OSError(MISSING) from error
    return url_to_fs(url)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:  # most storages say only which one
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
    except OSError:
        raise
    except Exception as error:  # storages have errors of their own
        raise OSError(str(error) or type(error).__name__) from error
