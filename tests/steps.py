"""How much work a call is, in steps of the interpreter and not in seconds: the same on every machine, busy or not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def steps(call: Callable[[], object]) -> int:
    """Return how many lines of Python a call runs through, its callees' included."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        del frame, argument
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def grows_linearly(work: Callable[[int], object]) -> bool:
    """Tell whether eight times as much to do is at most eight times the steps, beside what the first call costs once."""
    work(1)
    once, small, large = (steps(lambda size=size: work(size)) for size in (1, 200, 1600))  # type: ignore[misc]
    return large - once <= 9 * (small - once) + 8 * once
