"""Each kind of value racoon prints, once: how it looks in a message and what it reads as.

A message row (`messages/*.tsv`) names its values in braces, `ISAKMP-SA established {local}-{peer} spi:{cookies}`. The name
selects a row of `FIELDS`. Most fields give one value of their own name; a compound field is one `%s` of racoon that holds
several values, such as `{sa}` for what `ipsec_doi.c: sadbsecas2str()` prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

Reader = Callable[[str], Any]


class Endpoint(NamedTuple):
    """One end of a negotiation or SA as racoon prints it, `192.0.2.1[500]`."""

    address: str
    """Numeric address (IPv6 with its scope), host name, or what stood in its place. Never the port."""
    port: int | None
    """UDP port; None where none was printed (0.5), 0 where racoon means "any"."""

    def __str__(self) -> str:
        return self.address if self.port is None else f"{self.address}[{self.port}]"


@lru_cache(maxsize=4096)
def read_endpoint(text: str) -> Endpoint:
    """Read `address[port]` or `address`; peers repeat, so the last 4,096 are remembered."""
    address, bracket, port = text.partition("[")
    return Endpoint(address, int(port[:-1]) if bracket else None)


_EXCHANGES: Final = {
    "identity protection": "main",
    "main": "main",
    "aggressive": "aggressive",
    "base": "base",
    "quick": "quick",
    "informational": "informational",
}
"""racoon's `s_isakmp_etype()` and `s_isakmp_nptype` words as RFC 2409 names the exchanges."""


def read_exchange(text: str) -> str:
    """Read racoon's name of an exchange type as RFC 2409's: `Identity Protection` is main mode."""
    word = text.lower().removesuffix(" exchange")
    return _EXCHANGES.get(word, word)


def read_side(text: str) -> str:
    """Read `side: N` of `isakmp.c: ph1_main()`: 0 is INITIATOR, anything else RESPONDER (`isakmp_var.h`)."""
    return "initiator" if text.strip() == "0" else "responder"


def read_initiated_by(text: str) -> str:
    """Read Apple's `Initiated by me|peer` as our role."""
    return "initiator" if text == "me" else "responder"


def read_spi(text: str) -> int:
    """Read an SPI: `%u`, or `%#x` of Apple."""
    return int(text, 16) if text.startswith("0x") else int(text)


_SA_TYPES: Final = {"2": "ah", "3": "esp", "9": "ipcomp"}
"""`SADB_SATYPE_*` of RFC 2367 section 3.1.1 and its ipcomp extension, as Apple prints them."""

_SA_MODES: Final = {"1": "transport", "2": "tunnel"}
"""`IPSEC_MODE_*` of `netinet6/ipsec.h`."""


def read_satype(text: str) -> str:
    """Read a PF_KEY SA type number as a protocol name."""
    return _SA_TYPES.get(text, text)


def read_mode_number(text: str) -> str:
    """Read an `IPSEC_MODE_*` number as a mode name; 0 means "any"."""
    return _SA_MODES.get(text, "any")


@lru_cache(maxsize=64)
def read_protocol(text: str) -> str:
    """Read a protocol of `proto_id=`, `IPSEC_ESP` or `ESP`, as the kernel's tools write it."""
    return text.removeprefix("IPSEC_").lower()


def read_flag(text: str) -> bool:
    """Read a word that is printed only if something is so."""
    return bool(text)


@dataclass(frozen=True, slots=True)
class Value:
    """One value within a field: its name in the typed event, how it looks, and what it reads as."""

    name: str
    pattern: str
    read: Reader | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One hole of a message."""

    pattern: str
    """Regular expression; each value stands in it as `{name}`."""
    values: tuple[Value, ...]
    samples: tuple[str, ...]
    """What racoon may print here; tests and `explain` fill templates with it."""
    printf: str | None = None
    """racoon's own conversions where the field stands for more than one `%s`."""
    secret: bool = False
    """Whether what stands there may be a key or a password (`masking.py`)."""

    @property
    def free(self) -> bool:
        """Whether it has no form: any characters, and as many as the line holds."""
        return self.pattern == _TEXT or any(value.pattern == _TEXT for value in self.values)

    def expression(self) -> str:
        """Give the regular expression with its named groups."""
        expression = self.pattern
        for value in self.values:
            expression = expression.replace(f"{{{value.name}}}", f"(?P<{value.name}>{value.pattern})")
        return expression


def _one(name: str, pattern: str, *samples: str, read: Reader | None = None) -> Field:
    return Field(f"{{{name}}}", (Value(name, pattern, read),), samples)


# An address has no brackets, blanks or quotes of its own; posts replace it by `<gateway-ip>` or `xxx.xxx.xxx.xxx`.
# With a port there is one way to match it; without one, the joiner that follows may look like part of it.
# All but free text has a greatest length (`pattern.py`): no address has 100 characters, no host name in a log has.
_PORT: Final = r"\[[0-9]{1,5}+\]"
_ADDRESS: Final = r"[^\s\[\]<>\"'&]{1,100}"
_ENDPOINT: Final = rf"(?:{_ADDRESS}+{_PORT}|<[^\s<>\[\]]{{1,100}}+>(?:{_PORT})?+|{_ADDRESS})"
_COOKIES: Final = r"[0-9a-f]{16}:[0-9a-f]{16}|<\w{1,40}+>:[0-9a-f]{16}"
_TEXT: Final = r".*"
_INTEGER: Final = r"-?[0-9]{1,20}+"
_NAME: Final = r"[\w ()./+-]{1,64}"
"""A name of `strnames.c`, or its number: racoon's own words, never a peer's."""
_PROTOCOL: Final = r"(?:IPSEC_)?(?:AH|ESP|IPCOMP|ISAKMP)"


def _endpoint(name: str) -> Field:
    return _one(name, _ENDPOINT, "192.0.2.1[500]", "2001:db8::7[4500]", "fe80::1%eth0[500]", read=read_endpoint)


def _text(name: str, *samples: str) -> Field:
    return _one(name, _TEXT, *samples)


def _number(name: str, *samples: str) -> Field:
    return Field(f"\\s?{{{name}}}", (Value(name, _INTEGER, int),), samples or ("1", "0"))


_SELECTOR: Final = r"(?:\d{1,3}+\.){3}\d{1,3}+:\d{1,5}+"
"""`address:port` of a RouterOS policy; a network is no end."""


def read_selected(text: str) -> Endpoint:
    """Read the end that a RouterOS selector names."""
    address, _, port = text.rpartition(":")
    return Endpoint(address, int(port))


JOINERS: Final = {
    "<=>": r"(?:<=>|&lt;=&gt;|(?<=\])|\s)",
    "<->": r"(?:<->|&lt;-&gt;|(?<=\])|\s)",
    "->": r"(?:->|-&gt;|-(?=[^>]))",
}
"""Literals between addresses that pages and mail programs mangle: `<=>` vanishes like a tag, `->` loses its `>`."""

_ARROW: Final = JOINERS["->"]

_SA: Final = (
    Value("protocol", _PROTOCOL, read_protocol),
    Value("mode", r"\w{1,40}+", str.lower),
    Value("source", _ENDPOINT, read_endpoint),
    Value("destination", _ENDPOINT, read_endpoint),
    Value("spi", r"0x[0-9a-fA-F]{1,8}+|[0-9]{1,10}+", read_spi),
)

FIELDS: Final[dict[str, Field]] = {
    # ends
    "local": _endpoint("local"),
    "peer": _endpoint("peer"),
    "addr": _endpoint("addr"),
    "db_addr": _endpoint("db_addr"),
    "keepalive": Field(
        "{local}" + _ARROW + "{peer}",
        (Value("local", _ENDPOINT, read_endpoint), Value("peer", _ENDPOINT, read_endpoint)),
        ("192.0.2.1[4500]->198.51.100.7[4500]",),
    ),
    "ports": Field(
        "{peer}(?:<=>|" + JOINERS["<->"] + ")" + "{local}",
        (Value("peer", _ENDPOINT, read_endpoint), Value("local", _ENDPOINT, read_endpoint)),
        ("198.51.100.7[4500]<->192.0.2.1[4500]",),
    ),
    "waiting": Field(
        "{protocol}(?:/{mode})?+ (?>{peer}" + _ARROW + "){local}",
        (
            Value("protocol", _PROTOCOL, read_protocol),
            Value("mode", r"\w{1,40}+", str.lower),
            Value("peer", _ENDPOINT, read_endpoint),
            Value("local", _ENDPOINT, read_endpoint),
        ),
        ("ESP 198.51.100.7[0]->192.0.2.1[0]", "ESP/Tunnel 198.51.100.7[500]->192.0.2.1[500]"),
    ),
    "local_selector": Field(
        "(?:{local}|[^\\s<>=]+)(?:\\sip-proto:\\d{1,3})?",
        (Value("local", _SELECTOR, read_selected),),
        ("192.0.2.1:1701 ip-proto:17",),
    ),
    "peer_selector": Field(
        "(?:{peer}|[^\\s<>=]+)(?:\\sip-proto:\\d{1,3})?",
        (Value("peer", _SELECTOR, read_selected),),
        ("198.51.100.7:1701 ip-proto:17",),
    ),
    "id_address": Field("\\s?{peer}", (Value("peer", _ENDPOINT, read_endpoint),), ("198.51.100.7",)),
    "ikev2_ends": Field(r"[^\s/]{1,100}\]?+->[^\s/]{1,100}", (), ("198.51.100.7[4500]->192.0.2.1[4500]",)),
    # SAs
    "sa": Field(
        "{protocol}(?:/{mode})?+\\s{1,8}+(?>{source}"
        + _ARROW
        + "){destination}(?:\\s{1,8}+spi={spi}(?:\\(0x[0-9a-f]{1,16}+\\))?+)?+",
        _SA,
        (
            "ESP/Tunnel 198.51.100.7[500]->192.0.2.1[500] spi=241280704(0xe61a6c0)",
            "AH/Transport 198.51.100.7->192.0.2.1 spi=4711(0x1267)",
            "ESP/Transport 198.51.100.7[4500]->192.0.2.1[4500] spi=0x6b352f8",
        ),
    ),
    "sa_with": Field(
        "{protocol}(?:/{mode})?+\\s{1,8}+(?>{source}"
        + _ARROW
        + "){destination}(?:\\s{1,8}+with)?+\\s{1,8}+spi={spi}(?:\\(0x[0-9a-f]{1,16}+\\))?+",
        _SA,
        ("ESP/Tunnel 198.51.100.7->192.0.2.1 with spi=241280704(0xe61a6c0)",),
    ),
    "spi": Field("{spi}", (Value("spi", r"0x[0-9a-fA-F]{1,8}+|[0-9]{1,10}+", read_spi),), ("241280704",)),
    "protocol": _one("protocol", r"\S{1,40}", "ESP", read=read_protocol),
    "proto_no": Field("{protocol}", (Value("protocol", r"[0-9]{1,20}+", read_satype),), ("3", "2")),
    "mode_no": Field("{mode}", (Value("mode", r"[0-9]{1,20}+", read_mode_number),), ("2", "1")),
    "cookies": Field(
        "{cookies}(?::[0-9a-f]{8})?",  # a message id follows where an exchange is under way
        (Value("cookies", _COOKIES),),
        ("8f1b2c3d4e5f6071:a1b2c3d4e5f60718", "8f1b2c3d4e5f6071:0000000000000000"),
    ),
    "cookies_new": _one("cookies_new", _COOKIES, "0123456789abcdef:fedcba9876543210"),
    "exchange_id": Field(
        "{cookies}(?::{message_id})?",
        (Value("cookies", _COOKIES), Value("message_id", r"[0-9a-f]{8}")),
        ("8f1b2c3d4e5f6071:a1b2c3d4e5f60718:00008b03",),
    ),
    # negotiation
    "exchange": _one("exchange", r"[\w ]{1,40}", "Identity Protection", "Aggressive", "Base", read=read_exchange),
    "db_exchange": _one("db_exchange", r"[\w ]{1,40}", "Aggressive", read=read_exchange),
    "exchange_no": _number("exchange_no", "6"),
    "side": Field("\\s?{role}", (Value("role", r"[0-9]{1,20}+", read_side),), ("1", "0")),
    "initiated_by": Field("{role}", (Value("role", r"me|peer", read_initiated_by),), ("me", "peer")),
    "status": _number("status", "1", "8"),
    "my": _one("mine", _NAME, "hmac-md5", "3DES-CBC", "1024-bit MODP group"),
    "peer_value": _one("theirs", _NAME.replace("/", "/:"), "hmac-sha", "AES-CBC", "pre-shared key"),
    "my_prop": _number("my_proposal"),
    "my_trns": _number("my_transform"),
    "peer_prop": _number("peer_proposal"),
    "peer_trns": _number("peer_transform"),
    "kbytes": _number("kbytes", "4096"),
    "seconds": _one("seconds", r"[\d.]{1,40}", "3600"),
    "selector": _text("selector", "10.0.1.0/24[0] 10.0.0.0/24[0] proto=any dir=in"),
    "spid": _number("spid", "17"),
    # authentication; text a peer chose (subject) stands last and takes all that follows
    "error": _one("error", r"(?:Suite B: )?[^():\"]{1,160}?", "unable to get certificate CRL", "certificate has expired"),
    "code": _number("code", "3", "10", "23"),
    "depth": _number("depth", "0", "1"),
    "subject": Field("\\s?{subject}", (Value("subject", _TEXT),), ("/C=DE/O=Example/CN=gw.example.org",)),
    "idtype": _text("id_type", "FQDN"),
    "cert_idtype": _text("certificate_id_type", "DER_ASN1_DN"),
    "user": _text("user", "alice"),
    "text": _text("text", "Welcome"),
    # informational
    "notification": _one("notification", r"[\w-]{1,80}", "NO-PROPOSAL-CHOSEN", "14"),
    "payload": _one("payload", r"[\w-]{1,80}", "hash"),
    "hex": _text("hexadecimal", "0123abcd"),
    # NAT
    "nat": Field(
        "{nat}(?:\\s{1,8}+{me})?+(?:\\s{0,8}+{peer_behind})?+\\s{0,8}+",
        (
            Value("nat", r"detected:|not detected", lambda text: text == "detected:"),
            Value("me", r"ME", read_flag),
            Value("peer_behind", r"PEER", read_flag),
        ),
        ("detected: ME PEER", "detected: PEER", "not detected"),
        printf="%s %s%s",
    ),
    "in_use": _number("in_use", "2"),
    "index": _number("payload_number", "0"),
    "verdict": _one("verdict", r"verified|doesn't match|[\w' ]{1,40}", "verified", "doesn't match"),
    "natt_version": _text("natt_version", "RFC 3947"),
    "algo": _number("algorithm", "2"),
    "note": _text("note", ""),
    # daemon
    "version": _one("version", r"\S{1,80}(?: \S{1,80}+){0,9}?", "ipsec-tools 0.9.1"),
    "url": _one("url", r"\S{1,200}", "http://ipsec-tools.sourceforge.net"),
    "openssl_version": _text("openssl", "OpenSSL 3.0.20 7 Apr 2026"),
    "path": _one("path", r"[^\s:]{1,1024}", "/etc/racoon/racoon.conf"),
    "line": _number("line", "27"),
    "token": Field("{token}", (Value("token", _TEXT),), ("ec",), secret=True),
    "yytext": Field(_TEXT, (), ("ec",), secret=True),
    "secret": Field(_TEXT, (), ("ec",), secret=True),
    "fd": _number("fd", "7"),
    "signal": _number("signal", "15"),
    "pid": _number("pid", "1399"),
    "count": _number("removed", "2"),
    "pfkey_type": _one("pfkey_type", r"\w{1,40}", "UPDATE"),
    "dumped": Field(r"[\w ,.\"'/:@*-]{1,400}", (), ("obey",)),
    "libipsec": _one(
        "error",
        "Success|Not supported|Invalid [a-z]{1,40}(?: [a-zA-Z]{1,40})?|SPI range violation|No (?:protocol|algorithm) specified"
        "|No buffers available|Must get supported algorithms list first|Protocol mismatch|Family mismatch"
        "|Too few arguments|Priority out of range",
        "Invalid argument",
    ),
}
"""Every name that may stand in braces in a message row."""
