"""Messages of racoon: one row each, and the catalogue that finds the row of a text.

A row reads like racoon's own format string. Values that are read have a name in braces (`fields.py`), with racoon's
conversion after a colon where it is not `%s`; what is not read keeps racoon's own `%s` and `%d`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import regex

from racoon_parsers.events import EVENT_TYPES, REMARK, Event, Mention, Remark
from racoon_parsers.fields import FIELDS, JOINERS, Field, Value
from racoon_parsers.pattern import expression_of, secret_expression_of
from racoon_parsers.row_reader import row_reader

_HOLE: Final = re.compile(
    r"\{(?P<name>[a-z_0-9]+)(?::(?P<spec>[^{}]*))?\}"
    r"|(?P<conversion>%[-#0 +]*+\d*+(?:\.\d++)?(?:hh|h|ll|l|z|j|t)?[diouxXcspf])"
    r"|(?P<dump>\\n(?:<hexdump>|%s)$)"
)
_FEW_LETTERS: Final = 6
"""A message with fewer letters of its own, such as `NAT %s`, could be many another's text."""

_PATTERN_TIMEOUT: Final = 0.25
"""Seconds one pattern may work on one text; beyond it the text counts as not fitting."""

_new: Final[Callable[[type[Event], Iterable[Any]], Event]] = tuple.__new__
"""What `_make` of a named tuple does, without its detour over Python code: the hottest place of all."""

_Match = re.Match[str] | regex.Match[str]


class Hole(NamedTuple):
    """A place in a template where racoon prints a value."""

    name: str
    """Key of `FIELDS`, or "" where the value is not read."""
    conversion: str
    """racoon's printf conversion."""

    @property
    def field(self) -> Field | None:
        """Say how the value looks; None where it is not read."""
        return FIELDS[self.name] if self.name else None


Piece = str | Hole


def split_template(template: str) -> tuple[Piece, ...]:
    """Split a row's template into literal text and holes."""
    pieces: list[Piece] = []
    end = 0
    for match in _HOLE.finditer(template):
        if match.start() > end:
            pieces.append(_literal(template[end : match.start()]))
        end = match.end()
        if match["name"]:
            pieces.append(Hole(match["name"], FIELDS[match["name"]].printf or f"%{match['spec'] or 's'}"))
        elif match["conversion"]:
            pieces.append(Hole("", match["conversion"]))
    if end < len(template):
        pieces.append(_literal(template[end:]))
    return tuple(pieces)


def _literal(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("%%", "%")


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
        return _HOLE.sub(_printf, self.template)

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
            return re.compile(self.expression, re.DOTALL).fullmatch
        pattern = regex.compile(self.expression, regex.DOTALL)

        def within_time(text: str) -> _Match | None:
            try:
                return pattern.fullmatch(text, timeout=_PATTERN_TIMEOUT)
            except TimeoutError:
                return None

        return within_time

    @cached_property
    def secret(self) -> bool:
        """Whether one of its values may be a secret."""
        return any(isinstance(piece, Hole) and piece.field is not None and piece.field.secret for piece in self.pieces)

    def mask(self, text: str) -> str:
        """Mask what may be a secret in a text of this message; where that can't be told from the rest, all there is."""
        match = re.fullmatch(secret_expression_of(self.pieces), text, re.DOTALL)
        if match is None:
            return self.printf
        for group in range(match.re.groups, 0, -1):
            if len(match[group]) <= 1 and not match[group].isalnum():
                continue  # a bracket, or the end of the file
            text = f"{text[: match.start(group)]}***{text[match.end(group) :]}"
        return text

    @property
    def start(self) -> str:
        """The literal text before its first value."""
        return self._literals[0]

    def may_begin(self, head: str) -> bool:
        """Whether a text of this message may begin with these characters, enough of them literal ones of its own."""
        literal = self.start
        return len(literal) >= _LITERAL_HEAD and (literal.startswith(head) or head.startswith(literal))

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


def _remark(_text: str) -> Event:
    return REMARK


def _printf(match: re.Match[str]) -> str:
    if match["name"]:
        return FIELDS[match["name"]].printf or f"%{match['spec'] or 's'}"
    return match[0]


class Reading(NamedTuple):
    """A text that was recognised."""

    message: Message
    event: Event


class _Node:
    """Messages that share their first words."""

    __slots__ = ("children", "messages")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.messages: list[Message] = []

    def all(self) -> Iterator[Message]:
        """Give the messages of this node and of those below."""
        yield from self.messages
        for child in self.children.values():
            yield from child.all()


def _weight(message: Message) -> tuple[int, int]:
    """Order within a node: the message with more literal text is the more special one."""
    literal = sum(len(piece) for piece in message.pieces if isinstance(piece, str))
    return (-literal, message.index)


class Catalogue:
    """All messages, found by their words.

    Texts that never vary are found in one look. Others are filed under the complete words before their first hole; a look-up
    follows a text's words down this tree, whose depth does not grow with the number of rows, and tries the few messages at
    its nodes, the most special first. Messages that begin with a hole are filed under one of their own words.
    """

    def __init__(self, messages: Iterable[Message], own: Mapping[str, Sequence[Message]] = MappingProxyType({})) -> None:
        """Take the messages that all lines may hold, and by dialect those that stand only behind its own heads."""
        self.messages: tuple[Message, ...] = tuple(messages)
        self.own = own
        self._in_dialect: dict[str, Catalogue] = {}
        self._constants: dict[str, Message] = {}
        self._root = _Node()
        self._by_word: dict[str, list[Message]] = {}
        self._by_head: dict[str, tuple[Message, ...]] = {}
        """By first characters, where enough of those are literal text: a short way to messages that were found once."""
        for message in self.messages:
            self._file(message)
        self.free_text: Message | None = next((m for m in self.messages if m.template == "%s"), None)
        """The row for text that racoon passes on as it is, such as OpenSSL's."""
        self._tearable = [m for m in self.messages if m.marks.get("newline") == "within"]
        self._empty = {level: m for m in reversed(self.messages) if not m.pieces for level in m.levels}

    @property
    def all_rows(self) -> Iterator[Message]:
        """Every row, those of dialects with heads of their own included."""
        yield from self.messages
        for rows in self.own.values():
            yield from rows

    def in_dialect(self, name: str) -> Catalogue:
        """Give the catalogue for lines of a dialect with heads of its own: its rows go before those that all share."""
        if name not in self.own:
            return self
        made = self._in_dialect.get(name)
        if made is None:
            made = self._in_dialect[name] = Catalogue([*self.own[name], *self.messages])
        return made

    def opened(self, text: str) -> Message | None:
        """Give the message that a text begins and that goes on in the next line."""
        return next((message for message in self._tearable if message.opens(text)), None)

    def empty(self, level: str) -> Message | None:
        """Give the message of a record without text: a separator, or the head of a dump."""
        return self._empty.get(level, self.free_text)

    def _file(self, message: Message) -> None:
        pieces = message.pieces
        if message.constant:
            text = "".join(piece for piece in pieces if isinstance(piece, str))
            if text:
                self._constants.setdefault(text, message)
            return
        head = pieces[0] if isinstance(pieces[0], str) else ""
        words = head.split()
        if words and not head[-1].isspace():
            words.pop()  # the last word goes on in the hole
        if words:
            node = self._root
            for word in words:
                node = node.children.setdefault(word, _Node())
            node.messages.append(message)
            node.messages.sort(key=_weight)
        elif word := _anchor(pieces):
            self._by_word.setdefault(word, []).append(message)
            self._by_word[word].sort(key=_weight)
        elif len(pieces) > 1:
            self._root.messages.append(message)
            self._root.messages.sort(key=_weight)
        # What is left is a bare hole (`%s`): it would fit every text and says nothing.

    def find(self, text: str) -> Message | None:
        """Give the message a text is, or None. Never raises."""
        message = self._constants.get(text)
        if message is not None:
            return message
        return self._find_filed(text)

    def recognise(self, text: str) -> tuple[Message, Event | None] | None:
        """Find the message a text is, and give its values as well where finding it read them."""
        message = self._constants.get(text)
        if message is not None:
            return message, None
        for message in self._by_head.get(text[:_HEAD], ()):
            event = message.recognise(text)
            if event is not None:
                return message, event
        message = self._find_filed(text)
        if message is None:
            return None
        head = text[:_HEAD]
        if head not in self._by_head and message.may_begin(head):
            if len(self._by_head) >= _MOST_HEADS:
                self._by_head.clear()
            sharing = self._by_start[head[:_LITERAL_HEAD]]
            self._by_head[head] = tuple(other for other in sharing if other.may_begin(head))
        return message, None

    @cached_property
    def _by_start(self) -> dict[str, list[Message]]:
        """Give the messages by the literal characters they begin with, where those are enough."""
        found: dict[str, list[Message]] = {}
        for message in sorted(self.messages, key=_weight):
            if not message.constant and len(message.start) >= _LITERAL_HEAD:
                found.setdefault(message.start[:_LITERAL_HEAD], []).append(message)
        return found

    def _find_filed(self, text: str) -> Message | None:
        node = self._root
        path = []
        for word in text.split(None, _DEPTH):
            child = node.children.get(word)
            if child is None:
                break
            node = child
            if node.messages:
                path.append(node.messages)
        while path:
            for message in path.pop():
                if message.fits(text):
                    return message
        return self._find_headless(text)

    def find_cut(self, text: str) -> Message | None:
        """Find the message of a text whose end was cut off, before the first value it would have held.

        Only where all messages that begin so are of one class; the shortest of them says the least that was not there.
        """
        begun = text.rstrip(" .:")
        if len(begun) < _LEAST_OF_A_CUT:
            return None
        words = begun.split(None, 1)[0]
        node = self._root.children.get(words)
        rows = [] if node is None else [row for row in node.all() if row.start.startswith(begun)]
        if not rows or len({row.event for row in rows}) > 1:
            return None
        return min(rows, key=lambda row: (len(row.start), row.index))

    def _find_headless(self, text: str) -> Message | None:
        """Find a message that begins with a value."""
        for word in dict.fromkeys(text.split(None, _ANCHOR_WORDS)):
            for message in self._by_word.get(word, ()):
                if message.matches(text):  # a peer's text may hold the literals as well
                    return message
        return next((message for message in self._root.messages if message.matches(text)), None)

    def read(self, text: str) -> Reading | None:
        """Recognise a text and read its values."""
        message = self.find(text)
        return None if message is None else Reading(message, message.read(text))

    def candidates(self) -> int:
        """Give the largest number of messages that stand in one place: the cost of the worst look-up."""

        def walk(node: _Node) -> Iterator[int]:
            yield len(node.messages)
            for child in node.children.values():
                yield from walk(child)

        return max(*walk(self._root), *(len(messages) for messages in self._by_word.values()))


_HEAD: Final = 26
"""Characters that tell most messages apart: up to a value's first ones."""
_LITERAL_HEAD: Final = 16
"""Literal characters that a message must begin with to be found by its head."""
_MOST_HEADS: Final = 4096
_LEAST_OF_A_CUT: Final = 24
"""Characters a text must still have to be told by its beginning."""
_DEPTH: Final = 12
_ANCHOR_WORDS: Final = 24


def _anchor(pieces: tuple[Piece, ...]) -> str:
    """Choose a complete word of a message that begins with a hole; the longest is the rarest."""
    words: list[str] = []
    for number, piece in enumerate(pieces):
        if not isinstance(piece, str) or not piece.split():
            continue
        whole = piece.split()
        if not piece[0].isspace() and number > 0:
            whole = whole[1:]
        if whole and not piece[-1].isspace() and number < len(pieces) - 1:
            whole = whole[:-1]
        words += whole
    return max(words, key=len, default="")
