"""Waiting for something to become true, with a deadline and a reason."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")
PAUSE = 0.2
"""Seconds between two looks."""


def until(look: Callable[[], T | None], what: str, seconds: float) -> T:
    """Return the first true value of `look`; fail with `what` was waited for when the time is up."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        pause.wait(PAUSE)
