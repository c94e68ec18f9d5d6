"""Which file comes after which: finding the generation a position belongs to, and the one that follows it.

The rules, each for a reason that happened:

- A file is the one of a position if device and inode are the same and the content before the offset is (inodes are reused
  soon). It may have any name in the directory by then.
- Failing that, a rotated sibling with the same content before the offset is: copytruncate made it, or gzip did. Short
  content proves nothing, so this needs PROOF_SPAN bytes.
- After a generation that still stands beside the log come the siblings changed later than it, oldest first, then the log.
  After one that is gone comes the log. Siblings that were there before, were read already, or are a copy of the
  generation itself are never read: better a counted loss than a line counted twice.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from racoon_exporter.source.generation import Generation, Tally
from racoon_exporter.source.reader import open_reader
from racoon_exporter.source.siblings import STEADY_LOOKS, Sibling, UnsteadyError, named, siblings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from racoon_exporter.source.base import Identity, Position
    from racoon_exporter.source.system import System

PROOF_SPAN = 64
"""So many bytes of equal content at the same offset make two files the same log; a racoon line is about that long."""


class Lineage:
    """The rotated files of one log, and which of them are done with."""

    def __init__(self, path: str, system: System) -> None:
        """Of the log at `path`."""
        self._path = path
        self._system = system
        self._done: set[Identity] = set()
        self._searched: list[Sibling] | None = None

    def forget_all(self) -> list[Sibling]:
        """Take every rotated file that stands there now for done; returns them, the oldest first by name."""
        rotated = siblings(self._path, self._system)
        self._done = {sibling.identity for sibling in rotated}
        return rotated

    def done(self, identity: Identity) -> None:
        """Never read this file again, under whatever name it stands."""
        self._done.add(identity)

    def unread(self) -> list[Sibling]:
        """Return the rotated files that are not done with, the oldest first by name."""
        return [sibling for sibling in siblings(self._path, self._system) if sibling.identity not in self._done]

    def of(self, position: Position, tally: Tally) -> Generation | None:
        """Return the generation, among all but the log itself, that a position belongs to, open and standing there.

        Unpacking costs time: as long as nothing changed since a search in vain, none is made again.
        """
        rotated = siblings(self._path, self._system)
        for _ in range(STEADY_LOOKS):
            path = named(self._path, position.identity, self._system)
            if path is not None and (found := self._at(path, position, tally)):
                return found
            before, rotated = rotated, siblings(self._path, self._system)
            if before == rotated:
                break
        else:
            raise UnsteadyError(self._path)  # it may have been renamed under the search
        if rotated == self._searched:
            return None
        self._searched = rotated
        youngest_first = list(reversed(rotated))
        plain = [sibling for sibling in youngest_first if not sibling.packed]
        packed = [sibling for sibling in youngest_first if sibling.packed]
        return self._same_content(plain + packed, position, tally)

    def copy_of(self, position: Position, tally: Tally, *, since_ns: int) -> Generation | None:
        """Return the copy that copytruncate made of a file before truncating it, open and standing at `position`.

        It may be compressed already. Unpacking costs time, so only what was changed since the file was last seen to change
        (`since_ns`) is unpacked: an older file is no copy of it.
        """
        youngest_first = siblings(self._path, self._system)[::-1]
        plain = [sibling for sibling in youngest_first if not sibling.packed]
        packed = [sibling for sibling in youngest_first if sibling.packed and sibling.mtime_ns >= since_ns]
        return self._same_content(plain + packed, position, tally)

    def after(self, generation: Generation) -> Sibling | None:
        """Return the sibling that was the log after `generation` was and before the present log; None if there is none."""
        rotated = siblings(self._path, self._system)
        self._done &= {sibling.identity for sibling in rotated}
        here = next((sibling for sibling in rotated if sibling.identity == generation.identity), None)
        if here is None:
            return None
        later = [sibling for sibling in rotated if sibling.by_age > here.by_age and sibling.identity not in self._done]
        for sibling in sorted(later, key=lambda sibling: sibling.by_age):
            if self._same_content([sibling], generation.position(), Tally(), keep=False) is None:
                return sibling
            self.done(sibling.identity)
        return None

    def open(self, sibling: Sibling, tally: Tally) -> Generation:
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
                    return Generation(reader, tally)
                reader.close()
            path = named(self._path, sibling.identity, self._system)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), sibling.path)

    def _same_content(
        self, candidates: Iterable[Sibling], position: Position, tally: Tally, *, keep: bool = True
    ) -> Generation | None:
        if position.fingerprint.length < PROOF_SPAN:
            return None
        for sibling in candidates:
            if found := self._at(sibling.path, position, tally):
                if not keep:
                    found.close()
                return found
        return None

    def _at(self, path: str, position: Position, tally: Tally) -> Generation | None:
        try:
            reader = open_reader(path, self._system)
        except OSError:
            return None  # a file that cannot be opened cannot be proven to be the one; what it held is counted as lost
        generation = Generation(reader, tally)
        try:
            if generation.go_on(position):
                return generation
        except OSError:
            pass  # likewise for one that cannot be read
        generation.close()
        return None
