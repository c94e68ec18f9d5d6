"""The list of peers: columns as wide as the terminal allows, rows that keep their place while they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from racoon_exporter.top.model import Row, length

_STYLES: Final = {"down": "bold red", "failing": "bold yellow", "unknown": "magenta", "gone": "yellow", "up": "green"}
"""Beside the word, never instead of it."""


class _Column(NamedTuple):
    title: str
    width: int
    value: Callable[[Row], str]
    least: int = 0
    """Width of the terminal from which on it is shown."""


_NAME: Final = "Peer"
_COLUMNS: Final = (
    _Column("State", 9, lambda row: row.word),
    _Column(_NAME, 0, lambda row: row.name),
    _Column("Gateway", 14, lambda row: row.gateway),
    _Column("Since", 11, lambda row: length(row.seconds)),
    _Column("Reason", 21, lambda row: row.reason),
    _Column("In/Out", 6, lambda row: f"{row.inbound}/{row.outbound}"),
    _Column("Flaps", 5, lambda row: str(row.flaps), 100),
    _Column("Address", 39, lambda row: row.address, 150),
    _Column("Kind", 10, lambda row: row.kind, 120),
    _Column("Heard", 11, lambda row: length(row.seen), 110),
)
_LEAST_NAME: Final = 12
_MOST_NAME: Final = 60


def columns_for(width: int, *, several: bool) -> list[tuple[_Column, int]]:
    """Choose columns for a terminal, and give each its width; the name takes what is left."""
    shown = [one for one in _COLUMNS if width >= one.least and (several or one.title != "Gateway")]
    left = width - sum(one.width for one in shown) - 2 * len(shown) - 2
    return [(one, one.width or max(_LEAST_NAME, min(_MOST_NAME, left))) for one in shown]


def cut(text: str, width: int) -> str:
    """Shorten a text to a column."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


class PeerTable(DataTable[Text]):
    """The peers, one a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", "First", show=False),
        Binding("end", "scroll_bottom", "Last", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, id="peers")
        self._shown: dict[str, Row] = {}
        self._columns: list[tuple[_Column, int]] = []

    def show(self, rows: Sequence[Row], width: int, *, several: bool) -> None:
        """Show rows; the cursor stays on its peer."""
        columns = columns_for(width, several=several)
        if columns != self._columns or [row.key for row in rows] != list(self._shown):
            self._fill(rows, columns)
            return
        for row in rows:
            if row != self._shown[row.key]:
                for column, cells in columns:
                    self.update_cell(row.key, column.title, _cell(row, column, cells))
                self._shown[row.key] = row

    def _fill(self, rows: Sequence[Row], columns: list[tuple[_Column, int]]) -> None:
        chosen, place, top = self.chosen, self.cursor_row, self.scroll_y
        self.clear(columns=True)
        self._columns = columns
        for column, width in columns:
            self.add_column(column.title, width=width, key=column.title)
        self._shown = {row.key: row for row in rows}
        for row in self._shown.values():
            self.add_row(*(_cell(row, column, width) for column, width in columns), key=row.key)
        if chosen is not None and chosen.key in self._shown:
            place = list(self._shown).index(chosen.key)
        self.move_cursor(row=min(place, max(0, len(self._shown) - 1)), scroll=False)
        self.scroll_to(y=top, animate=False)

    @property
    def chosen(self) -> Row | None:
        """The peer that the cursor is on."""
        keys = list(self._shown)
        return self._shown[keys[self.cursor_row]] if 0 <= self.cursor_row < len(keys) else None


def _cell(row: Row, column: _Column, width: int) -> Text:
    style = _STYLES.get(row.state, "") if column.title == "State" else "bold" if column.title == _NAME else ""
    return Text(cut(column.value(row), width), style=style, no_wrap=True)


__all__ = ["PeerTable", "columns_for", "cut"]
