"""Where rows go: to standard output as they come, or into tables that are shown one after the other.

What was written is valid whatever happens next: rows leave whole, in pieces that a pipe takes or leaves as one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Final, Self

from racoon_exporter.archives.formats import RowFormat, csv_line, table_columns
from racoon_exporter.archives.reading import Row
from racoon_exporter.archives.table_layout import fitted

_PIECE: Final = 4096
"""Bytes that a pipe takes as one (POSIX: PIPE_BUF is at least 512; Linux: 4096)."""

Write = Callable[[str], None]


class WholeRows:
    """Writes to a descriptor: never a part of a row and then nothing, if there is a way."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending: list[bytes] = []
        self._size = 0

    def write(self, text: str) -> None:
        """Take a row, or what stands between rows."""
        data = text.encode("utf-8", "backslashreplace")
        if self._size + len(data) > _PIECE:
            self.flush()
        self._pending.append(data)
        self._size += len(data)

    def flush(self) -> None:
        """Write what was taken."""
        data, self._pending, self._size = b"".join(self._pending), [], 0
        while data:
            data = data[os.write(self._descriptor, data) :]


class Sink(AbstractContextManager["Sink"]):
    """Takes rows; on leaving, whatever the reason, what was written is completed to a valid whole."""

    may_break_off = False
    """Whether an interrupt need not wait for that: whoever reads a part sees that it is one."""

    def __init__(self, out: WholeRows) -> None:
        self.out = out

    def rows(self, rows: Iterable[Row]) -> None:
        """Take the rows of a round."""
        raise NotImplementedError

    def finish(self) -> None:
        """Complete what was written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None or not issubclass(kind, OSError):  # nobody takes what we write
            self.finish()
            self.out.flush()


class Lines(Sink):
    """One row a line, as they come."""

    def __init__(self, out: WholeRows, head: str | None = None) -> None:
        super().__init__(out)
        if head is not None:
            out.write(head + "\n")

    def rows(self, rows: Iterable[Row]) -> None:
        """Write each row at once."""
        for _, _, text in rows:
            self.out.write(text + "\n")
        self.out.flush()


class Spooled(Sink):
    """Tables one after the other: the rows of the first are at hand at once, those of the others wait in files."""

    def __init__(self, out: WholeRows, tables: Sequence[str]) -> None:
        super().__init__(out)
        self._waiting: dict[str, IO[str]] = {
            table: tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass")  # noqa: SIM115  closed as it is read
            for table in tables
        }

    def put(self, table: str, text: str) -> None:
        """Let a row wait."""
        self._waiting[table].write(text + "\n")

    def take(self, table: str) -> Iterable[str]:
        """Give the rows that wait."""
        with self._waiting[table] as file:
            file.seek(0)
            for line in file:
                yield line[:-1]


class Document(Spooled):
    """One JSON object with a list for each table."""

    def __init__(self, out: WholeRows, tables: Sequence[str]) -> None:
        super().__init__(out, tables[1:])
        self._tables = tables
        self._between = "\n"
        out.write(f'{{\n "{tables[0]}": [')

    def rows(self, rows: Iterable[Row]) -> None:
        """Write the rows of the first table."""
        for _, table, text in rows:
            if table == self._tables[0]:
                self._item(text)
            else:
                self.put(table, text)
        self.out.flush()

    def finish(self) -> None:
        """Write the other tables."""
        for table in self._tables[1:]:
            self._end_list()
            self.out.write(f',\n "{table}": [')
            for text in self.take(table):
                self._item(text)
        self._end_list()
        self.out.write("\n}\n")

    def _item(self, text: str) -> None:
        self.out.write(f"{self._between}  {text}")
        self._between = ",\n"

    def _end_list(self) -> None:
        self.out.write("]" if self._between == "\n" else "\n ]")
        self._between = "\n"


class Tables(Spooled):
    """Tables for people, as wide as their rows or as the terminal."""

    def __init__(self, out: WholeRows, tables: Sequence[str], width: int | None, *, colour: bool) -> None:
        super().__init__(out, tables)
        self._tables = tables
        self._width = width
        self._colour = colour
        self._widest = {table: [0] * len(table_columns(table)) for table in tables}

    def rows(self, rows: Iterable[Row]) -> None:
        """Measure the rows."""
        for _, table, text in rows:
            self._widest[table] = list(map(max, self._widest[table], map(len, json.loads(text))))
            self.put(table, text)

    def finish(self) -> None:
        """Write the tables."""
        for index, table in enumerate(self._tables):
            line = fitted(table, table_columns(table), self._widest[table], self._width, colour=self._colour)
            self.out.write(f"{'' if index == 0 else chr(10)}{line.title(table)}\n{line.head()}\n")
            for text in self.take(table):
                self.out.write(line.row(json.loads(text)) + "\n")


def sink_for(form: RowFormat, out: WholeRows, *, width: int | None = None, colour: bool = False) -> Sink:
    """Give the sink of an output format."""
    if form.output == "json":
        return Document(out, form.tables)
    if form.output == "table":
        return Tables(out, form.tables, width, colour=colour)
    return Lines(out, csv_line(form.columns) if form.output == "csv" else None)
