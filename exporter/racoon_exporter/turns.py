"""Whose turn it is: the reader takes block after block, and must let in between those who only want to look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that one reader and many who look share.

    A plain lock would do, were it fair: the reader would have it again before anybody who waits for it has woken up.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._waiting = 0
        self._owed = 0
        """How many may look before the reader has its next turn: those who waited when its last one ended."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold it for a block; those who wait by then have their turn before the next."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._owed)
            self._busy = True
        try:
            yield
        finally:
            self._release(owed=self._waiting)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Hold it to copy something."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._busy)
            self._waiting -= 1
            self._busy = True
        try:
            yield
        finally:
            self._release(owed=max(0, self._owed - 1))

    def _release(self, *, owed: int) -> None:
        with self._changed:
            self._busy = False
            self._owed = min(owed, self._waiting)
            self._changed.notify_all()
