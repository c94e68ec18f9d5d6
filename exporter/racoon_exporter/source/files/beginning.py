"""Where reading of a log begins: at its file, at those rotated before, or where an earlier process, or this one, stood."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from racoon_exporter.source.contract import SourceCounts, StartAt
from racoon_exporter.source.files.lineage import Lineage
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.position import Identity, Position
from racoon_exporter.source.files.system import is_ours

if TYPE_CHECKING:
    from racoon_exporter.source.files.siblings import Sibling

logger = logging.getLogger(__name__)


class Beginning:
    """Opens the first file of a log to read, as often as none is open."""

    def __init__(self, path: str, lineage: Lineage, counts: SourceCounts, *, start_at: StartAt, backfill: bool) -> None:
        """Of the log at `path` with its `lineage`; what is found to be lost is added to `counts`."""
        self.checkpoint: Position | None = None
        """Where reading goes on; None for a log that is known from now on, or is being read."""
        self.filling_in = False
        """Whether what is read was rotated away before the log was known."""
        self._path = path
        self._lineage = lineage
        self._counts = counts
        self._start_at: StartAt = start_at
        self._backfill = backfill
        self._begun = False
        self._queue: deque[Sibling] = deque()
        self._known_packed: set[Identity] = set()
        """Those of them that were compressed when they were listed, and those that are by now and were opened."""

    @property
    def queued_bytes(self) -> int:
        """Bytes in files that are to be filled in and were not opened yet."""
        return sum(each.size for each in tuple(self._queue))

    @property
    def is_queued(self) -> bool:
        """Whether there is a file to be filled in yet."""
        return bool(self._queue)

    def resume(self, position: Position) -> None:
        """Go on from a checkpoint."""
        self.checkpoint = position
        if position.past is not None:
            self._lineage.resume(position.past)

    def first(self, here: Identity | None, *, missing: bool) -> OpenFile | None:
        """Open the first file to read; None as long as there is none. At the path stands `here`, or it is `missing`."""
        if self.checkpoint is not None and self._lineage.reader_of(self.checkpoint.identity):
            self._lineage.leave(self.checkpoint)
            self.checkpoint, self._begun = None, True
        if self.checkpoint is not None:
            return self._found_again(self.checkpoint, here)
        if not self._begun:
            self._begin()
        elif not self._queue and (unread := self._lineage.next_unread(None)):
            return unread
        if queued := self.next_to_fill_in():
            return queued
        if here is None:
            if missing:
                self._start_at = "beginning"
            return None
        generation = self._lineage.open_log()
        if self._start_at == "end":
            _skip(generation)
        self.filling_in = False
        self._lineage.entered(generation.identity, at_path=True)
        return generation

    def next_to_fill_in(self) -> OpenFile | None:
        """Open the next rotated file to fill in from its beginning; what cannot be had is told and counted as lost."""
        while self._queue:
            sibling = self._queue.popleft()
            try:
                opened = self._lineage.open_queued(sibling, self._known_packed)
            except OSError as error:
                if is_ours(error):
                    self._queue.appendleft(sibling)
                    raise
                self._lineage.lose(sibling, error)
                continue
            if not opened.reader.plain:
                self._known_packed.add(opened.identity)
            return opened
        return None

    def _begin(self) -> None:
        """At the first look take the rotated files for old, or for to be read; later ones were the log meanwhile."""
        rotated = self._lineage.begin(backfill=self._backfill)
        self.filling_in = self._backfill and bool(rotated)
        self._queue.extend(rotated if self._backfill else ())
        self._known_packed.update(each.identity for each in self._queue if each.packed)
        self._begun = True

    def _found_again(self, position: Position, here: Identity | None) -> OpenFile | None:
        """Return the file of the checkpoint, or what follows it when that is not to be found any more."""
        found = self._lineage.still_there(position) if here == position.identity else None
        found = found or self._lineage.of(position)
        if found is None:
            found = self._without(position, here)
            if found is None:
                return None  # it may come back, or its successor come
        elif position.past is None:
            self._lineage.leave(position, found.changed_ns())
        self._begun = True
        self.checkpoint = None
        at_path = found.identity == here
        if not at_path:
            self._lineage.leave(position)  # copies of it are known again by this
        self._lineage.entered(found.identity, at_path=at_path)
        return found

    def _without(self, position: Position, here: Identity | None) -> OpenFile | None:
        """Return what follows a file that is not to be found any more: its copy, else what came later; None if nothing did."""
        copy = self._lineage.copy_of(position, since_ns=self._lineage.past.since_ns)
        if copy is None and here is None and position.past is None:
            return None
        if copy is not None:
            self._lineage.leave(position, copy.changed_ns() if position.past is None else 0)
            if copy.identity != here:
                return copy
            copy.close()  # it is the log by now; what was that meanwhile comes first
        elif position.past is None:
            self._lineage.begin()  # an older version wrote the position: nothing tells which of the rotated files are new
        self._lineage.leave(position)
        following = self._lineage.next_unread(None) or (self._lineage.open_log() if here is not None else None)
        if following is None:
            return None
        self._counts.rotations += 1
        if copy is None and not following.goes_on_elsewhere:
            self._lose_rest(position)
        return following

    def _lose_rest(self, position: Position) -> None:
        logger.warning(
            "log %s: the file that was read last is gone, with %d bytes of it that were not read and whatever came later",
            self._path,
            position.unread,
        )
        self._lineage.leave(position, rest_is_lost=True)
        self._counts.lost_bytes += position.unread


def _skip(generation: OpenFile) -> None:
    try:
        generation.skip_to_end()
    except OSError:
        generation.close()
        raise
