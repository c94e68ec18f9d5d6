"""The record that was read last: the lines that follow may belong to it still.

Mail programs and terminals tear records: pieces without a head are put together again, as far as a message comes of it. A user
of extended authentication chooses the name that racoon prints, newlines included: what stands between the quotes is that name,
however genuine it looks. And collectors write `last message repeated 3 times` where racoon said it three times more.
"""

from __future__ import annotations

from typing import Any, Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.line import LineSplitter, split_inner
from racoon_parsers.masking import mask_continued, mask_glued, mask_unknown, masked
from racoon_parsers.message import Message
from racoon_parsers.recogniser import known_otherwise, respelled
from racoon_parsers.record import LONGEST_TEXT, Record

_MOST_CONTINUATIONS: Final = 4
"""Lines a torn record may go on for; a longer one is not racoon's."""
_MOST_QUOTED: Final = 16
"""Lines a value with newlines may go on for."""
_LONGEST_QUOTED: Final = 4096
"""Characters of such a record."""
_UNSAID: Final = ""
"""Stands for the row of a record of which an older version kept none; None is that of a message that nobody knows."""

NumberedLine = tuple[str, int]
"""A line and its number."""


class Multiline:
    """Holds the last record of a stream until the next line shows that nothing more belongs to it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.record: Record | None = None
        """The record that is held."""
        self._last: Record | None = None
        """The same, also once it was given: what is said to be repeated."""
        self._open = False
        """Whether the last line with a head was racoon's, so that what follows without one may be."""
        self._continuations: list[str] = []
        self._opened: Message | None = None
        """Row of the record, where a value of it goes on in the lines that follow."""
        self._quoted: list[NumberedLine] = []
        """Those lines, and their numbers."""

    @property
    def is_quoting(self) -> bool:
        """Whether the next line stands within a value."""
        return self._opened is not None

    def hold(self, record: Record) -> None:
        """Hold a record in which there is nothing to mask."""
        self.record = self._last = record
        self._open = True

    def begin(self, record: Record, *, may_quote: bool) -> bool:
        """Hold a record, without what may be a secret in it, and tell whether the next line stands within a value of it.

        A value of it may go on in the next lines only where racoon's own lines are stored as it wrote them: a collector of
        syslog escapes newlines.
        """
        held = masked(record, self._catalogue.in_dialect(record.ident))
        self.hold(held)
        if may_quote:
            self._opened = self._catalogue.opened(held.text)
        return self._opened is not None

    def close(self) -> None:
        """Take note of a line that is not racoon's: what follows it without a head is neither."""
        self._open = False
        self._last = None

    def drop(self) -> Record | None:
        """Begin anew, and give the record as it was held."""
        self._continuations, self._opened, self._quoted = [], None, []
        self._open = False
        record, self.record, self._last = self.record, None, None
        return record

    # lines without a head

    def take(self, line: str) -> bool:
        """Take a line that may go on the record; false where none is held, or too much was taken."""
        if self.record is None or not self._open or len(self._continuations) >= _MOST_CONTINUATIONS:
            return False
        catalogue = self._catalogue.in_dialect(self.record.ident)
        self._continuations.append(mask_continued([self.record.text, *self._continuations], line, catalogue))
        return True

    @property
    def can_repeat(self) -> bool:
        """Whether there is a record that may be said to be repeated."""
        return self._last is not None

    def repeat(self, number: int, times: int, time: float | None) -> Record:
        """Say the last record again, at the time by which it had been repeated."""
        assert self._last is not None
        again = self._last._replace(number=number, times=times)
        return again if time is None else again._replace(time=time)

    # values with newlines

    def quote(self, line: str, number: int) -> list[NumberedLine]:
        """Take a line while a value is open, up to the one that closes it. Give what is to be read as lines after all."""
        assert self._opened is not None
        assert self.record is not None
        self._quoted.append((self._without_secrets(line), number))
        text = "\n".join((self.record.text, *(quoted for quoted, _ in self._quoted))).rstrip()
        if self._opened.fits(text):
            record = self.record.reads(self._opened, text)
            self.record = self._last = masked(record, self._catalogue.in_dialect(record.ident))
            self._opened, self._quoted = None, []
        elif len(self._quoted) >= _MOST_QUOTED or len(text) > _LONGEST_QUOTED:
            return self.unquote()
        return []

    def unquote(self) -> list[NumberedLine]:
        """Nothing closes the value: its record was cut, and the lines behind it, which are given, are lines like any other."""
        quoted, self._opened, self._quoted = self._quoted, None, []
        return quoted

    def _without_secrets(self, line: str) -> str:
        """Give a line to be read later, or to stand in another's value, without what may be a secret in it."""
        parsed = LineSplitter().split(line)
        if parsed is None and self.record is not None:
            parts = [self.record.text, *(quoted for quoted, _ in self._quoted)]
            return mask_continued(parts, line, self._catalogue.in_dialect(self.record.ident))
        if parsed is not None and mask_glued(parsed.text, self._catalogue) == parsed.text:
            message = self._catalogue.in_dialect(parsed.dialect).find(parsed.text)
            if message is not None and not message.secret:
                return line
        return mask_unknown(line, self._catalogue)

    # torn records

    def complete(self, records: list[Record]) -> int:
        """Give the record that is held, with the lines that belong to it, and the number of those that belonged to none."""
        record, nobodys = self.record, 0
        if record is None:
            return 0
        if self._continuations:
            record, nobodys = self._join(record)
        catalogue = self._catalogue.in_dialect(record.ident)
        if record.message is None:
            message = catalogue.find_cut(record.text)
            record = record if message is None else record._replace(message=message)
        if record is not self.record:  # what was held is masked already
            record = masked(record, catalogue)
        self.record, self._last = None, record
        records.append(record)
        return nobodys

    def _join(self, record: Record) -> tuple[Record, int]:
        """Put a torn record together, if its parts make a message and the first alone does not, or says less."""
        continuations, self._continuations = self._continuations, []
        catalogue = self._catalogue.in_dialect(record.ident)
        text = record.text
        best, used = record, 0
        known = catalogue.find(text)
        for taken, part in enumerate(continuations, start=1):
            text, joined = _put_together(catalogue, record.ident, text, part)
            if joined is None and catalogue is self._catalogue:
                torn = split_inner(text)  # a location stood at the end of the first line
                if torn is not None and torn.text != text:
                    text, joined = torn.text, self._catalogue.find(torn.text)
            if joined is not None and (known is None or _says_more(catalogue, joined, text, best.text)):
                best, used, known = record.reads(joined, text), taken, joined
        return best, len(continuations) - used

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give what must be remembered to go on after a restart."""
        return {
            "pending": _plain(self.record),
            "pending_row": _row(self.record),
            "continuations": self._continuations,
            "quoted": None if self._opened is None else [list(item) for item in self._quoted],
            "last": _plain(self._last),
            "last_row": _row(self._last),
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave. Raises KeyError, TypeError or ValueError on anything else."""
        self.record = self._record_of(given["pending"], given.get("pending_row", _UNSAID))
        self._open = self.record is not None
        self._continuations = list(given["continuations"])
        if self.record is not None and given.get("quoted") is not None:
            self._opened = self._catalogue.opened(self.record.text)
            self._quoted = [(line, number) for line, number in given["quoted"]]
        self._last = self._record_of(given["last"], given.get("last_row", _UNSAID))

    def _record_of(self, given: list[Any] | None, template: str | None) -> Record | None:
        """Give a record that was kept, of the row that it was found to be, or of none: what is masked since reads otherwise."""
        if given is None:
            return None
        time, gateway, ident, pid, level, tag, text, number, times = given
        catalogue = self._catalogue.in_dialect(ident)
        message = catalogue.row(template) if template is not None else None
        if message is None and template is not None:  # an older version did not say, or another had more rows
            message = catalogue.find(text) or known_otherwise(catalogue, text, level)[0]
        return Record(time, gateway, ident, pid, level, tag, message, text, number, times)


def _put_together(catalogue: Catalogue, ident: str, text: str, part: str) -> tuple[str, Message | None]:
    """Join two pieces with what was lost between them: a blank, or nothing where a terminal breaks within words."""
    dialect = DIALECTS.get(ident)
    glue = dialect.glue if dialect is not None and dialect.own else " "
    joined = f"{text}{glue}{part if glue == '' else part.strip()}".strip()[:LONGEST_TEXT]
    found = catalogue.find(joined)
    if found is None and dialect is not None:
        found, joined = respelled(catalogue, dialect.spellings, joined) or (None, joined)
    return joined, found


def _says_more(catalogue: Catalogue, message: Message, text: str, less: str) -> bool:
    """Whether the longer text fills a value that the shorter leaves open."""
    fuller = message.read(text)
    return catalogue.find(less) is message and sum(v is not None for v in fuller) > sum(
        v is not None for v in message.read(less)
    )


def _row(record: Record | None) -> str | None:
    return None if record is None or record.message is None else record.message.template


def _plain(record: Record | None) -> list[Any] | None:
    return None if record is None else [*record[:6], record.text, record.number, record.times]


__all__ = ["Multiline"]
