"""Writes our own log where it is read, and goes on without it where nobody does.

A pipe that nobody empties, a journald that is stopped, a terminal that is held: writing to these waits without end, with it
whoever logs, and behind a lock all others. What cannot be written at once is left out, and counted.
"""

from __future__ import annotations

import logging
import os
import select
from typing import Final

_PIECE: Final = 4096
"""Bytes for which there is room where poll says that there is any (PIPE_BUF of Linux); a socket has more."""
_PATIENCE: Final = 0.1
"""Seconds for a reader that is busy, until it has let us wait in vain."""


class UnreadLogHandler(logging.Handler):
    """Writes lines to a descriptor, and waits for nobody for long."""

    def __init__(self, descriptor: int, encoding: str, patience: float = _PATIENCE) -> None:
        """Write to `descriptor`, which stays the caller's, and may be set to any mode."""
        super().__init__()
        self._descriptor = descriptor
        self._encoding = encoding
        self._patience = patience
        self._lost = 0
        self._begun = False
        """Whether the beginning of a line stands there whose end was left out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, behind one that tells how many are missing."""
        try:
            line = self._encoded(record)
        except Exception:  # noqa: BLE001  as every handler does: what is wrong with a call of ours is told, and raises nothing
            self.handleError(record)
            return
        if self._lost and self._write(self._encoded(_missing(record, self._lost))):
            self._lost = 0
        if self._lost or not self._write(line):
            self._lost += 1

    def _encoded(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(self._encoding, "backslashreplace")

    def _write(self, line: bytes) -> bool:
        """Write a line whole, or as far as it goes; tells whether it is."""
        data = b"\n" + line if self._begun else line
        sent = 0
        while sent < len(data) and self._has_room():
            try:
                sent += os.write(self._descriptor, data[sent : sent + _PIECE])
            except OSError:  # nobody reads there any more, or the disk is full: it is counted like all that is left out
                break
        if sent:
            self._begun = sent < len(data)
        return sent == len(data)

    def _has_room(self) -> bool:
        poller = select.poll()
        poller.register(self._descriptor, select.POLLOUT)
        return bool(poller.poll(0 if self._lost else self._patience * 1000))


def _missing(like: logging.LogRecord, lost: int) -> logging.LogRecord:
    record = logging.makeLogRecord(like.__dict__ | {"levelno": logging.WARNING, "levelname": "WARNING"})
    record.msg, record.args, record.exc_info = "%d lines of this log could not be written, and are left out", (lost,), None
    return record


__all__ = ["UnreadLogHandler"]
