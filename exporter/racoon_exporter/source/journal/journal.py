"""racoon's records in the systemd journal, followed by way of `journalctl --follow`.

The place in the journal is the cursor of the last entry: it survives rotation, restarts of journald and reboots. When
journalctl ends, for whatever reason, it is started again behind that cursor, the first time after a second, then less and less
often.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, OneStream, SourceStatus, StartAt
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.journal.duplicates import TransportDuplicates
from racoon_exporter.source.journal.entry import read_entry
from racoon_exporter.source.journal.journalctl import Journalctl, JournalOptions
from racoon_exporter.source.reporting import LiveCounts, Throttle, Trouble, reason

logger = logging.getLogger(__name__)

JOURNAL = "journal"
"""The journal's name among the sources."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before journalctl is started again, doubled each time it gave nothing."""

_PIECE = 64 * 1024
_CURSOR = re.compile(r"[a-z]=[0-9a-f]++(?:;[a-z]=[0-9a-f]++)*+")
_CURSOR_TIME = re.compile(r"(?:^|;)t=([0-9a-f]{1,14})(?:;|$)")


class JournalSource(OneStream):
    """The journal, followed. Implements `Source`."""

    def __init__(
        self,
        options: JournalOptions,
        *,
        start_at: StartAt = "beginning",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read what `options` select; `start_at` holds without a position. `clock` gives seconds."""
        self._options = options
        self._start_at: StartAt = start_at
        self._clock = clock
        self._counts = LiveCounts()
        self._doubles = TransportDuplicates()
        self._trouble = Trouble()
        self._throttle = Throttle(clock)
        self._child: Journalctl | None = None
        self._cursor = ""
        self._since: int | None = None
        self._old = False
        self._pause = FIRST_PAUSE
        self._start_time = clock()
        self._closed = False
        self.doubled = 0
        """Second copies that were dropped."""

    @property
    def name(self) -> str:
        """`journal`."""
        return JOURNAL

    @property
    def finished(self) -> bool:
        """Never: the journal goes on."""
        return False

    def position(self) -> dict[str, object] | None:
        """Return the cursor of the last entry given, and which records still wait for their copy; None before any."""
        return {"cursor": self._cursor, "copies": self._doubles.to_json()} if self._cursor else None

    def check(self, positions: Mapping[str, object]) -> None:
        """Raise ValueError where the journal's is none."""
        if JOURNAL in positions:
            _read_position(positions[JOURNAL])

    def resume(self, position: object) -> None:
        """Go on behind a position; to be called before the first read. Raises ValueError for what is none."""
        self._cursor, self._doubles = _read_position(position)

    def positions(self) -> dict[str, object]:
        """Return the position, if there is one."""
        position = self.position()
        return {} if position is None else {JOURNAL: position}

    def restore(self, positions: Mapping[str, object]) -> None:
        """Go on from the position among these."""
        if JOURNAL in positions:
            self.resume(positions[JOURNAL])

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next entries as lines of JSON, second copies left out."""
        while not self._closed:
            child = self._child or self._start()
            if child is None:
                return None
            piece = child.read(min(limit, _PIECE))
            self._listen(child)
            if piece is None:
                return None
            if not piece:
                self._ended(child)
                return None
            if block := self._counts.block(JOURNAL, self._lines(child.assembler.add(piece))):
                return block
        return None

    def descriptors(self) -> Sequence[int]:
        """Return those of the child's output and errors."""
        return self._child.descriptors() if self._child else ()

    def status(self) -> SourceStatus:
        """Counters; `up` while journalctl runs, `error` what it said last on its standard error."""
        running = self._child is not None and not self._child.at_end
        return self._counts.status(JOURNAL, up=running, error=self._trouble.error)

    def close(self) -> None:
        """End journalctl and wait for it."""
        self._closed = True
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _start(self) -> Journalctl | None:
        if self._clock() < self._start_time:
            return None
        arguments = self._options.arguments(cursor=self._cursor, since=self._since, start_at=self._start_at, old=self._old)
        try:
            self._child = Journalctl(arguments, self._counts)
        except (OSError, ValueError) as error:
            words = reason(error) if isinstance(error, OSError) else str(error)
            self._trouble.set(f"journal: cannot run {self._options.command[0]}: {words}")
            self._put_off()
        return self._child

    def _listen(self, child: Journalctl) -> None:
        """Take what the child says on its standard error as the present trouble."""
        if child.listen():
            self._trouble.set(f"journal: {child.complaint}")

    def _ended(self, child: Journalctl) -> None:
        """Take leave of a child whose output ended; it has a little time to end by itself, so that its status is true."""
        status = child.ending(self._clock())
        if status is None:
            return
        self._listen(child)
        if "cursor" in child.complaint.lower() and not child.gave:
            self._forget_cursor()
        self._old |= "boot descriptor" in child.complaint and not child.gave
        said = f": {child.complaint}" if child.complaint else ""
        self._trouble.set(f"journal: {self._options.command[0]} {_how(status)}{said}")
        child.close()
        self._child = None
        self._put_off()

    def _forget_cursor(self) -> None:
        """Go on by time where journalctl refuses the cursor (of another machine's journal, say)."""
        found = _CURSOR_TIME.search(self._cursor)
        self._since = int(found[1], 16) // 1_000_000 if found else None
        logger.warning("journal: the position is not understood by journalctl; going on by time")
        self._cursor = ""

    def _put_off(self) -> None:
        self._start_time = self._clock() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _lines(self, whole: bytes) -> bytes:
        """Return the lines for the parser out of whole lines of journalctl."""
        lines = [self._line(line) for line in whole.split(b"\n") if line]
        return b"".join(lines)

    def _line(self, raw: bytes) -> bytes:
        if raw.startswith(b"-- "):
            return b""  # "-- Boot 0123… --" and the like are no entries
        entry = read_entry(raw)
        if entry is None:
            self._lose(raw, "is no JSON object with a message")
            return b""
        if entry.cursor:
            self._cursor = entry.cursor
        self._well()
        if self._doubles.is_copy(entry.owner, entry.transport, entry.message, entry.time):
            self.doubled += 1
            return b""
        line = entry.line()
        if len(line) > MAX_LINE:
            self._counts.too_long += 1
            self._lose(raw, "is too long")
            return b""
        return line

    def _lose(self, raw: bytes, why: str) -> None:
        self._counts.lost_bytes += len(raw) + 1
        if self._throttle.allows(why):
            logger.warning("journal: an entry of %d bytes %s; it is left out", len(raw), why)

    def _well(self) -> None:
        """Note that entries come: the next restart need not wait long."""
        self._pause = FIRST_PAUSE
        if self._child is not None and not self._child.gave:
            self._child.gave = True
            self._trouble.over("journal: entries come again")


def _read_position(position: object) -> tuple[str, TransportDuplicates]:
    """Read a cursor and what waits for a copy; raises ValueError for what is none."""
    if not isinstance(position, Mapping):
        raise ValueError("position: expected an object")  # noqa: TRY004 - what a file holds is a value
    cursor = position.get("cursor")
    if not isinstance(cursor, str) or not _CURSOR.fullmatch(cursor):
        raise ValueError("position: no cursor of the journal")
    doubles = TransportDuplicates()
    doubles.restore(position.get("copies", []))
    return cursor, doubles


def _how(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
