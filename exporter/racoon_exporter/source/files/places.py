"""Where the files of a log are looked for: beside its path, beside what a link at the path leads to, and where it was moved."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from racoon_exporter.source.files.folders import Folders, regular
from racoon_exporter.source.files.position import Identity
from racoon_exporter.source.files.siblings import STEADY_LOOKS, Sibling, UnsteadyError, named, sibling_at, siblings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from racoon_exporter.source.files.open_file import OpenFile


class Places:
    """The folders of one log. With `leaving`, the file that is read until now, that of this file is one of them."""

    def __init__(self, path: str, folders: Folders) -> None:
        """Of the log at `path`."""
        self.base = ""
        """The file that the path led to when the present one was begun."""
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

    def rotated(self, leaving: OpenFile | None = None) -> list[Sibling]:
        """Return the rotated files, the oldest first by name."""
        return siblings(self._logs(leaving), self._folders)

    def standing(self, leaving: OpenFile | None = None) -> list[Sibling]:
        """Return what stands at the log's own paths."""
        return [sibling_at(log, status) for log in self._logs(leaving) if (status := regular(log, self._system)) is not None]

    def path_of(self, identity: Identity) -> str | None:
        """Return where a file is by now, whatever its name."""
        return named(self._logs(), identity, self._folders)

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
            for sibling in siblings([target], self._folders):
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
            logs += [os.path.join(os.path.dirname(where), os.path.basename(log)) for log in logs]  # noqa: PTH118, PTH119, PTH120 - paths are text here
        return list(dict.fromkeys(logs))
