"""Hypothesis strategies shared by all tests: what racoon may print, and how it may be stored.

A printed value comes with what must be read back, so that properties compare two things that were made independently.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from racoon_parsers.fields import FIELDS, Endpoint
from racoon_parsers.message import Message
from racoon_parsers.messages import catalogue
from racoon_parsers.template import Hole


class Printed(NamedTuple):
    """What racoon prints for one hole, and the values that must be read back from it."""

    text: str
    values: dict[str, Any]


class PrintedMessage(NamedTuple):
    """A message as racoon prints it, with its row and the event's values that are not None."""

    message: Message
    text: str
    values: dict[str, Any]


# addresses

ports = st.sampled_from((0, 500, 4500)) | st.integers(min_value=0, max_value=65535)
ipv4 = st.ip_addresses(v=4).map(str)
ipv6 = st.ip_addresses(v=6).map(str)
scoped = st.builds(
    "{}%{}".format, st.integers(1, 0xFFFF).map(lambda n: f"fe80::{n:x}"), st.sampled_from(("eth0", "en0", "br-lan", "3"))
)
host_names = st.sampled_from(("gw.example.org", "vpn1", "client-7.example.net", "xxx.xxx.xxx.xxx", "anonymous"))
addresses = ipv4 | ipv6 | scoped | host_names
endpoints = st.builds(Endpoint, addresses, ports)
"""Ends with their port, as all versions but 0.5 print them."""
bare_endpoints = st.builds(Endpoint, ipv4 | ipv6, st.none())

# numbers and names

cookies = st.builds("{:016x}:{:016x}".format, st.integers(0, 2**64 - 1), st.just(0) | st.integers(0, 2**64 - 1))
message_ids = st.integers(0, 0xFFFF).map("{:08x}".format)
spis = st.integers(1, 2**32 - 1)
words = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
phrases = st.lists(words, min_size=1, max_size=4).map(" ".join)
exchanges = st.sampled_from(
    (("Identity Protection", "main"), ("Aggressive", "aggressive"), ("Base", "base"), ("Informational", "informational"))
)
selectors = st.builds(
    "{}/{}[{}] {}/{}[{}] proto={} dir={}".format,
    ipv4,
    st.integers(0, 32),
    st.sampled_from(("0", "any", "500")),
    ipv4,
    st.integers(0, 32),
    ports,
    st.sampled_from(("any", "tcp", "47")),
    st.sampled_from(("in", "out", "fwd")),
)

# text that a peer writes

RACOON_TEXTS: Final = (
    "ISAKMP-SA established 192.0.2.1[500]-198.51.100.2[500] spi:0123456789abcdef:fedcba9876543210",
    "IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->198.51.100.2[500] spi=1(0x1)",
    "DPD: remote (ISAKMP-SA spi=0123456789abcdef:fedcba9876543210) seems to be dead.",
    "phase1 negotiation failed due to time up. 0123456789abcdef:0000000000000000",
    "purged IPsec-SA spi=1.",
    "racoon process 1 shutdown",
    "certificate revoked(23) at depth:0 SubjectName:/CN=other",
    'login succeeded for user "root"',
    "@(#)ipsec-tools 0.9.1 (http://example.org)",
)
"""Messages of racoon that a hostile peer would like to see in the log."""
HEADS: Final = ("", "] ERROR: ", "2026-01-15 08:30:02: INFO: ", "[198.51.100.2] ERROR: ", "Jan 15 08:30:02 gw racoon: INFO: ")
"""Beginnings of records that make such a text look genuine."""

injections = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(("", '"', "'.", "'", ")", "/CN=x")),
    st.sampled_from(HEADS),
    st.sampled_from(RACOON_TEXTS),
    st.sampled_from(("", '"', "'.")),
)
_printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40)
peer_texts = _printable | injections
"""One line of text from a peer: anything, or an attempt to pose as racoon."""
subjects = st.builds("/C=DE/O={}/CN={}".format, peer_texts, peer_texts)
"""X.509 names as `X509_NAME_oneline()` prints them: `/` and `=` in values are not escaped."""


def _read_as_is(name: str, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Printed]:
    return texts.map(lambda text: Printed(text, {name: text}))


def _end(name: str) -> st.SearchStrategy[Printed]:
    return endpoints.map(lambda end: Printed(str(end), {name: end}))


def _integers(name: str, low: int = 0, high: int = 2**31 - 1) -> st.SearchStrategy[Printed]:
    return st.integers(low, high).map(lambda number: Printed(str(number), {name: number}))


def _pairs(name: str, choices: dict[str, Any]) -> st.SearchStrategy[Printed]:
    return st.sampled_from(sorted(choices.items())).map(lambda pair: Printed(pair[0], {name: pair[1]}))


_PROTOCOLS: Final = (("AH", "ah"), ("ESP", "esp"), ("IPCOMP", "ipcomp"))
_MODES: Final = (("/Tunnel", "tunnel"), ("/Transport", "transport"), ("", None))


def _sa(ends: st.SearchStrategy[Endpoint]) -> st.SearchStrategy[Printed]:
    def build(
        protocol: tuple[str, str], mode: tuple[str, str | None], source: Endpoint, destination: Endpoint, spi: int | None
    ) -> Printed:
        tail = "" if spi is None else f" spi={spi}({spi:#x})"
        text = f"{protocol[0]}{mode[0]} {source}->{destination}{tail}"
        values = {"protocol": protocol[1], "mode": mode[1], "source": source, "destination": destination, "spi": spi}
        return Printed(text, values)

    return st.builds(build, st.sampled_from(_PROTOCOLS), st.sampled_from(_MODES), ends, ends, st.none() | spis)


security_associations = _sa(endpoints) | _sa(bare_endpoints)
"""`ipsec_doi.c: sadbsecas2str()` of all versions."""


def _waiting(protocol: tuple[str, str], mode: tuple[str, str | None], peer: Endpoint, local: Endpoint) -> Printed:
    values = {"protocol": protocol[1], "mode": mode[1], "peer": peer, "local": local}
    return Printed(f"{protocol[0]}{mode[0]} {peer}->{local}", values)


def _joined(first: str, joiner: str, second: str) -> st.SearchStrategy[Printed]:
    return st.builds(lambda one, two: Printed(f"{one}{joiner}{two}", {first: one, second: two}), endpoints, endpoints)


def _exchange_id(pair: str, message_id: str | None) -> Printed:
    text = pair if message_id is None else f"{pair}:{message_id}"
    return Printed(text, {"cookies": pair, "message_id": message_id})


def _nat(me: bool, peer: bool) -> Printed:  # noqa: FBT001  two flags of one line
    if not (me or peer):
        return Printed("not detected ", {"nat": False, "me": None, "peer_behind": None})
    text = f"detected: {'ME ' if me else ''}{'PEER' if peer else ''}"
    return Printed(text, {"nat": True, "me": me or None, "peer_behind": peer or None})


_SPECIAL: Final[dict[str, st.SearchStrategy[Printed]]] = {
    "local": _end("local"),
    "peer": _end("peer"),
    "addr": _end("addr"),
    "db_addr": _end("db_addr"),
    "keepalive": _joined("local", "->", "peer"),
    "ports": _joined("peer", "<->", "local"),
    "waiting": st.builds(_waiting, st.sampled_from(_PROTOCOLS), st.sampled_from(_MODES), endpoints, endpoints),
    "sa": security_associations,
    "spi": spis.map(lambda spi: Printed(str(spi), {"spi": spi})),
    "protocol": _pairs("protocol", dict(_PROTOCOLS) | {"IPSEC_ESP": "esp", "ISAKMP": "isakmp"}),
    "proto_no": _pairs("protocol", {"2": "ah", "3": "esp", "9": "ipcomp"}),
    "mode_no": _pairs("mode", {"0": "any", "1": "transport", "2": "tunnel"}),
    "cookies": _read_as_is("cookies", cookies),
    "cookies_new": _read_as_is("cookies_new", cookies),
    "exchange_id": st.builds(_exchange_id, cookies, st.none() | message_ids),
    "exchange": exchanges.map(lambda pair: Printed(pair[0], {"exchange": pair[1]})),
    "db_exchange": exchanges.map(lambda pair: Printed(pair[0], {"db_exchange": pair[1]})),
    "side": _pairs("role", {"0": "initiator", "1": "responder"}),
    "initiated_by": _pairs("role", {"me": "initiator", "peer": "responder"}),
    "old_mode": _read_as_is("old_mode", words),
    "new_mode": _read_as_is("new_mode", words),
    "seconds": st.integers(0, 86400).map(lambda number: Printed(str(number), {"seconds": str(number)})),
    "selector": _read_as_is("selector", selectors),
    "error": _read_as_is("error", phrases),
    "subject": subjects.map(lambda name: Printed(name, {"subject": name.strip()})),
    "user": _read_as_is("user", peer_texts),
    "text": _read_as_is("text", peer_texts),
    "notification": _read_as_is("notification", st.sampled_from(("NO-PROPOSAL-CHOSEN", "INVALID-SPI", "24576"))),
    "payload": _read_as_is("payload", words),
    "nat": st.builds(_nat, st.booleans(), st.booleans()),
    "verdict": _read_as_is("verdict", st.sampled_from(("verified", "doesn't match"))),
    "version": _read_as_is("version", st.sampled_from(("ipsec-tools 0.5", "ipsec-tools 0.8.2", "racoon 1.0 beta"))),
    "url": _read_as_is("url", st.just("http://ipsec-tools.sourceforge.net")),
    "path": _read_as_is("path", st.sampled_from(("/etc/racoon/racoon.conf", "racoon.conf", "/var/db/remote-7.conf"))),
    "pfkey_type": _read_as_is("pfkey_type", st.sampled_from(("UPDATE", "ADD", "GETSPI", "DELETE"))),
    "script": _read_as_is("script", words),
    "percent": _read_as_is("percent", st.sampled_from(("0.00", "99.95"))),
    "dumped": st.sampled_from(("obey", "exchange_mode main, aggressive")).map(lambda text: Printed(text, {})),
    "statistics": st.just(Printed("isakmp", {})),
    "libipsec": _read_as_is("error", st.sampled_from(("Invalid argument", "Not supported", "Protocol mismatch"))),
}


def printed_field(name: str) -> st.SearchStrategy[Printed]:
    """Give what racoon may print for a field: numbers for numbers, words for racoon's own words."""
    if name in _SPECIAL:
        return _SPECIAL[name]
    field = FIELDS[name]
    if field.secret:  # what is masked is not read back (`test_secrets.py`); brackets are no secret
        return st.sampled_from("};{").map(lambda text: Printed(text, {value.name: text for value in field.values}))
    if not field.values:
        return st.sampled_from(field.samples).map(lambda text: Printed(text, {}))
    (value,) = field.values
    return (
        _integers(value.name) if value.read is int or value.pattern.startswith("-?[0-9]") else _read_as_is(value.name, phrases)
    )


_UNREAD: Final[dict[str, st.SearchStrategy[str]]] = {
    **dict.fromkeys("dioux", st.integers(0, 2**31 - 1).map(str)),
    "x": st.integers(0, 2**32 - 1).map("{:x}".format),
    "X": st.integers(0, 2**32 - 1).map("{:X}".format),
    "c": st.sampled_from(string.ascii_letters),
    "s": phrases,
    "p": st.integers(1, 2**48).map("{:#x}".format),
    "f": st.floats(0, 1e6).map("{:.6f}".format),
}


def printed_hole(hole: Hole) -> st.SearchStrategy[Printed]:
    """Give what racoon may print in a hole of a template."""
    if not hole.name:
        return _UNREAD[hole.conversion[-1]].map(lambda text: Printed(text, {}))
    if hole.conversion == "%#x":
        (value,) = FIELDS[hole.name].values
        return spis.map(lambda number: Printed(f"{number:#x}", {value.name: number}))
    values = FIELDS[hole.name].values
    if len(values) == 1 and values[0].read is None and hole.conversion[-1] in "du":
        return st.integers(0, 2**31 - 1).map(lambda number: Printed(str(number), {values[0].name: str(number)}))
    return printed_field(hole.name)


@st.composite
def printed_message(draw: st.DrawFn, message: Message) -> PrintedMessage:
    """Print a given row with drawn values."""
    parts: list[str] = []
    values: dict[str, Any] = {name: value for name, value in message.constants if name in message.event_type._fields}
    for piece in message.pieces:
        if isinstance(piece, str):
            parts.append(piece)
        else:
            printed = draw(printed_hole(piece))
            parts.append(printed.text)
            values |= printed.values
    kept = {name: value for name, value in values.items() if value is not None}
    return PrintedMessage(message, "".join(parts).strip(), kept)


def messages_with_values() -> list[Message]:
    """Give the rows that have something to read."""
    return [m for m in catalogue().messages if m.has_values and any(isinstance(p, Hole) and p.name for p in m.pieces)]


printed_messages = st.deferred(lambda: st.sampled_from(messages_with_values()).flatmap(printed_message))
"""A message of any row that carries values."""

# records as they are stored


class Head(NamedTuple):
    """What a record carries beside its text."""

    time: datetime
    host: str
    pid: int
    level: str
    tag: str


heads = st.builds(
    Head,
    st.datetimes(datetime(2001, 1, 1), datetime(2037, 12, 31)).map(lambda t: t.replace(tzinfo=UTC, microsecond=0)),  # noqa: DTZ001
    st.sampled_from(("gw", "fw1.example.org", "192.0.2.9")),
    st.integers(1, 4194304),
    st.sampled_from(("ERROR", "WARNING", "NOTIFY", "INFO", "DEBUG")),
    st.just("") | ipv4 | ipv6,
)


def _own(head: Head, text: str) -> str:
    tag = f"[{head.tag}] " if head.tag else ""
    return f"{tag}{head.level}: {text}"


def _local(head: Head) -> str:
    return head.time.strftime("%Y-%m-%d %H:%M:%S")


def _bsd(head: Head) -> str:
    return head.time.strftime("%b ") + f"{head.time.day:2d}" + head.time.strftime(" %H:%M:%S")


def _journal(head: Head, text: str, message: Callable[[str], Any]) -> str:
    entry = {
        "__REALTIME_TIMESTAMP": str(int(head.time.timestamp()) * 1_000_000),
        "_HOSTNAME": head.host,
        "SYSLOG_IDENTIFIER": "racoon",
        "_PID": str(head.pid),
        "MESSAGE": message(_own(head, text)),
    }
    return json.dumps(entry)


STORED: Final[dict[str, Callable[[Head, str], str]]] = {
    "file": lambda h, t: f"{_local(h)}: {_own(h, t)}",
    "syslog": lambda h, t: f"{_bsd(h)} {h.host} racoon: {_own(h, t)}",
    "syslog with priority and pid": lambda h, t: f"<30>{_bsd(h)} {h.host} racoon[{h.pid}]: {_own(h, t)}",
    "syslog of -F": lambda h, t: f"{_bsd(h)} {h.host} racoon[{h.pid}]: {_local(h)}: {_own(h, t)}",
    "syslog without host": lambda h, t: f"{_bsd(h)} racoon: {_own(h, t)}",
    "syslog with facility": lambda h, t: f"{_bsd(h)} {h.host} daemon.info racoon: {_own(h, t)}",
    "syslog-iso": lambda h, t: f"{h.time.isoformat()} {h.host} racoon[{h.pid}]: {_own(h, t)}",
    "syslog-5424": lambda h, t: f"<30>1 {h.time.isoformat()} {h.host} racoon {h.pid} - - {_own(h, t)}",
    "container": lambda h, t: f"{h.time.strftime('%Y-%m-%dT%H:%M:%S.000000000Z')} stdout F {_local(h)}: {_own(h, t)}",
    "journal-unix": lambda h, t: f"{int(h.time.timestamp())}.000000 {h.host} racoon[{h.pid}]: {_own(h, t)}",
    "journal json": lambda h, t: _journal(h, t, lambda message: message),
    "journal json of bytes": lambda h, t: _journal(h, t, lambda message: list(message.encode())),
    "compose": lambda h, t: f"racoon-1  | {_local(h)}: {_own(h, t)}",
    "console": _own,
}
"""Ways in which a record is stored, by name."""
WITHOUT_TIME: Final = frozenset({"console"})
WITHOUT_YEAR: Final = frozenset({"syslog", "syslog with priority and pid", "syslog without host", "syslog with facility"})
"""Their records tell no year; the clock adds it."""

log_texts = st.text(st.characters(codec="utf-8"), max_size=80) | injections
"""Any text at all."""
