"""What must hold for whatever bytes a log contains; `fuzz_reader.py` looks for bytes for which it does not."""

from __future__ import annotations

import json
from datetime import UTC

from racoon_parsers.clock import Clock
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record

_REFERENCE = 1_800_000_000.0


def _reader() -> LogReader:
    return LogReader(catalogue(), Clock(UTC, _REFERENCE))


def _plain(records: list[Record]) -> list[Record]:
    """Give records with their values read."""
    return [record._replace(values=record.event) for record in records]


def check(data: bytes) -> None:
    """Read the bytes at once and in two pieces, with what a checkpoint keeps between them; the first byte says where to cut."""
    lines = data[1:].decode("utf-8", "backslashreplace").split("\n")
    whole = _reader()
    expected = whole.feed(lines) + whole.flush()
    cut = data[0] % (len(lines) + 1) if data else 0
    before = _reader()
    records = before.feed(lines[:cut])
    after = _reader()
    after.restore(json.loads(json.dumps(before.to_json())))
    records += after.feed(lines[cut:], cut + 1) + after.flush()
    if _plain(records) != _plain(expected):
        raise AssertionError(f"cut before line {cut + 1}: {records} instead of {expected}")
