"""What sources share that are no files: counts, and how trouble is told."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from racoon_exporter.source.contract import Block, SourceCounts, SourceStatus, lines_of

logger = logging.getLogger(__name__)

TOLD_AGAIN_SECONDS = 60.0
"""The same trouble with the same sender is told again after so long."""

SUBJECTS_KEPT = 1024
"""So many senders are remembered; an internet of forged addresses must not fill the memory."""


@dataclass(slots=True)
class LiveCounts(SourceCounts):
    """Counts of blocks that are counted when they are given."""

    def block(self, source: str, data: bytes, *, final: bool = False) -> Block | None:
        """Return lines as a block, counted; None for no lines.

        Its number is that of the first line since the start; lines skipped for their length are counted as lines.
        """
        if not data:
            return None
        first = self.lines + self.too_long + 1
        self.lines += lines_of(data)
        self.bytes += len(data)
        return Block(source, data, first, None, final)

    def status(self, name: str, *, up: bool, error: str | None) -> SourceStatus:
        """Return the counts as a status. `lag_bytes` is 0: nobody can tell what a writer has waiting in the kernel."""
        return SourceStatus(name, up, 0, SourceCounts(**self.to_json()), error)


class Trouble:
    """The present trouble of one input, logged when it begins and when it is over."""

    def __init__(self) -> None:
        self.error: str | None = None

    def set(self, error: str) -> None:
        """Remember the trouble, in words that name the input; the same one again is not logged again."""
        if error != self.error:
            logger.warning("%s", error)
        self.error = error

    def over(self, words: str) -> None:
        """Forget the trouble; `words` say in the log that it is over, if there was one."""
        if self.error is not None:
            logger.info("%s", words)
        self.error = None


class Throttle:
    """Tells once a minute at most whether something about a subject should be logged."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._told: OrderedDict[str, float] = OrderedDict()

    def allows(self, subject: str) -> bool:
        """Whether this is the first time within a minute; the oldest subjects are forgotten where there are too many."""
        now = self._clock()
        told = self._told.get(subject)
        if told is not None and now - told < TOLD_AGAIN_SECONDS:
            return False
        self._told[subject] = now
        self._told.move_to_end(subject)
        if len(self._told) > SUBJECTS_KEPT:
            self._told.popitem(last=False)
        return True


def reason(error: OSError) -> str:
    """Say in words what the system said, without the path."""
    return error.strerror or str(error)
