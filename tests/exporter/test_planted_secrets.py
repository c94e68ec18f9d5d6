"""Secrets in every spelling, in and beside messages of all rows, in every form of a line: nothing behind the reader has them.

What is planted is drawn anew for each line, from letters that no word is made of: a piece of it found anywhere is a leak.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Final, NamedTuple

import pytest

from racoon_parsers.message import Message
from racoon_parsers.template import Hole
from tests.parsers.samples import UNREAD
from tests.parsers.test_message_tables import ALL_ROWS, sample_text

from .test_secrets import NEXT, WRAPPED, everywhere

LETTERS: Final = "bcdfghjklmnpqrstvwxz"
LENGTH: Final = 12
SEEN: Final = 7
"""Letters of a secret that are one, wherever they stand; of its digits twice as many."""

Spelling = Callable[[str], str]

NAMES: Final = (
    *(
        "password",
        "Password",
        "PASSWD",
        "pwd",
        "pw",
        "passphrase",
        "passcode",
        "passkey",
        "Passwort",
        "Kennwort",
        "mot de passe",
    ),
    *("contraseña", "senha", "psk", "PSK", "pskey", "pre-shared key", "preshared key", "pre_shared_key", "preSharedKey"),
    *("shared secret", "secret", "secret_key", "SecretKey", "keymat", "token", "authtoken", "pin", "PIN", "otp", "credentials"),
    *("private key", "private_key", "api_key", "apikey", "access_key", "authkey", "enckey", "session key", "encryption key"),
    *("userPassword", "xauth_pass", "bindpw", "ldap_bind_pw", "SKEYID_d", "ikepsk", "WPAPSK", "sharedkey", "totp"),
)
BEHIND: Final = ("{}: {}", "{}={}", '{} = "{}"', "{} is {}", "{} {}", "{} -> {}")
CALLED: Final[dict[str, Spelling]] = {
    form.format(name, "…"): lambda secret, form=form, name=name: form.format(name, secret)  # type: ignore[misc]
    for name in NAMES
    for form in BEHIND
}


def _digits(secret: str) -> str:
    return (secret + secret[::-1]).encode().hex()


def _groups(width: int, between: str) -> Spelling:
    def spell(secret: str) -> str:
        digits = _digits(secret)
        return "some value " + between.join(digits[place : place + width] for place in range(0, len(digits), width))

    return spell


def _dumped(newline: str) -> Spelling:
    """Dump a key as `plogdump()` does, with its newlines as a collector writes them."""

    def spell(secret: str) -> str:
        digits = _digits(secret)
        groups = [digits[place : place + 8] for place in range(0, len(digits), 8)]
        return "".join(newline + " ".join(groups[place : place + 4]) for place in range(0, len(groups), 4))

    return spell


def _each(form: str) -> Spelling:
    return lambda secret: "some value " + "".join(form.format(ord(letter)) for letter in secret)


def _words(form: str) -> Spelling:
    return lambda secret: form.format(secret, base64.b64encode(secret.encode()).decode(), secret.encode().hex())


SPELLINGS: Final[dict[str, Spelling]] = {
    **CALLED,
    **{
        f"groups of {width} with {between!r}": _groups(width, between)
        for width in (2, 4, 8)
        for between in (" ", ":", "-", ",", ", ", "  ", "\t", ".", "_", " 0x", ", 0x")
    },
    **{f"lines of a dump, each behind {newline}": _dumped(newline) for newline in ("#012", "\\012", "\\n", "^J")},
    **{
        form: _each(form)
        for form in (
            "\\x{:02x}",
            "%{:02x}",
            "\\{:03o}",
            "\\u{:04x}",
            "#{:03o}",
            "&#{};",
            "&#x{:x};",
            "={:02X}",
            "\\u{{{:x}}}",
            "{} ",
        )
    },
    **{
        form: _words(form)
        for form in (
            *("some value {2}", "some value 0x{2}", "some value 0s{1}", "key: {0}", "keys: {0}", "the key ({0})", 'key "{0}"'),
            *("https://admin:{0}@192.0.2.9/x", "https://{0}@192.0.2.9/x", "ldap://cn=admin:p@{0}@192.0.2.9/"),
            *(
                "https://192.0.2.9/?password={0}",
                "https://192.0.2.9/?api_key={0}&a=1",
                "Authorization: Basic {1}",
                "bearer {0}",
                "eyJhbGciOiJIUzI1NiJ9.{1}.{1}",
                "creds={0}",
                "Creds: {0}",
            ),
            *(
                '{{"user": "u", "password": "{0}"}}',
                "<password>{0}</password>",
                '<a psk="{0}"/>',
                '192.0.2.1 192.0.2.2 : PSK "{0}"',
            ),
            *('add 192.0.2.1 192.0.2.2 esp 7 -E 3des-cbc "{0}"', "-A hmac-sha1 0x{2}", "auth-trunc hmac(sha1) 0x{2} 96"),
            *("-----BEGIN RSA PRIVATE KEY----- {1}{1}{1} -----END", '/etc/racoon/racoon.conf:27: "{0}" syntax error'),
            *("racoon.conf:12: parse error near '{0}'", "syntax error at {0}", "line 27: unexpected token {0}"),
            *("racoon.conf:27: unexpected '{0}'", "/etc/racoon/psk.txt:3: {0}", "Cookie: sid={0}"),
            *("cookie:sid={0}", "esp 7 -E\t3des-cbc\t{0}", "SNMP community {0}", "rocommunity: {0}", 'user bob pass "{0}"'),
        )
    },
}


class Planted(NamedTuple):
    """Lines that hold a secret."""

    spelling: str
    lines: list[str]
    pieces: frozenset[str]
    """What of it must be nowhere."""


def _in_value(row: Message, text: str) -> str:
    """Print a row with a text in its last free value; behind it where it has none."""
    free = [hole for hole in row.pieces if isinstance(hole, Hole) and hole.field is not None and hole.field.free]

    def value(hole: Hole) -> str:
        if free and hole is free[-1]:
            return text
        if hole.field is None or hole.conversion in {"%d", "%u"}:
            return UNREAD[hole.conversion[-1]]
        return hole.field.samples[0]

    return row.render(value).strip() if free else f"{sample_text(row)}, {text}"


PLACES: Final[tuple[Callable[[Message, str], str], ...]] = (
    lambda _row, text: text,
    _in_value,
    lambda row, text: f"{sample_text(row)} {text}",
    lambda row, text: f"{text} {sample_text(row)}",
    lambda row, text: f"{sample_text(row)}\n\n{text}",
)
WRAPS: Final = (
    *WRAPPED.values(),
    lambda text: f"2026-01-15 08:30:02: [192.0.2.7] ERROR: {text}",
    lambda text: f"2026-01-15 08:30:02: DEBUG: {text}",
    lambda text: f"2026-01-15 08:30:02: DEBUG2: {text}",
    lambda text: f"racoon[9]: ERROR: {text}",
    lambda text: json.dumps(
        {"log": f"2026-01-15 08:30:02: ERROR: {text}\n", "stream": "stderr", "time": "2026-01-15T08:30:02Z"}
    ),
    lambda text: json.dumps({"@timestamp": "2026-01-15T08:30:02Z", "message": f"Jan 15 08:30:02 gw racoon: ERROR: {text}"}),
)


def _torn(line: str, length: int, some: Random) -> list[str]:
    """Tear a line within its text."""
    if line.startswith("{"):
        return [line]
    place = some.randrange(max(1, len(line) - length), len(line))
    return [line[:place], some.choice(("", "  ", "\t")) + line[place:]]


FORMS: Final[tuple[Callable[[Callable[[str], str], str, Random], list[str]], ...]] = (
    lambda wrap, text, _some: [wrap(text)],
    lambda wrap, text, _some: [wrap(f"{text} {text}")],
    lambda wrap, text, _some: [wrap(text), wrap(text)],
    lambda wrap, text, some: _torn(wrap(text), len(text), some),
    lambda wrap, text, some: _torn(wrap(f"{text} {text}"), 2 * len(text), some),
    lambda wrap, text, _some: [wrap(f"message repeated 3 times: [ {text}]")],
    lambda wrap, text, _some: [wrap(text), "Jan 15 08:30:03 gw last message repeated 3 times"],
    lambda _wrap, text, _some: [f"2026-01-15 08:30:02: INFO: caught signal 15 2026-01-15 08:30:02: ERROR: {text}"],
    lambda wrap, text, _some: [wrap(text), NEXT.rstrip("\n")],
)


def _pieces(secret: str, spelled: str) -> Iterator[str]:
    """Give what is a piece of a secret, in letters and as it is spelled."""
    yield from (secret[place : place + SEEN] for place in range(LENGTH - SEEN + 1))
    told = re.sub(r"^some value ", "", spelled)
    if told == spelled:
        told = base64.b64encode(secret.encode()).decode()
    size = max(2 * SEEN, len(told) * SEEN // LENGTH)
    yield from (told[place : place + size] for place in range(len(told) - size + 1))


def planted(some: Random, spelling: str) -> Planted:
    """Plant a new secret, in a row, a place, a head and a form that are drawn."""
    secret = "".join(some.choice(LETTERS) for _ in range(LENGTH))
    spelled = SPELLINGS[spelling](secret)
    text = some.choice(PLACES)(some.choice(ALL_ROWS), spelled)
    lines = some.choice(FORMS)(some.choice(WRAPS), text, some)
    whole = "\n".join(lines)
    found = {piece for piece in _pieces(secret, spelled) if piece in whole or json.dumps(piece)[1:-1] in whole}
    return Planted(spelling, lines, frozenset(found | {json.dumps(piece)[1:-1] for piece in found}))


@pytest.mark.parametrize("seed", range(4))
def test_a_secret_in_any_spelling_is_nowhere(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    some = Random(seed)
    names = list(SPELLINGS)
    some.shuffle(names)
    leaked = []
    for first in range(0, len(names), 60):
        plants = [planted(some, name) for name in names[first : first + 60]]
        data = "\n".join(line for plant in plants for line in plant.lines).encode()
        with caplog.at_level(logging.DEBUG):
            shown = dict(everywhere(data + b"\n" * some.randint(0, 1)))
        shown["log"] = caplog.text
        leaked += [
            (
                plant.spelling,
                plant.lines,
                [place for place, text in shown.items() if any(piece in text for piece in plant.pieces)],
            )
            for plant in plants
        ]
    assert [found for found in leaked if found[2]] == []
