"""A log as racoon, syslog daemons, logrotate and operators treat it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Protocol

from racoon_exporter.source import Block, FileSource, Position, System


class Readable(Protocol):
    def read(self, limit: int = ...) -> Block | None: ...


def record(number: int) -> bytes:
    """One line of its own, long enough (80 bytes and more) to prove which file it stands in."""
    return b"2026-11-24 04:10:19: INFO: IPsec-SA established: ESP/Transport 192.0.2.1[500]->192.0.2.2[500] spi=%d\n" % number


def records(*numbers: int) -> list[bytes]:
    return [record(number) for number in numbers]


class Log:
    """A path that is written to and rotated."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return str(self.path)

    def sibling(self, suffix: str) -> Log:
        return Log(Path(self.name + suffix))

    def append(self, raw: bytes) -> None:
        """Open, append and close, as racoon does for each record."""
        with self.path.open("ab") as file:
            file.write(raw)

    def write(self, *numbers: int) -> None:
        for number in numbers:
            self.append(record(number))

    def shift(self) -> None:
        """Make room for a new `.1`, as logrotate does: `.1` becomes `.2`, and so on."""
        number = 1
        while self.sibling(f".{number}").path.exists():
            number += 1
        for each in range(number, 1, -1):
            self.sibling(f".{each - 1}").path.rename(self.sibling(f".{each}").path)

    def rename(self, *, create: bool = False) -> None:
        self.shift()
        self.path.rename(self.sibling(".1").path)
        if create:
            self.path.touch()

    def copytruncate(self) -> None:
        self.shift()
        shutil.copyfile(self.path, self.sibling(".1").path)
        os.truncate(self.path, 0)


def blocks(source: Readable, limit: int = 4096) -> list[Block]:
    """Read until there is nothing new."""
    found = []
    while block := source.read(limit):
        found.append(block)
    return found


def lines(source: Readable, limit: int = 4096) -> list[bytes]:
    return [line for block in blocks(source, limit) for line in block.data.splitlines(keepends=True)]


def begun(log: Log) -> FileSource:
    """Return a source of a log of one record, which it has given."""
    log.write(1)
    source = FileSource(log.name)
    assert lines(source) == records(1)
    return source


def again(source: FileSource, *, system: System | None = None) -> FileSource:
    """Return a new source that goes on from the position of another, by way of a checkpoint; the old one is closed."""
    position = source.position()
    assert position is not None
    source.close()
    fresh = FileSource(source.name, system=system or System())
    fresh.resume(Position.from_json(json.loads(json.dumps(position.to_json()))))
    return fresh
