"""Messages of racoon within what people paste: out of mails, tickets, tables, web pages and terminals.

For texts that a person hands in to have them explained. A log is never read so: what a peer chose may hold all that a message
does. A text is read as it stands first; then one disguise after another is taken off, each with a name, so that what was
guessed can be said. What is known without a guess is never guessed at.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from operator import itemgetter
from typing import Final, NamedTuple

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.clock import Clock
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.message import Message
from racoon_parsers.quotation import quoted_messages
from racoon_parsers.reader import LogReader
from racoon_parsers.recogniser import LONGEST_RESPELLED
from racoon_parsers.record import LONGEST_TEXT, Record

_TAGS: Final = re.compile(
    r"</?(?:br|p|b|i|u|em|strong|code|pre|span|td|tr|th|div|font|li|tt|samp)\b[^<>]{0,100}>", re.IGNORECASE
)
_TYPOGRAPHY: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032\u00b4\u0060", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u00a0\u2007\u202f\u2009\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        "\u2192": "->",
        "\u21d2": "->",
        "\u21d4": "<=>",
        "\u2194": "<->",
        "\u2026": "...",
    }
)
_MARKERS: Final = re.compile(r"^(?:\s|[>|#*\u2022+]|-(?=\s)|\d{1,5}+[.):]\s|\(\d{1,5}+\)\s|[$%]\s)++")
_AROUND: Final = re.compile(r"^[\s\"'`]{1,40}+|[\s\"'`|\\]{1,40}+$")
_CELLS: Final = re.compile(r"\s{0,8}[|\t]\s{0,8}|\"\s?[,;]\s?\"")
_HINT: Final = re.compile(r" \[[A-Z][^\[\]]{0,200}\s[^\[\]]{0,200}\]")
_WHOSE: Final = "public|remote|local|peer|my|wan|gateway|server|client|left|right|source|destination|dest"
_HIDDEN: Final = "redacted|removed|masked|hidden|censored|snip(?:ped)?"
_MASK: Final = re.compile(
    rf"\[(?:[a-z]{{1,20}}[ _-])?(?:{_HIDDEN}|(?:{_WHOSE})[ _-]?(?:ip|addr(?:ess)?|gw)?)\](?=\[\d)"
    r"|<[A-Za-z][\w .:/-]{0,40}>"
    r"|(?<![\w.])(?=[\d.]{0,12}[xXyYzZ*#nN?])(?:[\dxXyYzZ*#nN?]{1,3}\.){3}[\dxXyYzZ*#nN?]{1,3}(?![\w.])"
    r"|(?<![\w.])[A-Za-z]\.[A-Za-z]\.[A-Za-z]\.[A-Za-z](?![\w.])"
    rf"|\b(?:(?:{_WHOSE})[ _-]?(?:ip|addr(?:ess)?)|redacted|censored)\b"
    r"|\*{3,}|\b[xX]{4,}\b|(?<!\$)\{[A-Za-z][\w .-]{0,40}\}",
    re.IGNORECASE,
)
"""What people put in place of an address. Masks of one kind may be those of different addresses."""
_PLACEHOLDER: Final = "240.0.0."
"""Addresses that nobody has (RFC 1112, class E): each stands for a mask while a text is read."""
_NOTHING: Final = re.compile(r"(?!)")
_MOST_LINES: Final = 4
"""Pieces that a message may be broken into."""
_MOST_STARTS: Final = 80
_BEGINNING: Final = 3
"""Characters by which the messages are found that a text may be the beginning of; one that has fewer is tried always."""
_FEWEST_LETTERS: Final = 12
"""Letters of its own that a message must have to be found in the middle of a text, or without its end."""


class Found(NamedTuple):
    """A message and what had to be guessed to find it."""

    record: Record
    guesses: tuple[str, ...] = ()
    masks: tuple[tuple[str, str], ...] = ()
    """Addresses that were put in, and what stood there."""

    def unmasked(self, text: str) -> str:
        """Put back what stood in place of addresses."""
        for address, mask in reversed(self.masks):
            text = text.replace(address, mask)
        return text


def _without_markers(text: str) -> str:
    return _AROUND.sub("", _MARKERS.sub("", text))


STEPS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("HTML was undone", lambda text: _TAGS.sub(" ", html.unescape(html.unescape(text)))),
    ("typographic characters were replaced", lambda text: text.translate(_TYPOGRAPHY)),
    ("quote marks, list numbers or table bars were left out", _without_markers),
    ("a hint in brackets was left out", lambda text: _HINT.sub("", text)),
)
"""Disguises and what takes them off, one upon the other."""


@dataclass
class Paste:
    """Reads pasted texts."""

    catalogue: Catalogue
    clock: Callable[[], Clock]
    """Makes the clock that reads a line's time."""
    _known: dict[str, list[Record]] = field(default_factory=dict)

    def messages(self, text: str) -> list[Found]:
        """Give the messages of a text; one that is in no way known is given as unknown."""
        as_it_stands = self._all_known(text)
        if as_it_stands:
            return [Found(record) for record in as_it_stands]
        lines = [line for line in text.split("\n") if line.strip()]
        found: list[Found] = []
        while lines:
            taken, more = self._next(lines[:_MOST_LINES])
            found += more
            del lines[:taken]
        return found

    def _all_known(self, text: str) -> list[Record]:
        """Give the records of a text all of whose lines are records, or belong to one."""
        lines = [line for line in text.split("\n") if line.strip()]
        reader = self._reader()
        records = reader.feed(lines) + reader.flush()
        whole = reader.not_racoon == 0 and all(self._is_known(record) for record in records)
        return records if whole else []

    def _next(self, lines: list[str]) -> tuple[int, list[Found]]:
        """Give the messages at the beginning of some lines, and how many of those they take."""
        alone = self._undisguised(lines[0])
        for more in range(len(lines), 1, -1):
            joined = self._joined(lines[:more])
            if joined is not None and (not alone or (len(alone) == 1 and _says_more(joined, alone[0]))):
                return more, [joined]
        return 1, alone or self._guessed(lines[0])

    def _joined(self, lines: list[str]) -> Found | None:
        """Read lines as one that was broken, at a blank or within a word; not if one behind the first is a message itself."""
        if any(self._undisguised(line) for line in lines[1:]):
            return None
        lines = [html.unescape(line).translate(_TYPOGRAPHY).rstrip(" |\\") for line in lines]
        marker = _MARKERS.match(lines[0])
        quote = marker[0] if marker else ""
        for pieces in ([line.removeprefix(quote) for line in lines], [_without_markers(line) for line in lines]):
            for glue in (" ", ""):
                found = self._undisguised(glue.join(pieces))
                if len(found) == 1:
                    (first,) = found
                    return first._replace(guesses=("broken lines were joined", *first.guesses))
        return None

    def _undisguised(self, line: str) -> list[Found]:
        """Read a line after each disguise that is taken off it."""
        for text, guesses in self._variants(line):
            parts = [self._records(part) for part in quoted_messages(text, self.catalogue)]
            if parts and all(parts):
                return [Found(record, guesses) for records in parts for record in records]
        for text, guesses in self._variants(line):
            unmasked, masks = _with_addresses(text)
            records = self._records(unmasked) if masks else []
            if records:
                return [Found(record, (*guesses, "addresses were masked"), masks) for record in records]
        return []

    def _variants(self, line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        guesses: tuple[str, ...] = ()
        text = line[: 4 * LONGEST_TEXT]
        yield text, guesses
        bracketed = text
        for name, step in STEPS:
            bracketed, after = text, step(text)
            if after != text:
                text, guesses = after, (*guesses, name)
                yield text, guesses
        cells = sorted({cell for cell in _CELLS.split(text) if " " in cell}, key=len, reverse=True)
        for cell in cells[:8] if len(cells) > 1 else ():
            yield cell, (*guesses, "a cell of a table was taken")
        inside = _last_brackets(bracketed)
        if inside is not None:
            yield inside, (*guesses, "brackets around it were left out")

    def _guessed(self, line: str) -> list[Found]:
        """Look for a message whose beginning or end is not that of the line."""
        for find, guess in ((self._behind, "what stands before it was left out"), (self._cut, "its end is missing")):
            for text, guesses in self._variants(line):
                masked, masks = _with_addresses(text)
                for form, extra in ((text, ()), (masked, ("addresses were masked",))):
                    record = find(form)
                    if record is not None:
                        return [Found(record, (*guesses, *extra, guess), masks if extra else ())]
        reader = self._reader()
        records = reader.feed([line]) + reader.flush()
        alone = None if records else self._reader().read_text(line.strip())
        return [Found(record) for record in (records if alone is None else [alone])]

    def _behind(self, text: str) -> Record | None:
        """Find a message that begins in the middle of a text."""
        starts = [match.end() for match in re.finditer(r"[\s\]\)>:]+", text)][:_MOST_STARTS]
        for start in starts:
            for record in self._records(text[start:]):
                if record.message is not None and _letters(record.message) >= _FEWEST_LETTERS:
                    return record
        return None

    def _cut(self, text: str) -> Record | None:
        """Find the message that a text is the beginning of: the one of which most is there."""
        starts = [0, *(match.end() for match in re.finditer(r"[\s\]\)>:]+", text))][:_MOST_STARTS]
        for start in starts:
            rest = text[start:].strip().removesuffix("...").rstrip()
            rows = self._by_beginning.get(rest[:_BEGINNING], self._by_beginning[""])
            best = max(rows, key=lambda row: _told(row, rest), default=None)
            if best is not None and _told(best, rest) >= _FEWEST_LETTERS:
                return Record(None, "", "racoon", "", "", "", best, rest, 1)
        return None

    @cached_property
    def _by_beginning(self) -> dict[str, list[Message]]:
        """Give the rows that a text may be the beginning of, by its first characters; "" stands for all others."""
        rows = list(enumerate(row for row in self.catalogue.all_rows if row.start))
        short = [(place, row) for place, row in rows if len(row.start) < _BEGINNING]
        by_beginning: dict[str, list[tuple[int, Message]]] = {"": []}
        for place, row in rows:
            if len(row.start) >= _BEGINNING:
                by_beginning.setdefault(row.start[:_BEGINNING], []).append((place, row))
        return {
            beginning: [row for _, row in merge(found, short, key=itemgetter(0))] for beginning, found in by_beginning.items()
        }

    def _records(self, text: str) -> list[Record]:
        """Read one message, with its head or without one; nothing if it is not known."""
        text = text.strip()
        known = self._known.get(text)
        if known is None:
            if len(self._known) > 4096:
                self._known.clear()
            known = self._known[text] = self._read(text)
        return known

    def _read(self, text: str) -> list[Record]:
        reader = self._reader()
        records = reader.feed([text]) + reader.flush()
        if records and reader.not_racoon == 0 and all(self._is_known(record) for record in records):
            return records
        alone = reader.read_text(text)
        if alone is not None and self._is_known(alone):
            return [alone]
        for dialect in DIALECTS.values() if len(text) <= LONGEST_RESPELLED else ():
            respelled = text
            for pattern, replacement in ((_NOTHING, ""), *dialect.spellings):
                respelled = pattern.sub(replacement, respelled)
                message = self.catalogue.in_dialect(dialect.name).find(respelled)
                if message is not None and message.matches(respelled):
                    return [Record(None, "", dialect.name, "", "", "", message, respelled, 1)]
        return []

    def _reader(self) -> LogReader:
        return LogReader(self.catalogue, self.clock())

    def _is_known(self, record: Record) -> bool:
        """Whether a record is a message to its last value, or lacks its final dot."""
        message = record.message
        if message is None or message is self.catalogue.free_text or not message.pieces:
            return False
        return message.matches(record.text) or message.matches(f"{record.text}.")


def _with_addresses(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Put an address in place of each mask."""
    masks: dict[str, str] = {}

    def address(match: re.Match[str]) -> str:
        put = f"{_PLACEHOLDER}{len(masks) + 1}"
        masks[put] = match[0]
        return put

    return _MASK.sub(address, text), tuple(masks.items())


def _last_brackets(text: str) -> str | None:
    """Give what stands in the brackets that end a text, `[VPN] [IPSEC] [what racoon said: 192.0.2.1[500]]`."""
    text = text.rstrip()
    if not text.endswith("]"):
        return None
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == "]") - (text[place] == "[")
        if depth == 0:
            return text[place + 1 : -1] if " " in text[place:] else None
    return None


def _letters(message: Message) -> int:
    return sum(character.isalpha() for piece in message.pieces if isinstance(piece, str) for character in piece)


def _told(message: Message, text: str) -> int:
    """Say how many characters of a message's own a text holds that is its beginning; 0 if it is not."""
    if not message.start or len(text) < _FEWEST_LETTERS:
        return 0
    if message.start.startswith(text):
        return len(text)
    if not text.startswith(message.start):
        return 0
    told, position = len(message.start), len(message.start)
    for piece in (piece for piece in message.pieces[1:] if isinstance(piece, str)):
        place = text.find(piece, position)
        if place < 0:
            break
        told, position = told + len(piece), place + len(piece)
    return told


def _says_more(joined: Found, alone: Found) -> bool:
    """Whether two lines together are a longer message than the first alone, or tell a value more of it."""

    def told(record: Record) -> tuple[int, int, int]:
        if record.message is None:
            return 0, 0, 0
        last = record.message.pieces[-1]
        free = not isinstance(last, str) and (last.field is None or last.field.free)
        values = sum(value is not None for value in record.event)
        return _letters(record.message), values, 0 if free else len(record.text)

    return told(joined.record) > told(alone.record)


__all__ = ["STEPS", "Found", "Paste"]
