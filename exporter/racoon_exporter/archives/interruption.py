"""What ends a command, a signal, ends it between two rounds of rows: one that comes while rows are written waits for them.

A second signal does not wait: whoever reads our output may have stopped reading for good.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Final

from racoon_exporter.archives.reading import Row
from racoon_exporter.archives.sinks import Sink

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """The handler of such signals. Used by the main thread only, as all handlers are."""

    def __init__(self) -> None:
        """Nothing has ended us yet."""
        self._writing = False
        self._came = False
        self._waiting: int | None = None

    def handle(self, number: int, _frame: object = None) -> None:
        """Take a signal. Raises KeyboardInterrupt or SystemExit, now or where `held` ends."""
        first, self._came = not self._came, True
        if self._writing and first:
            self._waiting = number
        else:
            _end(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the first signal wait for the end of what is done here. Raises then what `handle` would have."""
        self._writing = True
        try:
            yield
        finally:
            self._writing = False
        if self._waiting is not None:
            _end(self._waiting)


def _end(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


@contextmanager
def taken() -> Iterator[Interruption]:
    """Take the signals that would end us. What our parent had us ignore, as `nohup` does, is ignored."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number in (number for number, handler in before.items() if handler != signal.SIG_IGN):
        signal.signal(number, interruption.handle)
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def whole_rounds(sink: Sink, interruption: Interruption) -> Iterator[Callable[[list[Row]], None]]:
    """Give what takes a round for a sink. On leaving, whatever the reason, what was written is completed to a valid whole."""

    def take(rows: list[Row]) -> None:
        with interruption.held():
            sink.rows(rows)

    def leave(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with nullcontext() if sink.may_break_off else interruption.held():
            sink.__exit__(kind, error, trace)

    with ExitStack() as stack:
        sink.__enter__()
        stack.push(leave)
        yield take


__all__ = ["Interruption", "taken", "whole_rounds"]
