"""Lines that come through a pipe: standard input, and FIFOs that a syslog daemon or racoon itself writes to.

A pipe has no positions: what was read is gone from it, and while nobody reads, the kernel keeps 64 KiB (Linux) and the
writer waits or drops. Standard input ends when its writers close it. A FIFO does not: its writer may be restarted. Each time
it is at its end it is opened anew, because the descriptor of a FIFO whose writer went stays "readable" and would keep us
awake for nothing. The old descriptor is closed after the new one is open, so what the next writer has written stays.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable, Sequence

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, OneStream, SourceStatus
from racoon_exporter.source.files.one_shot import STDIN
from racoon_exporter.source.files.system import kind_of, open_for_reading
from racoon_exporter.source.reporting import LiveCounts, Trouble, reason
from racoon_exporter.source.streams.line_assembler import Assembler

STDIN_FD = 0


class StdinSource(OneStream):
    """Standard input, read as it comes. Implements `Source`."""

    def __init__(self, descriptor: int = STDIN_FD) -> None:
        """Read `descriptor`, which stays the caller's: its flags are shared with other processes and are left alone."""
        self._fd = descriptor
        self._counts = LiveCounts()
        self._assembler = Assembler(self._counts)
        self._trouble = Trouble()
        self._ended = False

    @property
    def name(self) -> str:
        """`-`, as it was given."""
        return STDIN

    @property
    def finished(self) -> bool:
        """Whether the end was reached and the last line was given."""
        return self._ended

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next whole lines; at the end the last one, even if it is not complete."""
        while not self._ended and readable(self._fd):
            try:
                piece = os.read(self._fd, limit)
            except BlockingIOError:  # another process that has it took what was there
                return None
            except OSError as error:
                self._trouble.set(f"standard input: {reason(error)}")
                piece = b""
            if not piece:
                self._ended = True
                return self._counts.block(STDIN, self._assembler.rest(), final=True)
            if block := self._counts.block(STDIN, self._assembler.add(piece)):
                return block
        return None

    def descriptors(self) -> Sequence[int]:
        """Return the descriptor until the end is reached."""
        return () if self._ended else (self._fd,)

    def status(self) -> SourceStatus:
        """Counters so far; `up` until the end."""
        return self._counts.status(STDIN, up=not self._ended, error=self._trouble.error)

    def close(self) -> None:
        """Read no more."""
        self._ended = True


class FifoSource(OneStream):
    """The FIFO at one path, over all its writers. Implements `Source`."""

    def __init__(self, path: str, *, opener: Callable[[str], int] = open_for_reading) -> None:
        """Read the FIFO at `path`. `opener` must open without waiting for a writer."""
        self._path = path
        self._open = opener
        self._fd: int | None = None
        self._counts = LiveCounts()
        self._assembler = Assembler(self._counts)
        self._trouble = Trouble()
        self._closed = False

    @property
    def name(self) -> str:
        """The path as it was given."""
        return self._path

    @property
    def finished(self) -> bool:
        """Never: the next writer may come any time."""
        return False

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next whole lines; the last one a writer left incomplete is given when it went."""
        while not self._closed and (piece := self._piece(limit)) is not None:
            if not piece:
                self._reopen()
                return self._counts.block(self._path, self._assembler.rest(), final=True)
            if block := self._counts.block(self._path, self._assembler.add(piece)):
                return block
        return None

    def descriptors(self) -> Sequence[int]:
        """Return the descriptor, if there is one now."""
        return () if self._fd is None else (self._fd,)

    def status(self) -> SourceStatus:
        """Counters since the start; `up` while the FIFO is open, with or without a writer."""
        return self._counts.status(self._path, up=self._fd is not None, error=self._trouble.error)

    def close(self) -> None:
        """Close the FIFO."""
        self._closed = True
        self._let_go()

    def _piece(self, limit: int) -> bytes | None:
        """Return what there is; nothing at the end, None when the writer has nothing now or there is no FIFO."""
        if self._fd is None:
            self._reopen()
        if self._fd is None:
            return None
        try:
            return os.read(self._fd, limit)
        except BlockingIOError:
            return None
        except OSError as error:
            self._trouble.set(f"{self._path}: {reason(error)}")
            return b""

    def _reopen(self) -> None:
        """Open the FIFO at the path in place of the one that is open; without one there, try again at the next read."""
        try:
            opened = self._open(self._path)
        except OSError as error:
            self._let_go()
            self._trouble.set(f"{self._path}: {reason(error)}")
            return
        self._let_go()
        mode = os.fstat(opened).st_mode
        if not stat.S_ISFIFO(mode):
            os.close(opened)
            self._trouble.set(
                f"{self._path}: {'a regular file' if stat.S_ISREG(mode) else kind_of(mode)}, and no FIFO any more"
            )
            return
        self._fd = opened
        self._trouble.over(f"{self._path}: readable again")

    def _let_go(self) -> None:
        descriptor, self._fd = self._fd, None
        if descriptor is not None:
            os.close(descriptor)


def is_fifo(path: str) -> bool:
    """Whether a FIFO stands at the path now."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116 - Path.stat is the same, slower
    except (OSError, ValueError):  # nothing there, or no path at all: whoever reads it will tell
        return False


def readable(descriptor: int) -> bool:
    """Whether reading would return at once, be it with bytes, at the end, or with an error."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
