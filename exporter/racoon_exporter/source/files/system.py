"""The few calls of the operating system that reading files needs, in one place, so that tests can make trouble."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass


def open_for_reading(path: str) -> int:
    """Open without waiting for anyone and without becoming a terminal's process; raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def path_of(descriptor: int) -> str:
    """Return the path that an open file has now; raises OSError where there is no such thing as Linux's /proc."""
    return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - paths are text here


@dataclass(frozen=True, slots=True)
class System:
    """Functions with the signatures and errors of those in `os` and `time`."""

    stat: Callable[[str], os.stat_result] = os.stat
    lstat: Callable[[str], os.stat_result] = os.lstat
    fstat: Callable[[int], os.stat_result] = os.fstat
    open: Callable[[str], int] = open_for_reading
    pread: Callable[[int, int, int], bytes] = os.pread
    lseek: Callable[[int, int, int], int] = os.lseek
    close: Callable[[int], None] = os.close
    listdir: Callable[[str], list[str]] = os.listdir
    where: Callable[[int], str] = path_of
    monotonic_ns: Callable[[], int] = time.monotonic_ns


SYSTEM = System()


_NOT_OF_A_FILE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def is_ours(error: OSError) -> bool:
    """Whether this process, or the whole system, has too little of something: an error that says nothing about a file."""
    return error.errno in _NOT_OF_A_FILE


def kind_of(mode: int) -> str:
    """Tell what stands at a path, in words for an error message: "a directory", "a FIFO"."""
    for test, kind in _KINDS:
        if test(mode):
            return kind
    return "no regular file"


_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
