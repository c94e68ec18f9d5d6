"""Tables of tab-separated columns: what is wrong in one is said with its file, its line and what mends it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from typing import Final

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
"""A name that a table gives to something."""
_SHOWN: Final = 60
"""Characters of a wrong line that are shown."""
_FEW: Final = 30
"""So many words are named when one is not among them."""
_ALIKE: Final = 0.7
"""How much of a word must be that of another for it to be meant, perhaps."""


class TableError(ValueError):
    """A table is wrong at a line."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}:{line}: {what}")


def text_of(table: Traversable) -> tuple[str, str]:
    """Give the text of a file of ours, and its place. Raises TableError where it cannot be read, or is not UTF-8."""
    try:
        data = table.read_bytes()
    except OSError as error:
        raise TableError(str(table), 1, f"{error.strerror}; a table of ours belongs there") from error
    try:
        return data.decode("utf-8").replace("\r\n", "\n"), str(table)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            str(table), line, f"a byte that is no UTF-8: {data[error.start]:#04x}; save the file as UTF-8"
        ) from error


def read_table(
    text: str, file: str, columns: tuple[str, ...] = (), *, key: tuple[str, ...] = (), literal: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row with the number of its line, from 2 on.

    Raises TableError at another header than `columns`, without a row, at a row of another width, where two rows have the same
    `key`, at a cell that is empty or has blanks around it, but in the `literal` columns, whose blanks are their own, and at a
    character that nobody sees, such as a web page leaves in what is copied from it: no line of a log would fit it.
    """
    lines = text.removesuffix("\n").split("\n")
    header = tuple(lines[0].split("\t"))
    if columns and header != columns:
        raise TableError(file, 1, _header(lines[0], columns))
    if len(lines) == 1:
        raise TableError(
            file, 2, "no row stands below the names of the columns; a table that says nothing is no table: delete it"
        )
    first: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not (seen := line.replace("\t", "")).isprintable():
            raise TableError(file, number, _unseen(seen))
        cells = line.split("\t")
        if len(cells) != len(header):
            raise TableError(file, number, _width(line, len(cells), header))
        row = dict(zip(header, cells, strict=True))
        for column, cell in row.items():
            if (not cell or cell != cell.strip()) and column not in literal:
                what = f"the column {column} is empty or has blanks around it: {cell!r}; - stands for nothing"
                raise TableError(file, number, what)
        if key and (before := first.setdefault(tuple(row[name] for name in key), number)) != number:
            named = ", ".join(f"{name} {row[name]}" for name in key)
            raise TableError(file, number, f"{named} stands in line {before} already; keep one of them")
        yield number, row


def _header(line: str, columns: tuple[str, ...]) -> str:
    expected = f"its first line names the columns, separated by tabs: {' '.join(columns)}"
    if line.startswith("\ufeff"):
        return f"the file begins with a byte order mark; take it out: {expected}"
    return f"{expected}; not {_shown(line)!r}"


def _width(line: str, width: int, header: tuple[str, ...]) -> str:
    if not line.strip():
        return "an empty line; take it out"
    hint = "a cell without a value holds -" if width < len(header) else "a tab within a cell begins another"
    return f"{width} columns, expected {len(header)} ({' '.join(header)}), separated by tabs; {hint}: {_shown(line)!r}"


def _unseen(text: str) -> str:
    place, character = next((place, character) for place, character in enumerate(text) if not character.isprintable())
    before = text[:place].rstrip()[-_SHOWN // 3 :]
    return f"a character that nobody sees, U+{ord(character):04X}, behind {before!r}; take it out, or write a blank"


def _shown(line: str) -> str:
    return line.replace("\t", " ")[:_SHOWN].rstrip()


def no_such(what: str, word: str, known: Collection[str]) -> str:
    """Say that a word is none of those that are known, and which it may have been meant to be."""
    near = get_close_matches(word, known, n=1, cutoff=_ALIKE)
    if near:
        return f"no {what}: {word}; did you mean {near[0]}?"
    return f"no {what}: {word or 'an empty cell'}" + (f"; one of {' '.join(sorted(known))}" if len(known) <= _FEW else "")


def optional(text: str) -> str:
    """Give a cell's text; `-` stands for nothing."""
    return "" if text == "-" else text
