"""The messages of racoon, one row each, one file per family.

A row's columns are those of `Message`; `-` stands for nothing. The families follow racoon's subsystems. Rows that only one
dialect prints stand in its folder (`dialects/<name>/rows.tsv`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from racoon_parsers import dialects
from racoon_parsers.catalogue import Catalogue
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.message import Message
from racoon_parsers.messages.table import check_message
from racoon_parsers.tsv import TableError, optional, read_table, text_of

FAMILIES: Final = tuple(sorted(table.name.removesuffix(".tsv") for table in files(__name__).iterdir() if ".tsv" in table.name))
"""racoon's subsystems, a table each."""
COLUMNS: Final = (
    "template",
    "event",
    "severity",
    "reason",
    "levels",
    "tag",
    "dialects",
    "constants",
    "printed_by",
    "gloss",
)


def _tables() -> dict[str, Traversable]:
    found = {family: files(__name__).joinpath(f"{family}.tsv") for family in FAMILIES}
    found |= {name: files(dialects).joinpath(name, "rows.tsv") for name in DIALECTS}
    return {name: table for name, table in found.items() if table.is_file()}


TABLES: Final = _tables()
"""The tables of messages: of each family, and of each dialect that has rows of its own."""


OWN: Final = tuple(name for name in TABLES if name in DIALECTS and DIALECTS[name].own)
"""The dialects whose rows are read only behind heads of their own."""


def own_rows(name: str) -> tuple[Message, ...]:
    """Give the rows of such a dialect, before all others by their numbers."""
    rows = list(read_rows(name))
    return tuple(replace(message, index=index - len(rows)) for index, message in enumerate(rows))


def read_rows(name: str) -> Iterator[Message]:
    """Read the rows of a family or dialect. Raises TableError where its table is wrong."""
    return read_messages(*text_of(TABLES[name]))


def read_messages(text: str, file: str) -> Iterator[Message]:
    """Read a table of messages, a row for each line behind the first. Raises TableError where it is wrong."""
    for line, row in read_table(text, file, COLUMNS, key=("template",), literal=("template",)):
        check_message(row, file, line)
        yield Message(
            template=row["template"],
            event=row["event"],
            severity=row["severity"],
            reason=optional(row["reason"]),
            levels=tuple(row["levels"].split()),
            tag=row["tag"],
            dialects=row["dialects"],
            constants=tuple(_constant(item) for item in optional(row["constants"]).split()),
            printed_by=row["printed_by"],
            gloss=row["gloss"],
        )


def _constant(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


@cache
def catalogue() -> Catalogue:
    """Give the catalogue of all tables; read once."""
    rows = shared_rows({name: read_rows(name) for name in TABLES if name not in OWN})
    return Catalogue(
        [replace(message, index=index) for index, message in enumerate(rows)], {name: own_rows(name) for name in OWN}
    )


def shared_rows(tables: Mapping[str, Iterable[Message]]) -> Iterator[Message]:
    """Give the rows of several tables. Raises TableError where a template stands in two of them."""
    first: dict[str, tuple[str, int]] = {}
    for name, rows in tables.items():
        for line, message in enumerate(rows, start=2):
            table, there = first.setdefault(message.template, (name, line))
            if table != name:
                raise TableError(
                    str(TABLES[name]), line, f"the template stands in {TABLES[table]}:{there} already; keep one of them"
                )
            yield message


__all__ = [
    "COLUMNS",
    "FAMILIES",
    "OWN",
    "TABLES",
    "TableError",
    "catalogue",
    "own_rows",
    "read_messages",
    "read_rows",
    "shared_rows",
]
