"""`events` over old logs: an object for each message, in the order of the lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from racoon_exporter.archives.context_lines import ContextLines, notes
from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.formats import RowFormat
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.reading import Reading, Row
from racoon_exporter.events_output import as_dict
from racoon_parsers.record import Record
from racoon_parsers.record_errors import RecordErrors


@dataclass(frozen=True, slots=True)
class EventRows:
    """What `events` makes of a unit's logs."""

    reading: Reading
    form: RowFormat

    def can_share(self, unit: Unit) -> bool:
        """Whether several workers may write a part of the rounds each: all read, which is the smaller part of the work."""
        return unit.size > self.reading.round_size

    def rounds(self, once: LinesOnce, share: int, shares: int) -> Iterator[list[Row]]:
        """Give the rows of each round, those of every n-th round where n share the work."""
        engine, context = self.reading.engine(), ContextLines()
        rows: list[Row] = []
        source, turn, left = "", 0, self.reading.round_size
        for block in once.blocks(lambda: max((one.clock.last or 0.0 for one in engine.readers.values()), default=None)):
            mine = turn % shares == share
            if source and source != block.source:
                rows += self._rows(once, engine.errors, context, engine.rest(source), source, wanted=mine)
            source = block.source
            rows += self._rows(once, engine.errors, context, engine.records(block), source, wanted=mine)
            left -= len(block.data)
            if left <= 0:
                yield rows
                rows, turn, left = [], turn + 1, self.reading.round_size
        if source:
            rows += self._rows(once, engine.errors, context, engine.rest(source), source, wanted=turn % shares == share)
        yield rows

    def _rows(
        self,
        once: LinesOnce,
        errors: RecordErrors,
        context: ContextLines,
        records: Iterable[Record],
        source: str,
        *,
        wanted: bool,
    ) -> list[Row]:
        """Give the rows of records; those of another's round are read, for what follows, and not written."""
        read = list(records)
        once.heard |= bool(read)
        if not wanted:
            for record in read:
                if notes(record):
                    context.complete(as_dict(record, source, self.reading.shown_zone, errors))
            return []
        return [row for record in read if (row := self._row(context, record, source, errors)) is not None]

    def _row(self, context: ContextLines, record: Record, source: str, errors: RecordErrors) -> Row | None:
        values = context.complete(as_dict(record, source, self.reading.shown_zone, errors))
        selection, knowledge = self.reading.selection, self.reading.knowledge.at(record.gateway)
        if not selection.spans(record.time, record.time) or not selection.has_gateway(record.gateway):
            return None
        peer = values.get("peer")
        if not selection.has_peer(peer, knowledge) or not selection.has_reason(values.get("reason")):
            return None
        name = None if peer is None else knowledge.name(peer)
        if name not in (None, peer):
            values["name"] = name
        return [], "events", self.form.text("events", values)
