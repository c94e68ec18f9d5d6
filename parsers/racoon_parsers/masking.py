"""What may be a secret is masked where it is read: nothing behind the reader ever holds it.

racoon prints keys in three ways. A row whose hole is a secret (`Field.secret`) says so itself: the word of racoon.conf at which
the parser stopped may be a password, a line of a backup file holds key material. At debug2 it dumps keys as groups of digits.
And what no row knows may be anything: there, long numbers go, what stands behind a place in a file, and what follows words
such as "password". A torn line is searched together with what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.debug_filter import GLUED
from racoon_parsers.message import LITERAL_HEAD, Message
from racoon_parsers.record import LONGEST_TEXT, Record

MASK: Final = "***"
_DIGITS: Final = "[0-9a-fA-F]"
_DUMP: Final = re.compile(
    rf"(?={_DIGITS})(?<![0-9a-zA-Z:])(?:{_DIGITS}{{8}}(?: {_DIGITS}{{2,8}}+){{1,512}}+(?: {_DIGITS}\Z)?+"
    rf"|{_DIGITS}{{2}}(?: {_DIGITS}{{2}}){{3,2048}}+(?: {_DIGITS}\Z)?+"
    rf"|{_DIGITS}{{2}}(?::{_DIGITS}{{2}}){{8,1024}}+(?::{_DIGITS}?+\Z)?+|(?:0[xX])?+{_DIGITS}{{16,4096}}+(?!:)|0s[0-9A-Za-z+/]{{8,4096}}+)"
)
"""A dump, or a key as one number. Cookies are two numbers of 16 digits with a colon between them; six pairs with colons are an
address of Ethernet, eight groups one of IPv6. Where a line ends within a pair, what begins of it belongs to the rest."""
_ONLY_DIGITS: Final = re.compile(rf"\s*+(?:{_DIGITS}{{2,}}+\s*+)++$")
_KEY: Final = re.compile(
    r"\bkey(?:[\"']?\s{0,4}+(?:[:=]|[-=]>)\s{0,4}+|\s{1,4}+(?=[\"']))(?P<secret>\"[^\"]{0,4096}+|'[^']{0,4096}+|\S{1,4096}+)",
    re.IGNORECASE,
)
"""Keys have names and lengths as well: what follows at once is one only behind a mark."""
_WORDS: Final = (
    r"(?=[pskct])(?<![a-z])(?:pass(?:word|wd|wort|phrase|code)|pass(?<=[_-]pass)|pass(?=\s{0,4}[:=])|pwd?|pin|secret|psk|pskey"
    r"|pre[ _-]?shared[ _-]?(?:key|secret)|keymat|skeyid|token|credential|(?:syntax|parse) error)s?+"
    r"(?!\.?[a-z])"
)
_NAME: Final = re.compile(rf"{_WORDS}[\s:=,>\"'-]{{0,8}}+", re.IGNORECASE)
"""Behind one of these all may be a secret, whatever stands between."""
_SETKEY: Final = re.compile(r"(?<!\S)-[EA]\s{1,4}+[\w-]{1,40}+\s{1,4}+")
"""What stands before a key in a line of setkey."""
_HEADER: Final = re.compile(r"(?=[ab])(?<![a-z])(?:authorization|bearer)\b[\s:=,\"'-]{0,8}+", re.IGNORECASE)
"""What stands before a login, or a token, in a header of HTTP."""
_LOGIN: Final = re.compile(r"(?<=://)[^\s/@\"'<>]{1,256}+(?=@)")
"""Name and password in an address of the web."""
_ESCAPED: Final = re.compile(
    rf"[%\\](?:(?<=%){_DIGITS}{{2}}(?:%{_DIGITS}{{2}}){{3,1024}}+|x{_DIGITS}{{2}}(?:\\x{_DIGITS}{{2}}){{3,1024}}+"
    rf"|u{_DIGITS}{{4}}(?:\\u{_DIGITS}{{4}}){{3,1024}}+|[0-7]{{3}}(?:\\[0-7]{{3}}){{3,1024}}+)"
)
"""Characters written otherwise: what they are can't be told by looking for words."""
_ONE_WORD: Final = re.compile(r"[A-Za-z0-9+](?<![\w@.:/+=-].)[A-Za-z0-9+/_-]{9,4096}+={0,2}+(?!\w|[@.]\w)")
_OF_A_KEY: Final = (re.compile("[A-Z]"), re.compile("[a-z]"), re.compile("[0-9]"))
"""What a long word has together only if it was made by chance, such as a key in Base64."""
_PSK_LINE: Final = re.compile(
    r"\s{0,8}+(?:\S{1,64}:\s{1,4}+)?(?=\S{0,256}?[.:@]\S)\S{2,512}+\s{1,64}+(?P<secret>\S{1,4096}+)\s*+\Z"
)
"""A line of psk.txt: who, and the key."""
_NAMES: Final = (
    "pass",
    "pw",
    "pin",
    "secret",
    "psk",
    "shared",
    "keymat",
    "skeyid",
    "token",
    "credential",
    "syntax error",
    "parse error",
)
"""One of these stands, in whatever case, in every text that `_NAME` finds: most have none, and cost one look."""


_TO_LAST: Final = "|".join(
    rf"{quote}(?!\*\*\*{quote}|[^0-9A-Za-z{quote}]?{quote}(?:\s|\Z))(?P<{name}>[^\n]{{0,4096}}(?={quote})|[^\n]{{0,4096}}+)"
    for quote, name in (('"', "double"), ("'", "single"))
)
_LINE: Final = "(?:[0-9]{1,7}|%d)"
"""Number of a line, or what stands for it where values can't be told apart (`Message.mask`)."""
_STOPPED_AT: Final = re.compile(rf":\s{{0,4}}+{_LINE}\s{{0,4}}+:\s{{0,4}}+(?:{_TO_LAST})")
"""`cfparse.y: yyerror()`: file, line, and in quotes the word that was read last, up to the last quote: it may hold some itself.

The end of the file, and a bracket, are no secret.
"""
_PLACE: Final = re.compile(rf":\s{{0,2}}+{_LINE}\s{{0,2}}+:\s{{1,8}}+(?![\"']|\Z)")
_PLACE_IN: Final = re.compile(rf"\bline\s?#\s?{_LINE} in \S{{1,512}}+(?<=:)\s{{1,8}}+(?!\Z)")
"""A place in a file that something is wrong with: what stands there in other words than racoon's may be its content."""
_PROSE: Final = re.compile(r"(?<=[A-Za-z] )[a-z]{1,40}+(?![^\s.,!?')])")
"""What stands behind a name where a gateway only asks for one: another word, such as in `your token code`."""
_NEVER: Final = re.compile(r"(?!)")
_LONGEST_PATH: Final = 256
_MOST_PLACES: Final = 16
"""A text with more was made to be long."""
_SEAM: Final = 512
"""Characters on either side of a place where a text was torn."""
_QUOTES: Final = ("'", '"')
_SOURCE: Final = re.compile(r"\.[chly]\Z")
"""A place in racoon's own source."""

Span = tuple[int, int]


def masked(record: Record, catalogue: Catalogue) -> Record:
    """Give a record without what may be a secret in it."""
    text = masked_text(record.message, record.text, catalogue)
    return record if text == record.text else record.reads(record.message, text)


def masked_text(message: Message | None, text: str, catalogue: Catalogue, *, matches: bool = False) -> str:
    """Give a text of a message without what may be a secret in it. It is known of some that each value `matches`."""
    if message is None or message is catalogue.free_text:
        return mask_unknown(text, catalogue)
    if message.secret:
        text = mask_glued(message.mask(text))
        text = _without(text, _at_places(text)) if "secret" in message.marks else text
        return text if _names_secrets(message) else _without(text, _anywhere(text, lambda: 0, _PROSE))
    if message.constant:
        return text if message.fits(text) else mask_unknown(text, catalogue)  # lines stand behind it
    if not matches and not message.matches(text):
        return mask_unknown(text, catalogue)  # something stands in it that is none of its values
    text = mask_glued(text)
    if not message.says_anything or _names_secrets(message):
        return text
    return _without(text, _anywhere(text, lambda: len(message.start), _PROSE))


@lru_cache(maxsize=4096)
def _names_secrets(message: Message) -> bool:
    """Whether the message's own words speak of secrets: what stands behind them are its values, and none."""
    return _NAME.search(message.render(lambda _hole: "\0")) is not None


def mask_glued(text: str) -> str:
    """Mask what may be a secret in a record that was written behind another, which takes it for its last value."""
    glued = GLUED.search(text)
    return _without_stopped(text if glued is None else text[: glued.end()] + mask_unknown(text[glued.end() :]))


def mask_continued(before: str, text: str, catalogue: Catalogue | None = None) -> str:
    """Mask what may be a secret in a line that goes on what stands before it, masked already.

    What was lost between them is a blank, or nothing where a terminal broke within a word.
    """
    text = text[:LONGEST_TEXT]
    begun = text.lstrip()
    blanks = text[: len(text) - len(begun)]
    if before.endswith(MASK) and before[-len(MASK) - 1 :][:1] not in _QUOTES:
        return blanks + MASK
    before = before[-_SEAM:]
    ends = (before, f"{before} ")

    def known(end: str) -> int:
        lengths = [(_literal_length(f"{each}{begun}", catalogue), len(each)) for each in ends]
        return max(0, max((length - of for length, of in lengths if length), default=-LONGEST_TEXT) + len(end))

    spans = list(_within(ends[0], begun, lambda: known(ends[0])))
    for first, last in _within(ends[1], begun[:_SEAM], lambda: known(ends[1])):
        spans.append((first, len(begun) if last == _SEAM else last))
    return blanks + _without(begun, spans)


def _within(end: str, text: str, known: Callable[[], int]) -> Iterator[Span]:
    """Find what may be secrets in a text that stands behind the end of another."""
    for first, last in _secrets(f"{end}{text}", known):
        if last > len(end):
            yield max(first - len(end), 0), last - len(end)


def mask_unknown(text: str, catalogue: Catalogue | None = None) -> str:
    """Mask what may be a secret in a text that nobody knows, though it may begin like one of a catalogue."""
    return _without(text, _secrets(text, lambda: _literal_length(text, catalogue)))


def _secrets(text: str, known: Callable[[], int]) -> list[Span]:
    """Find what may be secrets in a text, of which so many characters are a message's own words."""
    if _ONLY_DIGITS.match(text):
        return [(0, len(text))]
    found = [*_stopped_at(text), *_at_places(text), *_anywhere(text, known)]
    if (line := _PSK_LINE.match(text)) is not None:
        found.append(line.span("secret"))
    return found


def _anywhere(text: str, known: Callable[[], int], prose: re.Pattern[str] = _NEVER) -> list[Span]:
    """Find what looks like a secret, or is called one, wherever it stands, but for a name in mere prose."""
    found = [match.span() for match in _DUMP.finditer(text)]
    found += (match.span() for match in _ONE_WORD.finditer(text) if all(one.search(match[0]) for one in _OF_A_KEY))
    if "\\" in text or "%" in text:
        found += (match.span() for match in _ESCAPED.finditer(text))
    if "://" in text:
        found += (match.span() for match in _LOGIN.finditer(text))
    folded = text.casefold()
    if "authorization" in folded or "bearer" in folded:
        found += ((match.end(), len(text)) for match in _HEADER.finditer(text))
    if "-E " in text or "-A " in text:
        found += ((match.end(), len(text)) for match in _SETKEY.finditer(text))
    if "key" in folded:
        found += [match.span("secret") for match in _KEY.finditer(text)]
    if any(name in folded for name in _NAMES):
        first = known() if _NAME.search(text) else len(text)
        names = (name for name in _NAME.finditer(text, first) if not prose.match(text, name.end()))
        found += [(name.end(), len(text)) for name in islice(names, 1)]
    return found


def _stopped_at(text: str) -> Iterator[Span]:
    for found in _STOPPED_AT.finditer(f":{text}"):
        first, last = found.span("double" if found["double"] is not None else "single")
        yield first - 1, last - 1


def _at_places(text: str) -> Iterator[Span]:
    behind = [found.end() for found in (_PLACE_IN.search(text),) if found is not None]
    for number, found in enumerate(_PLACE.finditer(f":{text}")):
        start = found.start() - 1
        path = text[max(0, start - _LONGEST_PATH) : max(0, start)].rpartition(" ")[2]
        of_file = start < 0 or (("/" in path or "." in path) and any(map(str.isalpha, path)))
        if number == _MOST_PLACES or (of_file and not _SOURCE.search(path)):
            behind.append(found.end() - 1)
            break
    if behind:
        yield min(behind), len(text)


def _literal_length(text: str, catalogue: Catalogue | None) -> int:
    """Give how much of a text is the literal beginning of a message: torn, it still is to be read."""
    starts = () if catalogue is None else _naming(catalogue)
    return max(
        (len(text) if start.startswith(text) else len(start) for start, whole in starts if _agree(start, text, whole=whole)),
        default=0,
    )


def _agree(start: str, text: str, *, whole: bool) -> bool:
    return start.startswith(text) or (text.startswith(start) and not whole)


@lru_cache(maxsize=16)
def _naming(catalogue: Catalogue) -> tuple[tuple[str, bool], ...]:
    """Give how messages begin that name a secret, and hold none; and whether that is all there is of them."""
    starts = {(row.start, row.constant) for row in catalogue.all_rows if not row.secret and len(row.start) >= LITERAL_HEAD}
    return tuple(sorted(start for start in starts if _NAME.search(start[0])))


def _without_stopped(text: str) -> str:
    if '"' not in text and "'" not in text:
        return text
    return _without(text, _stopped_at(text))


def _without(text: str, spans: Iterable[Span]) -> str:
    """Put the mask where the spans are, which may lie over each other."""
    kept, end = [], 0
    for first, last in sorted(spans):
        if first < last and last > end:
            if first >= end:
                kept += [text[end:first], MASK]
            end = last
    return "".join((*kept, text[end:])) if kept else text
