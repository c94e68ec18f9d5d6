"""The newest records in memory, for `/api/v1/events` and the page: bounded in number and in text, each with a cursor."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from racoon_parsers.reader import Record

MOST_RECORDS: Final = 1000
MOST_CHARACTERS: Final = 256 * 1024
"""Text kept of all records together: a peer that makes racoon write long lines displaces records, not memory."""


class Entry(NamedTuple):
    """A record and its place in the order of reading."""

    cursor: int
    source: str
    record: Record


class Window(NamedTuple):
    """Entries behind a cursor."""

    entries: tuple[Entry, ...]
    """Oldest first."""
    cursor: int
    """What to ask for next: all up to here was given."""
    missed: bool
    """Whether entries behind the cursor that was asked for are no longer, or were never, in memory."""


class EventRing:
    """Keeps the newest records. Not thread-safe: it is written and read under the reader's lock.

    Cursors grow by one with each record. The first one is chosen by whoever makes the ring; taken from the clock, cursors
    also grow over a restart, and a client that goes on with an old one is told that it missed something.
    """

    def __init__(self, first: int = 1, *, records: int = MOST_RECORDS, characters: int = MOST_CHARACTERS) -> None:
        self._entries: deque[Entry] = deque()
        self._records = records
        self._left = characters
        self._next = max(1, first)

    def add(self, record: Record, source: str) -> None:
        """Take a record; the oldest ones make room. One that is longer than all the room there is is passed over."""
        entries = self._entries
        entries.append(Entry(self._next, source, record))
        self._next += 1
        self._left -= len(record.text)
        while entries and (self._left < 0 or len(entries) > self._records):
            self._left += len(entries.popleft().record.text)

    def newest(self, most: int) -> tuple[Entry, ...]:
        """Give the newest entries, newest first."""
        return tuple(entry for _, entry in zip(range(most), reversed(self._entries), strict=False))

    def since(self, cursor: int | None, most: int) -> Window:
        """Give at most so many entries behind a cursor, the oldest first; without one, from the oldest there is.

        A cursor that was never given out, from another life of the program, is answered like one that is too old.
        """
        known = cursor is not None and cursor < self._next
        start = cursor if known and cursor is not None else 0
        oldest = self._entries[0].cursor if self._entries else self._next
        found = tuple(entry for _, entry in zip(range(most), self._behind(start), strict=False))
        missed = cursor is not None and (not known or start + 1 < oldest)
        return Window(found, found[-1].cursor if found else self._next - 1, missed)

    def _behind(self, cursor: int) -> list[Entry]:
        return [entry for entry in self._entries if entry.cursor > cursor]
