"""A message of racoon: what its row says, and what follows from it. `catalogue.py` finds the row of a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import regex

from racoon_parsers.events import EVENT_TYPES, REMARK, Event, Mention, Remark
from racoon_parsers.fields import JOINERS, Value
from racoon_parsers.pattern import ending_expression_of, expression_of, expression_with, says_anything
from racoon_parsers.row_reader import row_reader
from racoon_parsers.template import Hole, Piece, printf_of, split_template

_FEW_LETTERS: Final = 6
"""A message with fewer letters of its own, such as `NAT %s`, could be many another's text."""

_PATTERN_TIMEOUT: Final = 0.25
"""Seconds one pattern may work on one text; beyond it the text counts as not fitting."""

LITERAL_HEAD: Final = 16
"""Literal characters that a message must begin with to be found by its head."""

_LONG: Final = 512
"""Characters of a text that is dear to match."""

LONGEST_ENDING: Final = 256
"""Characters that may stand behind the last free text of a message."""

_new: Final[Callable[[type[Event], Iterable[Any]], Event]] = tuple.__new__
"""What `_make` of a named tuple does, without its detour over Python code: the hottest place of all."""

_Match = re.Match[str] | regex.Match[str]
_asked: Final[list[tuple[Callable[[str], _Match | None] | None, str, _Match | None]]] = [(None, "", None)]
"""What was asked last of a long text, and the answer: whether to mask it depends on that, and so do its values."""


@dataclass(frozen=True)
class Message:
    """One message of racoon and what is known of it. Equal rows are the same row."""

    template: str
    """racoon's format string, with names for the values that are read."""
    event: str
    """Event class, one of the closed list of `docs/messages.md`."""
    severity: str
    """For the operator: critical, error, warning, notice or info. racoon's own level says little."""
    reason: str = ""
    """Reason class as the catalogue names it (`reasons/reasons.tsv` maps it to failure reasons); "" for none."""
    levels: tuple[str, ...] = ()
    """racoon's own levels, newest version first."""
    tag: str = "no"
    """Whether 0.8 and later print the peer's address before the level: yes, no, mixed, or `local` where it is our own."""
    dialects: str = ""
    constants: tuple[tuple[str, str], ...] = ()
    """Values of the event that the text itself implies, such as the role in `initiate` and `respond`."""
    printed_by: str = ""
    gloss: str = ""
    index: int = field(default=0, compare=False)
    """Number of the row within its catalogue."""

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Literal text and holes, outer blanks removed: racoon's trailing blanks do not survive every log."""
        pieces = list(split_template(self.template))
        if pieces and isinstance(pieces[0], str):
            pieces[0] = pieces[0].lstrip()
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] = pieces[-1].rstrip()
        return tuple(piece for piece in pieces if piece != "")

    @cached_property
    def printf(self) -> str:
        """racoon's own format string."""
        return printf_of(self.template)

    @cached_property
    def event_type(self) -> type[Event]:
        """The type of event this message becomes."""
        return EVENT_TYPES.get(self.event) or (Mention if self._names_the_peer else Remark)

    @cached_property
    def _names_the_peer(self) -> bool:
        fields = (piece.field for piece in self.pieces if isinstance(piece, Hole) and piece.field)
        return any(value.name == "peer" for field in fields for value in field.values)

    @cached_property
    def has_values(self) -> bool:
        """Whether reading the text gives more than the row itself."""
        return self.event_type is not Remark

    @cached_property
    def _literals(self) -> tuple[str, str, tuple[str, ...], int]:
        """Head, tail and inner literals, and the least length of a fitting text."""
        pieces = self.pieces
        head = pieces[0] if pieces and isinstance(pieces[0], str) else ""
        tail = pieces[-1] if len(pieces) > 1 and isinstance(pieces[-1], str) else ""
        inner = pieces[1 if head else 0 : len(pieces) - 1 if tail else len(pieces)]
        literals = tuple(piece.strip() for piece in inner if isinstance(piece, str) and piece not in JOINERS)
        return head, tail, literals, len(head) + len(tail)

    @property
    def longest_literal(self) -> str:
        """The longest text that stands in each text that `fits`."""
        head, tail, inner, _ = self._literals
        return max((head, tail, *inner), key=len)

    @cached_property
    def constant(self) -> bool:
        """Whether the text never varies."""
        return all(isinstance(piece, str) for piece in self.pieces)

    @cached_property
    def _slight(self) -> bool:
        """Whether its literals alone say too little, so that its values must fit as well."""
        if "exact" in self.marks:
            return True
        letters = sum(character.isalpha() for piece in self.pieces if isinstance(piece, str) for character in piece)
        return letters < _FEW_LETTERS and not self.constant

    @cached_property
    def marks(self) -> dict[str, str]:
        """What the row says beyond its text.

        `stage`, what a message of failure is to its negotiation: `end` (it is over), `step` (evidence), `begin` (over if we
        answered its first packet), `refusal` (none was begun), `waiting` (phase 2 was given up before it began).
        `phase`, the phase it speaks of. `teardown`: SAs go by local command. `nat=gone`: NAT keepalives end.
        `other_half=yes`: the process that ended is the other one of a privilege-separated pair.
        `newline=no`: racoon prints it without its newline, so that the next record follows on the same line.
        `newline=within`: it ends with a value that a peer chose, printed as received; newlines in it tear the record.
        `exact=yes`: its literals alone could be another row's, so that its values must fit as well.
        `program=…`: another program of the same system says it (`Dialect.program`), such as a router that it restarts.
        `reboot=…`: the whole system started, and how it had ended; no SA of before is left, the kernel's neither.
        `ike=2`: it may speak of IKEv2, and changes nothing that is believed of IKEv1.
        `secret=quoted`: what stands in quotes in its free text may be a secret.
        """
        return dict(self.constants)

    @cached_property
    def stage(self) -> str:
        """Give the mark of that name."""
        return self.marks.get("stage", "end")

    @cached_property
    def whole(self) -> bool:
        """Whether the text says all there is to say: no value in it is free text, which another may have chosen."""
        return ".*" not in self.expression

    @cached_property
    def glued(self) -> bool:
        """Whether the next record may follow on the same line."""
        return self.marks.get("newline") == "no"

    def opens(self, text: str) -> bool:
        """Whether a text is the beginning of this message, torn within the value that a peer chose."""
        return self.marks.get("newline") == "within" and text.startswith(self._literals[0]) and not self.fits(text)

    def fits(self, text: str) -> bool:
        """Whether a text could be this message: its literals stand in it, in order. Linear in the text's length."""
        head, tail, inner, least = self._literals
        if len(text) < least or not text.startswith(head) or not text.endswith(tail):
            return False
        position, end = len(head), len(text) - len(tail)
        for literal in inner:
            found = text.find(literal, position, end)
            if found < 0:
                return False
            position = found + len(literal)
        if self._slight and self._fullmatch(text) is None:
            return False
        return not self.constant or len(text) == least

    @cached_property
    def expression(self) -> str:
        """The regular expression of the whole text."""
        return expression_of(self.pieces)

    @cached_property
    def _fullmatch(self) -> Callable[[str], _Match | None]:
        """Match the whole text, in steps that grow no faster than its length (`pattern.py`).

        `re` is twice as fast as `regex`, which has a time limit: a second net where free text stands in more than one place.
        """
        if self.expression.count(".*") <= 1:
            return _asked_once(re.compile(self.expression, re.DOTALL).fullmatch)
        pattern = regex.compile(self.expression, regex.DOTALL)
        ends = _ends_like(ending_expression_of(self.pieces))

        def within_time(text: str) -> _Match | None:
            if not ends(text):
                return None
            try:
                return pattern.fullmatch(text, timeout=_PATTERN_TIMEOUT)
            except TimeoutError:
                return None

        return _asked_once(within_time)

    @cached_property
    def secret(self) -> bool:
        """Whether one of its values may be a secret, or part of one."""
        return "secret" in self.marks or any(isinstance(piece, Hole) and _is_secret(piece) for piece in self.pieces)

    def mask(self, text: str) -> str:
        """Mask the values that may be secrets in a text of this message; where they can't be told from the rest, all."""
        match = re.fullmatch(expression_with(self.pieces, _is_secret), text, re.DOTALL)
        if match is None:
            return self.printf
        for group in range(match.re.groups, 0, -1):
            if len(match[group]) <= 1 and not match[group].isalnum():
                continue  # a bracket, or the end of the file
            text = f"{text[: match.start(group)]}***{text[match.end(group) :]}"
        return text

    @cached_property
    def says_anything(self) -> bool:
        """Whether one of its values may be any words, such as a line of the configuration."""
        return any(isinstance(piece, Hole) and says_anything(piece) for piece in self.pieces)

    @cached_property
    def _said(self) -> Callable[[str], _Match | None]:
        return re.compile(expression_with(self.pieces, says_anything), re.DOTALL).fullmatch

    def said(self, text: str, *, sure: bool = True) -> list[tuple[int, int]] | None:
        """Say where in a text the values stand that may be any words. None where they can't be told apart.

        So it is also where it is not `sure` that the text is this message to the last value, and it is not.
        """
        if not sure and not (self.fits(text) if self._told_by_values else self.matches(text)):
            return None
        if not self.says_anything:
            return []
        match = self._said(text)
        return None if match is None else [match.span(group) for group in range(1, match.re.groups + 1)]

    @cached_property
    def _told_by_values(self) -> bool:
        """Whether `_said` matches the same texts as the whole pattern, at the same cost."""
        return self.says_anything and self.expression.count(".*") <= 1

    @cached_property
    def _words_between(self) -> tuple[str, ...]:
        """Its literals that are words; none where no two values stand with marks only between them."""
        literals = [(place, piece.strip()) for place, piece in enumerate(self.pieces) if isinstance(piece, str)]
        words = tuple(text for _, text in literals if any(map(str.isalpha, text)))
        side_by_side = any(0 < place < len(self.pieces) - 1 and text not in words for place, text in literals)
        return words if side_by_side and self.says_anything else ()

    def between_words(self, text: str) -> list[tuple[int, int]]:
        """Say what stands between its own words in a text, where several values do: one may end within what another wrote."""
        spans, position = [], 0
        for word in self._words_between:
            place = text.find(word, position)
            if place < 0:
                break
            spans.append((position, place))
            position = place + len(word)
        return [*spans, (position, len(text))] if self._words_between else []

    @property
    def start(self) -> str:
        """The literal text before its first value."""
        return self._literals[0]

    @property
    def end(self) -> str:
        """The literal text behind its last value."""
        return self._literals[1]

    def may_begin(self, head: str) -> bool:
        """Whether a text of this message may begin with these characters, enough of them literal ones of its own."""
        literal = self.start
        return len(literal) >= LITERAL_HEAD and (literal.startswith(head) or head.startswith(literal))

    def matches(self, text: str) -> bool:
        """Whether a text is this message to the last value; for messages whose literals alone say too little."""
        return self.fits(text) and self._fullmatch(text) is not None

    @cached_property
    def _values(self) -> tuple[Value, ...]:
        """The values that are read, in the order of their groups in the pattern."""
        holes = (piece.field for piece in self.pieces if isinstance(piece, Hole) and piece.field)
        values = {value.name: value for field_ in holes for value in field_.values}
        groups = re.compile(self.expression).groupindex
        return tuple(values[name] for name in sorted(groups, key=groups.__getitem__))

    @cached_property
    def read(self) -> Callable[[str], Event]:
        """Reads the values of a text that `fits`.

        A value in a form nobody has seen leaves the event without values: the message is still known, and counted.
        """
        if not self.has_values:
            return _remark
        unread = self._unread
        if not self._values:
            return lambda _text: unread
        recognise = self.recognise

        def read(text: str) -> Event:
            return recognise(text) or recognise(f"{text}.") or unread  # Meraki removes the final dot

        return read

    @cached_property
    def _unread(self) -> Event:
        """The event with what the row itself says."""
        constants = dict(self.constants)
        names: tuple[str, ...] = getattr(self.event_type, "_fields", ())
        return _new(self.event_type, [constants.get(name) for name in names])

    @cached_property
    def recognise(self) -> Callable[[str], Event | None]:
        """Tells whether a text is this message to the last value, and reads it in the same go; None if it is not."""
        if not self.has_values:
            return lambda text: REMARK if self.fits(text) else None
        if not self._values:
            unread = self._unread
            return lambda text: unread if self._fullmatch(text) else None
        return row_reader(self.event_type, self._fullmatch, self._values, dict(self.constants))

    def render(self, values: Callable[[Hole], str]) -> str:
        """Print the message with given values, as racoon would."""
        return "".join(piece if isinstance(piece, str) else values(piece) for piece in self.pieces)


def _is_secret(hole: Hole) -> bool:
    return hole.field is not None and hole.field.secret


def _asked_once(fullmatch: Callable[[str], _Match | None]) -> Callable[[str], _Match | None]:
    """Match a long text once, where the same is asked of it again."""

    def match(text: str) -> _Match | None:
        if len(text) < _LONG:
            return fullmatch(text)
        asked, of, found = _asked[0]
        if asked is not fullmatch or of != text:
            found = fullmatch(text)
            _asked[0] = fullmatch, text, found  # at once: other threads ask as well
        return found

    return match


def _ends_like(ending: str) -> Callable[[str], bool]:
    """Tell whether a text ends like a row that ends so: a look at its last characters, where the whole is dear to search."""
    if not ending:
        return lambda _text: True
    found = re.compile(rf"(?:{ending})\Z", re.DOTALL)
    return lambda text: found.search(text, max(0, len(text) - LONGEST_ENDING)) is not None


def _remark(_text: str) -> Event:
    return REMARK
