"""The net under "reading a line never raises": an exception out of one record is counted, told once, and reading goes on.

A log is written by whoever sends packets to the gateway. Were a line to end the program, each new start would meet the same
line again. What is told names the exception and the place in this program, never the text: that is a stranger's.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Final

_MOST_KINDS: Final = 100


class RecordErrors:
    """Counts exceptions out of single records."""

    def __init__(self, tell: Callable[[str], None] = lambda _kind: None, *, strict: bool = False) -> None:
        """Tell each kind once. `strict` lets exceptions through, for tests that look for their causes."""
        self.number = 0
        self._tell = tell
        self._strict = strict
        self._told: set[str] = set()

    def note(self, error: Exception) -> None:
        """Count an exception."""
        if self._strict:
            raise error
        self.number += 1
        kind = kind_of(error)
        if kind not in self._told and len(self._told) < _MOST_KINDS:
            self._told.add(kind)
            self._tell(kind)


def kind_of(error: Exception) -> str:
    """Name an exception by its type and place: `ValueError in read_spi (fields.py:70)`."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return type(error).__name__
    frame, line = frames[-1]
    return f"{type(error).__name__} in {frame.f_code.co_name} ({PurePath(frame.f_code.co_filename).name}:{line})"
