"""What may be a secret is masked where it is read: nothing behind the reader ever holds it.

racoon prints keys in three ways. A row whose hole is a secret (`Field.secret`) says so itself: the word of racoon.conf at which
the parser stopped may be a password, a line of a backup file holds key material. At debug2 it dumps keys as groups of digits.
And what no row knows may be anything: there, long numbers go, what stands behind a place in a file, and what follows words
such as "password". A torn line is searched together with what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.debug_filter import GLUED
from racoon_parsers.dumps import dumps, only_digits
from racoon_parsers.message import Message
from racoon_parsers.record import LONGEST_TEXT, Record
from racoon_parsers.secret_names import is_method, keys, literal_length, named, prose, told_apart

MASK: Final = "***"
_LOGIN: Final = re.compile(
    r"://(?P<login>[^\s/@\"'<>:\[]{0,256}+:[^\s/\"'<>]{0,256}+\Z|[^\s/\"'<>:\[.]{1,256}+\Z|[^\s/\"'<>]{1,256}(?=@))"
)
"""Name and password in an address of the web, which may be torn behind them."""
_ADDRESSED: Final = re.compile(r"(?:e-?mail(?:address)?|mailto|sips?|xmpp|jid)\Z", re.IGNORECASE)
"""What stands before a colon and an address that is somebody's, with no password in it."""
_LONGEST_ADDRESSED: Final = 13
_MOST_LOGINS: Final = 16
"""Words with both `:` and `@`; behind more, all is taken for a secret."""
_ONE_WORD: Final = re.compile(
    r"[\0-*,;<>?\[-^`{-\U0010ffff](?P<word>[A-Za-z0-9+](?=[A-Za-z0-9+/_-]{9})(?<!\w.)(?:(?<=[0-9])|(?=[A-Za-z+/_-]{0,4096}+[0-9]))"
    r"[A-Za-z0-9+/_-]{9,4096}+={0,2}+)(?!\w|[@.]\w)"
)
"""A long word with a digit, and before it what ends another: few places of a text are tried."""
_MOST_WORDS: Final = 32
"""A text with more was made to be long: behind these nothing is told apart, and all is taken for a secret."""
_OF_A_KEY: Final = (re.compile("[A-Z]"), re.compile("[a-z]"))
"""What such a word has together only if it was made by chance, such as a key in Base64."""
_WITH_DIGITS: Final = re.compile(r"(?=[a-zA-Z]{0,64}+[0-9])(?:[0-9a-z]{20,}+|[0-9A-Z]{20,}+)=*+\Z")
"""Another, in Base32 or the like."""
_PSK_WORDS: Final = 3
_PSK_LINE: Final = re.compile(
    r"\s{0,8}+(?:\S{1,64}:\s{1,4}+)?(?=\S{0,256}?[.:@]\S)\S{2,512}+\s{1,64}+(?P<secret>\S{1,4096}+)\s*+\Z"
)
"""A line of psk.txt: who, and the key."""
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
_OPENED: Final = re.compile(rf":\s{{0,4}}+{_LINE}\s{{0,4}}+:\s{{0,4}}+[\"']")
"""Another such word, which may have lost its end, so that the last quote is no end of it."""
_PLACE: Final = re.compile(rf":\s{{0,2}}+{_LINE}\s{{0,2}}+:\s{{1,8}}+(?![\"']|\Z)")
_PLACE_IN: Final = re.compile(rf"line(?<!\wline)\s?#\s?{_LINE} in \S{{1,512}}+(?<=:)\s{{1,8}}+(?!\Z)")
"""A place in a file that something is wrong with: what stands there in other words than racoon's may be its content."""
_LONGEST_PATH: Final = 256
_MOST_PLACES: Final = 16
LONGEST_SEARCHED: Final = 512
"""Behind so many characters all that is not a message's own word is taken for a secret: no message of racoon is that long."""
_SEAM: Final = 512
"""Characters on either side of a place where a text was torn."""
_SOURCE: Final = re.compile(r"\.[chly]\Z")
"""A place in racoon's own source."""

Span = tuple[int, int]

_masked: Final[list[tuple[Message | None, str, Catalogue | None, str]]] = [(None, "", None, "")]
"""The last text in which something was masked, and what it reads then: a line that is not like others is looked at twice."""


def masked(record: Record, catalogue: Catalogue) -> Record:
    """Give a record without what may be a secret in it."""
    text = masked_text(record.message, record.text, catalogue)
    return record if text == record.text else record.reads(record.message, text)


def masked_text(message: Message | None, text: str, catalogue: Catalogue, *, matches: bool = False) -> str:
    """Give a text of a message without what may be a secret in it. It is known of some that each value `matches`."""
    asked, of, known, answer = _masked[0]
    if of == text and asked is message and known is catalogue:
        return answer
    answer = _masked_text(message, text, catalogue, matches=matches)
    if answer != text:
        _masked[0] = message, text, catalogue, answer  # at once: other threads ask as well
    return answer


def _masked_text(message: Message | None, text: str, catalogue: Catalogue, *, matches: bool) -> str:
    if message is None or message is catalogue.free_text:
        return mask_unknown(text, catalogue)
    if message.secret:
        text = mask_glued(message.mask(text), catalogue)
        text = _without(text, _at_places(text)) if "secret" in message.marks else text
        return _without(text, _in_values(message, text, catalogue, message.said(text)))
    if message.constant:
        return text if message.fits(text) else mask_unknown(text, catalogue)  # lines stand behind it
    said = message.said(text, sure=matches)
    if said is None:
        return mask_unknown(text, catalogue)  # something stands in it that is none of its values
    without = mask_glued(text, catalogue)
    if without is not text:
        said = message.said(without)
    return _without(without, _in_values(message, without, catalogue, said))


def _in_values(message: Message, text: str, catalogue: Catalogue, said: list[Span] | None) -> list[Span]:
    """Find what looks like a secret in what a message `said`, or is called one there: its own words may speak of secrets.

    Where its values can't be told apart, all may be one.
    """
    values = [(0, len(text))] if said is None else said
    several = [one for one in message.between_words(text) if one not in values]
    most = _searched(text)
    found = [(max(first, most), last) for first, last in values if last > most]
    values, several = ([(first, min(last, most)) for first, last in spans if first < most] for spans in (values, several))
    for first, last in values:
        value = text[first:last]
        found += [(first + begin, first + end) for begin, end in (*_shaped(value, catalogue), *_at_places(value, 0))]
    for first, last in several:
        value = text[first:last]
        found += [(first + begin, first + end) for begin, end in (*_logins(value), *keys(value, catalogue))]
    for first, last in values + several:
        for begun, end in named(text[first:last], lambda: 0, prose(catalogue)):
            begin = first + end
            if (first, last) in several and any(one <= first + begun and begin < other for one, other in values):
                continue  # a name that stands within a value is looked at there
            if is_method(text, begin):
                continue
            if any(map(str.isalnum, text[begin : len(text) - len(message.end)])):
                found.append((begin, len(text)))
    return found


def mask_glued(text: str, catalogue: Catalogue) -> str:
    """Mask what may be a secret in a record that was written behind another, which takes it for its last value."""
    glued = GLUED.search(text)
    if glued is not None:
        text = text[: glued.end()] + mask_unknown(text[glued.end() :], catalogue)
    return _without(text, _stopped_at(text))


def mask_continued(parts: list[str], text: str, catalogue: Catalogue) -> str:
    """Mask what may be a secret in a line that goes on what stands before it, in one part or several, masked already.

    What was lost between two is a blank, or nothing where a terminal broke within a word. A last dot may have been put there.
    """
    before = "".join(parts)
    befores = dict.fromkeys((before, " ".join(parts), before.removesuffix(".")))
    text = text[:LONGEST_TEXT]
    begun = text.lstrip()
    blanks = text[: len(text) - len(begun)]
    if before.endswith(MASK) and before[-len(MASK) - 1 :][:1] not in {'"', "'"}:
        return blanks + MASK
    ends = [one[-_SEAM:] + blank for one in befores for blank in ("", " ")]

    def known(end: str) -> int:
        lengths = [(literal_length(f"{each}{begun}", catalogue), len(each)) for each in ends]
        return max(0, max((length - of for length, of in lengths if length), default=-LONGEST_TEXT) + len(end))

    spans = list(_within(ends[0], begun, lambda: known(ends[0]), catalogue))
    for end in ends[1:]:
        for first, last in _within(end, begun[:_SEAM], lambda end=end: known(end), catalogue):  # type: ignore[misc]
            spans.append((first, len(begun) if last == _SEAM else last))
    return blanks + _without(begun, spans)


def _within(end: str, text: str, known: Callable[[], int], catalogue: Catalogue) -> Iterator[Span]:
    """Find what may be secrets in a text that stands behind the end of another."""
    for first, last in _secrets(f"{end}{text}", known, catalogue):
        if last > len(end):
            yield max(first - len(end), 0), last - len(end)


def mask_unknown(text: str, catalogue: Catalogue) -> str:
    """Mask what may be a secret in a text that nobody knows, though it may begin like one of a catalogue."""
    most = _searched(text)
    searched = text[:most]
    return _without(text, [*_secrets(searched, lambda: literal_length(searched, catalogue), catalogue), (most, len(text))])


def _searched(text: str) -> int:
    """Give how much of a text is searched: to its end, or that of a word."""
    if len(text) <= LONGEST_SEARCHED:
        return len(text)
    blank = text.rfind(" ", LONGEST_SEARCHED // 2, LONGEST_SEARCHED)
    return LONGEST_SEARCHED if blank < 0 else blank


def _secrets(text: str, known: Callable[[], int], catalogue: Catalogue) -> list[Span]:
    """Find what may be secrets in a text, of which so many characters are a message's own words."""
    if only_digits(text):
        return [(0, len(text))]
    found = [*_stopped_at(text), *_at_places(text), *_shaped(text, catalogue)]
    found += [(begin, len(text)) for _, begin in named(text, known)]
    if len(text.split(None, _PSK_WORDS)) <= _PSK_WORDS and (line := _PSK_LINE.match(text)) is not None:
        found.append(line.span("secret"))
    return found


def _shaped(text: str, catalogue: Catalogue) -> list[Span]:
    """Find what looks like a secret, and no more than that, wherever it stands."""
    found = dumps(text)
    for number, word in enumerate(_ONE_WORD.finditer(f" {text}")):
        if number == _MOST_WORDS:
            found.append((word.start(), len(text)))
            break
        if _is_made_by_chance(word["word"]):
            found.append((word.start(), word.end() - 1))
    return [*found, *_logins(text), *keys(text, catalogue)]


def _logins(text: str) -> list[Span]:
    found = _bare_logins(text) if "@" in text and ":" in text else []
    if "://" not in text:
        return found
    most = told_apart(text, ("://",))
    return [*found, *(login.span("login") for login in _LOGIN.finditer(text, 0, most)), (most, len(text))]


def _bare_logins(text: str) -> list[Span]:
    """Find passwords between a name and a host without a scheme before them, `user:password@host`; each may hold `@`."""
    found: list[Span] = []
    end = 0
    for mark in "\"'<>":
        text = text.replace(mark, " ")
    for number, word in enumerate([word for word in text.split() if "@" in word and ":" in word]):
        begin = text.index(word, end)
        end = begin + len(word)
        if number == _MOST_LOGINS:
            return [*found, (begin, len(text))]
        name, _, rest = word.partition(":")
        password, _, host = rest.rpartition("@")
        if not name or not password or password.startswith("/") or _ADDRESSED.search(name, len(name) - _LONGEST_ADDRESSED):
            continue
        if host[:1].isalnum() or host.startswith("["):
            found.append((begin + len(name) + 1, begin + len(name) + 1 + len(password)))
    return found


def _is_made_by_chance(word: str) -> bool:
    return all(one.search(word) for one in _OF_A_KEY) or _WITH_DIGITS.match(word) is not None


def _stopped_at(text: str) -> list[Span]:
    if ('"' not in text and "'" not in text) or ":" not in text:
        return []
    stopped = []
    for found in _STOPPED_AT.finditer(f":{text}"):
        first, last = found.span("double" if found["double"] is not None else "single")
        again = _OPENED.search(text, first - 1, last) is not None
        stopped.append((first - 1, len(text) if again else last - 1))
    return stopped


def _at_places(text: str, first: int = -1) -> list[Span]:
    """Find what stands behind a place in a file, from a character on; -1 is that of the file before a line's number."""
    if ":" not in text:
        return []
    behind = [found.end() for found in (_PLACE_IN.search(text) if "line" in text else None,) if found is not None]
    for number, found in enumerate(_PLACE.finditer(f":{text}", first + 1)):
        start = found.start() - 1
        path = text[max(0, start - _LONGEST_PATH) : max(0, start)].rpartition(" ")[2]
        of_file = start < 0 or (("/" in path or "." in path) and any(map(str.isalpha, path)))
        if number == _MOST_PLACES or (of_file and not _SOURCE.search(path)):
            behind.append(found.end() - 1)
            break
    return [(min(behind), len(text))] if behind else []


def _without(text: str, spans: list[Span]) -> str:
    """Put the mask where the spans are, which may lie over each other."""
    if not spans:
        return text
    kept, end = [], 0
    for first, last in sorted(spans):
        if first < last and last > end:
            if first >= end:
                kept += [text[end:first], MASK]
            end = last
    return "".join((*kept, text[end:])) if kept else text
