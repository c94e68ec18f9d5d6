"""What may be a secret is masked where it is read: nothing behind the reader ever holds it.

racoon prints keys in three ways. A row whose hole is a secret (`Field.secret`) says so itself: the word of racoon.conf at which
the parser stopped may be a password, a line of a backup file holds key material. At debug2 it dumps keys as groups of digits.
And what no row knows may be anything: there, long numbers and what follows words such as "password" go.
"""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.message import Message
from racoon_parsers.record import Record

MASK: Final = "***"
_DIGITS: Final = "[0-9a-fA-F]"
_DUMP: Final = re.compile(
    rf"(?<![0-9a-zA-Z:])(?:{_DIGITS}{{8}}(?: {_DIGITS}{{2,8}}+){{1,512}}+|{_DIGITS}{{2}}(?: {_DIGITS}{{2}}){{3,2048}}+"
    rf"|{_DIGITS}{{16,4096}}+(?!:))"
)
"""A dump, or a key as one number. Cookies are two numbers of 16 digits with a colon between them."""
_ONLY_DIGITS: Final = re.compile(rf"\s*+(?:{_DIGITS}{{2,}}+\s*+)++$")
_NAMED: Final = re.compile(
    r"\b(?P<name>pass(?:word|wd|phrase)|secret|psk|pskey|pre[ -]?shared[ -]?key|keymat|skeyid\w{0,2}+|key)"
    r"(?P<mark>\s{0,4}+[:=]\s{0,4}+|\s{1,4}+(?=[\"']))(?:\"[^\"]{0,4096}+\"?|'[^']{0,4096}+'?|\S{1,4096}+)",
    re.IGNORECASE,
)


_TO_LAST: Final = "|".join(
    rf"{quote}(?!\*\*\*{quote}|[^0-9A-Za-z{quote}]?{quote}(?:\s|\Z))(?:[^\n]{{0,4096}}{quote}|[^\n]{{0,4096}}+)"
    for quote in "\"'"
)
_STOPPED_AT: Final = re.compile(rf"(?<=:)(\s{{0,4}}+[0-9]{{1,7}}+\s{{0,4}}+:\s{{0,4}}+)(?:{_TO_LAST})")
"""`cfparse.y: yyerror()`: file, line, and in quotes the word that was read last, up to the last quote: it may hold some itself.

The end of the file, and a bracket, are no secret.
"""
_STOPPED_HEAD: Final = 16
"""Characters in which the line number may stand at the end of a text that goes on with the quoted word."""
_OPEN_END: Final = f'"{MASK}'
"""What ends a text whose secret may go on in the next line."""


_NAMES: Final = ("pass", "secret", "psk", "shared", "keymat", "skeyid", "key")
"""One of these stands, in whatever case, in every text that `_NAMED` masks: most have none, and cost one look."""


def masked(record: Record, free_text: Message | None) -> Record:
    """Give a record without what may be a secret in it."""
    message = record.message
    if message is None or message is free_text:
        text = mask_unknown(record.text)
    elif message.secret:
        text = _STOPPED_AT.sub(_without_quoted, message.mask(record.text))
    else:
        return record
    return record if text == record.text else record._replace(text=text)


def _without_quoted(found: re.Match[str]) -> str:
    closed = found[0][-1] in "\"'" and len(found[0]) > len(found[1]) + 1
    return f"{found[1]}{_OPEN_END}" + '"' * closed


def mask_continued(before: str, text: str) -> str:
    """Mask what may be a secret in a line that goes on what stands before it, masked already."""
    if not before.endswith(_OPEN_END):
        end, begun = before[-_STOPPED_HEAD:], text.lstrip()
        blanks = text[: len(text) - len(begun)]
        return blanks + mask_unknown(_STOPPED_AT.sub(_without_quoted, f"{end}{begun}")[len(end) :])
    _, quote, rest = text.rpartition('"')
    return f"{MASK}{quote}{mask_unknown(rest)}" if quote else _OPEN_END


def mask_unknown(text: str) -> str:
    """Mask what may be a secret in a text that nobody knows."""
    if _ONLY_DIGITS.match(text):
        return MASK
    text = _STOPPED_AT.sub(_without_quoted, text)
    folded = text.casefold()
    if not any(name in folded for name in _NAMES):
        return _DUMP.sub(MASK, text)
    return _NAMED.sub(rf"\g<name>\g<mark>{MASK}", _DUMP.sub(MASK, text))
