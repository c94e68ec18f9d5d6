"""The log's side: a real directory, and who writes, rotates, truncates, switches and deletes in it.

Each record holds a mark of its own, by which it is known wherever it stands: in the log, in a rotated or compressed file, in
a copy. What is in no file any more is gone.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

MARK = re.compile(rb"<(\d+)>")
UNREADABLE = 0o000
READABLE = 0o644
TORN_OFF = 5
"""So many bytes are missing from a line of which the beginning is written."""
TARGETS = ("monday", "tuesday", "wednesday")


class Disk:
    """A directory with racoon.log in it. `linked` makes the log a symbolic link, `keep` is logrotate's `rotate`."""

    def __init__(self, root: Path, *, linked: bool, keep: int) -> None:
        self.root, self.keep, self.linked = root, keep, linked
        self.home, self.away = root / "log", root / "log.moved"
        self.home.mkdir()
        self.written: dict[int, int] = {}
        """Bytes of each record, as far as it was written."""
        self.torn: set[int] = set()
        """Records that lack their end."""
        self.holes = 0
        """Bytes of NULs that stand where records were when power was lost."""
        self._torn: tuple[int, tuple[int, int], bytes] | None = None
        """A record of which only the beginning was written: its mark, the file, the rest."""
        if linked:
            for target in TARGETS:
                (self.root / target).mkdir()
            self.switch(0)

    # where things are

    @property
    def folder(self) -> Path:
        return self.away if self.away.exists() else self.home

    @property
    def log(self) -> Path:
        return self.folder / "racoon.log"

    @property
    def base(self) -> Path:
        """The file that is written to and rotated: the log, or where it leads."""
        return Path(os.path.realpath(self.log))

    def rotated(self, number: int) -> Path:
        return self.base.with_name(f"{self.base.name}.{number}")

    def files(self, root: Path | None = None) -> Iterator[Path]:
        for folder, _, names in os.walk(root or self.root):
            yield from (path for name in names if not (path := Path(folder, name)).is_symlink())

    def identities(self, root: Path | None = None) -> set[tuple[int, int]]:
        """Return device and inode of all files, or of those in a folder."""
        return {(status.st_dev, status.st_ino) for path in self.files(root) for status in [path.stat()]}

    def marks_of(self, identity: tuple[int, int]) -> list[int]:
        """Say which records stand in one file; none of a compressed one, of which nobody knows how much it holds."""
        for path in self.files():
            status = path.stat()
            if (status.st_dev, status.st_ino) == identity:
                return [] if path.suffix == ".gz" else marks_in(content(path))
        return []

    def marks(self) -> dict[int, set[tuple[int, int]]]:
        """Say in which files each record stands now."""
        found: dict[int, set[tuple[int, int]]] = {}
        for path in self.files():
            status = path.stat()
            for mark in marks_in(content(path)):
                found.setdefault(mark, set()).add((status.st_dev, status.st_ino))
        return found

    def begun_in_rotated(self) -> set[int]:
        """Return the record of which the beginning is all that stands in the youngest rotated file, if that is so."""
        path = self.rotated(1)
        text = content(path) if path.exists() else b""
        return set() if b"\n" in text else set(marks_in(text))

    # who writes

    def write(self, count: int, *, torn: bool = False) -> None:
        """Append `count` records; of the last one perhaps only the beginning. A torn one is completed in its file only."""
        data = self._rest()
        for _ in range(count):
            data += self._record()
        if torn and count:
            mark = len(self.written) - 1
            rest = data[-TORN_OFF:]
            data = data[:-TORN_OFF]
            self.written[mark] -= len(rest)
            self.torn.add(mark)
        with self.log.open("ab") as file:
            file.write(data)
            if torn and count:
                status = os.fstat(file.fileno())
                self._torn = (mark, (status.st_dev, status.st_ino), rest)

    def write_late(self, count: int) -> None:
        """Append records to the youngest rotated file, as a daemon does that was not told of the rotation yet."""
        if self.rotated(1).exists() and content(self.rotated(1))[-1:] in {b"", b"\n"}:
            with self.rotated(1).open("ab") as file:
                file.write(b"".join(self._record() for _ in range(count)))

    def _record(self) -> bytes:
        mark = len(self.written)
        line = b"2026-01-15 08:30:00: INFO: <%d> %s\n" % (mark, b"tick " * (1 + mark * 7 % 23))
        self.written[mark] = len(line)
        return line

    def _rest(self) -> bytes:
        torn, self._torn = self._torn, None
        if torn is None or not self.log.exists():
            return b""
        mark, identity, rest = torn
        status = self.log.stat()
        if (status.st_dev, status.st_ino) != identity or not content(self.log) or content(self.log).endswith(b"\n"):
            return b""
        self.written[mark] += len(rest)
        self.torn.discard(mark)
        return rest

    # who rotates

    def _shift(self) -> None:
        for number in range(self.keep, 0, -1):
            for end in ("", ".gz"):
                path = Path(f"{self.rotated(number)}{end}")
                if path.exists():
                    if number == self.keep:
                        path.unlink()
                    else:
                        path.rename(f"{self.rotated(number + 1)}{end}")

    def rename(self, *, create: bool) -> None:
        if self.base.exists():
            self._shift()
            self.base.rename(self.rotated(1))
            if create:
                self.base.touch()

    def copytruncate(self) -> None:
        if self.base.exists():
            self._shift()
            shutil.copyfile(self.base, self.rotated(1))
            os.truncate(self.base, 0)

    def compress(self) -> None:
        """gzip the youngest rotated file; as gzip and logrotate do, with the time of the plain one."""
        plain = self.rotated(1)
        if plain.exists():
            times = plain.stat()
            packed = Path(f"{plain}.gz")
            packed.write_bytes(gzip.compress(plain.read_bytes(), 1))
            plain.unlink()
            os.utime(packed, ns=(times.st_atime_ns, times.st_mtime_ns))

    # who else

    def truncate(self, *, refill: int = 0) -> None:
        if self.base.exists():
            os.truncate(self.base, 0)
            self.write(refill)

    def lose_power(self, count: int, *, hole: bool) -> None:
        """What was written last did not come to the disk: it is not there, or NULs are in its place."""
        if self.base.exists():
            text = self.base.read_bytes()
            left = b"".join(text.splitlines(keepends=True)[:-count])
            lost = len(text) - len(left) if hole else 0
            with self.base.open("r+b") as file:
                file.truncate(len(left))
                file.truncate(len(left) + lost)
            self.holes += lost
            self._torn = None

    def delete(self, *, recreate: int = 0) -> None:
        if self.base.exists():
            self.base.unlink()
            self.write(recreate)

    def move_back(self) -> None:
        """`mv log.1 log`."""
        if self.rotated(1).exists():
            self.rotated(1).rename(self.base)

    def copy_back(self) -> None:
        """`cp -p log.1 log.new && mv log.new log`: another file with the content of the rotated one."""
        if self.rotated(1).exists():
            fresh = self.base.with_name("fresh")
            shutil.copy2(self.rotated(1), fresh)
            fresh.rename(self.base)

    def switch(self, target: int) -> None:
        """`ln -sfn`."""
        fresh = self.folder / "fresh-link"
        fresh.symlink_to(self.root / TARGETS[target] / "racoon.log")
        fresh.rename(self.log)

    def chmod(self, *, readable: bool) -> None:
        for path in (self.base, self.rotated(1)):
            if path.exists():
                path.chmod(READABLE if readable else UNREADABLE)

    def move_folder(self) -> None:
        if self.away.exists():
            self.away.rename(self.home)
        else:
            self.home.rename(self.away)


def content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def marks_in(text: bytes) -> list[int]:
    return [int(mark) for mark in MARK.findall(text)]
