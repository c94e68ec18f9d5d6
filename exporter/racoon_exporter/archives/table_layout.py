"""Tables for people: which columns a terminal has room for, and how wide they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click

_GAP: Final = "  "
_NARROWEST: Final = 8
"""Characters that a cell keeps when nothing else is left to give way."""
_GIVE_WAY: Final[dict[str, tuple[str, ...]]] = {
    "phase1": ("cookies", "local", "exchange", "role", "gateway"),
    "ipsec": ("mode", "source", "destination", "dying", "protocol", "spi", "gateway", "direction"),
    "negotiations": ("cookies", "local", "ended", "exchange", "role", "gateway"),
    "daemon": ("version",),
    "events": ("gateway", "level", "reason"),
    "outages": ("file", "line", "told_by", "first_reason", "end", "gateway"),
}
"""Columns by table, the first to be left out first."""
_BAD: Final = frozenset({"failed", "dead_peer", "crash"})
_GOOD: Final = frozenset({"established"})


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that are shown: place among the cells, heading, width."""

    columns: tuple[tuple[int, str, int], ...]
    colour: bool

    def title(self, table: str) -> str:
        """Write the table's name."""
        return click.style(table, bold=True) if self.colour else table

    def head(self) -> str:
        """Write the headings, and a rule under them."""
        heads = _GAP.join(head.ljust(width)[:width] for _, head, width in self.columns).rstrip()
        return f"{heads}\n{_GAP.join('-' * width for _, _, width in self.columns)}"

    def row(self, cells: Sequence[str]) -> str:
        """Write a row."""
        return _GAP.join(self._cell(cells[place], width) for place, _, width in self.columns).rstrip()

    def _cell(self, text: str, width: int) -> str:
        shown = text if len(text) <= width else f"{text[: width - 1]}…"
        colour = "red" if text in _BAD else "green" if text in _GOOD else None
        padded = shown.ljust(width)
        return click.style(padded, fg=colour) if self.colour and colour is not None else padded


def fitted(table: str, heads: Sequence[str], widest: Sequence[int], room: int | None, *, colour: bool = False) -> Layout:
    """Choose columns and widths for a terminal so wide; None is room for all."""
    columns = [(place, head, max(len(head), widest[place])) for place, head in enumerate(heads)]
    if room is None:
        return Layout(tuple(columns), colour)
    columns = [column for column in columns if widest[column[0]] > 1 or not any(widest)]  # a dash is no news
    for name in _GIVE_WAY[table]:
        if _total(columns) <= room:
            break
        columns = [column for column in columns if column[1] != name]
    while (over := _total(columns) - room) > 0:
        place = max(range(len(columns)), key=lambda index: columns[index][2])
        index, head, width = columns[place]
        if width <= _NARROWEST:
            break
        columns[place] = (index, head, max(_NARROWEST, width - over))
    return Layout(tuple(columns), colour)


def _total(columns: Sequence[tuple[int, str, int]]) -> int:
    return sum(width for _, _, width in columns) + len(_GAP) * (len(columns) - 1)
