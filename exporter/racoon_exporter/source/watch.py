"""What wakes the reader: changes in the directories of the logs, as far as the system tells of them.

An event only says "look again"; the files themselves decide what is new. So events may be missing or too many, and where
there are none at all (no inotify watches left, a network file system) the caller's own timeout makes it polling.
"""

from __future__ import annotations

import glob
import logging
import os
import re
import threading
import time
from fnmatch import translate
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from watchdog.observers.api import BaseObserver, ObservedWatch

logger = logging.getLogger(__name__)

# Not "opened" and "closed": our own look at a file would wake us for another look, without end.
_EVENTS: list[type[FileSystemEvent]] = [
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]

GAP_SECONDS = 0.05
"""Least time between two returns for events: a debug log of thousands of records a second is read in blocks, not by line."""

REFRESH_SECONDS = 1.0
"""How often it is looked up, while events keep coming, which directories there are."""

MOST_WATCHED = 64
"""Directories of which changes are told, each of which takes up to three descriptors and two threads; others are looked at
regularly."""

_MAGIC = re.compile(r"[*?\[]")

_Directory = tuple[int, int]


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether watchdog says something: a watch that is closed while its thread looks is how a stop and a reload go."""
    return "when the thread is inactive" not in record.getMessage()


logging.getLogger("watchdog.observers.inotify").addFilter(_is_news)


class Watcher:
    """Waits until something happens to files or in the directories they are in.

    One thread may wait; `wake` and `close` may be called from any.
    """

    def __init__(
        self,
        paths: Iterable[str],
        *,
        observer: Callable[[], BaseObserver] = Observer,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Watch the directories of `paths`, among which globs may be. Directories that do not exist are watched later."""
        self._clock, self._sleep = clock, sleep
        self._returned = self._refreshed = clock() - REFRESH_SECONDS
        self._woken = threading.Event()
        self._handler = _Handler(self._woken)
        self._make_observer = observer
        self._observer: BaseObserver | None = None
        self._watches: dict[str, tuple[_Directory, ObservedWatch]] = {}
        self._polling = False
        self._lacks_threads = False
        self._closed = False
        self._paths: tuple[str, ...] = ()
        self.watch(paths)

    @property
    def directories(self) -> tuple[str, ...]:
        """The directories whose changes are told at present."""
        return tuple(self._watches)

    @property
    def polling(self) -> bool:
        """Whether the system refused to tell of some changes, so that only the timeout of `wait` finds them."""
        return self._polling

    def watch(self, paths: Iterable[str]) -> None:
        """Watch for these paths from now on, in place of those before."""
        self._paths = tuple(dict.fromkeys(paths))
        self._refresh()

    def wait(self, timeout: float) -> bool:
        """Wait for an event, at most `timeout` seconds; True if there was one since the last wait.

        Read afterwards whatever the answer is. What happens while reading makes the next wait return at once.
        """
        woken = self._woken.wait(timeout)
        if woken and (early := self._returned + GAP_SECONDS - self._clock()) > 0:
            self._sleep(min(early, GAP_SECONDS))
        self._woken.clear()
        now = self._clock()
        if woken:
            self._returned = now
        if not woken or now - self._refreshed >= REFRESH_SECONDS:
            self._refresh()
        return woken

    def wake(self) -> None:
        """Make the present wait, or else the next one, return at once."""
        self._woken.set()

    def close(self) -> None:
        """End the threads and wake who waits. May be called twice."""
        self._closed = True
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None:
            observer.stop()
            observer.join()
        self.wake()

    def _refresh(self) -> None:
        """Watch what has come, let go of what has gone or was replaced by another directory of that name."""
        if self._closed:
            return
        self._refreshed = self._clock()
        self._handler.names = _Names(self._paths)  # a symbolic link may lead elsewhere by now
        wanted = {path: found for path in _directories(self._paths) if (found := _identity(path)) is not None}
        for path in [path for path, (identity, _) in self._watches.items() if wanted.get(path) != identity]:
            self._unwatch(path)
        for path, identity in wanted.items():
            if path not in self._watches:
                if len(self._watches) < MOST_WATCHED:
                    self._watch(path, identity)
                else:
                    self._tell_polling(path, f"{MOST_WATCHED} directories are watched")

    def _watch(self, path: str, identity: _Directory) -> None:
        if self._lacks_threads and not _can_start_a_thread():
            return  # what watchdog opens for a thread that then cannot be started stays open
        try:
            watch = self._running().schedule(self._handler, path, event_filter=_EVENTS)
        except OSError as error:
            self._tell_polling(path, error.strerror or str(error))
            return
        except RuntimeError as error:  # so Python says that no thread can be started
            self._lacks_threads = True
            self._tell_polling(path, str(error))
            return
        self._lacks_threads = False
        self._watches[path] = (identity, watch)
        self.wake()  # something may have happened before the watch was there

    def _unwatch(self, path: str) -> None:
        _, watch = self._watches.pop(path)
        try:
            self._running().unschedule(watch)
        except (KeyError, OSError) as error:
            # The watch may have ended with its directory; then there is nothing left to undo.
            logger.debug("watch of %s: %s", path, error)

    def _running(self) -> BaseObserver:
        if self._observer is None:
            observer = self._make_observer()
            observer.daemon = True
            observer.start()
            self._observer = observer
        return self._observer

    def _tell_polling(self, path: str, why: str) -> None:
        """Say once that changes are found by polling; it is tried again at each wait."""
        if not self._polling:
            logger.warning("no notice of changes in %s (%s): polling instead", path, why)
        self._polling = True


class _Names:
    """Which file names matter: those of the paths, of their targets, of their rotated siblings, and what globs match."""

    def __init__(self, paths: Iterable[str]) -> None:
        names, patterns = set(), set()
        for path in paths:
            if _MAGIC.search(path):
                patterns.add(translate(Path(path).name))
            names |= {Path(path).name, Path(os.path.realpath(path)).name}
        self._beginnings = tuple(names)
        self._pattern = re.compile("|".join(sorted(patterns))) if patterns else None

    def matter(self, path: str) -> bool:
        """Tell whether something that happened to `path` may mean news."""
        name = path.rpartition("/")[2]
        return name.startswith(self._beginnings) or (self._pattern is not None and self._pattern.match(name) is not None)


class _Handler(FileSystemEventHandler):
    """Sets the wake-up at any event that matters; a busy directory like /var/log has many others."""

    def __init__(self, woken: threading.Event) -> None:
        self._woken = woken
        self.names = _Names(())

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory or any(
            self.names.matter(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path
        ):
            self._woken.set()


def _directories(paths: Iterable[str]) -> Iterable[str]:
    """Return the directories in which something may happen to these paths, once each."""
    found: dict[str, None] = {}
    for path in paths:
        parent = str(Path(path).parent)
        if _MAGIC.search(parent) and not os.path.lexists(parent):
            found |= dict.fromkeys(glob.glob(parent, recursive=True))  # noqa: PTH207 - Path.glob knows no absolute patterns
        else:
            found[parent] = None
            found[str(Path(os.path.realpath(path)).parent)] = None  # where a symbolic link leads
    return found


def _can_start_a_thread() -> bool:
    try:
        threading.Thread(target=bool, name="trial", daemon=True).start()
    except RuntimeError:
        return False
    return True


def _identity(directory: str) -> _Directory | None:
    """Return device and inode of a directory; None if there is none that can be watched."""
    try:
        status = os.stat(os.path.realpath(directory))  # noqa: PTH116 - Path.stat is the same, slower
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if os.path.isdir(directory) else None  # noqa: PTH112
