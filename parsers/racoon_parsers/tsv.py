"""Tables of tab-separated columns, checked as they are read: what is wrong in one is said with its file and line."""

from __future__ import annotations

from collections.abc import Iterator


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


def optional(text: str) -> str:
    """Give a cell's text; `-` stands for nothing."""
    return "" if text == "-" else text
