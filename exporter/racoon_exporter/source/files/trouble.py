"""How a log is doing: whether it is there and readable; its trouble is told when it begins and when it is over.

Patience is for its rotated files, and for what may be a copy at its path: they hold newer lines up as long as they
cannot be read.
"""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from racoon_exporter.source.files.position import Identity

logger = logging.getLogger(__name__)


class Trouble:
    """The trouble of the log at one path, as of the last look."""

    def __init__(self, path: str) -> None:
        """There is none yet, and nothing was looked at."""
        self.up = False
        """Whether the log is there and readable."""
        self.missing = False
        """Whether nothing is at the path."""
        self.error: str | None = None
        """The trouble in words, for people."""
        self._path = path
        self._reported: str | None = None

    def look(self) -> None:
        """Forget the last look: what the next one finds is set anew."""
        self.up = self.missing = False
        self.error = None

    def set(self, error: OSError) -> None:
        """The log, or a file of it, cannot be read."""
        self.up = False
        self.error = f"{error.filename or self._path}: {error.strerror or os.strerror(error.errno or errno.EIO)}"

    def set_at_path(self, error: OSError) -> None:
        """What is at the path cannot even be looked at."""
        self.missing = error.errno in {errno.ENOENT, errno.ENOTDIR}
        self.set(error)

    def refuse(self, why: str) -> None:
        """The log is not read at present, which whoever decides that tells."""
        self.up = False
        self.error = self._reported = f"{self._path}: {why}"

    def report(self, *, being_read: bool) -> None:
        """Log a trouble when it begins and when it is over, not at each look; `being_read` says that a file is open still."""
        if self.error == self._reported:
            return
        if self.error:
            # Between a rotation and racoon's next record there is no file: that is how racoon works.
            level = logging.INFO if self.missing and being_read else logging.WARNING
            logger.log(level, "log %s", self.error)
        else:
            logger.info("log %s: readable again", self._path)
        self._reported = self.error


PATIENCE_NS = 60_000_000_000
"""A rotated file, or a copy, that fails for so long is given up, so that a bad sector in it does not hide the log itself."""


class Patience:
    """With files that fail: since when each does. Looks are not counted, as a busy log is looked at twenty times a second."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        """None fails yet."""
        self._monotonic_ns = monotonic_ns
        self._failing_since: dict[Identity, int] = {}

    def is_over(self, identity: Identity) -> bool:
        """Tell whether a file, which has failed again, has done so for long enough."""
        now = self._monotonic_ns()
        return now - self._failing_since.setdefault(identity, now) >= PATIENCE_NS

    def end(self, identity: Identity) -> None:
        """A file can be read, or was given up: another may have its inode later."""
        self._failing_since.pop(identity, None)
