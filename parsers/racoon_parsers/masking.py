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
_BETWEEN: Final = r"[^0-9A-Za-z\n]{1,3}+(?:0?[xX]|[uU])?+[^0-9A-Za-z\n]?+"
"""What may stand between two groups of digits: blanks and marks, `, 0x`, `\\x`, `%`, `}\\u{`, `;&#x`."""
_END: Final = "(?![0-9A-Za-z])"
"""Behind the last digit of a group: what goes on is a word or a longer number."""


def _more(group: str, between: str, fewest: int, cut: str = "", torn: int = 0) -> str:
    """Give the pattern of so many further groups, or more, with the same between each two.

    Lines may be broken between them, and behind them may stand what they say in characters. At the end of a text, which is torn
    there, fewer are enough, and the last may be cut, or what stands between.
    """
    name = f"b{fewest}{len(group)}{len(between)}"  # a name for each that stands in one pattern
    same = rf"(?:(?P={name})|\s{{1,8}}+)"
    again = rf"{same}{group}{_END}"
    ends = rf"(?:{same}(?:{cut})|[^0-9A-Za-z\n]{{1,3}}+(?:0?[xX]?+|[uU])?+[^0-9A-Za-z\n]?+)?+\Z"
    behind = rf"(?:{ends}|[ \t]{{2,8}}+\S{{3,20}}+|[ \t]{{1,4}}+[^\n]{{1,20}}+(?=\n|\Z))?+"
    few = rf"|(?:{again}){{{torn - 1},{fewest - 2}}}+{ends}" if torn else ""
    return rf"(?P<{name}>{between}){group}{_END}(?:(?:{again}){{{fewest - 1},2048}}+{behind}{few})"


_TWO, _FOUR, _EIGHT = (f"{_DIGITS}{{{width}}}" for width in (2, 4, 8))
_DATE: Final = "(?:19|20)[0-9]{6}"
"""Eight digits before a time, in names of files and versions."""
_SMALL: Final = rf"(?>[0-9]{{1,3}}+{_END}|{_TWO}{_END})"
"""A byte, in decimal or in hexadecimal digits."""
_PAIRS: Final = (
    rf"{_more(_TWO, ' ', 3, f'{_DIGITS}?', 2)}|(?<!:..){_more(_TWO, ':', 6, f'{_DIGITS}?', 3)}|{_more(_TWO, '[.]', 5)}"
)
_FOURS: Final = (
    rf"(?<!:.{{4}})(?:{_more(_FOUR, ':', 8)}|(?<![23Ff].{{3}}){_more(_FOUR, ':', 5, f'{_DIGITS}{{1,3}}', 3)})"
    rf"|{_more(_FOUR, f'(?!:){_BETWEEN}', 3, f'{_DIGITS}{{1,3}}', 2)}"
)
_EIGHTS: Final = (
    rf"(?<!:.{{8}})(?<!{_DATE})(?: {_DIGITS}{{2,8}}+){{1,512}}+(?: {_DIGITS}\Z)?+"
    rf"|{_END}{_more(_EIGHT, _BETWEEN, 2, f'{_DIGITS}{{1,7}}', 1)}|{_END}{_BETWEEN}{_DIGITS}{{2,7}}+\Z"
)
_NUMBER: Final = rf"{_DIGITS}{{3,7}}+\Z|(?<!:.{{8}}){_DIGITS}{{8,4096}}+(?!:)"
_LIST: Final = rf"{_SMALL}{_more(_SMALL, f'(?![.:]){_BETWEEN}', 5, f'{_DIGITS}?', 3)}"
_DUMP: Final = re.compile(
    rf"(?=[0-9A-FXUa-fxu])(?<![0-9a-zA-Z])(?=[0-9](?![.:])|[A-FXUa-fxu]{_DIGITS})(?:(?:0?[xX]|[uU])?+"
    rf"(?:{_TWO}(?:{_END}(?:{_PAIRS})|{_TWO}(?:{_END}(?:{_FOURS})|{_FOUR}(?:{_EIGHTS}|{_NUMBER})))|{_LIST})"
    r"|(?<!:)0s[0-9A-Za-z+/]{8,4096}+)"
)
"""A dump, or a key as one number, or as a list of them.

Cookies are two numbers of 16 digits with a colon between them; six pairs with colons are an address of Ethernet, eight groups
one of IPv6, which begin with 2, 3 or f; lists with dots name algorithms. Where a line ends within a group, what begins of it
belongs to the rest.
"""
_ONLY_DIGITS: Final = re.compile(rf"\s*+(?:{_DIGITS}{{2,}}+\s*+)++$")
_KEY: Final = re.compile(
    r"key(?:(?<![a-z]key)|(?<=(?:enc|dec|api|ssh|wpa|psk|ike|esp)key)|(?<=(?:auth|hmac|user|root)key)|(?<=(?:access|master)key)"
    r"|(?<=(?:private|session)key)|(?-i:(?<=[a-z]Key)))s?(?![a-z])"
    r"(?:[\"']?\s{0,4}+(?P<mark>[:=(]|[-=]>)\s{0,4}+(?P<secret>\"[^\"]{0,4096}+|'[^']{0,4096}+|[^\s)]{1,4096}+)"
    r"|\s{1,4}+(?:(?:is|was)\s{1,4}+)?(?:(?P<quoted>\"[^\"]{0,4096}+|'[^']{0,4096}+)|(?=(?P<word>[^\s)]{1,256}+))))",
    re.IGNORECASE,
)
"""Keys have names and lengths as well: what follows at once is one behind a mark, in quotes, or if racoon has no such word."""
_WORDS: Final = (
    r"(?=[pskctmo])(?:p(?:ass(?:w(?:or[dt]|d)|phrase|code|key|(?<=[_-]pass)|(?<![a-z]pass)(?=\s{0,4}[:=]|\sis\s))|skey"
    r"|re[ _-]?shared[ _-]?(?:key|secret)|arse error|w(?<=(?:bind|user|root|ldap)pw)|(?<![a-z]p)(?:wd?|in|sk))"
    r"|s(?:e(?:cret|nha)|keyid|yntax error)|ke(?:nnwort|ymat)|mot de passe|contrase.a|token|credential|(?<![a-z])otp)"
    r"(?:[ _-]?key)?s?+(?!\.?[a-z])"
)
_NAME: Final = re.compile(rf"{_WORDS}[\s:=,>\"'-]{{0,8}}+", re.IGNORECASE)
"""Behind one of these all may be a secret, whatever stands between."""
_SETKEY: Final = re.compile(r"(?<!\S)-[EA]\s{1,4}+[\w-]{1,40}+\s{1,4}+")
"""What stands before a key in a line of setkey."""
_HEADER: Final = re.compile(
    r"(?:(?<![a-z])(?:authorization|bearer)\b|cookie:\s{0,4}+[\w.-]{1,64}+=|-----BEGIN [A-Z ]{0,32}PRIVATE KEY)"
    r"[\s:=,\"'-]{0,8}+",
    re.IGNORECASE,
)
"""What stands before a login, or a token, in a header of HTTP, and before a key in a file of it."""
_LOGIN: Final = re.compile(
    r"(?<=://)(?:[^\s/@\"'<>:\[]{0,256}+:[^\s/\"'<>]{0,256}+\Z|[^\s/\"'<>:\[.]{1,256}+\Z|[^\s/\"'<>]{1,256}(?=@))"
)
"""Name and password in an address of the web, which may be torn behind them."""
_ONE_WORD: Final = re.compile(r"[A-Za-z0-9+](?<![\w@.:/+=-].)[A-Za-z0-9+/_-]{9,4096}+={0,2}+(?!\w|[@.]\w)")
_OF_A_KEY: Final = (re.compile("[0-9]"), re.compile("[A-Z]"), re.compile("[a-z]"))
"""What a long word has together only if it was made by chance, such as a key in Base64."""
_WITH_DIGITS: Final = re.compile(r"(?=[a-zA-Z]{0,64}+[0-9])(?:[0-9a-z]{20,}+|[0-9A-Z]{20,}+)=*+\Z")
"""Another, in Base32 or the like."""
_PSK_LINE: Final = re.compile(
    r"\s{0,8}+(?:\S{1,64}:\s{1,4}+)?(?=\S{0,256}?[.:@]\S)\S{2,512}+\s{1,64}+(?P<secret>\S{1,4096}+)\s*+\Z"
)
"""A line of psk.txt: who, and the key."""
_NAMES: Final = (
    "pass",
    "pw",
    "pin",
    "otp",
    "secret",
    "psk",
    "shared",
    "key",
    "token",
    "credential",
    "kennwort",
    "contrase",
    "senha",
    " error",
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
_WORD: Final = re.compile(r"[a-z]{1,40}+(?![^\s.,!?')])")
_FIRST_WORD: Final = re.compile(r"[A-Za-z]{1,40}+(?![0-9_-])")
_IS: Final = frozenset({"is", "are", "was", "were", "at", "near"})
_LONGEST_PATH: Final = 256
_SHORTEST_KEY: Final = 5
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
        text = mask_glued(message.mask(text), catalogue)
        text = _without(text, _at_places(text)) if "secret" in message.marks else text
        return _without(text, _in_values(message, text, catalogue))
    if message.constant:
        return text if message.fits(text) else mask_unknown(text, catalogue)  # lines stand behind it
    if not matches and not message.matches(text):
        return mask_unknown(text, catalogue)  # something stands in it that is none of its values
    text = mask_glued(text, catalogue)
    return _without(text, _in_values(message, text, catalogue)) if message.says_anything else text


def _in_values(message: Message, text: str, catalogue: Catalogue) -> Iterator[Span]:
    """Find what looks like a secret in the values of a message, or is called one there: its own words may speak of secrets."""
    for first, last in message.said(text):
        value = text[first:last]
        yield from ((first + begin, first + end) for begin, end in (*_shaped(value, catalogue), *_at_places(value, 0)))
        for begin in _named(value, lambda: 0, _prose(catalogue)):
            if any(map(str.isalnum, text[first + begin : len(text) - len(message.end)])):
                yield first + begin, len(text)


@lru_cache(maxsize=16)
def _vocabulary(catalogue: Catalogue) -> frozenset[str]:
    """Give the words that messages are made of."""
    literals = (piece for row in catalogue.all_rows for piece in row.pieces if isinstance(piece, str))
    return frozenset(word for literal in literals for word in re.findall("[a-z]+", literal.casefold()))


@lru_cache(maxsize=16)
def _prose(catalogue: Catalogue) -> frozenset[str]:
    """Give the words of which one may follow a name where no secret does."""
    return _vocabulary(catalogue) - _IS


def mask_glued(text: str, catalogue: Catalogue) -> str:
    """Mask what may be a secret in a record that was written behind another, which takes it for its last value."""
    glued = GLUED.search(text)
    return _without_stopped(text if glued is None else text[: glued.end()] + mask_unknown(text[glued.end() :], catalogue))


def mask_continued(before: str, text: str, catalogue: Catalogue) -> str:
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

    spans = list(_within(ends[0], begun, lambda: known(ends[0]), catalogue))
    for first, last in _within(ends[1], begun[:_SEAM], lambda: known(ends[1]), catalogue):
        spans.append((first, len(begun) if last == _SEAM else last))
    return blanks + _without(begun, spans)


def _within(end: str, text: str, known: Callable[[], int], catalogue: Catalogue) -> Iterator[Span]:
    """Find what may be secrets in a text that stands behind the end of another."""
    for first, last in _secrets(f"{end}{text}", known, catalogue):
        if last > len(end):
            yield max(first - len(end), 0), last - len(end)


def mask_unknown(text: str, catalogue: Catalogue) -> str:
    """Mask what may be a secret in a text that nobody knows, though it may begin like one of a catalogue."""
    return _without(text, _secrets(text, lambda: _literal_length(text, catalogue), catalogue))


def _secrets(text: str, known: Callable[[], int], catalogue: Catalogue) -> list[Span]:
    """Find what may be secrets in a text, of which so many characters are a message's own words."""
    if _ONLY_DIGITS.match(text):
        return [(0, len(text))]
    found = [*_stopped_at(text), *_at_places(text), *_shaped(text, catalogue)]
    found += ((begin, len(text)) for begin in _named(text, known))
    if (line := _PSK_LINE.match(text)) is not None:
        found.append(line.span("secret"))
    return found


def _shaped(text: str, catalogue: Catalogue) -> Iterator[Span]:
    """Find what looks like a secret, and no more than that, wherever it stands."""
    yield from (match.span() for match in _DUMP.finditer(text))
    yield from (match.span() for match in _ONE_WORD.finditer(text) if _is_made_by_chance(match[0]))
    if "://" in text:
        yield from (match.span() for match in _LOGIN.finditer(text))
    if "key" in text.casefold():
        yield from (match.span(match.lastgroup or 0) for match in _KEY.finditer(text) if _is_key(match, catalogue))


def _named(text: str, known: Callable[[], int], prose: frozenset[str] = frozenset()) -> Iterator[int]:
    """Find where something is called a secret: what stands behind it may be one to the end, but for a name in mere prose.

    There a gateway only asks for one: another word of racoon's follows, such as in `your token code`, and no value.
    """
    folded = text.casefold()
    if any(name in folded for name in ("authorization", "bearer", "cookie: ", "-----begin")):
        yield from (match.end() for match in _HEADER.finditer(text))
    if "-E " in text or "-A " in text:
        yield from (match.end() for match in _SETKEY.finditer(text))
    if any(name in folded for name in _NAMES):
        first = known() if _NAME.search(text) else len(text)
        valued = max(text.rfind(":"), text.rfind("="))
        names = (name for name in _NAME.finditer(text, first) if name.end() <= valued or not _goes_on(name, prose))
        yield from (name.end() for name in islice(names, 1))


def _is_made_by_chance(word: str) -> bool:
    return all(one.search(word) for one in _OF_A_KEY) or _WITH_DIGITS.match(word) is not None


def _is_key(found: re.Match[str], catalogue: Catalogue) -> bool:
    """Whether what follows the word is one: behind a mark or in quotes all is, else what racoon's messages have no word for."""
    kind = found.lastgroup or ""
    if kind == "quoted" or (kind == "secret" and (found["mark"] != "(" or found["secret"][0] in _QUOTES)):
        return True
    if len(found[kind]) < _SHORTEST_KEY:
        return False
    word = _FIRST_WORD.match(found[kind])
    return word is None or word[0].casefold() not in _vocabulary(catalogue)


def _goes_on(name: re.Match[str], prose: frozenset[str]) -> bool:
    """Whether another word of the same sentence follows a name."""
    if not prose or not name[0].endswith(" ") or not name[0].rstrip(" ")[-1].isalpha():
        return False
    word = _WORD.match(name.string, name.end())
    return word is not None and word[0] in prose


def _stopped_at(text: str) -> Iterator[Span]:
    if not any(quote in text for quote in _QUOTES):
        return
    for found in _STOPPED_AT.finditer(f":{text}"):
        first, last = found.span("double" if found["double"] is not None else "single")
        yield first - 1, last - 1


def _at_places(text: str, first: int = -1) -> Iterator[Span]:
    """Find what stands behind a place in a file, from a character on; -1 is that of the file before a line's number."""
    if ":" not in text:
        return
    behind = [found.end() for found in (_PLACE_IN.search(text) if "line" in text else None,) if found is not None]
    for number, found in enumerate(_PLACE.finditer(f":{text}", first + 1)):
        start = found.start() - 1
        path = text[max(0, start - _LONGEST_PATH) : max(0, start)].rpartition(" ")[2]
        of_file = start < 0 or (("/" in path or "." in path) and any(map(str.isalpha, path)))
        if number == _MOST_PLACES or (of_file and not _SOURCE.search(path)):
            behind.append(found.end() - 1)
            break
    if behind:
        yield min(behind), len(text)


def _literal_length(text: str, catalogue: Catalogue) -> int:
    """Give how much of a text is the literal beginning of a message: torn, it still is to be read."""
    starts = _naming(catalogue)
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
