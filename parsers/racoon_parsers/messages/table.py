"""Tables of tab-separated columns, checked as they are read: what is wrong in one is said with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from racoon_parsers.fields import FIELDS

SEVERITIES: Final = frozenset({"critical", "error", "warning", "notice", "info"})
TAGS: Final = frozenset({"yes", "no", "mixed", "local"})
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_CONSTANT: Final = re.compile(r"[a-z_0-9]+=\S+")


class TableError(ValueError):
    """A table is wrong at a line."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}:{line}: {what}")


def read_table(text: str, file: str, columns: tuple[str, ...] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row with the number of its line. Raises TableError at another header, or a row of another width."""
    lines = text.removesuffix("\n").split("\n")
    header = tuple(lines[0].split("\t"))
    if columns and header != columns:
        raise TableError(file, 1, f"the columns are {' '.join(header)}, expected {' '.join(columns)}")
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise TableError(file, number, f"{len(cells)} columns, expected {len(header)}: {line[:60]!r}")
        yield number, dict(zip(header, cells, strict=True))


def check_message(row: dict[str, str], file: str, line: int) -> None:
    """Check what a row of messages may hold. Raises TableError."""
    empty = [column for column in ("event", "severity", "tag") if not row[column].strip()]
    if empty:
        raise TableError(file, line, f"{empty[0]} is empty")
    if row["severity"] not in SEVERITIES:
        raise TableError(file, line, f"no severity: {row['severity']}; one of {' '.join(sorted(SEVERITIES))}")
    if row["tag"] not in TAGS:
        raise TableError(file, line, f"no tag: {row['tag']}; one of {' '.join(sorted(TAGS))}")
    for name in _HOLE.findall(row["template"]):
        if name.partition(":")[0] not in FIELDS and re.fullmatch(r"[a-z_0-9]+(?::[^{}]*)?", name):
            raise TableError(file, line, f"no field: {{{name}}}")
    for item in row["constants"].split():
        if item != "-" and not _CONSTANT.fullmatch(item):
            raise TableError(file, line, f"no constant: {item}; written name=value")
