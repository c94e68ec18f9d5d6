"""What is over: ended negotiations, SAs and lives of daemons, the newest kept."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from racoon_exporter.sa.model import HISTORY, DaemonRun, IpsecSa, IsakmpSa, Negotiation, to_json

Places = Mapping[int, int]
"""By `id`: where a record stands in its table."""


class Archive:
    """Ended records, the newest kept."""

    def __init__(self, limit: int | None) -> None:
        self._most = sys.maxsize if limit is None else limit
        self.leaving: Callable[[Sequence[Any]], None] = lambda _records: None
        """Told what makes room for newer records."""
        self.phase1: list[IsakmpSa] = []
        self.ipsec: list[IpsecSa] = []
        self.negotiations: list[Negotiation] = []
        self.daemon: list[DaemonRun] = []
        self._written: dict[str, list[dict[str, Any]]] = {name: [] for name in HISTORY}
        """The rows as JSON values: an ended record does not change, and a checkpoint must not take long."""

    @property
    def limit(self) -> int | None:
        """Rows kept of each table; None for all."""
        return None if self._most == sys.maxsize else self._most

    def add(self, table: list[Any], record: Any) -> None:
        """File a record; the oldest tenth goes when the limit is passed."""
        table.append(record)
        if len(table) > self._most:
            self._trim(table)

    def _trim(self, table: list[Any]) -> None:
        gone = max(1, self._most // 10)
        self.leaving(table[:gone])
        del table[:gone]
        for name, written in self._written.items():
            if getattr(self, name) is table:
                del written[:gone]

    def insert(self, table: list[Any], record: Any) -> None:
        """File a record that ended before others that are here: rows stand in the order of their ends."""
        place = bisect_right(table, record.ended or 0.0, key=lambda row: row.ended or 0.0)
        for name, written in self._written.items():
            if getattr(self, name) is table and place <= len(written):
                written.insert(place, to_json(record))
        table.insert(place, record)
        if len(table) > self._most:
            self._trim(table)

    def changed(self) -> None:
        """Note that an ended record changed after all, which is rare."""
        for written in self._written.values():
            written.clear()

    def places(self) -> Places:
        """Tell where each record stands just now."""
        return {id(record): place for name in HISTORY for place, record in enumerate(getattr(self, name))}

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Give all rows; only those that are new since the last time are written anew."""
        for name, written in self._written.items():
            written.extend(map(to_json, getattr(self, name)[len(written) :]))
        return {name: written.copy() for name, written in self._written.items()}
