"""What stands in the folders of logs: listed once for all logs in one, as long as nothing is made, renamed or deleted there.

Where many logs share a folder, each looks for its own rotated files in it, and all look at once: at the start, and when
logrotate was there.
"""

from __future__ import annotations

import os
import stat
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from racoon_exporter.source.files.position import Identity
from racoon_exporter.source.files.system import System, is_ours
from racoon_exporter.source.rotated_names import beginnings_of

SETTLED_NS = 50_000_000
"""A folder that was changed less than so long before it was listed may have been changed again with the same time."""

COARSE_NS = 2_000_000_000
"""So long where times are whole seconds: JFFS2, UBIFS, ext3 and NFS from them know no others, FAT every second one only."""

_SECOND_NS = 1_000_000_000

KEPT_NS = 1_000_000_000
"""A listing serves no longer, whatever the folder's time says: a file server's clock may be wrong."""

MOST_BELOW = 64
"""A folder with more folders in it than this has one for each host, and none of them is looked into."""

_FOLDERS_KEPT = 128


class Folder:
    """One folder as it was listed once."""

    def __init__(self, path: str, names: Sequence[str], system: System) -> None:
        """With these names in it."""
        self._path = path
        self._names = sorted(names)
        self._system = system
        self._places: dict[Identity, str] | None = None
        self._folders: list[str] | None = None

    def beside(self, log: str) -> list[str]:
        """Give the names among which those of a log's rotated files are."""
        return [name for start in beginnings_of(Path(log).name) for name in self._names[slice(*self._beginning(start))]]

    def _beginning(self, start: str) -> tuple[int, int]:
        return bisect_left(self._names, start), bisect_left(self._names, start[:-1] + chr(ord(start[-1]) + 1))

    def place_of(self, identity: Identity) -> str | None:
        """Tell the path at which the file with this identity stood when it was first asked for one."""
        if self._places is None:
            paths = [f"{self._path}/{name}" for name in reversed(self._names)]
            statuses = ((path, regular(path, self._system)) for path in paths)
            self._places = {Identity.of(status): path for path, status in statuses if status is not None}
        return self._places.get(identity)

    def folders(self) -> list[str]:
        """Give the paths of the folders in it as they were when first asked for; none where there are too many to look into."""
        if self._folders is None:
            paths = [f"{self._path}/{name}" for name in self._names]
            folders = [path for path in paths if is_folder(path, self._system)]
            self._folders = folders if len(folders) <= MOST_BELOW else []
        return self._folders


class _Kept(NamedTuple):
    changed: tuple[int, int, int]
    listed_ns: int
    folder: Folder


class Folders:
    """The folders of logs, as they are now."""

    def __init__(self, system: System, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        """Listed by `system`; `now_ns` is the time in which it dates changes."""
        self.system = system
        self.now_ns = now_ns
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def at(self, path: str) -> Folder:
        """Give one folder; empty if it cannot be listed. Raises OSError where there is no descriptor for that."""
        changed, now = self._changed(path), self.now_ns()
        kept = self._kept.pop(path, None)
        if kept is None or kept.changed != changed or not 0 <= now - kept.listed_ns < KEPT_NS:
            folder = Folder(path, self._entries(path), self.system)
            if changed is None or now - changed[-1] < _settled_after(changed[-1]):
                return folder
            kept = _Kept(changed, now, folder)
        self._kept[path] = kept
        if len(self._kept) > _FOLDERS_KEPT:
            self._kept.popitem(last=False)
        return kept.folder

    def _changed(self, path: str) -> tuple[int, int, int] | None:
        try:
            status = self.system.stat(path)
        except OSError:
            return None  # whether it can be listed all the same is seen then
        return status.st_dev, status.st_ino, status.st_mtime_ns

    def _entries(self, path: str) -> list[str]:
        try:
            return self.system.listdir(path)
        except OSError as error:
            if is_ours(error):
                raise
            # Nothing beside the log can be found then, which is the same as there being nothing; that the log itself cannot
            # be read is told by whoever reads it.
            return []


def _settled_after(changed_ns: int) -> int:
    return SETTLED_NS if changed_ns % _SECOND_NS else COARSE_NS


def regular(path: str, system: System) -> os.stat_result | None:
    """Return the status of a regular file; None for anything else and for what has just gone."""
    try:
        status = system.stat(path)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def is_folder(path: str, system: System) -> bool:
    """Whether a directory is at the path."""
    try:
        return stat.S_ISDIR(system.stat(path).st_mode)
    except OSError:
        return False


def changed_ns(path: str, system: System) -> int:
    """Return when what is at the path was changed last; 0 where that cannot be told."""
    try:
        return system.stat(path).st_mtime_ns
    except OSError:
        return 0
