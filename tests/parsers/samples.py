r"""Samples: real-looking lines, each block under comments that say which records it must give.

    # phase1_established local=192.0.2.1[500] peer=198.51.100.7[500] cookies=8f1b2c3d4e5f6071:a1b2c3d4e5f60718
    2026-01-15 08:30:02: INFO: ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718

One comment for each record: its event class, then every value of its event that is not None, quoted as a shell would where
needed, a newline written `\n`. `@level=` and its like (fields of a record, `@severity`, `@reason`) are compared where given.
`unknown` is a record that no row reads, `nothing` means that the lines give no record. `##` begins a remark. A block ends at
an empty line or at the next comment.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from racoon_parsers.clock import Clock
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record
from racoon_parsers.reasons import severity_and_reason

FOLDER: Final = Path(__file__).parents[1] / "samples"
NOTHING: Final = "nothing"
UNKNOWN: Final = "unknown"
UNREAD: Final = {**dict.fromkeys("diou", "7"), "x": "1f", "X": "1F", "c": "c", "s": "some words", "p": "0x7ffd", "f": "0.5"}
"""What racoon may print where a value is not read, by the last letter of its conversion."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines, and the records they must give."""

    place: str
    """File and line, for the test's name."""
    expected: tuple[str, ...]
    lines: tuple[str, ...]


def read_samples(path: Path) -> Iterator[Sample]:
    """Read a file of samples. Raises ValueError where lines have no expectation, or the other way round."""
    expected: list[str] = []
    lines: list[str] = []
    place = ""
    for number, line in enumerate([*path.read_text(encoding="utf-8").split("\n"), ""], start=1):
        if lines and (not line or line.startswith("#")):
            if not expected:
                raise ValueError(f"{path.name}:{number}: lines without expectation")
            yield Sample(place, tuple(expected), tuple(lines))
            expected, lines = [], []
        if line.startswith("##") or not line:
            continue
        if line.startswith("#"):
            place = f"{path.name}:{number}"
            expected.append(line.removeprefix("#").strip())
        else:
            lines.append(line)
    if expected:
        raise ValueError(f"{path.name}: expectation without lines")


def records_of(lines: Iterable[str]) -> list[Record]:
    """Read lines as one stream in UTC."""
    reader = LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))
    return [*reader.feed(lines), *reader.flush()]


def shown(value: Any) -> str:
    """Write a value of an event as samples do."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\n", "\\n")


def values_of(record: Record) -> dict[str, str]:
    """Give the values of a record's event that are not None."""
    return {name: shown(value) for name, value in record.event._asdict().items() if value is not None}


def circumstance(record: Record, name: str) -> str:
    """Give what stands beside the event: a field of the record, or the severity or reason that follows from it."""
    if name in {"severity", "reason"}:
        assert record.message is not None
        severity, reason = severity_and_reason(record.message, record.event)
        return severity if name == "severity" else reason or "-"
    return shown(getattr(record, name))


def described(record: Record, like: str) -> str:
    """Describe a record in the words of an expectation, with the circumstances that expectation names."""
    names = [word[1:].partition("=")[0] for word in shlex.split(like) if word.startswith("@")]
    parts = [record.message.event if record.message else UNKNOWN]
    parts += [f"{name}={value}" for name, value in values_of(record).items()]
    parts += [f"@{name}={circumstance(record, name)}" for name in names]
    return shlex.join(sorted(parts))


def normal(expectation: str) -> str:
    """Bring an expectation into the form of `described`."""
    return shlex.join(sorted(shlex.split(expectation)))
