"""What is being restored just now, written beside the state file, so that no state can end every start.

An exception out of a state is caught, and the state set aside. A crash is not: a fault in a library, the out-of-memory killer,
a start that takes longer than systemd waits. So what is restored is marked before it is read; a start that finds that the
process ended three times in the very same goes without it. The mark is not synced: it outlives a process, and that is enough.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from racoon_exporter.checkpoint import open_beside
from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger("racoon_exporter")
CRASHES: Final = 3
"""So often the process may end while the same is restored: once or twice may have been somebody's kill."""
_MOST_BYTES: Final = 1024 * 1024


class RestoreCrashError(ValueError):
    """The process ended again and again while it restored this."""


class _Mark(NamedTuple):
    version: str
    crashes: int


class RestoreMarker:
    """Marks what is being restored, and refuses what ended the process too often."""

    def __init__(self, state_file: Path | None) -> None:
        """Keep the marks beside a state file; without one there are none."""
        self._path = None if state_file is None else state_file.with_name(f"{state_file.name}.restoring")

    @contextmanager
    def restoring(self, name: str, version: str) -> Iterator[None]:
        """Mark something while it is restored; another version of it is tried anew.

        Raises RestoreCrashError, at once, if just this ended the process too often.
        """
        marks = self._marks()
        left = marks.pop(name, None)
        before = left.crashes if left is not None and left.version == version else 0
        if before >= CRASHES:
            raise RestoreCrashError(f"the exporter ended {before} times while it was restored")
        if before:
            _LOGGER.warning("the exporter ended while it restored %s; this is tried %d times", visible(name), CRASHES)
        self._write({**marks, name: _Mark(version, before + 1)})
        try:
            yield
        finally:
            self._write(marks)

    def _marks(self) -> dict[str, _Mark]:
        """What earlier processes left, by name: partitions are restored one by one, and a sound one wipes no other's mark."""
        try:
            data = b"" if self._path is None else _read(self._path)
            return msgspec.json.decode(data or b"{}", type=dict[str, _Mark])
        except (OSError, ValueError, RecursionError):
            return {}  # what is no mark says nothing

    def _write(self, marks: Mapping[str, _Mark]) -> None:
        if self._path is None:
            return
        try:
            if marks:
                with open(open_beside(self._path, os.O_WRONLY | os.O_CREAT), "wb") as file:  # noqa: PTH123  it is open
                    file.truncate()
                    file.write(msgspec.json.encode(marks))
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            _LOGGER.warning(
                "%s cannot be written: %s; a state that ends the exporter is not found", self._path, error.strerror or error
            )


def _read(path: Path) -> bytes:
    with open(open_beside(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123  it is open
        return file.read(_MOST_BYTES)


def version_of(path: Path) -> str:
    """Tell a file from others at its path. Raises OSError."""
    status = path.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
