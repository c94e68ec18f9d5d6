"""A lock between the reader, who takes block after block, and those who only want to look: all have their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

MOST_SPARED = 0.25
"""Seconds that the reader stands back at a time for somebody who is being answered. It must have read as long before: whoever
asks without pause takes half of the processor, not all of it."""


class FairLock:
    """A lock that one reader and many who look share.

    A plain lock would do, were it fair: the reader would have it again before anybody who waits for it has woken up.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._changed = threading.Condition()
        self._answering = 0
        self._credit = 0.0
        """Seconds that the reader has worked and not stood back since."""
        self._busy = False
        self._waiting = 0
        self._owed = 0
        """How many may look before the reader has its next turn: those who waited when its last one ended."""

    @property
    def held(self) -> bool:
        """Whether somebody has it now."""
        return self._busy

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold it for a block; those who wait by then have their turn before the next."""
        with self._changed:
            self._stand_back()
            self._changed.wait_for(lambda: not self._busy and not self._owed)
            self._busy = True
        begun = self._clock()
        try:
            yield
        finally:
            self._earn(begun)
            self._release(owed=self._waiting)

    def beside_answers(self, work: Iterable[T]) -> Iterator[T]:
        """Give one by one what the reader makes without holding the lock; between two of them it stands back as for a block."""
        begun = self._clock()
        for made in work:
            yield made
            with self._changed:
                self._earn(begun)
                self._stand_back()
            begun = self._clock()

    def _earn(self, begun: float) -> None:
        self._credit = min(MOST_SPARED, self._credit + self._clock() - begun)

    def _stand_back(self) -> None:
        """Leave the processor to those who are being answered: Python runs one thread at a time."""
        if self._answering and self._credit > 0:
            begun = self._clock()
            self._changed.wait_for(lambda: not self._answering, timeout=self._credit)
            self._credit -= self._clock() - begun

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Tell that somebody is being answered, from the first look to the last byte; nothing is held."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

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
