"""A log file that is rotated, truncated, deleted and replaced while it is read, as one stream of lines.

racoon opens, appends to and closes its log for each record, so after a rename the next record is in a new file; syslog
daemons hold the file open and go on writing to the renamed one until they are told. Both are served by these rules:

1. The open descriptor is read, whatever becomes of the name.
2. When the path leads to another file that has content, the old one is read to its end once more, an incomplete last line
   is given as it is, and what follows is read: files that became the log and were rotated away again, then the one at the
   path. An empty new file changes nothing yet. A file that was read before is read on from where it was left.
3. When the content before the offset is no longer what it was, the file was truncated. If copytruncate left a copy, the
   unread rest is read from the copy, else it is counted as lost; then what follows is read, as in 2.
4. After a stop, the file of the checkpoint is found under any name, or its content in a rotated or compressed sibling.
   What is not found is counted as lost as far as it was known; then what follows is read, as in 2.
5. Trouble (missing, a directory in its place, no permission, an I/O error) is told by `status`, logged once, and tried again
   at each read.
"""

from __future__ import annotations

import logging
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, SourceCounts, SourceStatus, StartAt
from racoon_exporter.source.files.beginning import Beginning
from racoon_exporter.source.files.folders import Folders, regular
from racoon_exporter.source.files.held_files import HeldFiles
from racoon_exporter.source.files.lineage import Lineage
from racoon_exporter.source.files.open_file import Chunk, ContentChangedError, OpenFile
from racoon_exporter.source.files.position import Identity, Position
from racoon_exporter.source.files.stored_bytes import NotALogError
from racoon_exporter.source.files.system import SYSTEM, System, is_ours, kind_of
from racoon_exporter.source.files.trouble import Trouble

if TYPE_CHECKING:
    import os

logger = logging.getLogger(__name__)

_MOST_STEPS = 1000
"""From file to file in one read, so that it comes back to its caller whatever is beside the log."""

_Look = tuple[int, int, int, int]
_Outcome = tuple[Block | None, bool]


class FileSource:
    """The log at one path. Implements `Source`."""

    def __init__(
        self,
        path: str,
        *,
        start_at: StartAt = "beginning",
        backfill: bool = False,
        system: System = SYSTEM,
        folders: Folders | None = None,
        held_files: HeldFiles | None = None,
    ) -> None:
        """Read the log at `path`.

        Without a checkpoint, `start_at` says where a file that is there at the first look is begun, and `backfill` that
        its rotated siblings are read before it. A file that appears later is always read from its beginning. `folders`
        are listed for several logs together; of `held_files` those that another log reads are left to it. Raises ValueError for
        a path that no file can have.
        """
        if not path or "\0" in path:
            raise ValueError(f"not a path: {path!r}")
        self._path = path
        self._system = system
        self._counts = SourceCounts()
        self._held_files = held_files or HeldFiles()
        self._lineage = Lineage(path, folders or Folders(system), self._counts, self._held_files)
        self._beginning = Beginning(path, self._lineage, self._counts, start_at=start_at, backfill=backfill)
        self._generation: OpenFile | None = None
        self._aside: OpenFile | None = None
        """A file that was truncated and is to be read from its beginning once its copy has been; it may be deleted by then."""
        self._look_before: _Look | None = None
        self._looked = False
        self._resting = False
        self._waiting_bytes = 0
        self._changed_ns = 0
        self._trouble = Trouble(path)
        self._read_elsewhere: str | None = None
        """The other log that reads the file at the path."""
        self._closed = False
        self._note_held()

    @property
    def name(self) -> str:
        """The path as it was given."""
        return self._path

    @property
    def is_open(self) -> bool:
        """Whether a file is open."""
        return self._generation is not None

    @property
    def gone(self) -> bool:
        """Whether nothing is at the path and all that was has been given, but for an incomplete last line."""
        generation = self._generation
        return self._trouble.missing and (
            generation is None or (generation.at_end and generation.largest_size == generation.read_to)
        )

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next whole lines, about `limit` bytes of them, or None when there is nothing new; never raises OSError."""
        if self._closed:
            return None
        try:
            block = self._read(limit)
        except OSError as error:
            self._trouble.set(error)
            block = None
        self._trouble.report(being_read=self.is_open)
        self._looked = True
        self._note_held()
        return block

    def position(self) -> Position | None:
        """Where the source stands after the last block; the checkpoint it was given as long as its file is not found."""
        generation = self._generation
        return self._beginning.checkpoint if generation is None else replace(generation.position(), past=self._lineage.past)

    def resume(self, position: Position) -> None:
        """Go on from a checkpoint; to be called before the first read."""
        self._beginning.resume(position)
        self._note_held()

    @property
    def left(self) -> tuple[Position, ...]:
        """Where files were left for good that once were generations of this log, the newest last."""
        return self._lineage.past.left

    @property
    def identity(self) -> Identity | None:
        """Device and inode of the file that is being read here, or is to be found again from the checkpoint."""
        position = self._generation or self._beginning.checkpoint
        return None if position is None else position.identity

    @property
    def held(self) -> tuple[Identity, ...]:
        """The files that are read here and nowhere else, under whatever name; at first, that of the checkpoint."""
        read = (self._generation, self._aside, self._beginning.checkpoint if self._resting or not self._looked else None)
        return tuple(each.identity for each in read if each is not None)

    def finish(self) -> Block | None:
        """Return the incomplete last line, for when the log is given up."""
        generation = self._generation
        chunk = generation.end() if generation else None
        return self._block(chunk, final=True) if chunk else None

    def status(self) -> SourceStatus:
        """Counters since the source was made, and how things stood at the last read. Touches no disk."""
        generation = self._generation
        lag = self._waiting_bytes + (generation.lag if generation else 0) + self._beginning.queued_bytes
        return SourceStatus(self._path, self._trouble.up, lag, replace(self._counts), self._trouble.error)

    def rest(self) -> bool:
        """Close the file until it changes, to spare a descriptor; False if there is something to do with it still."""
        look, generation = self._look_before, self._generation
        if look is None or generation is None or self._beginning.is_queued or self._aside is not None:
            return False
        self._let_go()
        self._look_before, self._resting = look, True
        self._note_held()
        return True

    def rests(self) -> bool:
        """Whether the file was closed to spare a descriptor and nothing happened to it since."""
        if self._resting:
            status = regular(self._path, self._system)
            self._resting = status is not None and _look_of(status) == self._look_before
        return self._resting

    def refuse(self, why: str) -> None:
        """Note why the log is not read at present."""
        self._trouble.refuse(why)

    def close(self) -> None:
        """Close the file; the position stays."""
        self._closed = True
        self._let_go()
        self._resting, self._looked = False, True
        self._note_held()

    # The steps of a read.

    def _read(self, limit: int) -> Block | None:
        for _ in range(_MOST_STEPS):
            block, again = self._once(limit)
            if not again:
                return block
        return None  # the others have their turn

    def _once(self, limit: int) -> _Outcome:
        """Look at the path and read where the source stands; says whether to do so again, after a step to another file."""
        here = self._look()
        if self._resting and here is not None and _look_of(here) == self._look_before:
            return None, False
        self._resting = False
        if here is not None and self._leaves_to_another(Identity.of(here)):
            if self._generation is None:
                return None, False
            here = None
        self._generation = generation = self._generation or self._beginning.first(
            None if here is None else Identity.of(here), missing=self._trouble.missing
        )
        if generation is None:
            return None, False
        current = here if here is not None and Identity.of(here) == generation.identity else None
        look = _look_of(current) if current else None
        if look is not None and look == self._look_before:
            return None, False
        return self._advance(generation, limit, here, current)

    def _note_held(self) -> None:
        for identity in self._held_files.note(self._path, self.held):
            kept = self._beginning.checkpoint
            end = kept if kept is not None and kept.identity == identity else self._lineage.left(identity)
            if end is not None:
                self._held_files.ended(end)

    def _leaves_to_another(self, identity: Identity) -> bool:
        """Leave the file at the path to the other log that reads it, if one does; what one read of it once counts as read."""
        if self._generation is not None and self._generation.identity == identity:
            return False
        other = self._lineage.reader_of(identity)
        if other is None and self._read_elsewhere is not None:
            there = regular(self._read_elsewhere, self._system)  # which may not have opened its next file yet
            if there is not None and Identity.of(there) == identity:
                return True
        if other is None and (end := self._held_files.end_of(identity)) and self._lineage.left(identity) is None:
            self._lineage.leave(end)
        if other is not None and other != self._read_elsewhere:
            logger.warning("log %s: it is the same file as %s, and counts there", self._path, other)
        self._read_elsewhere = other
        return other is not None

    def _advance(
        self, generation: OpenFile, limit: int, here: os.stat_result | None, current: os.stat_result | None
    ) -> _Outcome:
        """Read on; `current` is the status of the file that is read if it is the one at the path, `here`."""
        self._look_before = None
        if generation.read_to == 0 and not self._beginning.filling_in:
            before = self._lineage.next_unread(generation, earlier=True)
            if before is not None:  # nothing of the file was seen, so nothing shows that it was truncated
                return self._put_off(generation, before, here), True
        try:
            chunk = self._take(generation, limit, at_path=current is not None)
        except ContentChangedError:
            block = self._truncated(generation, here)
            return block, block is None
        self._notice(generation, current)
        if chunk:
            return self._block(chunk), False
        if current and generation.at_end:
            if generation.read_to == generation.offset and (aside := self._take_up(generation)):
                return self._step(generation, aside, here), True
            self._look_before = _look_of(current)
        if current or not generation.at_end:  # it may have skipped long enough for once
            return None, False
        return self._go_over(generation, here)

    def _put_off(self, generation: OpenFile, before: OpenFile, here: os.stat_result | None) -> Block | None:
        """Read an older file first; what is deleted, or in a directory that was renamed, stays open: no path leads to it."""
        if self._aside is not None or not (here is None or generation.is_deleted()):
            return self._step(generation, before, here)
        self._generation, self._aside = before, generation
        self._lineage.entered(before.identity, at_path=False)
        return None

    def _go_over(self, generation: OpenFile, here: os.stat_result | None) -> _Outcome:
        """From a file that was read to its end and is not at the path go to the next, if there is one yet."""
        following = self._beginning.next_to_fill_in()
        if following is None:
            following = self._between(generation) or self._successor(generation, here)
            if following is None:
                return (self._last_words(generation) if here is None else None), False
            if self._has_more(generation, following):
                following.close()
                return None, True
            self._counts.rotations += not self._beginning.filling_in
            self._beginning.filling_in = False
        block = self._step(generation, following, here)
        return block, block is None

    def _has_more(self, generation: OpenFile, following: OpenFile) -> bool:
        """Tell whether the old file got more before the next one took over, of which is known only now."""
        try:
            return generation.reader.behind(generation.read_to) > 0
        except OSError:
            following.close()
            raise

    def _look(self) -> os.stat_result | None:
        """Tell what stands at the path if that is a file; else None, and the trouble is set."""
        self._trouble.look()
        try:
            status = self._system.stat(self._path)
        except OSError as error:
            self._trouble.set_at_path(error)
            return None
        if not stat.S_ISREG(status.st_mode):
            self._trouble.set(NotALogError(self._path, kind_of(status.st_mode)))
            return None
        self._trouble.up = True
        return status

    def _take(self, generation: OpenFile, limit: int, *, at_path: bool) -> Chunk | None:
        try:
            chunk = generation.take(limit)
        except OSError as error:
            if at_path or is_ours(error) or not self._lineage.patience.is_over(generation.identity):
                self._let_go()  # to be found again: the file system may have lost it (ESTALE)
                raise
            logger.warning("log %s: a rotated file cannot be read: %s", self._path, error.strerror or error)
            self._notice(generation, None)
            generation.abandon_rest()
            chunk = None
        self._lineage.patience.end(generation.identity)
        return chunk

    def _notice(self, generation: OpenFile, here: os.stat_result | None) -> None:
        """Keep the sizes that lag and losses are counted from; `here` if it is the generation being read."""
        if here is not None:
            generation.note_size(here.st_size)
            self._changed_ns = here.st_mtime_ns
            self._waiting_bytes = 0
            return
        behind = generation.reader.behind(generation.read_to)
        if generation.reader.plain:
            generation.note_size(generation.read_to + behind)
        else:
            generation.guess(behind)

    # Going from one generation to the next.

    def _between(self, generation: OpenFile) -> OpenFile | None:
        """Return the oldest file with something unread between `generation` and the one at the path."""
        unread = self._lineage.next_unread(generation)
        aside = self._aside
        if aside is None or not self._comes_first(aside, unread, generation):
            return unread
        self._aside = None
        if unread is not None:
            unread.close()
        return aside

    def _take_up(self, log: OpenFile) -> OpenFile | None:
        """Return what was put off, if it holds something unread: where an older file is the log again, no path leads there."""
        if self._aside is None or not self._lineage.stand_where_left(self._aside, log).unread():
            self._drop_aside()
            return None
        aside, self._aside = self._aside, None
        return aside

    def _comes_first(self, aside: OpenFile, unread: OpenFile | None, leaving: OpenFile) -> bool:
        """Tell whether a file that was truncated holds something unread that is older than the next rotated file."""
        try:
            if unread is not None and unread.changed_ns() < aside.changed_ns():
                return False
            return self._lineage.stand_where_left(aside, leaving).unread()
        except OSError:
            if unread is not None:
                unread.close()
            raise

    def _successor(self, generation: OpenFile, here: os.stat_result | None) -> OpenFile | None:
        """Return the file that is at the path now, if it has content."""
        self._waiting_bytes = here.st_size if here else 0
        if not self._waiting_bytes:
            return None
        opened = self._lineage.open_log(generation)
        if here is not None and opened.identity == Identity.of(here):
            return opened
        opened.close()  # replaced since the look: another look first, or the file in between would be missed
        return None

    def _step(self, old: OpenFile, new: OpenFile, here: os.stat_result | None) -> Block | None:
        """Make `new` the generation being read; returns the incomplete last line of the old one."""
        chunk = old.end()
        if old.reader.error:
            logger.warning("log %s: %s", self._path, old.reader.error)
        # A daemon may have written to the old file after the next one was begun: what is unread is no older than that one.
        self._lineage.leave(old.position(), min(old.changed_ns(), new.changed_ns()) if old.read_to else 0)
        old.close()
        self._generation = new
        at_path = here is not None and new.identity == Identity.of(here)
        self._lineage.entered(new.identity, at_path=at_path)
        if at_path:
            self._drop_aside()
        if new.read_to:  # by which it is known again, if it is truncated or gone before more of it is read
            self._notice(new, here if at_path else None)
        return self._block(chunk, final=True) if chunk else None

    def _last_words(self, generation: OpenFile) -> Block | None:
        """Return the incomplete last line of a deleted file."""
        return self.finish() if generation.is_deleted() else None

    def _truncated(self, generation: OpenFile, here: os.stat_result | None) -> Block | None:
        """The file was truncated: go on in the copy if there is one, else give what is held and go on with what follows."""
        fresh = OpenFile(generation.reader, self._counts)
        position = replace(generation.position(), size=generation.largest_size)
        copy = self._lineage.copy_of(position, generation, since_ns=self._changed_ns)
        if copy is not None:
            self._lineage.leave(position)  # by which other copies of it are known
            if here is None or copy.identity != Identity.of(here):
                self._drop_aside()
                self._generation, self._aside = copy, fresh
                return None
            copy.close()  # it is the log by now, and is read on in its turn
        unread = self._lineage.next_unread(generation if copy is None else fresh)
        first = self._comes_first(fresh, unread, generation)
        self._counts.rotations += 1  # with a copy it is counted on the way from the copy to the file
        chunk = generation.end() if copy is None else None
        if copy is None:
            if not fresh.goes_on_elsewhere:
                generation.lose(generation.largest_size - generation.read_to)
            self._lineage.leave(generation.position(), rest_is_lost=not fresh.goes_on_elsewhere)
        if unread is None or first:
            if unread is not None:
                unread.close()
            self._generation = fresh
        else:
            self._drop_aside()
            self._generation, self._aside = unread, fresh
            self._lineage.entered(unread.identity, at_path=False)
            if unread.read_to:
                self._notice(unread, None)
        return self._block(chunk, final=True) if chunk else None

    def _drop_aside(self) -> None:
        aside, self._aside = self._aside, None
        if aside is not None:
            aside.close()

    def _let_go(self) -> None:
        """Close the file and keep where it stood, to find it again."""
        self._drop_aside()
        if self._generation is not None:
            self._beginning.checkpoint = self.position()
            self._generation.close()
            self._generation = None
            self._look_before = None

    # Telling.

    def _block(self, chunk: Chunk, *, final: bool = False) -> Block:
        assert self._generation is not None
        return Block(self._path, chunk.data, chunk.first_line, self.position(), final)


def _look_of(status: os.stat_result) -> _Look:
    """Tell what changes when a file is written to, truncated or replaced."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
