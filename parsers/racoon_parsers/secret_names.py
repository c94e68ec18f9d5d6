"""What is called a secret: what stands behind words such as "password" and "key", and behind heads of logins and keys.

Patterns begin with the letters that begin a name, in whatever case: at any other character of a text nothing is tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.message import LITERAL_HEAD

_KEY: Final = re.compile(
    r"(?:[kK\u212a](?i:ey(?:(?<![a-z]key)|(?<=(?:enc|dec|api|ssh|wpa|psk|ike|esp)key)|(?<=(?:auth|hmac|user|root)key)"
    r"|(?<=(?:access|master|shared)key)|(?<=(?:private|session)key)|(?-i:(?<=[a-z]Key)))s?(?![a-z])"
    r"(?:[\"']?\s{0,4}+(?P<mark>[:=(]|[-=]>)\s{0,4}+(?P<secret>\"[^\"]{0,4096}+|'[^']{0,4096}+|[^\s)]{1,4096}+"
    r"(?:(?:(?<=[:=])|\s{1,4}+(?:is|was|[:=]|[-=]>)(?=\s))\s{1,4}+(?:\"[^\"]{0,4096}+|'[^']{0,4096}+|[^\s)]{1,4096}+)){0,3}+)"
    r"|\s{1,4}+(?:(?:is|was)\s{1,4}+)?(?:(?P<quoted>\"[^\"]{0,4096}+|'[^']{0,4096}+)|(?=(?P<word>[^\s)]{1,256}+)))))"
    r"|[pP](?i:ass(?<![a-z]pass)\s{1,4}+(?=(?P<passed>[^\s)]{1,256}+))))"
)
"""Keys have names and lengths as well: what follows at once is one behind a mark, in quotes, or if racoon has no such word.

So it is behind a bare "pass", which lets packets through as well. Behind a mark another name may follow: `key: authkey: …`, or
`key: authkey is …`.
"""
_NAME: Final = re.compile(
    r"[pskctmoPSKCTMO\u017f\u212a](?i:(?:(?<=p)(?:ass(?:w(?:or[dt]|d)|phrase|code|key|(?<=[_-]pass)"
    r"|(?<![a-z]pass)(?=\s{0,4}[:=\"']|\sis\s))|skey|re[ _-]?shared[ _-]?(?:key|secret)|arse error"
    r"|w(?<=(?:bind|user|root|ldap)pw)|sk(?<=(?:ike|wpa|vpn)psk)|(?<![a-z]p)(?:wd?|in|sk))"
    r"|(?<=s)(?:e(?:cret|nha)|keyid|yntax error)"
    r"|(?<=k)e(?:nnwort|ymat)|(?<=m)ot de passe|(?<=c)(?:ontrase.a|red(?:ential|(?<![a-z]cred)(?=s?+\s{0,4}[:=]))|ommunity)"
    r"|(?<=t)(?:oken|(?<![a-z]t)otp)|(?<![a-z].)(?<=o)tp)"
    r"(?:[ _-]?key)?s?+(?!\.?[a-z])[\s:=,>\"'-]{0,8}+)"
)
"""Behind one of these all may be a secret, whatever stands between."""
_SETKEY: Final = re.compile(r"(?<!\S)-[EA]\s{1,4}+[\w-]{1,40}+\s{1,4}+")
"""What stands before a key in a line of setkey."""
_HEADER: Final = re.compile(
    r"(?:(?<![a-z])(?:authorization|bearer)\b|(?<!\w)eyj(?=[\w-]{8})"
    r"|cookie:\s{0,4}+[\w.-]{1,64}+=|-----BEGIN [A-Z ]{0,32}PRIVATE KEY)"
    r"[\s:=,\"'-]{0,8}+",
    re.IGNORECASE,
)
"""What stands before a login, or a token, in a header of HTTP, before a key in a file of it, and how a token in JSON begins."""
_HEADERS: Final = ("authorization", "bearer", "eyj", "cookie:", "-----begin")
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
    "cred",
    "kennwort",
    "contrase",
    "communit",
    "senha",
    " error",
)
"""One of these stands, in whatever case, in every text that `_NAME` finds: most have none, and cost one look."""
_MOST_TOLD: Final = 16
"""Behind so many nothing is told apart, and all is taken for a secret."""
_METHOD: Final = re.compile(
    r"(?<=pre-shared key):(?:pre-shared key|(?:RSA|DSS) signatures|(?:Revised )?encryption with (?:RSA|El-Gamal)"
    r"|GSS-API on Kerberos 5|(?:Hybrid|XAuth) [a-z]{1,8} (?:client|server))(?![^\s.)])",
    re.IGNORECASE,
)
"""The peer's method of authentication behind ours, as racoon names them (strnames.c: name_attr_isakmp_method)."""
_WORD: Final = re.compile(r"[a-z]{1,40}+(?![^\s.,!?')])")
_FIRST_WORD: Final = re.compile(r"[A-Za-z]{1,40}+(?![0-9_-])")
_IS: Final = frozenset({"is", "are", "was", "were", "at", "near"})
_SHORTEST_KEY: Final = 5
_KEYS: Final = ("key", "pass")
"""One of these stands in every text that `_KEY` finds."""


def keys(text: str, catalogue: Catalogue) -> list[tuple[int, int]]:
    """Find the keys that are called so, and no more than that, wherever they stand."""
    folded = text.casefold()
    if not _one_in(_KEYS, folded):
        return []
    most = told_apart(folded, _KEYS)
    spans = [found.span(found.lastgroup or 0) for found in _KEY.finditer(text, 0, most) if _is_key(found, catalogue)]
    return [*spans, (most, len(text))]


def named(text: str, known: Callable[[], int], prose: frozenset[str] = frozenset()) -> list[tuple[int, int]]:
    """Find names of secrets: what stands behind it may be one to the end, but for a name in mere prose.

    There a gateway only asks for one: another word of racoon's follows, such as in `your token code`, and no value. So many
    characters of the text are `known`: they are a message's own.
    """
    folded = text.casefold()
    a_header, a_name = _one_in(_HEADERS, folded), _one_in(_NAMES, folded)
    if (a_header or a_name) and (most := told_apart(folded, _HEADERS + _NAMES)) < len(text):
        return [*named(text[:most], known, prose), (most, most)]
    found = [header.span() for header in _HEADER.finditer(text)] if a_header else []
    if "-E" in text or "-A" in text:
        found += [option.span() for option in islice(_SETKEY.finditer(text), _MOST_TOLD)]
    begun = _NAME.search(text) if a_name else None
    if begun is not None:
        valued = max(text.rfind(":"), text.rfind("="))
        names = _NAME.finditer(text, max(known(), begun.start()))
        said = (name.span() for name in names if (name.end() <= valued or not _goes_on(name, prose)) and not _of_method(name))
        found += islice(said, 1)
    return found


def told_apart(text: str, words: tuple[str, ...]) -> int:
    """Give how much of a text is searched for what begins with words: a text with many was made to be long."""
    most = len(text)
    for word in words:
        if text.count(word) > _MOST_TOLD:
            place = 0
            for _ in range(_MOST_TOLD):
                place = text.index(word, place) + len(word)
            most = min(most, place)
    return most


def is_method(text: str, place: int) -> bool:
    """Whether what stands behind the name of a key is a method of authentication, and no key."""
    return _METHOD.match(text, place) is not None


def _of_method(name: re.Match[str]) -> bool:
    return is_method(name.string, name.start() + len(name[0].rstrip(" :")))


def _one_in(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110  half the time of any()
        if word in text:
            return True
    return False


@lru_cache(maxsize=16)
def _vocabulary(catalogue: Catalogue) -> frozenset[str]:
    """Give the words that messages are made of."""
    literals = (piece for row in catalogue.all_rows for piece in row.pieces if isinstance(piece, str))
    return frozenset(word for literal in literals for word in re.findall("[a-z]+", literal.casefold()))


@lru_cache(maxsize=16)
def prose(catalogue: Catalogue) -> frozenset[str]:
    """Give the words of which one may follow a name where no secret does."""
    return _vocabulary(catalogue) - _IS


def _is_key(found: re.Match[str], catalogue: Catalogue) -> bool:
    """Whether what follows the word is one: behind a mark or in quotes all is, else what racoon's messages have no word for."""
    kind = found.lastgroup or ""
    if kind == "secret" and is_method(found.string, found.start("mark")):
        return False
    if kind == "quoted" or (kind == "secret" and (found["mark"] != "(" or found["secret"][0] in "'\"")):
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


def literal_length(text: str, catalogue: Catalogue) -> int:
    """Give how much of a text is the literal beginning of a message that names a secret: torn, it still is to be read."""
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
