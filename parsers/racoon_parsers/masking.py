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


_STOPPED_AT: Final = re.compile(r"(?<=:)([0-9]{1,7}+: )\"(?![^0-9A-Za-z]?\")[^\"]{0,4096}+\"?")
"""`cfparse.y: yyerror()`: file, line, and the word that was read last; where several stand on one line, each of them.

The end of the file, and a bracket, are no secret.
"""


_NAMES: Final = ("pass", "secret", "psk", "shared", "keymat", "skeyid", "key")
"""One of these stands, in whatever case, in every text that `_NAMED` masks: most have none, and cost one look."""


def masked(record: Record, free_text: Message | None) -> Record:
    """Give a record without what may be a secret in it."""
    message = record.message
    if message is None or message is free_text:
        text = mask_unknown(record.text)
    elif message.secret:
        text = _STOPPED_AT.sub(rf'\1"{MASK}"', message.mask(record.text))
    else:
        return record
    return record if text == record.text else record._replace(text=text)


def mask_unknown(text: str) -> str:
    """Mask what may be a secret in a text that nobody knows."""
    if _ONLY_DIGITS.match(text):
        return MASK
    text = _STOPPED_AT.sub(rf'\1"{MASK}"', text)
    folded = text.casefold()
    if not any(name in folded for name in _NAMES):
        return _DUMP.sub(MASK, text)
    return _NAMED.sub(rf"\g<name>\g<mark>{MASK}", _DUMP.sub(MASK, text))
