"""A look at the beginning of each log: whose it is, when it begins, and whether it is racoon's at all."""

from __future__ import annotations

import re
import stat
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from racoon_exporter.archives.newest_first import Order, order_of
from racoon_exporter.decoding import block_lines
from racoon_exporter.source import STDIN, blocks_of
from racoon_exporter.source.files.remote import expanded, is_url, status_of
from racoon_parsers.clock import Clock
from racoon_parsers.line import LineSplitter, is_racoon

_LOOKED_AT: Final = 64 * 1024
"""Bytes of a log's beginning."""
_ENDS: Final = re.compile(
    r"(?:phase [12] negotiation: |ISAKMP-SA established )(?P<local>[0-9A-Fa-f.:]+)(?:%\w+)?\[\d+\](?:<=>|-)"
    r"(?P<peer>[0-9A-Fa-f.:]+)(?:%\w+)?\[\d+\]"
)
"""Lines that name both ends, ours on the left."""
_KEPT: Final = 4096
"""Bytes of it by which it is found in another log."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the beginning of a log tells."""

    path: str
    size: int = 0
    """Bytes on disk, for the progress; 0 for a stream."""
    head: bytes = b""
    """Its first lines."""
    first_time: float | None = None
    hosts: frozenset[str] = frozenset()
    """Hosts that racoon's lines name."""
    ends: frozenset[tuple[str, str]] = frozenset()
    """The two ends of negotiations and SAs, ours first."""
    order: Order = "oldest first"
    """In what order its lines stand."""
    identity: tuple[int, int] | None = None
    """Device and inode; None for a stream, which can be read once only and is not looked at."""

    @property
    def first_line(self) -> bytes:
        """Its first line with its end; empty where there is no whole one."""
        return self.head[: self.head.find(b"\n") + 1]


def changed(source: str) -> float:
    """Give a time that no line of a log is later than: its last change, or now for a stream."""
    try:
        if is_url(source):
            told = status_of(source).changed
            return time.time() if told is None else told
        return Path(source).stat().st_mtime if source != STDIN else time.time()
    except OSError:
        return time.time()


def survey(paths: Sequence[str], zone: tzinfo) -> list[Sample]:
    """Look at the beginning of each log; one that is named twice is looked at and read once."""
    samples: dict[object, Sample] = {}
    for path in [found for given in paths or (STDIN,) for found in expanded(given)]:
        sample = _sample(path, zone)
        samples.setdefault(sample.identity or path, sample)
    return list(samples.values())


def _sample(path: str, zone: tzinfo) -> Sample:
    status = _status(path)
    if status is None:
        return Sample(path)
    block = next(iter(blocks_of(path, _LOOKED_AT)), None)
    if block is None:
        return Sample(path, status.size, identity=status.identity)
    splitter, clock = LineSplitter(), Clock(zone, status.changed)
    first_time: float | None = None
    hosts, ends = set(), set()
    lines = block_lines(block.data)[0]
    for line in lines:
        parsed = splitter.split(line)
        if parsed is None or not parsed.stamp:
            continue
        if first_time is None:
            first_time = clock.time(parsed.kind, parsed.stamp)
        if parsed.host and is_racoon(parsed.ident):
            hosts.add(parsed.host)
        if (pair := _ENDS.search(line)) is not None:
            ends.add((pair["local"], pair["peer"]))
    order = order_of(lines, zone, status.changed)
    return Sample(path, status.size, block.data[:_KEPT], first_time, frozenset(hosts), frozenset(ends), order, status.identity)


class _Status(NamedTuple):
    size: int
    changed: float
    identity: tuple[int, int]


def _status(path: str) -> _Status | None:
    """Give the status of a regular file; None for what can be read once only, or not at all."""
    if path == STDIN:
        return None
    try:
        if is_url(path):
            told = status_of(path)
            return _Status(told.size, time.time() if told.changed is None else told.changed, (-1, zlib.crc32(path.encode())))
        status = Path(path).stat()
    except OSError:
        return None
    return _Status(status.st_size, status.st_mtime, (status.st_dev, status.st_ino)) if stat.S_ISREG(status.st_mode) else None
