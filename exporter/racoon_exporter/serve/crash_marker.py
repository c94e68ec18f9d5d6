"""Which lines are being read just now, written beside the state file, so that none can end the process again and again.

An exception out of a line is caught. A crash is not: a fault in a library, the out-of-memory killer, systemd's watchdog. The
next start goes on from the state file, before the line. So each block is marked before it is read (the mark is not synced: it
outlives a process, and that is enough). A start that finds a mark reads those lines one by one, marking each. The line in
which the process then ended twice is passed over, with the record held back before it: the third crash is the last.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Final

from racoon_exporter.checkpoint import open_beside
from racoon_exporter.source import Block
from racoon_exporter.source.contract import lines_of
from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger("racoon_exporter")
_CRASHES: Final = 2
"""Crashes in one and the same line after which it is passed over: once may have been somebody's kill."""
_FILLED_TO: Final = 256
"""Bytes; a mark is written over the one before."""
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines of a source that were being read, and how often the process ended in just these before."""

    source: str
    first: int
    last: int
    crashes: int = 0

    def overlaps(self, block: Block, lines: int) -> bool:
        """Whether one of its lines is in a block."""
        return block.source == self.source and block.first_line <= self.last and self.first < block.first_line + lines


class CrashMarker:
    """The mark of this process, and what the one before left."""

    def __init__(self, state_file: Path | None) -> None:
        """Keep the mark beside a state file; without one there is none."""
        self._path = None if state_file is None else state_file.with_name(f"{state_file.name}.reading")
        self._descriptor: int | None = None
        self._marked = b""
        """What stands in the file."""
        self._trouble = False
        self._suspect: Mark | None = None

    def begin(self) -> None:
        """Take what the process before has left, and tell it if that ended while it was reading."""
        if self._path is None:
            return
        try:
            self._descriptor = open_beside(self._path, os.O_RDWR | os.O_CREAT)
            left = _read(os.pread(self._descriptor, _MOST_BYTES, 0))
        except OSError as error:
            _LOGGER.warning(
                "%s cannot be used: %s; a line that ends the exporter is not found", self._path, error.strerror or error
            )
            return
        if left is not None:
            self._suspect = replace(left, crashes=left.crashes + 1)
            _LOGGER.warning("the exporter ended while it read %s; these lines are read one by one", _lines(left))

    def parts(self, block: Block) -> Iterator[tuple[Block, bool]]:
        """Give a block in the parts in which it is to be read, each marked, and whether one is to be passed over instead."""
        lines = lines_of(block.data)
        suspect = self._suspect
        if self._descriptor is None or suspect is None or not suspect.overlaps(block, lines):
            self._mark(Mark(block.source, block.first_line, block.first_line + lines - 1))
            yield block, False
            return
        for number, data in enumerate(BytesIO(block.data), start=block.first_line):
            mark = Mark(block.source, number, number, suspect.crashes if suspect.first == suspect.last == number else 0)
            self._mark(mark)
            passed_over = mark.crashes >= _CRASHES
            if passed_over:
                _LOGGER.error(
                    "%s ended the exporter %d times: it is passed over, with what was held back before it",
                    _lines(mark),
                    mark.crashes,
                )
            yield replace(block, data=data, first_line=number), passed_over

    def rest(self) -> None:
        """Nothing is being read, nothing is kept back: whatever ends the process now, no line does."""
        if self._marked:
            self._write(b"")

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Nothing is being read for a while; then what is kept back may be again. A disk that hangs is no line's fault."""
        marked = self._marked
        self.rest()
        try:
            yield
        finally:
            if marked:
                self._write(marked)

    def end(self) -> None:
        """The process stops in good order."""
        if self._descriptor is not None and self._path is not None:
            os.close(self._descriptor)
            self._descriptor = None
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                _LOGGER.warning("%s cannot be removed: %s", self._path, error.strerror or error)

    def _mark(self, mark: Mark) -> None:
        self._write(json.dumps([mark.source, mark.first, mark.last, mark.crashes]).encode())

    def _write(self, text: bytes) -> None:
        self._marked = text
        if self._descriptor is None:
            return
        size = -(-(len(text) + 1) // _FILLED_TO) * _FILLED_TO
        try:
            os.pwrite(self._descriptor, (text + b"\n").ljust(size), 0)
        except OSError as error:  # a disk that is full has room again some day
            if not self._trouble:
                _LOGGER.warning("%s cannot be written: %s", self._path, error.strerror or error)
            self._trouble = True
        else:
            self._trouble = False


def _read(data: bytes) -> Mark | None:
    """Read a mark; what is none says nothing."""
    try:
        match json.loads(data.partition(b"\n")[0] or b"null"):
            case [str(source), int(first), int(last), int(crashes)]:
                return Mark(source, first, last, crashes)
            case _:
                return None
    except (ValueError, RecursionError):
        return None


def _lines(mark: Mark) -> str:
    numbers = f"line {mark.first}" if mark.first == mark.last else f"lines {mark.first} to {mark.last}"
    return f"{numbers} of {visible(mark.source)}"
