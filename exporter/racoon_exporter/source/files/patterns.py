"""All the logs of a command line: paths and patterns, each matched file a source of its own.

Which files a pattern stands for is looked up again whenever there is nothing to read. A file joins from its beginning, so
what is not a log of its own must stay out: compressed files, rotated files of a log that is read (told by name), and files
that a log read here has under another name (told by device and inode).
"""

from __future__ import annotations

import fnmatch
import glob
import logging
import os
import re
import time
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, SourceCounts, SourceStatus, StartAt
from racoon_exporter.source.files.folders import Folders, regular
from racoon_exporter.source.files.held_files import HeldFiles
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.position import Identity, Position
from racoon_exporter.source.files.rotating import FileSource
from racoon_exporter.source.files.siblings import UnsteadyError, bases, siblings
from racoon_exporter.source.files.stored_bytes import PlainReader
from racoon_exporter.source.files.system import SYSTEM, System
from racoon_exporter.source.rotated_names import is_packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

REFRESH_SECONDS = 1.0
"""How often patterns are looked up while there is always something to read."""

LINGER_SECONDS = 60.0
"""A matched file that vanished is kept open so long: a syslog daemon may still write to it until it is told of the change."""

MOST_MATCHED = 4096
"""So many files are read that only patterns name: who can make files beside the logs must not make series without end."""

RETIRED_KEPT = MOST_MATCHED
"""Of so many vanished files the ends are remembered, to know them under another name: `nocreate` may take all at once."""

MANY_OPEN = 65_536
_NAMED = 3

logger = logging.getLogger(__name__)

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(path: str) -> bool:
    """Whether a path is a glob: it holds `*`, `?` or `[` and no file has just this name."""
    return _MAGIC.search(path) is not None and not os.path.lexists(path)


@lru_cache(maxsize=4096)
def matches(pattern: str, path: str) -> bool:
    """Whether a pattern finds a file of this name, by the rules of glob: `*` stays within a directory, `**` does not."""
    return _matches(pattern.split("/"), path.split("/"))


def _matches(patterns: list[str], names: list[str]) -> bool:
    if not patterns or not names:
        return not names and patterns in ([], ["**"])
    if patterns[0] == "**":
        return _matches(patterns[1:], names) or (not names[0].startswith(".") and _matches(patterns, names[1:]))
    if names[0].startswith(".") and not patterns[0].startswith("."):
        return False
    return fnmatch.fnmatchcase(names[0], patterns[0]) and _matches(patterns[1:], names[1:])


class SourceSet:
    """Files and globs, read in turn so that none starves the others."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        start_at: StartAt = "beginning",
        backfill: bool = False,
        system: System = SYSTEM,
        folders: Folders | None = None,
        held_files: HeldFiles | None = None,
        expand: Callable[[str], list[str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        most_open: int = MANY_OPEN,
        most_matched: int = MOST_MATCHED,
    ) -> None:
        """Read `paths`, in which patterns may occur; `start_at` and `backfill` as in FileSource, for what is there now.

        At most `most_open` files are open at once: one where nothing happens is closed until it changes. Of files that only
        patterns name `most_matched` are read. `folders` tells what stands beside them, `expand` finds the files of a pattern,
        `clock` gives seconds. Raises ValueError for a path no file can have.
        """
        self._patterns = [path for path in dict.fromkeys(paths) if is_pattern(path)]
        self._start_at: StartAt = start_at
        self._backfill = backfill
        self._system = system
        self._folders = folders or Folders(system)
        self._held_files = held_files or HeldFiles()
        self._expand = expand or files_of
        self._clock = clock
        self._members: dict[str, FileSource] = {}
        self._joined: set[str] = set()
        """Files that only patterns name."""
        self._rotated: set[str] = set()
        """Those of them that are rotated files of a log which has come since."""
        self._gone_since: dict[str, float] = {}
        self._retired: OrderedDict[str, Position] = OrderedDict()
        """Where files were left that vanished, by name, the newest last."""
        self._awaited: set[str] = set()
        """Those of them that come back: rotated files stand beside them, or the folder they were in is not there either."""
        self._checkpoint: dict[str, Position] = {}
        self._refreshed: float | None = None
        self._turn = 0
        self._most_open = most_open
        self._most_matched = most_matched
        self._open: dict[FileSource, None] = {}
        """Those whose file is open, the one that is open for longest first."""
        self._too_many: dict[str, int] = {}
        """By pattern: how many files match and are not read."""
        self._refused: frozenset[str] = frozenset()
        for path in dict.fromkeys(paths):
            if path not in self._patterns:
                self._members[path] = self._source(path)

    @property
    def sources(self) -> tuple[FileSource, ...]:
        """The files read at present."""
        return tuple(self._members.values())

    def resume(self, positions: Mapping[str, Position]) -> None:
        """Go on from a checkpoint, by name of source; to be called before the first read. Names not asked for are ignored."""
        self._checkpoint = dict(positions)
        for name, member in self._members.items():
            if name in self._checkpoint:
                member.resume(self._checkpoint.pop(name))

    def positions(self) -> dict[str, Position]:
        """Where each source stands after the last block it gave, by name."""
        found = {name: member.position() for name, member in self._members.items()}
        awaited = {name: self._retired[name] for name in self._awaited}
        return self._checkpoint | awaited | {name: position for name, position in found.items() if position is not None}

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How each source is doing; a pattern that no file matches is told as a source that is down."""
        members = tuple(self._members.items())
        lonely = (pattern for pattern in self._patterns if not any(matches(pattern, name) for name, _ in members))
        too_many = tuple(self._too_many.items())
        return (
            *(member.status() for _, member in members),
            *(_nothing_matches(pattern) for pattern in lonely),
            *(_too_many(pattern, count, self._most_matched) for pattern, count in too_many),
        )

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next block of whichever source has one, in turn; None when none has. Never raises OSError."""
        if self._refreshed is None or self._clock() - self._refreshed >= REFRESH_SECONDS:
            self.refresh()
        if block := self._round(limit):
            return block
        return self._round(limit) if self.refresh() else self._retire()

    def refresh(self) -> bool:
        """Look the patterns up again; True if a file joined."""
        self._refreshed = self._clock()
        joined = False
        known: _Known | None = None
        for pattern in self._patterns:
            left_out = 0
            for path in self._present(pattern):
                if path in self._members or self._is_rotated(path):
                    continue
                if len(self._joined) < self._most_matched:
                    known = known or self._known()
                    joined |= self._join(path, known)
                else:
                    left_out += 1
            self._tell_left_out(pattern, left_out)
        if joined:
            self._rotated |= {name for name in self._joined if any(base in self._members for base in bases(name))}
        self._start_at, self._backfill = "beginning", False  # holds for what is there at the first look only
        return joined

    def close(self) -> None:
        """Close all files; positions stay."""
        for member in self._members.values():
            member.close()

    def _source(self, path: str) -> FileSource:
        return FileSource(
            path,
            start_at=self._start_at,
            backfill=self._backfill,
            system=self._system,
            folders=self._folders,
            held_files=self._held_files,
        )

    def _round(self, limit: int) -> Block | None:
        members = self.sources
        block: Block | None = None
        refused: list[FileSource] = []
        for _ in members:
            block, refused = self._turns(members, limit)
            if block or not refused or not self._let_one_rest():
                break
        self._refuse([] if block else refused)
        return block

    def _turns(self, members: Sequence[FileSource], limit: int) -> tuple[Block | None, list[FileSource]]:
        """Let one after the other read, until one has something; tells also for which there was no descriptor."""
        refused = []
        none_rests = False
        for step in range(len(members)):
            at = (self._turn + step) % len(members)
            member = members[at]
            if not member.is_open and len(self._open) >= self._most_open and not member.rests():
                if not none_rests and not self._let_one_rest():
                    if block := self._look_at_open(limit):
                        return block, []
                    none_rests = not self._let_one_rest()
                if none_rests:
                    refused.append(member)
                    continue
            block = self._read(member, limit)
            none_rests = False
            if block:
                self._turn = at + 1
                return block, []
        return None, refused

    def _read(self, member: FileSource, limit: int) -> Block | None:
        block = member.read(limit)
        if member.is_open:
            self._open.setdefault(member)
        else:
            self._open.pop(member, None)
        return block

    def _look_at_open(self, limit: int) -> Block | None:
        """Read on in the files that are open: one where nothing happens any more is known by a look that found nothing."""
        return next(filter(None, (self._read(member, limit) for member in tuple(self._open))), None)

    def _let_one_rest(self) -> bool:
        """Close a file where nothing happens; False if there is none."""
        resting = next((member for member in self._open if member.rest()), None)
        if resting is None:
            return False
        del self._open[resting]
        return True

    def _refuse(self, members: Sequence[FileSource]) -> None:
        """Say which logs are not read for want of descriptors: each at its source, all in one line of our log."""
        why = f"not read: {self._most_open} logs are open, and the limit of open files allows no more"
        for member in members:
            member.refuse(why)
        names = frozenset(member.name for member in members)
        if names - self._refused:
            shown = ", ".join(sorted(names)[:_NAMED]) + (", …" if len(names) > _NAMED else "")
            logger.warning("%d logs are %s (LimitNOFILE=, ulimit -n): %s", len(names), why, shown)
        self._refused = names

    def _tell_left_out(self, pattern: str, count: int) -> None:
        if count and pattern not in self._too_many:
            logger.warning("%s: %d more files match than the %d that are read", pattern, count, self._most_matched)
        others = {name: known for name, known in self._too_many.items() if name != pattern}
        self._too_many = others | ({pattern: count} if count else {})

    def _present(self, pattern: str) -> list[str]:
        """Tell what matches a pattern now, and what did at the checkpoint: its rest may stand in a rotated file."""
        return sorted({*self._expand(pattern), *(name for name in self._checkpoint if matches(pattern, name))})

    def _join(self, path: str, known: _Known) -> bool:
        position = self._checkpoint.get(path) or self._awaited_at(path)
        if position is None:
            status = regular(path, self._system)
            if status is None:
                return False
            identity = Identity.of(status)
            if identity in known.held:
                return False
            known.held.add(identity)
            position = known.endings.get(identity) or self._held_files.end_of(identity)
            if position is not None and not self._stands_at(path, position):
                position = None  # another file had that inode once
        else:
            known.held.add(position.identity)
        self._checkpoint.pop(path, None)
        member = self._source(path)
        if position is not None:
            member.resume(position)
        self._members[path] = member
        self._joined.add(path)
        return True

    def _stands_at(self, path: str, position: Position) -> bool:
        """Whether the file of a position is at a path."""
        try:
            opened = OpenFile(PlainReader(path, self._system), SourceCounts())
        except OSError:
            return True  # that is told by who reads it, which goes on from there or finds it to be another then
        try:
            return opened.resume_at(position)
        except OSError:
            return True
        finally:
            opened.close()

    def _awaited_at(self, path: str) -> Position | None:
        """Return where a log was left that comes back; what stands beside it was rotated meanwhile."""
        if path not in self._awaited:
            return None
        self._awaited.remove(path)
        return self._retired.pop(path)

    def _is_rotated(self, path: str) -> bool:
        if is_packed(path):
            return True
        known = (self._members, self._checkpoint, self._retired)
        return any(any(base in names for names in known) or os.path.lexists(base) for base in bases(path))

    def _known(self) -> _Known:
        """Tell what is read under another name, or will be as soon as that name is first looked at, and what once was."""
        held: set[Identity | None] = set()
        for name, member in self._members.items():
            held |= set(member.held) or {self._first_of(name)}
        endings: dict[Identity, Position] = {}
        for position in self._retired.values():
            left = position.past.left if position.past is not None else ()
            endings |= {each.identity: each for each in (*left, position)}
        for member in self._members.values():
            endings |= {position.identity: position for position in member.left}
        return _Known({identity for identity in held if identity is not None}, endings)

    def _first_of(self, name: str) -> Identity | None:
        status = regular(name, self._system)
        return None if status is None else Identity.of(status)

    def _retire(self) -> Block | None:
        """Drop matched files that vanished long ago, or are rotated files of a log that has come; give their rests first."""
        return next(filter(None, map(self._ended, self._matched())), None)

    def _ended(self, name: str) -> Block | None:
        """Drop one matched file if it is time for that; gives its incomplete last line first, if it has one."""
        member, now = self._members[name], self._clock()
        if name not in self._rotated:
            if not member.gone:
                self._gone_since.pop(name, None)
                return None
            if now - self._gone_since.setdefault(name, now) < LINGER_SECONDS:
                return None
        if block := member.finish():
            return block
        self._drop(name, member)
        return None

    def _has_rotated_files(self, name: str) -> bool:
        try:
            return bool(siblings([name], self._folders))
        except UnsteadyError:
            return True

    def _folder_is_away(self, name: str, position: Position) -> bool:
        """Whether the folder of a file is gone, or what was mounted there: another device shows then."""
        try:
            status = self._system.stat(os.path.dirname(name) or ".")  # noqa: PTH120 - paths are text here
        except OSError:
            return True
        return status.st_dev != position.device

    def _matched(self) -> Iterable[str]:
        return [name for name in self._members if name in self._joined]

    def _drop(self, name: str, member: FileSource) -> None:
        position = member.position()
        member.close()
        self._open.pop(member, None)
        del self._members[name]
        self._gone_since.pop(name, None)
        self._joined.discard(name)
        self._rotated.discard(name)
        if position is not None:
            self._retired.pop(name, None)
            self._retired[name] = position
            if self._has_rotated_files(name) or self._folder_is_away(name, position):
                self._awaited.add(name)
            if len(self._retired) > RETIRED_KEPT:
                oldest, _ = self._retired.popitem(last=False)
                self._awaited.discard(oldest)


class _Known(NamedTuple):
    """Files that are no new ones when a pattern finds them."""

    held: set[Identity]
    """Those that are being read."""
    endings: dict[Identity, Position]
    """Where those that were read once were left."""


def files_of(pattern: str) -> list[str]:
    """Find the files of a pattern."""
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob knows no absolute patterns


def _nothing_matches(pattern: str) -> SourceStatus:
    return SourceStatus(pattern, up=False, error=f"{pattern}: no file matches")


def _too_many(pattern: str, count: int, most: int) -> SourceStatus:
    return SourceStatus(pattern, up=False, error=f"{pattern}: {count} more files match than the {most} that are read")
