"""Logs that are named on the command line, read once from front to back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path

from racoon_exporter.engine import stream_of
from racoon_exporter.source import STDIN, read_all
from racoon_exporter.source.base import Block
from racoon_parsers.clock import Clock
from racoon_parsers.line import LineSplitter


def blocks(logs: Sequence[str], problems: list[str]) -> Iterator[Block]:
    """Give the blocks of all logs; what could not be read is added to `problems`."""
    for path in logs or (STDIN,):
        whole = read_all(path)
        yield from whole
        error = whole.status().error
        if error is not None:
            problems.append(error)


def changed(source: str) -> float:
    """Give a time that no line of a log is later than: its last change, or now for a stream."""
    try:
        return Path(source).stat().st_mtime if source != STDIN else time.time()
    except OSError:
        return time.time()


def in_order(logs: Sequence[str], zone: tzinfo) -> list[str]:
    """Put rotated logs of one stream in the order of their first lines, whatever their numbers say."""
    if len(logs) < 2:
        return list(logs)
    first = {log: _first_time(log, zone) for log in logs if log != STDIN}
    place: dict[str, int] = {}
    for index, log in enumerate(logs):
        place.setdefault(stream_of(log), index)
    return sorted(logs, key=lambda log: (place[stream_of(log)], first.get(log) or 0.0))


def _first_time(log: str, zone: tzinfo) -> float | None:
    splitter, clock = LineSplitter(), Clock(zone, changed(log))
    block = next(iter(read_all(log)), None)
    for line in block.data.decode("utf-8", "replace").split("\n")[:100] if block else ():
        parsed = splitter.split(line)
        if parsed is not None and parsed.stamp:
            return clock.time(parsed.kind, parsed.stamp)
    return None
