"""Text of racoon.conf -> tokens -> statements. Knows brackets, quotes and comments, no keyword's meaning.

Recovery, so that one mistake costs one statement: a string ends with its line; a `;` ends a statement; a `}` closes one
section; the name of a section at the start of a line ends every section still open and a statement whose `;` was
forgotten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from racoon_parsers.racoon_conf.keywords import may_be_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

TokenKind = Literal["word", "string", "port", "mark", "comment"]

# Each alternative consumes what it looks at, so reading is linear; a port is bounded, as an unclosed `[` is read again.
_TOKEN = re.compile(
    r"""
      (?P<newline>\n)
    | (?P<space>[^\S\n]+)
    | (?P<comment>\#[^\n]*)
    | (?P<string>"[^"\n]*"?)
    | (?P<mark>[{};,])
    | (?P<port>\[[^\[\]\s{};,"\#]{0,31}\])
    | (?P<word>[^\s{};,"\#\[\]]+)
    | (?P<other>[\[\]])
    """,
    re.VERBOSE,
)
_PLAIN: dict[str | None, TokenKind] = {"word": "word", "mark": "mark", "comment": "comment"}
_NAME_COMMENT = re.compile(r"#++\s*+name\s*+:\s*+(.*)", re.IGNORECASE)


class Misread(Exception):  # noqa: N818 - never leaves the readers; each turns it into a Problem
    """A statement does not fit the grammar; the argument says how, without values that may be secret."""


class Token(NamedTuple):
    """A word, string (without quotes), port (without brackets), mark or comment, with its line from 1."""

    kind: TokenKind
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Statement:
    """Words up to `;` or with a `{ … }` block. `name` is from a comment `# name: …` before it or heading its block."""

    words: tuple[Token, ...]
    block: tuple[Statement, ...] | None = None
    name: str | None = None

    @property
    def keyword(self) -> str:
        """The first word, empty where a string or mark stands."""
        return self.words[0].text if self.words and self.words[0].kind == "word" else ""

    @property
    def line(self) -> int:
        """The line of the first word, from 1."""
        return self.words[0].line


def shown(text: str) -> str:
    """Return a word as a problem may show it: keywords only, as anything else may be a secret in the wrong place."""
    return f'"{text}"' if may_be_shown(text) else "a value"


def tokens(text: str, report: Callable[[int, str], None]) -> Iterator[Token]:
    """All tokens of a text. Unclosed strings and stray brackets are reported with their line."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind, value = match.lastgroup, match.group()
        if kind == "newline":
            line += 1
        elif kind == "string":
            if len(value) == 1 or not value.endswith('"'):
                report(line, 'string without closing "')
            yield Token("string", value.strip('"'), line)
        elif kind == "port":
            yield Token("port", value[1:-1], line)
        elif kind == "other":
            report(line, f"stray {value}")
        elif kind in _PLAIN:
            yield Token(_PLAIN[kind], value, line)


def friendly_name(comment: str) -> str | None:
    """Return the name in a comment `# name: Branch office`, printable characters only; None for another comment."""
    match = _NAME_COMMENT.fullmatch(comment.rstrip())
    if match is None:
        return None
    return "".join(char for char in match[1] if char.isprintable()).strip() or None


@dataclass(slots=True)
class _Frame:
    """A block being read: the words that opened it, its finished statements, the words of the one not finished."""

    opened_by: tuple[Token, ...] = ()
    name: str | None = None
    statements: list[Statement] = field(default_factory=list)
    words: list[Token] = field(default_factory=list)


class _Builder:
    """Joins tokens to statements. One frame per open block: no recursion, as a text may nest without bound."""

    def __init__(self, sections: Container[str], report: Callable[[int, str], None]) -> None:
        self._sections = sections
        self._report = report
        self._frames = [_Frame()]
        self._name: str | None = None
        self._last_line = 0

    def feed(self, token: Token) -> None:
        if token.kind == "comment":
            self._comment(token)
        elif token.kind == "mark" and token.text in "{};":
            {"{": self._open, "}": self._close, ";": self._semicolon}[token.text](token.line)
            self._last_line = token.line
        else:
            self._word(token)
            self._last_line = token.line

    def finish(self) -> tuple[Statement, ...]:
        self._close_all("the end of the file")
        self._end_statement(missing=True)
        return tuple(self._frames[0].statements)

    def _comment(self, token: Token) -> None:
        name = friendly_name(token.text)
        frame = self._frames[-1]
        if name is None:
            return
        if frame.opened_by and not frame.statements and not frame.words:
            frame.name = name
        elif frame.words or token.line != self._last_line:  # not a remark behind the statement before
            self._name = name

    def _word(self, token: Token) -> None:
        frame = self._frames[-1]
        if token.kind == "word" and token.text in self._sections:
            if frame.words and token.line > frame.words[-1].line:
                self._end_statement(missing=True)
            if not self._frames[-1].words:
                self._close_all(f"the section in line {token.line}")
        self._frames[-1].words.append(token)

    def _semicolon(self, line: int) -> None:
        if not self._frames[-1].words:
            self._report(line, "stray ;")  # racoon's grammar has no empty statement
        self._end_statement()

    def _open(self, line: int) -> None:
        frame = self._frames[-1]
        if not frame.words:
            self._report(line, "{ without a section name")
        self._frames.append(_Frame(tuple(frame.words) or (Token("mark", "{", line),), self._name))
        self._name = None
        frame.words.clear()

    def _close(self, line: int) -> None:
        self._end_statement(missing=True)
        if len(self._frames) == 1:
            self._report(line, "} without {")
            return
        closed = self._frames.pop()
        self._frames[-1].statements.append(Statement(closed.opened_by, tuple(closed.statements), closed.name))
        self._name = None

    def _close_all(self, before: str) -> None:
        while len(self._frames) > 1:
            opened = self._frames[-1].opened_by[0]
            self._report(opened.line, f"section {shown(opened.text)} is not closed before {before}")
            name = self._name  # a comment just read belongs to the statement that comes
            self._close(opened.line)
            self._name = name

    def _end_statement(self, *, missing: bool = False) -> None:
        frame = self._frames[-1]
        if not frame.words:
            return
        if missing:
            self._report(frame.words[-1].line, f"; is missing after {shown(frame.words[0].text)}")
        frame.statements.append(Statement(tuple(frame.words), None, self._name))
        frame.words.clear()
        self._name = None


def statements(text: str, sections: Container[str], report: Callable[[int, str], None]) -> tuple[Statement, ...]:
    """Statements of a text; `sections` are the words that can only stand outside of every block."""
    builder = _Builder(sections, report)
    for token in tokens(text, report):
        builder.feed(token)
    return builder.finish()


def split_at_keywords(
    parts: Iterable[Statement], keywords: Container[str], report: Callable[[int, str], None]
) -> Iterator[Statement]:
    """Yield the same statements, cut where one lacks its `;`: before a word of `keywords` that begins a line."""
    for statement in parts:
        begin = 0
        words = statement.words
        for at in range(1, len(words)):
            token = words[at]
            if token.kind == "word" and token.line > words[at - 1].line and token.text in keywords:
                report(words[at - 1].line, f"; is missing after {shown(words[begin].text)}")
                yield Statement(words[begin:at], None, statement.name if begin == 0 else None)
                begin = at
        yield statement if begin == 0 else Statement(words[begin:], statement.block)


class Words:
    """The words of one statement behind its keyword, taken in turn. Raises Misread where the grammar is not met."""

    __slots__ = ("_at", "_tokens", "complaints")

    def __init__(self, taken: tuple[Token, ...]) -> None:
        self._tokens = taken
        self._at = 0
        self.complaints: list[str] = []  # what is worth a Problem though the value is used

    def peek(self) -> Token | None:
        """Return the next word without taking it, None at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self) -> Token:
        """Take the next word of any kind."""
        token = self.peek()
        if token is None:
            raise Misread("a word is missing")
        self._at += 1
        return token

    def skip(self, text: str) -> bool:
        """Take the next word if it is this one, and say whether it was."""
        token = self.peek()
        if token is None or token.kind == "string" or token.text != text:
            return False
        self._at += 1
        return True

    def string(self) -> str:
        """Take the next word, which must be in quotes."""
        token = self.take()
        if token.kind != "string":
            raise Misread(f"a string in quotes is expected, not {shown(token.text)}")
        return token.text

    def word(self) -> str:
        """Take the next word, which must be without quotes."""
        token = self.take()
        if token.kind != "word":
            raise Misread("a word without quotes is expected")
        return token.text

    def number(self) -> int:
        """Take the next word, a decimal number."""
        return parse_number(self.word())

    def one_of(self, *choices: str) -> str:
        """Take the next word, one of the choices."""
        text = self.word()
        if text not in choices:
            raise Misread(f"{' or '.join(choices)} is expected, not {shown(text)}")
        return text

    def switch(self) -> bool:
        """Take `on` or `off`."""
        return self.one_of("on", "off") == "on"

    def finish(self) -> None:
        """Check that nothing is left."""
        token = self.peek()
        if token is not None:
            raise Misread(f"unexpected {shown(token.text)}" if token.kind == "word" else "too many values")


_MOST_DIGITS = 12  # far above every number racoon holds; int() itself raises beyond 4,300


def parse_number(text: str) -> int:
    """Return a decimal number as racoon's lexer takes it; Misread for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise Misread(f"a number is expected, not {shown(text)}")
    return int(text)
