"""The end of a log, read by the engine that the exporter uses: what it would say of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Final

from racoon_exporter.decoding import block_lines
from racoon_exporter.engine import Engine
from racoon_exporter.source import STDIN, Block, blocks_of
from racoon_parsers.clock import Clock
from racoon_parsers.debug_filter import DEBUG_LEVELS
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.line import Line, LineSplitter, is_racoon

MOST_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a log that are read, from its end."""
_LAST_LINES: Final = 400
"""Lines at the end that are looked at one by one."""
_FOOT: Final = 64
DEBUG: Final = DEBUG_LEVELS | {"debug"}


@dataclass(slots=True)
class _Tail:
    text: list[str] = field(default_factory=list)

    def add(self, lines: list[str]) -> None:
        self.text = [*self.text, *lines][-_LAST_LINES:]


@dataclass(frozen=True)
class LogTail:
    """What a log says."""

    path: Path
    size: int
    changed: float
    engine: Engine
    head: bytes
    foot: bytes
    lines: tuple[Line, ...]
    """The last lines that are racoon's, taken apart."""
    whole: bool
    """Whether the log was read from its beginning."""
    stamped: tuple[tuple[Line, float], ...] = ()
    """The last lines of any program, with their times in the zone that is configured."""

    @property
    def last(self) -> float | None:
        """Time of its newest line, in the zone that is configured."""
        return self.engine.last_line.get(str(self.path))

    @cached_property
    def levels(self) -> dict[str, int]:
        """Records by racoon's word for their level; "none" where the format has none."""
        counts: dict[str, int] = {}
        for (level, _, event), number in self.engine.messages.items():
            if number and event != "unknown":
                counts[level] = counts.get(level, 0) + number
        return counts

    @property
    def known(self) -> int:
        """Records whose message is known."""
        return sum(self.levels.values())

    @property
    def unknown(self) -> int:
        """Records of racoon whose message is not known."""
        return self.engine.unparsed["unknown_message"]

    @property
    def dialect(self) -> str:
        """Name what writes it, as far as its heads tell."""
        named = next((line.dialect for line in reversed(self.lines) if line.dialect), "")
        return named if named in DIALECTS else ""

    @property
    def debugs(self) -> bool:
        """Whether racoon debugs now."""
        return any(line.level in DEBUG for line in self.lines)

    @property
    def by_syslog(self) -> bool:
        """Whether another program than racoon writes the file."""
        return any(line.host for line in self.lines[-5:])

    def has_own_zone(self, line: Line) -> bool:
        """Whether a line's time says its zone itself: then the configured one does not matter."""
        east, west = (Clock(timezone(timedelta(hours=hours)), self.changed).time(line.kind, line.stamp) for hours in (6, -6))
        return east == west


def read_tail(path: Path, engine: Engine, zone: tzinfo) -> LogTail:
    """Read the end of a log. Raises OSError."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        head = _at(file, 0)
        foot = _at(file, max(0, size - _FOOT))
        start = max(0, size - MOST_BYTES)
        file.seek(start)
        if start:
            file.readline()
        status = path.stat()
        tail = _Tail()
        for block in _blocks(path, file):
            engine.feed(block)
            tail.add(block_lines(block.data)[0])
        engine.flush()
    stamped = tuple(_stamped(tail.text, zone, status.st_mtime))
    racoons = tuple(line for line, _ in stamped if line.dialect or is_racoon(line.ident))
    return LogTail(path, size, status.st_mtime, engine, head, foot, racoons, start == 0, stamped)


def _at(file: io.BufferedReader, place: int) -> bytes:
    file.seek(place)
    return file.read(4096)


def _blocks(path: Path, file: io.BufferedReader) -> Iterator[Block]:
    """Give the blocks of an open file from where it stands."""
    for block in blocks_of(STDIN, stdin=file):
        yield replace(block, source=str(path))


def _stamped(texts: list[str], zone: tzinfo, changed: float) -> Iterator[tuple[Line, float]]:
    splitter, clock = LineSplitter(), Clock(zone, changed)
    for text in texts:
        line = splitter.split(text)
        time = clock.time(line.kind, line.stamp) if line is not None and line.stamp else None
        if line is not None and time is not None:
            yield line, time
