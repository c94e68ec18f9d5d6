"""The same lines with stable pseudonyms: what is shown to others tells what happened, and not to whom.

The rule is that of a list of what may stay: numbers, times, and words that racoon itself (its message tables), its heads and
its constants are made of. Everything else gets a pseudonym, the same wherever it stands: addresses (those of one network stay
in one network), cookies, SPIs, names, and as a whole what a certificate's subject or a pair of quotes holds. Dumps and
what looks like a key are dropped. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from racoon_parsers.dialects import FORMATS
from racoon_parsers.dumps import NEWLINE
from racoon_parsers.json_entry import HOSTS, MESSAGES, PROCESSES, PROGRAMS, TIMES, messages_of, read_object, text_of
from racoon_parsers.messages import catalogue
from racoon_parsers.reasons import NOTIFICATIONS

_DUMP: Final = re.compile(r"\s*(?:[0-9a-f]{8} ){1,7}[0-9a-f]{2,8}\s*$|\s*(?:[0-9a-f]{2} ?){8,}\s*$|\s*[0-9a-f]{8,}\s*$")
"""A line that is a dump, of `plog.c: plogdump()` and its like."""
_REDACTED: Final = "REDACTED"
_WORDS: Final = re.compile(r"[^\W\d_]+")
_HEAD_WORDS: Final = """
    racoon iked ipsec vpn daemon info notify warning error debug debug2 critical emerg alert notice err crit
    jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun am pm z t utc gmt
    last message repeated times eth wlan ppp tun tap gif gre bond br vlan em igb lo
    routeros mikrotik cef low medium high dvchost dvc msg topics message time echo by
    events site-to-site non-meraki client negotiation
    libsystem networkextension com.apple.networkextension default
    check settings networks lifetime remote side not responding
"""
"""Words of heads and of interface names."""
_PRIORITY: Final = re.compile(
    r"(?:auth|authpriv|cron|daemon|kern|local\d|security|syslog|user)"
    r"\.(?:debug|info|notice|warn|warning|err|error|crit|alert|emerg)"
)
"""Facility and severity, as syslog daemons write them together."""
_MESSAGE: Final = "message="
"""What stands before a message in quotes, as RouterOS prints it in detail."""
_KEYS: Final = frozenset(
    part
    for keys in (MESSAGES, TIMES, HOSTS, PROGRAMS, PROCESSES, ("level", "version", "stream"))
    for key in keys
    for part in (key, *key.split("."))
)
"""Keys of collectors' objects that stay; whoever makes others may name them after himself."""
_CONSTANTS: Final = """
    esp ah ipcomp isakmp tunnel transport udp tcp icmp any main aggressive base quick identity protection informational
    mode phase ph des cbc aes rijndael blowfish cast camellia twofish null hmac md sha bit modp ecp ec2n group psk pre shared
    rsa dss sig signatures hybrid xauth gssapi ipv fqdn user asn dn keyid address subnet range initiator responder
    me peer local remote obey strict claim exact
    openssl tools rfc ietf draft ike nat t dpd fragmentation cisco unity microsoft netscreen kame phrekey
"""
"""Values racoon prints from tables of its own; digits within a word do not count."""
_ATTRIBUTES: Final = r"(?:C|ST|L|O|OU|CN|DC|E|T|GN|SN|UID|emailAddress|serialNumber|street|title|name|subjectAltName)"

_WORD: Final = re.compile(r"(?=[\w@+-]{0,80}[^\W\d_])\w[\w@+-]*(?:[.'][\w@+-]+)*")
_TOKEN: Final = re.compile(
    rf"""
      (?P<dump>(?P<newline>{NEWLINE})[0-9a-f]{{2,8}}(?:(?:[ ]|{NEWLINE})[0-9a-f]{{2,8}})*(?![0-9A-Za-z]))
    | (?P<slashed>(?:/{_ATTRIBUTES}=[^/\n]*)+)
    | (?P<listed>\b{_ATTRIBUTES}=[^,\n]*(?:,\ *{_ATTRIBUTES}=[^,\n]*)*)
    | (?P<location>\b[a-z0-9_]+\.[chly]:\d{{1,6}}:\w{{1,64}}\(\))
    | (?P<quoted>"[^"\n]*")
    | (?P<spi>\b(?P<before>spi\\?=)(?:(?P<hex>0x[0-9a-f]{{1,8}})\b
        |(?P<decimal>\d{{1,10}})(?!\w)(?:\((?P<again>0x[0-9a-f]{{1,8}})\))?))
    | (?P<cookies>\b[0-9a-f]{{16}}(?::[0-9a-f]{{16}})?\b)
    | (?P<v6>(?<![\w:.])(?:
        (?:[0-9a-fA-F]{{1,4}}:){{7}}[0-9a-fA-F]{{1,4}}
      | (?=[0-9a-fA-F:]{{0,40}}::)[0-9a-fA-F:]{{2,40}}(?:\d{{1,3}}\.[\d.]{{1,12}})?
      )(?!\w))
    | (?P<v4>(?<![\w.])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\w]|\.\d))
    | (?P<thread>(?<=\d:)[0-9a-f]{{5,8}}(?=\])|\b0x[0-9a-f]{{5,7}}\b)
    | (?P<escaped>(?:\\x[0-9a-fA-F]{{2}}){{4,}}
        |(?:\\u[0-9a-fA-F]{{4}}){{4,}}|(?:\\[0-7]{{3}}){{4,}}|(?:%[0-9a-fA-F]{{2}}){{4,}})
    | (?P<key>(?<![\w.])(?:0x)?(?=[0-9a-f]*\d)(?=[0-9a-fx]*[a-f])[0-9a-f]{{8,}}(?![\w]))
    | (?P<word>{_WORD.pattern})
    """,
    re.VERBOSE,
)
_DIGITS: Final = re.compile(r"\d+")
_SHORT: Final = re.compile(r"0x[0-9a-f]{1,4}|\d{1,5}s|\d{1,2}[a-z]")
"""Flags, states, seconds, versions of OpenSSL."""
_STAYS: Final = frozenset({"0.0.0.0", "255.255.255.255", "::", "::1", "127.0.0.1"})  # noqa: S104 - shown, not bound to
"""Addresses that are nobody's."""


_POOL4: Final = int(IPv4Address("198.18.0.0"))
_MANY4: Final = int(IPv4Address("240.0.0.0"))
"""Where the networks go on that the first pool has no room for, as strangers are many: addresses that nobody has."""
_NETWORKS: Final = 512
"""Networks of the first pool."""
_POOL6: Final = int(IPv6Address("2001:db8::"))
_LINK_LOCAL: Final = int(IPv6Address("fe80::"))


@cache
def vocabulary() -> frozenset[str]:
    """What may stay as a whole: the words of racoon's own format strings, of heads, and of its tables of constants."""
    texts = (*_literals(), *NOTIFICATIONS, _HEAD_WORDS, _CONSTANTS, *_levels())
    return frozenset(match[0].lower() for text in texts for match in _WORD.finditer(text))


@cache
def _constant_words() -> frozenset[str]:
    return frozenset(_CONSTANTS.split())


@cache
def _quoted_literals() -> frozenset[str]:
    """What racoon's own format strings have in quotes."""
    return frozenset(quoted for literal in _literals() for quoted in re.findall(r'"[^"\s]+"', literal))


def _levels() -> Iterator[str]:
    """What stands for a level in the heads of every dialect."""
    return (word for one in FORMATS for word, _ in one.levels)


def _literals() -> Iterator[str]:
    """What racoon's own format strings have besides their values, in every dialect."""
    return (piece for row in catalogue().all_rows for piece in row.pieces if isinstance(piece, str))


class Redactor:
    """Gives lines with pseudonyms, the same for the same thing as long as it lives."""

    def __init__(self, keep: Iterable[str] = ()) -> None:
        """Keep some words besides the vocabulary, such as a product's name."""
        self._keep = vocabulary() | {word.lower() for word in keep}
        self._names: dict[str, str] = {}
        self._networks4: dict[int, tuple[int, dict[int, int]]] = {}
        """By network: its number, and the numbers of its hosts."""
        self._networks6: dict[int, tuple[int, dict[int, int]]] = {}
        self._cookies: dict[str, str] = {}
        self._spis: dict[int, int] = {}
        self.dropped = 0
        """Lines that were dumps, or objects that nobody can take apart."""

    def line(self, line: str) -> str | None:
        """Give a line with pseudonyms; None for one that is left out: a dump, or an object nested without end."""
        found = read_object(line) if line.startswith("{") else None
        if _DUMP.match(line) or (found is not None and any(map(_DUMP.match, messages_of(found)))):
            self.dropped += 1
            return None
        if found is None:
            return self.text(line)
        try:
            return json.dumps(self._of_object(found), ensure_ascii=False, separators=(",", ":"))
        except RecursionError:  # nested deeper than any collector nests: what stands in it can't be told from names
            self.dropped += 1
            return None

    def _of_object(self, value: Any) -> Any:
        """Give a collector's object, its texts with pseudonyms."""
        if isinstance(value, dict):
            return {key if key in _KEYS else self.text(key): self._of_object(inside) for key, inside in value.items()}
        if isinstance(value, list):
            text = text_of(value) if value and isinstance(value[0], int) else None  # as journald writes one that is not UTF-8
            return [self._of_object(inside) for inside in value] if text is None else self.text(text)
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Give any text with pseudonyms."""
        return _TOKEN.sub(self._replace, text)

    def spi(self, number: int) -> int:
        """Give the pseudonym of an SPI; 0 is that of a larval SA, and stays."""
        return self._spis.setdefault(number, 0x10000000 + len(self._spis) + 1) if number else 0

    def _replace(self, match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        # lastgroup names the outermost group that matched last: those within `spi` belong to it
        return _REPLACERS["spi" if match["spi"] else kind](self, match)

    # what takes the place of a token of each kind

    def take_slashed(self, match: re.Match[str]) -> str:
        """A subject as OpenSSL's one line."""
        return "".join(f"/{key}={self.name(value)}" for key, value in _values(match[0].split("/")[1:]))

    def take_listed(self, match: re.Match[str]) -> str:
        """A subject as a list."""
        return ", ".join(f"{key}={self.name(value)}" for key, value in _values(re.split(r",\s*", match[0])))

    def take_location(self, match: re.Match[str]) -> str:
        """A place in racoon's source, which it prints before a message if so asked (-L)."""
        return match[0]

    def take_quoted(self, match: re.Match[str]) -> str:
        """What stands in quotes, unless racoon's own format string has just that there."""
        inside = match[0][1:-1]
        if match.string.endswith(_MESSAGE, 0, match.start()):
            return f'"{self.text(inside)}"'
        return match[0] if not inside or match[0] in _quoted_literals() else f'"{self.name(inside)}"'

    def take_spi(self, match: re.Match[str]) -> str:
        """An SPI in each of its forms."""
        if match["hex"]:
            return f"{match['before']}{self.spi(int(match['hex'], 16)):#x}"
        decimal = self.spi(int(match["decimal"]))
        return f"{match['before']}{decimal}" + (f"({decimal:#x})" if match["again"] else "")

    def take_thread(self, match: re.Match[str]) -> str:
        """A number in hexadecimal, which must stay one: Apple's thread and activity."""
        digits = match[0].removeprefix("0x")
        return f"{match[0][: -len(digits)]}{self.spi(int(digits, 16)):x}"

    def take_pair(self, match: re.Match[str]) -> str:
        """Cookies, both or one."""
        return ":".join(self._cookie(cookie) for cookie in match[0].split(":"))

    def _cookie(self, cookie: str) -> str:
        """Zeros say that the peer never answered, and stay."""
        if not cookie.strip("0"):
            return cookie
        return self._cookies.setdefault(cookie, f"{0xC00C1E0000000000 + len(self._cookies) + 1:016x}")

    def take_address(self, match: re.Match[str]) -> str:
        """An address of either family."""
        return self.address(match[0])

    def address(self, text: str) -> str:
        """Give the pseudonym of an address, networks kept apart.

        It is one of 198.18.0.0/15 (RFC 2544), then of 240.0.0.0/4 (RFC 1112, class E), or of 2001:db8::/32 (RFC 3849).
        """
        try:
            address = ip_address(text)
        except ValueError:
            return text if text.strip("0123456789.:") == "" and "." in text else self.name(text)
        if text in _STAYS:
            return text
        return self._ipv4(address) if isinstance(address, IPv4Address) else self._ipv6(address)

    def _ipv4(self, address: IPv4Address) -> str:
        """Hosts of a /24 stay together; its first and last address stay that."""
        network, host = divmod(int(address), 256)
        place, hosts = self._networks4.setdefault(network, (len(self._networks4) + 1, {}))
        shown = host if host in {0, 255} else hosts.setdefault(host, len(hosts) + 1)
        pool = _POOL4 if place < _NETWORKS else _MANY4
        return str(IPv4Address(pool + place * 256 + shown))

    def _ipv6(self, address: IPv6Address) -> str:
        """Hosts of a /64 stay together; link-local addresses stay link-local."""
        network, host = divmod(int(address), 2**64)
        place, hosts = self._networks6.setdefault(network, (len(self._networks6) + 1, {}))
        shown = host and hosts.setdefault(host, len(hosts) + 1)
        pool = _LINK_LOCAL if address.is_link_local else _POOL6 + place * 2**64
        return str(IPv6Address(pool + shown))

    def take_key(self, _match: re.Match[str]) -> str:
        """What looks like a key."""
        return _REDACTED

    def take_dump(self, match: re.Match[str]) -> str:
        """A dump behind a newline that a collector wrote otherwise; its digits may be numbers like any."""
        return f"{match['newline']}{_REDACTED}"

    def take_word(self, match: re.Match[str]) -> str:
        """A word: racoon's own stays, and so do names of algorithms, which are made of constants."""
        word = match[0]
        bare = _DIGITS.sub("", word).strip("-+").lower()  # racoon glues numbers to words: `delay 7s`, `status 0x7`
        own = word.lower() in self._keep or bare in self._keep or _SHORT.fullmatch(word) or _PRIORITY.fullmatch(word)
        made_of_constants = all(part.lower() in _constant_words() for part in _WORDS.findall(word))
        return word if own or made_of_constants else self.name(word)

    def name(self, text: str) -> str:
        """Give the pseudonym of a name."""
        return self._names.setdefault(text, f"name{len(self._names) + 1}")


def _values(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for part in parts:
        key, _, value = part.partition("=")
        yield key, value


_REPLACERS: Final[dict[str, Callable[[Redactor, re.Match[str]], str]]] = {
    "dump": Redactor.take_dump,
    "slashed": Redactor.take_slashed,
    "listed": Redactor.take_listed,
    "location": Redactor.take_location,
    "quoted": Redactor.take_quoted,
    "spi": Redactor.take_spi,
    "cookies": Redactor.take_pair,
    "thread": Redactor.take_thread,
    "v6": Redactor.take_address,
    "v4": Redactor.take_address,
    "escaped": Redactor.take_key,
    "key": Redactor.take_key,
    "word": Redactor.take_word,
}
"""By kind of token: what takes its place."""
