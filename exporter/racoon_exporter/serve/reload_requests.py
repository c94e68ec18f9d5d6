"""When the configuration is read anew: as soon as it is asked for, but lines are to be read as well.

A script may send SIGHUP without pause, a client `POST /-/reload`; with thousands of peers each takes a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SHARE: Final = 4
"""Reading the configuration takes a fifth of the time at most, however often it is asked for."""


class ReloadRequests:
    """Many that wait are one. Asked for from any thread or a signal handler, answered by one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._asked = False
        self._again = 0.0

    def ask(self) -> None:
        """Ask for it."""
        self._asked = True

    def is_due(self) -> bool:
        """Whether it was asked for, and may be done now."""
        return self._asked and self._clock() >= self._again

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Do it; what is asked for from now on is answered later."""
        self._asked = False
        begun = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            self._again = now + (now - begun) * _SHARE


__all__ = ["ReloadRequests"]
