"""The messages of racoon, one row each, one file per family.

A row's columns are those of `Message`; `-` stands for nothing. The families follow racoon's subsystems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Final

from racoon_parsers.message import Catalogue, Message

FAMILIES: Final = (
    "apple",
    "authentication",
    "config",
    "daemon",
    "debug",
    "informational",
    "kernel",
    "nat",
    "packet",
    "phase1",
    "phase2",
    "policy",
    "proposal",
    "startup",
    "subsystem",
    "vendor",
    "xauth",
)
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


def read_table(text: str) -> Iterator[dict[str, str]]:
    """Read a table of tab-separated columns. Raises ValueError at a row of another width."""
    lines = text.splitlines()
    header = lines[0].split("\t")
    for line in lines[1:]:
        yield dict(zip(header, line.split("\t"), strict=True))


def read_family(name: str) -> Iterator[Message]:
    """Read the rows of a family."""
    for row in read_table(files(__name__).joinpath(f"{name}.tsv").read_text(encoding="utf-8")):
        yield Message(
            template=row["template"],
            event=row["event"],
            severity=row["severity"],
            reason=_optional(row["reason"]),
            levels=tuple(row["levels"].split()),
            tag=row["tag"],
            dialects=row["dialects"],
            constants=tuple(_constant(item) for item in _optional(row["constants"]).split()),
            printed_by=row["printed_by"],
            gloss=row["gloss"],
        )


def _optional(text: str) -> str:
    return "" if text == "-" else text


def _constant(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


@cache
def catalogue() -> Catalogue:
    """Give the catalogue of all families; read once."""
    rows = (message for family in FAMILIES for message in read_family(family))
    return Catalogue(replace(message, index=index) for index, message in enumerate(rows))
