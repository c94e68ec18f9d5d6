"""What racoon says over its admin socket: requests, heads of replies, the SA dump and the status document.

Pure: bytes in, values out. The head is `struct admin_com` (admin.h): length, command, errno or high half of the length,
protocol, two bytes each, in the host's order. `show-sa isakmp` is an array of `struct ph1dump` (handler.h), the same from 0.6
to 0.9; the status document is JSON, of 0.9.1 and later, schema 2.0.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

SHOW_SA: Final = 0x0101
SHOW_EVENTS: Final = 0x0003
STATUS_VERBOSE: Final = 0x0104
_PROTOCOL_ISAKMP: Final = 0x01FF
_FORMAT_JSON: Final = 1
_VERSION_FLAG: Final = 0x8000
_LONG_REPLY: Final = 0x8000

HEAD: Final = struct.Struct("=HHHH")
MOST_REPLY: Final = 64 * 1024 * 1024
"""Bytes of the longest reply that is read: 200,000 ISAKMP SAs."""

_STATES: Final = (
    *("spawn", "start", "msg1received", "msg1sent", "msg2received", "msg2sent", "msg3received", "msg3sent"),
    *("msg4received", "established", "dying", "expired"),
)
"""PHASE1ST_* by number (handler.h), named as the status document names them."""
_ESTABLISHED: Final = frozenset({"established", "dying"})
_EXCHANGES: Final = {1: "base", 2: "main", 4: "aggressive", "BASE": "base", "MAIN": "main", "AGGRESSIVE": "aggressive"}
_ROLES: Final = {0: "initiator", 1: "responder"}
"""INITIATOR, RESPONDER (isakmp_var.h)."""


_LATEST: Final = 2**35
"""Seconds since the epoch, in the year 3058: what claims to be later is no time."""


class AdminError(Exception):
    """A reply that cannot be used; the text says why."""


def show_sa_request() -> bytes:
    """Ask for the ISAKMP SAs. Without a version, as 0.6 and 0.7 know none."""
    return HEAD.pack(HEAD.size, SHOW_SA, 0, _PROTOCOL_ISAKMP)


def status_request() -> bytes:
    """Ask for the status document with both phases."""
    return HEAD.pack(HEAD.size, _VERSION_FLAG | STATUS_VERBOSE, 1, _FORMAT_JSON)


def events_request() -> bytes:
    """Subscribe to events. Version 1: racoon sends them as they happen, and nobody else loses them (evt.c)."""
    return HEAD.pack(HEAD.size, _VERSION_FLAG | SHOW_EVENTS, 1, 0)


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """The head of a reply."""

    command: int
    error: int
    """errno of racoon; 0 for none."""
    body: int
    """Bytes that follow."""


def read_head(data: bytes, request: bytes | None = None) -> ReplyHead:
    """Read the eight bytes before a reply, to a request. Raises AdminError if they can be no such head."""
    if len(data) < HEAD.size:
        raise AdminError("the reply ends within its head")
    length, command, either, _ = HEAD.unpack_from(data)
    if request is not None and (command ^ HEAD.unpack_from(request)[1]) & ~_LONG_REPLY & 0xFFFF:
        raise AdminError("an answer to another question: no admin socket of racoon's")
    long_reply = bool(command & _LONG_REPLY)
    total = length | (either << 16 if long_reply else 0)
    if not HEAD.size <= total <= MOST_REPLY:
        raise AdminError(f"a reply of {total} bytes")
    return ReplyHead(command & ~_LONG_REPLY, 0 if long_reply else either, total - HEAD.size)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address and UDP port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Phase1:
    """An ISAKMP SA, or a negotiation of one, as racoon itself has it. "" and None: not told."""

    cookies: str
    """`icookie:rcookie`, as the log prints them."""
    state: str
    local: Endpoint | None = None
    remote: Endpoint | None = None
    role: str = ""
    exchange: str = ""
    created: float | None = None
    """When it was established, as racoon's clock had it."""
    local_id: str = ""
    remote_id: str = ""
    encryption: str = ""
    hash: str = ""
    authentication: str = ""
    group: str = ""
    lifetime: int | None = None
    """Seconds agreed upon."""
    dpd_failures: int | None = None
    nat: bool | None = None
    user: str = ""
    """Name of an XAuth user. Never a label."""

    @property
    def up(self) -> bool:
        """Whether it is established and not yet over."""
        return self.state in _ESTABLISHED

    @property
    def expires(self) -> float | None:
        """When its lifetime is over."""
        return None if self.created is None or self.lifetime is None else self.created + self.lifetime


@dataclass(frozen=True, slots=True)
class Phase2:
    """A phase 2 as racoon itself has it. It masks SPIs, so the cookies of its phase 1 are what names it."""

    cookies: str
    state: str
    protocol: str = ""
    encryption: str = ""
    authentication: str = ""
    group: int = 0
    """Diffie-Hellman group behind its keys; 0 where unknown."""
    lifetime: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The status document."""

    phase1: tuple[Phase1, ...] = ()
    phase2: tuple[Phase2, ...] = ()
    time: float | None = None
    """When racoon made it, by its own clock."""


# --- show-sa ---

_LAYOUTS: Final = (
    struct.Struct("=8s8sii128s128sBB6xqi4x"),  # time_t of 64 bits
    struct.Struct("=8s8sii128s128sBB2xii"),  # time_t of 32 bits
)
"""`struct ph1dump`: cookies, state, side, remote, local, version, exchange, created, number of phase 2."""
_AF_INET: Final = frozenset({2})
_AF_INET6: Final = frozenset({10, 24, 28, 30})  # Linux, NetBSD, FreeBSD, Darwin


def read_show_sa(body: bytes) -> tuple[Phase1, ...]:
    """Read the ISAKMP SAs of `show-sa isakmp`. Raises AdminError where the length fits no known layout."""
    layout = next((one for one in _LAYOUTS if len(body) % one.size == 0), None)
    if layout is None:
        raise AdminError(f"{len(body)} bytes of ISAKMP SAs in a layout nobody knows")
    return tuple(_phase1(*fields) for fields in layout.iter_unpack(body))


def _phase1(
    initiator: bytes,
    responder: bytes,
    state: int,
    side: int,
    remote: bytes,
    local: bytes,
    _version: int,
    exchange: int,
    created: int,
    _phase2: int,
) -> Phase1:
    return Phase1(
        f"{initiator.hex()}:{responder.hex()}",
        _STATES[state] if 0 <= state < len(_STATES) else "unknown",
        _endpoint(local),
        _endpoint(remote),
        _ROLES.get(side, ""),
        _EXCHANGES.get(exchange, ""),
        float(created) if 0 < created < _LATEST else None,
    )


def _endpoint(data: bytes) -> Endpoint | None:
    """Read a sockaddr. The BSDs have a length before the family."""
    family = data[1] if data[0] in {16, 28} and data[1] else int.from_bytes(data[:2], _ORDER)
    port = int.from_bytes(data[2:4], "big")
    if family in _AF_INET:
        return Endpoint(str(IPv4Address(data[4:8])), port)
    if family in _AF_INET6:
        return Endpoint(str(IPv6Address(data[8:24])), port)
    return None


_ORDER: Final = "little" if struct.pack("=H", 1) == b"\x01\x00" else "big"


# --- status ---

SCHEMA: Final = "2."
"""Versions of the status document that are understood: additions leave what is read here as it is (its schema says so)."""


def read_status(body: bytes) -> Status:
    """Read the status document. Raises AdminError for what is none, or one of another major version."""
    try:
        document = json.loads(body.rstrip(b"\0"))
    except (ValueError, RecursionError) as error:
        raise AdminError("the status document is no JSON") from error
    if not isinstance(document, dict):
        raise AdminError("the status document is no object")
    version = document.get("schema_version")
    if not isinstance(version, str) or not version.startswith(SCHEMA):
        raise AdminError("the status document has a schema that is not understood")
    phase1 = tuple(_status_phase1(item) for item in _objects(document.get("phase1")) if _cookies(item.get("index")))
    phase2 = tuple(_status_phase2(item) for item in _objects(document.get("phase2")))
    return Status(phase1, phase2, _time(document.get("timestamp")))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _status_phase1(item: dict[str, Any]) -> Phase1:
    proposal, dpd, nat, xauth = (_object(item.get(key)) for key in ("proposal", "dpd", "natt", "xauth"))
    enabled = nat.get("enabled")
    return Phase1(
        _cookies(item.get("index")),
        _text(item.get("state")),
        exchange=_EXCHANGES.get(_text(item.get("exchange_mode")), ""),
        local_id=_text(item.get("local_id")),
        remote_id=_text(item.get("remote_id")),
        encryption=_text(proposal.get("encryption_algorithm")),
        hash=_text(proposal.get("hash_algorithm")),
        authentication=_text(proposal.get("authentication_method")),
        group=_text(proposal.get("dh_group")),
        lifetime=_natural(proposal.get("lifetime_time")),
        dpd_failures=_natural(dpd.get("fails")),
        nat=enabled if isinstance(enabled, bool) else None,
        user=_text(xauth.get("username")),
    )


def _status_phase2(item: dict[str, Any]) -> Phase2:
    proposal = _object(item.get("proposal"))
    return Phase2(
        _cookies(item.get("phase1_index")),
        _text(item.get("state")),
        _text(item.get("protocol")),
        _text(proposal.get("encryption_algorithm")),
        _text(proposal.get("authentication_algorithm")),
        _natural(proposal.get("effective_group")) or 0,
        _natural(proposal.get("lifetime_time")),
    )


def _cookies(value: Any) -> str:
    """Turn `0x` and 32 digits into the log's `icookie:rcookie`."""
    text = _text(value)
    if len(text) != 34 or not text.startswith("0x"):
        return ""
    return f"{text[2:18]}:{text[18:]}"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_LONGEST_TEXT: Final = 1024


def _text(value: Any) -> str:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _natural(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32 else None


def _time(value: Any) -> float | None:
    try:
        return datetime.fromisoformat(_text(value)).timestamp()
    except ValueError:
        return None


# --- events ---

_EVENT: Final = struct.Struct("=I4xq128s128sI4x")
"""`struct evt_async` (evt.h): type, time, ends of phase 1, message identifier of phase 2."""
EVENTS: Final = {
    0x0001: "racoon_quit",
    0x0100: "phase1_up",
    0x0101: "phase1_down",
    0x0102: "phase1_no_response",
    0x0103: "phase1_no_proposal",
    0x0104: "phase1_auth_failed",
    0x0105: "phase1_dpd_timeout",
    0x0106: "phase1_peer_deleted",
    0x0107: "phase1_mode_cfg",
    0x0108: "phase1_xauth_success",
    0x0109: "phase1_xauth_failed",
    0x0200: "phase2_no_phase1",
    0x0201: "phase2_up",
    0x0202: "phase2_down",
    0x0203: "phase2_no_response",
}
"""EVT_* (evt.h)."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something racoon told its listeners."""

    name: str
    time: float
    local: Endpoint | None
    remote: Endpoint | None


def read_event(body: bytes) -> Event | None:
    """Read an event; None for one nobody knows, one that is cut, or of no time. What mode configuration adds is not read."""
    if len(body) < _EVENT.size:
        return None
    kind, time, local, remote, _ = _EVENT.unpack_from(body)
    name = EVENTS.get(kind)
    return None if name is None or not 0 <= time < _LATEST else Event(name, float(time), _endpoint(local), _endpoint(remote))


__all__ = [
    "HEAD",
    "AdminError",
    "Endpoint",
    "Event",
    "Phase1",
    "Phase2",
    "ReplyHead",
    "Status",
    "events_request",
    "read_event",
    "read_head",
    "read_show_sa",
    "read_status",
    "show_sa_request",
    "status_request",
]
