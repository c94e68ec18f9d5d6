"""Waking the loop out of its sleep, by anybody and by watched files."""

from __future__ import annotations

import logging
import math
import select
import socket
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from racoon_exporter.source.watch import Watcher

logger = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
"""How often directories that come and go are looked up while nothing happens."""


class WakeUp:
    """Wakes one waiting thread. Waking is a system call and takes no lock, so a signal handler may do it too."""

    def __init__(self) -> None:
        self._woken_end, self._waking_end = socket.socketpair()
        self._woken_end.settimeout(0)
        self._waking_end.settimeout(0)

    def wake(self) -> None:
        """Make the present sleep, or else the next one, end at once."""
        try:
            self._waking_end.send(b"\0")
        except BlockingIOError:
            return  # it was woken so often that once more changes nothing
        except OSError:
            return  # closed: nobody sleeps here any more

    def sleep(self, seconds: float, descriptors: Iterable[int] = ()) -> bool:
        """Sleep until woken or until a descriptor is readable, at most so long; whether there was something."""
        poller = select.poll()
        for descriptor in (self._woken_end.fileno(), *descriptors):
            poller.register(descriptor, select.POLLIN)
        ready = poller.poll(math.ceil(max(0.0, seconds) * 1000))
        heard = self._silence()  # it may have been woken right after the time was over
        return heard or bool(ready)

    def close(self) -> None:
        """Close both ends."""
        self._waking_end.close()
        self._woken_end.close()

    def _silence(self) -> bool:
        """Take notice of all wakings; whether there was one."""
        heard = False
        while True:
            try:
                heard |= bool(self._woken_end.recv(4096))
            except BlockingIOError:
                return heard


class WatchedFiles:
    """Wakes the loop when something happens to files: a thread that waits for the watcher, which cannot wait for sockets."""

    def __init__(self, watcher: Watcher, wake: Callable[[], None]) -> None:
        """Begin at once; the watcher is closed with this."""
        self._watcher = watcher
        self._wake = wake
        self._closed = False
        self._thread: threading.Thread | None = threading.Thread(target=self._run, name="watched files", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            logger.warning("no notice of changes in files (%s): polling instead", error)
            self._thread = None

    def close(self) -> None:
        """End the thread, then the watcher's."""
        self._closed = True
        self._watcher.wake()
        if self._thread is not None:
            self._thread.join()
        self._watcher.close()

    def _run(self) -> None:
        while not self._closed:
            if self._watcher.wait(ROUND_SECONDS):
                self._wake()
