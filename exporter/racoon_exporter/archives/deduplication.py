"""The blocks of a unit's logs, each line once: what an overlapping rotation repeats is passed over.

`racoon.log.1` beside its copy `racoon.log.1.gz`, or a copy that was taken while the log grew: the beginning of one log
stands somewhere in another. Where the first line of a log is met in one that is read before it, both are compared line by
line from there on; as long as they agree, the later log need not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Final

from racoon_exporter.archives.newest_first import oldest_first, turned
from racoon_exporter.archives.survey import Sample, changed
from racoon_exporter.source import blocks_of
from racoon_exporter.source.contract import Block
from racoon_exporter.source.files.one_shot import OneShotLog

_ACCIDENT: Final = 3
"""So many equal lines in a row are no accident: racoon may say the same twice in a second, just where a log was cut."""


class LinesOnce:
    """The blocks of several logs in order; `problems` tells afterwards what could not be read."""

    def __init__(
        self,
        logs: tuple[Sample, ...],
        read: Callable[[str], OneShotLog] = blocks_of,
        *,
        both_ends: bool = False,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.problems: list[str] = []
        self.done = 0
        """Bytes on disk that are behind us."""
        self.heard = False
        """Whether any line was racoon's, as the work says that reads them."""
        self.lines = 0
        """Lines that were given."""
        self.both_ends = both_ends
        """Whether both ends of a negotiation stand in them."""
        self._say = say
        self._logs = logs
        self._read = read
        self._ahead: dict[str, Repeating] = {}
        """By path: logs that are compared, or were."""

    def blocks(self, now: Callable[[], float | None]) -> Iterator[Block]:
        """Give the blocks. `now` tells the time of the last line, after which a later log may begin to repeat."""
        before = 0
        for index, log in enumerate(self._logs):
            later = self._ahead.pop(log.path, None)
            whole = self._read(log.path) if later is None else later.whole
            rest = self._in_order(log, whole) if later is None else later.rest()
            for block in rest:
                self.done = before + min(whole.consumed, log.size)
                self.lines += block.data.count(b"\n")
                yield block
                self._compare(block, self._logs[index + 1 :], now())
            before += log.size
            self.done = before
            error = whole.status().error
            if error is not None:
                self.problems.append(error)

    def _in_order(self, log: Sample, whole: OneShotLog) -> Iterator[Block]:
        """Give a log's blocks, the oldest line first. A stream was not looked at before."""
        if log.order == "newest first":
            return turned(whole)
        return iter(whole) if log.identity is not None else oldest_first(whole, UTC, changed(log.path), self._say)

    def _compare(self, block: Block, logs: tuple[Sample, ...], now: float | None) -> None:
        """See whether later logs repeat what has just been read."""
        for log in logs:
            if log.order == "newest first":
                continue  # its first line is the last that is given of it
            later = self._ahead.get(log.path)
            if later is not None and later.goes_on(block.data):
                continue
            self._ahead.pop(log.path, None)
            if log.first_line and (now is None or log.first_time is None or log.first_time <= now):
                later = self._find(block, log)
                if later is not None:
                    self._ahead[log.path] = later

    def _find(self, block: Block, log: Sample) -> Repeating | None:
        """Find where the beginning of a log stands in a block."""
        data, place = block.data, -1
        while (place := data.find(log.first_line, place + 1)) >= 0:
            head = log.head[: len(data) - place]
            if (place == 0 or data[place - 1 : place] == b"\n") and data.startswith(head, place):
                later = Repeating(self._read(log.path), from_start=place == 0 and block.first_line == 1)
                if later.goes_on(data[place:]):
                    return later
        return None


class Repeating:
    """A log that repeats what is being read, as far as it does."""

    def __init__(self, whole: OneShotLog, *, from_start: bool) -> None:
        self.whole = whole
        self._blocks = iter(whole)
        self._held: Block | None = None
        self._met = 0
        """Bytes of the held block that were met already."""
        self._lines = 0
        """Lines that were met."""
        self._from_start = from_start
        """Whether both logs begin alike."""
        self._ended = False

    def goes_on(self, data: bytes) -> bool:
        """Compare the next bytes of the log that is read; False where this one says something else."""
        while data and not self._ended:
            if self._held is None or self._met >= len(self._held.data):
                self._held, self._met = next(self._blocks, None), 0
            if self._held is None:
                self._ended = True
                return True
            mine = self._held.data[self._met : self._met + len(data)]
            if not data.startswith(mine):
                return False
            self._met += len(mine)
            self._lines += mine.count(b"\n")
            data = data[len(mine) :]
        return True

    def rest(self) -> Iterator[Block]:
        """Give what the other log did not have: all of it where too little agreed to be more than an accident."""
        if self._lines < _ACCIDENT and not self._from_start:
            yield from self.whole
            return
        held = self._held
        if held is not None and self._met < len(held.data):
            begun = held.data.rfind(b"\n", 0, self._met) + 1  # the other's last line may have been cut
            line = held.first_line + held.data.count(b"\n", 0, begun)
            yield Block(held.source, held.data[begun:], line, held.position, held.final)
        yield from self._blocks
