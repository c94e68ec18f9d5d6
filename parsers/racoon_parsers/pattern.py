"""How a row's template becomes a pattern whose cost grows no faster than the text is long.

A peer chooses part of what racoon prints, so a text may be made to hurt. A backtracking matcher is linear where of all its
parts at most one can match in as many ways as the text is long, and what stands behind that one costs the same everywhere.
So here

- every value but free text has a greatest length;
- a value and the literal behind it are one piece (`(?>…)`): they are not tried again once both have matched;
- of several free texts each but the last ends where the literal behind it first stands.

`tests/parsers/test_linear.py` proves it for every row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from racoon_parsers.fields import JOINERS
from racoon_parsers.template import Hole, Piece

_UNREAD: Final = dict.fromkeys("diouxX", r"[^\s,;:()=\"']{0,40}?") | {
    "p": r"(?:0x[0-9a-f]{1,16}+|\(nil\))",
    "f": r"[\d.]{1,40}+",
}
"""How a value that is not read looks, by racoon's conversion."""
_FREE: Final = ".*"
"""Free text: as long as the line."""
_BLANKS: Final = r"\s{1,8}+"
"""What may stand for a blank: mail programs wrap lines there."""
_PERHAPS_BLANKS: Final = r"\s{0,8}+"


def expression_of(pieces: tuple[Piece, ...]) -> str:
    """Give the regular expression of a row's whole text."""
    return "".join(_expressions(pieces))


def ending_expression_of(pieces: tuple[Piece, ...]) -> str:
    """Give the regular expression of what stands behind the last free text, whose length is bounded; "" for nothing.

    It begins with a literal, if there is one: a value before it would be tried anew from each place where it may begin.
    """
    last_free = max((place for place, piece in enumerate(pieces) if _is_free(piece)), default=-1)
    if last_free < 0:
        return ""
    behind = pieces[last_free + 1 :]
    first = next((place for place, piece in enumerate(behind) if isinstance(piece, str)), 0)
    return "".join(_expressions(behind[first:]))


def expression_with(pieces: tuple[Piece, ...], wanted: Callable[[Hole], bool]) -> str:
    """Give the regular expression of the whole text, whose groups are the values that are wanted."""
    return _unnamed("".join(_expressions(pieces, lambda hole, found: f"({found})" if wanted(hole) else found)))


def says_anything(hole: Hole) -> bool:
    """Whether a value may be words of any kind, or an address of the web."""
    return hole.name in {"dumped", "url"} or re.fullmatch(_unnamed(_value(hole)), "any words") is not None


def _unnamed(expression: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", expression)


def _is_free(piece: Piece | None) -> bool:
    """Whether racoon prints there what has no form: of any length, with any characters."""
    if piece is None or isinstance(piece, str):
        return False
    return piece.field.free if piece.field else piece.conversion[-1] not in _UNREAD


def _expressions(pieces: tuple[Piece, ...], mark: Callable[[Hole, str], str] = lambda _hole, found: found) -> Iterator[str]:
    last_free = max((place for place, piece in enumerate(pieces) if _is_free(piece)), default=-1)
    taken = False
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            if not taken:
                yield _literal(piece)
            taken = False
            continue
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        beside_free = _is_free(following) or place == last_free + 1 > 0
        if place == last_free:
            yield mark(piece, _value(piece))
        elif piece.name or not beside_free:  # else the free text holds what is not read as well
            taken = isinstance(following, str)
            yield f"(?>{mark(piece, _value(piece, first=True))}{_border(following)})"


def _value(hole: Hole, *, first: bool = False) -> str:
    """Give the pattern of a value; of free text up to where what follows `first` stands."""
    if hole.field is None:
        return _UNREAD.get(hole.conversion[-1], ".*?")
    found = hole.field.expression()
    return found.replace(_FREE, ".*?") if first and hole.field.free else found


def _border(following: Piece | None) -> str:
    """Give what ends a value: the literal behind it. A blank alone may have been lost with an empty value behind it."""
    if following is None:
        return r"\Z"
    if not isinstance(following, str):
        return ""
    return rf"(?:{_BLANKS}|\Z)" if following.isspace() else _literal(following)


def _literal(text: str) -> str:
    """Escape a literal, letting a run of blanks stand for a blank."""
    if text in JOINERS:
        return JOINERS[text]
    if text.isspace():
        return _PERHAPS_BLANKS  # the value behind it may be empty, and the blank with it
    return _BLANKS.join(re.escape(part) for part in re.split(" +", text))
