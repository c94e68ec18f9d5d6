"""Which file comes after which: finding the file a position belongs to, the one that follows it, and what was read before.

The rules, each for a reason that happened:

- A file is the one of a position if device and inode are the same and the content before the offset is (inodes are reused
  soon). It may have any name in the directory by then.
- Failing that, a file with the same content before the offset is, beside the log or in its place: copytruncate made it, or
  gzip did, and somebody may have moved it. Short content proves nothing, so this needs PROOF_SPAN bytes; less is enough for a
  file that came since, of which it must be said what it is. Of several it is the one that was not read further already.
- Where a file was left is remembered. When it comes back, at the path (a link switched there and back, `mv log.1 log`) or
  beside it, under its own name or as a copy, it is read on from there.
- A copy that was made before more was read of its original ends before the place that is remembered. What such a file has in
  common with one that was read and still stands somewhere, byte for byte, was read.
- Between a file and the next come the siblings that were changed since the file before was left, oldest first. It does not
  matter whether the file itself still stands beside them: with `rotate 2` the third rotation takes it away.
- logrotate's `olddir` is known by what was read and is found in it (`Places`).
- What stood beside the log before it was first looked at is old, and so is what stands beside the target that a link is
  switched to and was not changed since: never read.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Container, Iterable, Iterator, Sequence

from racoon_exporter.source.contract import SourceCounts
from racoon_exporter.source.files.fingerprint import NOTHING
from racoon_exporter.source.files.folders import Folders
from racoon_exporter.source.files.former_files import PROOF_SPAN, FormerFiles, is_proof
from racoon_exporter.source.files.held_files import HeldFiles
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.places import Places
from racoon_exporter.source.files.position import Identity, Past, Position
from racoon_exporter.source.files.same_text import ReadText, known_to
from racoon_exporter.source.files.siblings import STEADY_LOOKS, Sibling, UnsteadyError, oldest_first
from racoon_exporter.source.files.stored_bytes import PlainReader, open_reader
from racoon_exporter.source.files.system import is_ours
from racoon_exporter.source.files.trouble import Patience
from racoon_exporter.source.rotated_names import is_packed

logger = logging.getLogger(__name__)


class DamagedError(OSError):
    """A compressed file is damaged before it could be told what of it was read already: waiting does not help."""


class Lineage:
    """The files of one log besides the one that is read: those before it, and those that follow."""

    def __init__(self, path: str, folders: Folders, counts: SourceCounts, held_files: HeldFiles) -> None:
        """Of the log at `path`; what is lost with a rotated file is counted in `counts`, `held_files` are those of all logs."""
        self._path = path
        self._system = folders.system
        self._now_ns = folders.now_ns
        self._counts = counts
        self._held_files = held_files
        self._since_ns = 0
        self._places = Places(path, folders)
        self._left = FormerFiles()
        self._past: Past | None = None
        self._searched: tuple[Position, list[Sibling], list[Sibling]] | None = None
        self._searched_below: tuple[Position, list[Sibling]] | None = None
        self._settled: dict[Identity, tuple[int, int]] = {}
        """Size and last change of files that hold nothing new, so that they are not opened, or unpacked, at each look."""
        self.patience = Patience(folders.system.monotonic_ns)

    # What was before.

    @property
    def past(self) -> Past:
        """What to remember over a restart."""
        if self._past is None:
            self._past = Past(self._since_ns, self._places.base, self._left.positions(), self._places.found_in)
        return self._past

    def resume(self, past: Past) -> None:
        """Remember what an earlier process knew."""
        self._since_ns, self._past = past.since_ns, past
        self._places.base, self._places.found_in = past.base, past.found_in
        self._left.resume(past.left)

    def begin(self, *, backfill: bool = False) -> list[Sibling]:
        """Take every rotated file that stands there now for old, or for to be read; returns them, the oldest first by name."""
        rotated = self._places.rotated()
        if backfill:
            return rotated
        self._since_ns = max([self._places.begun_ns(), *(each.mtime_ns for each in rotated)])
        self._take_for_old(rotated)
        return rotated

    def _take_for_old(self, rotated: Iterable[Sibling]) -> None:
        for sibling in rotated:
            if sibling.mtime_ns == self._since_ns:
                self._leave_unread(sibling)  # what comes next may have been written in the same tick of the clock
        self._past = None

    def _learn(self, path: str, file: OpenFile) -> None:
        """Look in the folder of a file, too, that is or was a generation of the log."""
        if there := self._places.learn(path):
            self._take_for_old(_older(there, file))

    def _follow(self, leaving: OpenFile) -> None:
        """Learn where the file that was read last was put, or a copy of it."""
        where = leaving.reader.where()
        if where is not None and not self._places.holds(where, leaving.identity):
            # The name by which it was opened is gone: perhaps it has another, as a hard link.
            where = self._places.path_of(leaving.identity) or where
        if where is not None:
            self._learn(where, leaving)
        if leaving.is_deleted() and (copy := self._below(leaving.ending())):
            copy.close()

    def entered(self, identity: Identity, *, at_path: bool) -> None:
        """Note which file is read now. If it is at the path, or beside where the path leads, that is where the log is since."""
        if self._places.entered(identity, at_path=at_path):
            self._since_ns = max(self._since_ns, self._places.switched_ns() or 0)
            self._past = None

    def leave(self, position: Position, changed_ns: int = 0, *, rest_is_lost: bool = False) -> None:
        """Remember where a file was left that was changed last at `changed_ns`."""
        self._left.leave(position, rest_is_lost=rest_is_lost)
        self._since_ns = max(self._since_ns, changed_ns)
        self._past = None

    def reader_of(self, identity: Identity) -> str | None:
        """Tell which other log reads a file, if one does."""
        return self._held_files.reader_of(identity, self._path)

    def left(self, identity: Identity) -> Position | None:
        """Where the file with this identity was left, if it was read once."""
        return self._left.of(identity)

    # The file of a position.

    def of(self, position: Position) -> OpenFile | None:
        """Return the file of a position under whatever name it has by now, but for the log's own, open and standing there."""
        rotated = self._places.rotated()
        for _ in range(STEADY_LOOKS):
            path = self._places.path_of(position.identity)
            if path is not None and (found := self._known_at(path, position)):
                self._learn(path, found)
                return found
            before, rotated = rotated, self._places.rotated()
            if before == rotated:
                return None
        raise UnsteadyError(self._path)  # it may have been renamed under the search

    def still_there(self, position: Position) -> OpenFile | None:
        """Return the log if it is what it was, standing where the position says. Raises OSError."""
        return self._opened_again(self._path, position)

    def copy_of(self, position: Position, leaving: OpenFile | None = None, *, since_ns: int = 0) -> OpenFile | None:
        """Return the file that holds what a position was read of, open and standing there: a copy, wherever it was put.

        copytruncate makes one before it truncates, gzip another, and an operator may have moved it to the log's own path.
        Unpacking costs time: a file that was not changed since the other was last seen to change (`since_ns`) is not unpacked,
        and as long as nothing changed since a search in vain, none is made again.
        """
        rotated = [each for each in self._places.rotated(leaving) if not each.packed or each.mtime_ns >= since_ns]
        search = (position, rotated, beside := self._places.standing(leaving))
        if search == self._searched:
            return self._below(position)
        likeliest_first = sorted(rotated, key=lambda each: (self._is_read_beyond(each, position), *each.by_age))
        if position.fingerprint.length < PROOF_SPAN:
            likeliest_first = list(filter(self._is_new, likeliest_first))
        all_opened = True
        for sibling in [*likeliest_first, *(beside if is_proof(position) else ())]:
            try:
                found = self._opened_at(sibling.path, position) if sibling.identity != position.identity else None
            except FileNotFoundError:
                all_opened = False
                continue
            except OSError as error:
                all_opened = False  # it may become readable, of which neither size nor time tells
                if is_ours(error):
                    raise
                if sibling in beside:  # as the log it is read whenever it can be, after its rest was counted as lost
                    self._refuse(sibling.identity, error)
                elif sibling.mtime_ns >= since_ns and self._may_be_copy(sibling, position):
                    self._give_up_copy(sibling, position, error)
                    break
                continue
            if found is not None:
                return found
        self._searched = search if all_opened else None
        return self._below(position)

    def _may_be_copy(self, sibling: Sibling, position: Position) -> bool:
        """Tell of a file that cannot be read whether it may hold what a position was read of, as far as date and size tell."""
        is_new = sibling.mtime_ns >= self._since_ns and self.left(sibling.identity) is None
        return is_new and not sibling.packed and sibling.size >= position.size > 0

    def _give_up_copy(self, sibling: Sibling, position: Position, error: OSError) -> None:
        """Lose what an unreadable copy has beyond what is known to have been in its original. Raises while it is waited for.

        If all that was read, nothing tells that more was written: there is nothing to wait for.
        """
        more = sibling.size - position.size
        if more or position.unread:
            self._refuse(sibling.identity, error)
            logger.warning("log %s: %s: %s; what was unread is lost", self._path, sibling.path, error.strerror or error)
            self._counts.lost_bytes += more
        self._since_ns = max(self._since_ns, sibling.mtime_ns)  # what is older was the log before its original
        self._give_up(sibling)

    def _below(self, position: Position) -> OpenFile | None:
        """Return a copy of what a position was read of from a folder below the log's, which is one of its places then."""
        if position.fingerprint.length < PROOF_SPAN:
            return None
        search = (position, new := [each for each in self._places.below() if each.mtime_ns >= self._since_ns])
        if search != self._searched_below:
            for sibling in sorted(new, key=lambda each: each.by_age):
                if found := self._at(sibling.path, position):
                    self._learn(sibling.path, found)
                    return found
        self._searched_below = search
        return None

    def _is_read_beyond(self, sibling: Sibling, position: Position) -> bool:
        """Tell whether a file was read further than a position: more likely it only begins like the copy that is looked for."""
        left = self.left(sibling.identity)
        return left is not None and left.offset > position.offset

    def _is_new(self, sibling: Sibling) -> bool:
        """Tell whether a rotated file came since, as far as dates and content tell: inodes are used again."""
        return sibling.mtime_ns >= self._since_ns and not self._was_read(sibling)

    def _was_read(self, sibling: Sibling) -> bool:
        """Tell whether a file begins with something that was read, in it or in what it is a copy of."""
        try:
            generation = OpenFile(open_reader(sibling.path, self._system), self._counts)
        except OSError as error:
            if is_ours(error):
                raise
            return False  # what cannot be opened is no copy of anything either
        try:
            known = self._left.stand(generation, None)
        except OSError:
            known = None
        generation.close()
        return known is not None and known.offset > 0

    def _known_at(self, path: str, position: Position) -> OpenFile | None:
        """Return the file with the identity of a position; one that cannot be opened may be readable at the next look."""
        try:
            return self._opened_again(path, position)
        except OSError as error:
            self._refuse(position.identity, error)
            return None

    def _opened_again(self, path: str, position: Position) -> OpenFile | None:
        """Return the file of a position. If nothing was read of that, any with its inode may be it, also a copy of another."""
        found = self._opened_at(path, position)
        if found is None or position.offset:
            return found
        try:
            return self._where_left(found, path, None, grows=path == self._path)
        except OSError:
            found.close()
            raise

    def _at(self, path: str, position: Position) -> OpenFile | None:
        try:
            return self._opened_at(path, position)
        except OSError as error:
            if is_ours(error):
                raise
            return None  # a file that cannot be read cannot be proven to be the one; what it held is counted as lost

    def _opened_at(self, path: str, position: Position) -> OpenFile | None:
        generation = OpenFile(open_reader(path, self._system), self._counts)
        try:
            if generation.resume_at(position):
                return generation
        except OSError:
            generation.close()
            raise
        generation.close()
        return None

    # The file that follows.

    def open_log(self, leaving: OpenFile | None = None) -> OpenFile:
        """Open the file at the path where it was left, else at its beginning; `leaving` is read until now. Raises OSError."""
        generation = OpenFile(PlainReader(self._path, self._system), self._counts)
        try:
            return self.stand_where_left(generation, leaving, grows=True)
        except OSError:
            generation.close()
            raise

    def next_unread(self, leaving: OpenFile | None, *, earlier: bool = False) -> OpenFile | None:
        """Return the oldest file with something unread that was the log after `leaving` and before the present one.

        With `earlier` one that was the log before `leaving`, whether that is the present one still or was rotated meanwhile.
        """
        for sibling in self._candidates(leaving, earlier=earlier):
            if self._holds_nothing_new(sibling):
                continue
            try:
                generation = self._plain_or_packed(sibling, leaving)
            except (FileNotFoundError, DamagedError) as error:
                self.lose(sibling, error)
                continue
            except OSError as error:
                if not self._refuse(sibling.identity, error):
                    self.lose(sibling, error)
                continue
            self.patience.end(sibling.identity)
            if generation is not None:
                return generation
            self._settled[sibling.identity] = (sibling.size, sibling.mtime_ns)
        return None

    def _holds_nothing_new(self, sibling: Sibling) -> bool:
        """Tell without opening it whether a file was found to hold nothing unread, or was given up."""
        left = self.left(sibling.identity)
        given_up = left is not None and not left.fingerprint.length and sibling.size == left.offset
        return given_up or self._settled.get(sibling.identity) == (sibling.size, sibling.mtime_ns)

    def _plain_or_packed(self, sibling: Sibling, leaving: OpenFile | None) -> OpenFile | None:
        try:
            return self._unread(sibling, leaving)
        except FileNotFoundError:
            packed = self._places.packed_since(sibling)
            if not packed:
                raise
            return next(filter(None, (self._unread(each, leaving) for each in packed)), None)

    def open_queued(self, sibling: Sibling, packed_then: Container[Identity]) -> OpenFile:
        """Open a sibling that was listed some time ago, from its beginning; it may be compressed by now. Raises OSError."""
        try:
            return self.open(sibling)
        except FileNotFoundError:
            for packed in self._places.packed_since(sibling):
                if packed.identity not in packed_then:
                    return self.open(packed)
            raise

    def open(self, sibling: Sibling) -> OpenFile:
        """Open a sibling from its beginning, under the name that it has by now; raises OSError."""
        path: str | None = sibling.path
        for _ in range(STEADY_LOOKS):
            if path is None:
                break
            try:
                reader = open_reader(path, self._system)
            except FileNotFoundError:
                pass  # renamed since it was listed, as below
            else:
                if reader.identity == sibling.identity:
                    return OpenFile(reader, self._counts)
                reader.close()
            path = self._places.path_of(sibling.identity)
            if path is not None and is_packed(path) and not sibling.packed:
                path = None  # what it, or another, was compressed to has its inode
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), sibling.path)

    def _unread(self, sibling: Sibling, leaving: OpenFile | None) -> OpenFile | None:
        """Return the sibling standing where its unread part begins, None if it has none; raises OSError."""
        generation = self.open(sibling)
        try:
            generation = self._where_left(generation, sibling.path, leaving)
            if generation.unread():
                return generation
            if generation.offset and (leaving is None or generation.offset <= leaving.offset):  # else it may still be given
                self.leave(generation.position())  # a copy is known again when nothing is left to compare it with
        except OSError:
            generation.close()
            raise
        generation.close()
        return None

    def stand_where_left(self, generation: OpenFile, leaving: OpenFile | None, *, grows: bool = False) -> OpenFile:
        """Make an open plain file stand behind what was read of it, or of what it is a copy of. Raises OSError.

        A file that `grows` is the log itself, whose last line may be incomplete yet.
        """
        self._left.stand(generation, leaving, grows=grows)
        if generation.unread():
            for text in self._texts_read(leaving):
                generation.pass_over(known_to(generation, text, grows=grows))
        if not generation.offset and generation.reader.plain:
            self._left.find(generation, leaving)
        return generation

    def _texts_read(self, leaving: OpenFile | None) -> Iterator[ReadText]:
        """Give all that was read and still stands somewhere in plain."""
        if leaving is not None and leaving.reader.plain and _is_intact(leaving):
            yield ReadText(leaving.reader, leaving.read_to)
        for sibling in [*self._places.rotated(leaving), *self._places.standing(leaving)]:
            position = self.left(sibling.identity)
            if position is not None and not sibling.packed and (text := self._at(sibling.path, position)):
                yield ReadText(text.reader, text.offset)
                text.close()

    def _where_left(self, generation: OpenFile, path: str, leaving: OpenFile | None, *, grows: bool = False) -> OpenFile:
        """Do the same with a compressed file too, which is unpacked anew for each comparison: it goes forward only."""
        if generation.reader.plain:
            return self.stand_where_left(generation, leaving, grows=grows)
        found = self._left.stand(generation, leaving)
        if generation.reader.error is not None:
            raise DamagedError(errno.EIO, generation.reader.error, path)
        known = max((known_to(self._anew(generation), text) for text in self._texts_read(leaving)), default=0)
        again = self._anew(generation)
        if found is not None:
            again.resume_at(found)
            again.pass_over_lost(found.unread)
        again.pass_over(known)
        return again

    def _anew(self, generation: OpenFile) -> OpenFile:
        """Return the file standing at its beginning; opened by name it might be another by now."""
        generation.reader.rewind()
        return OpenFile(generation.reader, self._counts)

    def _candidates(self, leaving: OpenFile | None, *, earlier: bool) -> Iterator[Sibling]:
        """Give the files that may have been the log since the present one was begun, but for it and `leaving`, oldest first."""
        if leaving is not None:
            self._follow(leaving)
        here, beside = self._places.at_once(self._since(leaving), leaving)
        reading = leaving.identity if leaving is not None else None
        known = {here, reading}
        now_ns = self._now_ns()  # what was changed later than that was so before the clock was set back
        found: Sequence[Sibling] = oldest_first(each for each in beside if not now_ns < each.mtime_ns < self._since_ns)
        if earlier and leaving is not None and not self._is_the_log(leaving, here):
            found = _older(found, leaving)
        for sibling in found:
            if sibling.identity not in known and self.reader_of(sibling.identity) is None:
                known.add(sibling.identity)
                yield sibling

    def _since(self, leaving: OpenFile | None) -> int:
        """Return when what came after `leaving` was changed at the earliest: by a clock that was set back since, after that."""
        if leaving is None or self._since_ns <= self._now_ns():
            return self._since_ns
        return min(self._since_ns, leaving.changed_ns() or self._since_ns)

    def _is_the_log(self, file: OpenFile, here: Identity | None) -> bool:
        """Tell whether a file is the log still: `here`, at the path, or, if nothing is, in a directory that was renamed."""
        if here is not None:
            return here == file.identity
        return any(each.identity == file.identity for each in self._places.standing(file))

    # What cannot be read.

    def _leave_unread(self, sibling: Sibling) -> None:
        if sibling.packed:
            self._settled[sibling.identity] = (sibling.size, sibling.mtime_ns)
            return
        try:
            generation = self.open(sibling)
        except OSError as error:
            if is_ours(error):
                raise
            return  # what nobody can open is not read by mistake
        try:
            if generation.stand_behind(sibling.size):
                self.leave(generation.position())
        finally:
            generation.close()

    def _refuse(self, identity: Identity, error: OSError) -> bool:
        """Raise the error as long as there is patience with the file; False when there is none left."""
        if is_ours(error) or not self.patience.is_over(identity):
            raise error
        return False

    def lose(self, sibling: Sibling, error: OSError) -> None:
        """Count a rotated file that cannot be read as lost, and never read it."""
        logger.warning("log %s: %s: %s; it is counted as lost", self._path, sibling.path, error.strerror or error)
        left = self.left(sibling.identity)
        self._counts.lost_bytes += max(0, sibling.size - (left.offset if left is not None else 0))
        self._give_up(sibling)

    def _give_up(self, sibling: Sibling) -> None:
        """Never read a file."""
        self.leave(Position(*sibling.identity, sibling.size, 0, sibling.size, NOTHING))
        self.patience.end(sibling.identity)


def _is_intact(generation: OpenFile) -> bool:
    try:
        return generation.is_intact()
    except OSError:
        return False  # what cannot be read again proves nothing


def _older(rotated: Sequence[Sibling], than: OpenFile) -> Sequence[Sibling]:
    """Return what comes before a file that is not at the path any more; where it was deleted, dates tell it."""
    at = next((number for number, each in enumerate(rotated) if each.identity == than.identity), None)
    if at is not None:
        return rotated[:at]
    changed_ns = than.changed_ns() if than.is_deleted() else -1
    return [each for each in rotated if each.mtime_ns <= changed_ns]
