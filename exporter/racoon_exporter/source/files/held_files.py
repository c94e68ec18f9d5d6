"""Which of several logs reads a file: one with several names among them (links, a rotated file that is named) is read once."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from racoon_exporter.source.files.position import Identity, Position

ENDS_KEPT = 4096
"""Of so many files that were read under another name it is remembered where they were left."""


class HeldFiles:
    """The files of all logs, by device and inode."""

    def __init__(self) -> None:
        """None is read yet."""
        self._held: dict[str, frozenset[Identity]] = {}
        self._reader: dict[Identity, str] = {}
        self._ends: OrderedDict[Identity, Position] = OrderedDict()

    def note(self, log: str, held: Iterable[Identity]) -> frozenset[Identity]:
        """Note which files a log reads; gives those that it does not read any more."""
        now, before = frozenset(held), self._held.get(log, frozenset())
        if now == before:
            return frozenset()
        self._held[log] = now
        for identity in before - now:
            if self._reader.get(identity) == log:
                del self._reader[identity]
        for identity in now:
            self._reader.setdefault(identity, log)
        return before - now

    def ended(self, position: Position) -> None:
        """Note where a file was left."""
        self._ends[position.identity] = position
        if len(self._ends) > ENDS_KEPT:
            self._ends.popitem(last=False)

    def reader_of(self, identity: Identity, log: str) -> str | None:
        """Tell which other log reads a file, if one does."""
        reader = self._reader.get(identity)
        return reader if reader != log else None

    def end_of(self, identity: Identity) -> Position | None:
        """Tell where a file was left by whoever read it last."""
        return self._ends.get(identity)
