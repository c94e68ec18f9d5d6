"""The catalogue of messages: which row a text is, at a cost that does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

from racoon_parsers.events import Event
from racoon_parsers.message import LITERAL_HEAD, Message
from racoon_parsers.template import Piece

_HEAD: Final = 26
"""Characters that tell most messages apart: up to a value's first ones."""
_MOST_HEADS: Final = 4096
_LEAST_OF_A_CUT: Final = 24
"""Characters a text must still have to be told by its beginning."""
_DEPTH: Final = 12
_ANCHOR_WORDS: Final = 24
_ASKED_AGAIN: Final = 4
"""Texts that are known to be unknown: a line is looked up as one like others, for itself, and in forms that are often equal."""


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


def _first_words(message: Message) -> list[str]:
    """Give the complete words before the first hole."""
    head = message.pieces[0] if message.pieces and isinstance(message.pieces[0], str) else ""
    words = head.split()
    if words and not head[-1].isspace():
        words.pop()  # the last word goes on in the hole
    return words


def _alike(messages: Iterable[Message]) -> frozenset[int]:
    """Give the indices of messages behind which there is another of a dialect's own, or of all, that has other values only."""
    last: dict[tuple[str | bool | None, ...], int] = {}
    found: set[int] = set()
    for message in sorted(messages, key=_weight):
        words = message.index < 0, *(piece if isinstance(piece, str) else None for piece in message.pieces)
        if words in last:
            found.add(last[words])
        last[words] = message.index
    return frozenset(found)


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
        self._unknown: tuple[str, ...] = ()
        """The texts that no row fitted last."""
        self._alike = _alike(self.messages)
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

    def row(self, template: str) -> Message | None:
        """Give the row that is written so, the dialect's own where all have one like it."""
        return self._by_template.get(template)

    @cached_property
    def _by_template(self) -> dict[str, Message]:
        return {message.template: message for message in reversed(self.messages)}

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
        words = _first_words(message)
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
            if (event is not None and message.index not in self._alike) or self._is(message, text):  # as `find` has it
                return message, event
        message = self._find_filed(text)
        if message is None:
            return None
        head = text[:_HEAD]
        if head not in self._by_head and message.may_begin(head):
            if len(self._by_head) >= _MOST_HEADS:
                self._by_head.clear()
            sharing = self._by_start[head[:LITERAL_HEAD]]
            self._by_head[head] = tuple(other for other in sharing if other.may_begin(head))
        return message, None

    @cached_property
    def _by_start(self) -> dict[str, list[Message]]:
        """Give the messages by the literal characters they begin with, where those are enough."""
        found: dict[str, list[Message]] = {}
        for message in sorted(self.messages, key=lambda message: (-len(_first_words(message)), *_weight(message))):
            if not message.constant and len(message.start) >= LITERAL_HEAD:
                found.setdefault(message.start[:LITERAL_HEAD], []).append(message)
        return found

    def _find_filed(self, text: str) -> Message | None:
        if text in self._unknown:
            return None
        found = self._find_by_words(text)
        if found is None:
            self._unknown = (text, *self._unknown[: _ASKED_AGAIN - 1])
        return found

    def _find_by_words(self, text: str) -> Message | None:
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
                if self._is(message, text):
                    return message
        return self._find_headless(text)

    def _is(self, message: Message, text: str) -> bool:
        """Whether a text is a message. One that is told from another by the kind of its values only must have such values."""
        return message.fits(text) and (message.index not in self._alike or message.matches(text))

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
        for literal, message in self._bare:
            if literal in text and message.matches(text):
                return message
        return None

    @cached_property
    def _bare(self) -> list[tuple[str, Message]]:
        """Give the messages without a whole word of their own, each with the longest piece that stands in all of its texts."""
        return [(message.longest_literal, message) for message in self._root.messages]

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
