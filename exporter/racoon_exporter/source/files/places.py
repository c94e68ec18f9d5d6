"""Where the files of a log are looked for: beside its path, beside what a link at the path leads to, and where it was moved.

Another folder (logrotate's `olddir`) counts among the places once something that was read was found there, under the name of a
rotated file. A folder below the log's is searched for that; by name alone it would be taken for that of another gateway's log.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from racoon_exporter.source.files.folders import Folders, changed_ns, regular
from racoon_exporter.source.files.position import Identity
from racoon_exporter.source.files.siblings import (
    STEADY_LOOKS,
    Sibling,
    UnsteadyError,
    is_rotated,
    named,
    sibling_at,
    siblings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from racoon_exporter.source.files.open_file import OpenFile


FOUND_KEPT = 4
"""So many folders are remembered: a log is kept in one, and its directory may have been renamed."""

_SECOND_NS = 1_000_000_000


class Places:
    """The folders of one log. With `leaving`, the file that is read until now, that of this file is one of them."""

    def __init__(self, path: str, folders: Folders) -> None:
        """Of the log at `path`."""
        self.base = ""
        """The file that the path led to when the present one was begun."""
        self.found_in: tuple[str, ...] = ()
        """Other folders in which files of the log were found, the newest last; one below that of the log is told from there."""
        self._path = path
        self._folders = folders
        self._system = folders.system
        self._beside_target: set[Identity] = set()
        """Rotated files of the file that the path leads to since a link was switched."""

    def entered(self, identity: Identity, *, at_path: bool) -> bool:
        """Tell whether the log is elsewhere from this file on, which is at the path or beside what that leads to."""
        if not at_path and identity not in self._beside_target:
            return False
        base = os.path.realpath(self._path)
        if base == self.base:
            return False
        self.base = base
        self._beside_target = set()
        return True

    def switched_ns(self) -> int | None:
        """Return when the link at the path was made; None if there is none."""
        try:
            status = self._system.lstat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns if os.path.islink(self._path) else None  # noqa: PTH114 - paths are text here

    def begun_ns(self) -> int:
        """Return a time before which all was changed that was rotated away by now, wherever it is.

        Taking it away changed the folder, and the present file was written to since. Either may be dated by a clock that was
        wrong; 0 if nothing tells.
        """
        folder = changed_ns(os.path.dirname(self._path) or ".", self._system)  # noqa: PTH120 - paths are text here
        here = changed_ns(self._path, self._system)
        return min(folder, here or folder)

    def learn(self, path: str) -> list[Sibling]:
        """Count the folder of a rotated file among the places; returns what stands there, oldest by name first, if new."""
        folder, name = os.path.split(os.path.realpath(path))
        logs = self._logs()
        known = _folders_of(logs)
        if folder in known or not any(is_rotated(name, os.path.basename(log)) for log in logs):  # noqa: PTH119 - paths are text here
            return []
        above = next((each for each in sorted(known) if folder.startswith(f"{each}/")), None)
        self.found_in = (*self.found_in[1 - FOUND_KEPT :], folder if above is None else folder.removeprefix(f"{above}/"))
        return siblings(_within(logs, folder), self._folders)

    def below(self) -> list[Sibling]:
        """Return what looks like rotated files of the log in folders that do not count among its places, but lie below them."""
        return siblings(self._below(), self._folders)

    def rotated(self, leaving: OpenFile | None = None) -> list[Sibling]:
        """Return the rotated files, the oldest first by name."""
        return siblings(self._logs(leaving), self._folders)

    def packed_since(self, plain: Sibling) -> list[Sibling]:
        """Return what a file that is gone may have been compressed to since it was listed: it has its time, to the second."""
        packed = self.rotated() if not plain.packed else []
        return [each for each in packed if each.packed and abs(each.mtime_ns - plain.mtime_ns) < _SECOND_NS]

    def standing(self, leaving: OpenFile | None = None) -> list[Sibling]:
        """Return what stands at the log's own paths."""
        return [sibling_at(log, status) for log in self._logs(leaving) if (status := regular(log, self._system)) is not None]

    def holds(self, path: str, identity: Identity) -> bool:
        """Tell whether a file is at a path."""
        status = regular(path, self._system)
        return status is not None and Identity.of(status) == identity

    def path_of(self, identity: Identity) -> str | None:
        """Return where a file is by now, whatever its name."""
        return named(self._logs(), identity, self._folders) or named(self._below(), identity, self._folders)

    def at_once(self, since_ns: int, leaving: OpenFile | None) -> tuple[Identity | None, list[Sibling]]:
        """Tell what is at the path, and what beside it was changed since: a rotation between two looks would hide a file."""
        for _ in range(STEADY_LOOKS):
            here, beside = self._here(), list(self._beside(since_ns, leaving))
            if here == self._here():
                return here, beside
        raise UnsteadyError(self._path)

    def _here(self) -> Identity | None:
        status = regular(self._path, self._system)
        return None if status is None else Identity.of(status)

    def _beside(self, since_ns: int, leaving: OpenFile | None) -> Iterator[Sibling]:
        target = os.path.realpath(self._path)
        for sibling in siblings(self._logs(leaving, target=False), self._folders):
            if sibling.mtime_ns >= since_ns:
                yield sibling
        if self.base in {"", target}:
            return
        if status := regular(self.base, self._system):
            yield sibling_at(self.base, status)  # the link was led elsewhere after this one had taken over
        if (switched := self.switched_ns()) is not None:
            for sibling in siblings(self._also_where_found([target]), self._folders):
                if sibling.mtime_ns >= max(since_ns, switched):
                    self._beside_target.add(sibling.identity)
                    yield sibling

    def _logs(self, leaving: OpenFile | None = None, *, target: bool = True) -> list[str]:
        """Return the paths beside which rotated files are looked for: of the log, its target, and where it is by now."""
        logs = [self._path, *([self.base] if self.base else [])]
        if target or not self.base:
            logs.append(os.path.realpath(self._path))
        where = leaving.reader.where() if leaving is not None else None
        if where is not None:
            logs += _within(logs, os.path.dirname(where))  # noqa: PTH120 - paths are text here
        return self._also_where_found(logs)

    def _also_where_found(self, logs: Sequence[str]) -> list[str]:
        return list(dict.fromkeys([*logs, *(there for folder in self.found_in for there in _within(logs, folder))]))

    def _below(self) -> list[str]:
        """Return where the log would be in the folders below its own that do not count among its places."""
        logs = self._logs()
        known = _folders_of(logs)
        below = [inner for folder in sorted(known) for inner in self._folders.at(folder).folders() if inner not in known]
        return [log for folder in below for log in _within(logs, folder)]


def _within(logs: Iterable[str], folder: str) -> list[str]:
    """Return the paths that logs would have in a folder, which may be told from theirs."""
    return [os.path.join(os.path.dirname(log), folder, os.path.basename(log)) for log in logs]  # noqa: PTH118, PTH119, PTH120 - paths are text here


def _folders_of(logs: Iterable[str]) -> set[str]:
    return {os.path.realpath(os.path.dirname(log)) for log in logs}  # noqa: PTH120 - paths are text here
