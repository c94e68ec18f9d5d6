"""racoon's admin socket: heads, the SA dump of every layout, the status document, events."""

from __future__ import annotations

import json
import struct
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.admin_socket import (
    AdminError,
    Endpoint,
    read_event,
    read_head,
    read_show_sa,
    read_status,
    show_sa_request,
    status_request,
)

I_COOKIE, R_COOKIE = bytes.fromhex("446bb2d98c3899b7"), bytes.fromhex("d0a5c79762806be9")


def sockaddr(text: str, port: int, *, bsd: bool = False) -> bytes:
    packed = ip_address(text).packed
    size, family = (16, 2) if len(packed) == 4 else (28, 24 if bsd else 10)
    head = struct.pack("BB", size, family) if bsd else struct.pack("=H", family)
    rest = packed if len(packed) == 4 else bytes(4) + packed
    return (head + struct.pack("!H", port) + rest).ljust(128, b"\0")


def dumped(*, seconds: str = "q", bsd: bool = False, remote: str = "192.0.2.2", state: int = 9) -> bytes:
    ends = sockaddr(remote, 4500, bsd=bsd) + sockaddr("192.0.2.1", 500, bsd=bsd)
    tail = struct.pack("=BB6xqi4x", 0x10, 2, 1000, 1) if seconds == "q" else struct.pack("=BB2xii", 0x10, 2, 1000, 1)
    return I_COOKIE + R_COOKIE + struct.pack("=ii", state, 1) + ends + tail


@pytest.mark.parametrize("bsd", [False, True], ids=["linux", "bsd"])
@pytest.mark.parametrize("seconds", ["q", "i"], ids=["64-bit time", "32-bit time"])
def test_an_isakmp_sa_is_read_from_every_layout(seconds: str, *, bsd: bool) -> None:
    (first, second) = read_show_sa(dumped(seconds=seconds, bsd=bsd) + dumped(seconds=seconds, bsd=bsd, remote="2001:db8::2"))
    assert first.cookies == "446bb2d98c3899b7:d0a5c79762806be9"
    assert (first.state, first.role, first.exchange, first.created, first.up) == (
        "established",
        "responder",
        "main",
        1000.0,
        True,
    )
    assert (first.local, first.remote) == (Endpoint("192.0.2.1", 500), Endpoint("192.0.2.2", 4500))
    assert second.remote == Endpoint("2001:db8::2", 4500)


def test_a_state_nobody_knows_is_not_up() -> None:
    (sa,) = read_show_sa(dumped(state=77))
    assert (sa.state, sa.up) == ("unknown", False)


def test_a_time_that_is_none_is_not_told() -> None:
    (sa,) = read_show_sa(dumped().replace(struct.pack("=q", 1000), struct.pack("=q", 2**62)))
    assert (sa.created, sa.expires) == (None, None)


def test_another_layout_is_refused_and_not_guessed() -> None:
    with pytest.raises(AdminError, match="in a layout nobody knows"):
        read_show_sa(dumped() + b"x")


DOCUMENT: dict[str, Any] = {
    "schema_version": "2.0",
    "timestamp": "2026-11-24T04:04:12Z",
    "phase1": [
        {
            "index": "0x446bb2d98c3899b7d0a5c79762806be9",
            "state": "established",
            "remote_id": "C=DE, O=Lab Network, CN=ipsec-b",
            "local_id": "C=DE, O=Lab Network, CN=ipsec-a",
            "version": "1.0",
            "exchange_mode": "MAIN",
            "proposal": {
                "encryption_algorithm": "3DES-CBC",
                "hash_algorithm": "SHA",
                "authentication_method": "RSA signatures",
                "dh_group": "ECP",
                "lifetime_time": 86400,
            },
            "xauth": {"state": "ok", "auth_type": "generic", "username": "alice"},
            "dpd": {"supported": True, "fails": 2},
            "natt": {"enabled": True},
        }
    ],
    "phase2": [
        {
            "index": "0xf1f826ad",
            "phase1_index": "0x446bb2d98c3899b7d0a5c79762806be9",
            "state": "established",
            "spi_in": "0x04a5****",
            "spi_out": None,
            "protocol": "ESP",
            "encmode": "Transport",
            "proposal": {"encryption_algorithm": "3DES-CBC", "authentication_algorithm": "hmac-sha1", "effective_group": 2},
        }
    ],
}


def status(**changes: Any) -> bytes:
    return json.dumps(DOCUMENT | changes).encode()


def test_the_status_document_is_read_to_its_last_value() -> None:
    read = read_status(status())
    (phase1,) = read.phase1
    assert (phase1.cookies, phase1.state, phase1.exchange) == ("446bb2d98c3899b7:d0a5c79762806be9", "established", "main")
    assert (phase1.encryption, phase1.hash, phase1.authentication, phase1.group) == ("3DES-CBC", "SHA", "RSA signatures", "ECP")
    assert (phase1.lifetime, phase1.dpd_failures, phase1.nat, phase1.user) == (86400, 2, True, "alice")
    (phase2,) = read.phase2
    assert (phase2.cookies, phase2.encryption, phase2.group) == (phase1.cookies, "3DES-CBC", 2)
    assert read.time == 1795493052.0


@pytest.mark.parametrize(
    "body",
    [b"", b"racoon status at", b"[]", status(schema_version="3.0"), status(schema_version=2), b"{" * 100_000],
    ids=["empty", "text", "no object", "another schema", "no text as schema", "nested too deeply"],
)
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(AdminError):
        read_status(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["index", "proposal", "dpd", "fails", "natt", "state"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_a_document_with_other_values_in_it_is_read_without_raising(value: Any) -> None:
    read_status(status(phase1=value, phase2=[value], timestamp=value))


def test_heads_tell_length_and_error() -> None:
    assert read_head(struct.pack("=HHHH", 8 + 304, 0x0101, 0, 0x01FF)).body == 304
    assert read_head(struct.pack("=HHHH", 8, 0x0101, 95, 0x01FF)).error == 95
    long_reply = read_head(struct.pack("=HHHH", (100_008) & 0xFFFF, 0x8000 | 0x0101, 100_008 >> 16, 0x01FF))
    assert (long_reply.command, long_reply.body, long_reply.error) == (0x0101, 100_000, 0)


@pytest.mark.parametrize(
    "head", [b"", b"1234567", struct.pack("=HHHH", 7, 0, 0, 0), struct.pack("=HHHH", 0, 0x8000, 0xFFFF, 0)]
)
def test_a_head_that_can_be_none_is_refused(head: bytes) -> None:
    with pytest.raises(AdminError):
        read_head(head)


def test_the_sa_dump_is_asked_for_without_a_version_and_the_document_with_one() -> None:
    assert struct.unpack("=HHHH", show_sa_request()) == (8, 0x0101, 0, 0x01FF)
    assert struct.unpack("=HHHH", status_request()) == (8, 0x8104, 1, 1)


def test_an_event_names_both_ends() -> None:
    body = struct.pack("=I4xq", 0x0104, 1000) + sockaddr("192.0.2.1", 500) + sockaddr("192.0.2.2", 500) + struct.pack("=I4x", 0)
    event = read_event(body)
    assert event is not None
    assert (event.name, event.time, event.remote) == ("phase1_auth_failed", 1000.0, Endpoint("192.0.2.2", 500))
    assert read_event(body[:-1]) is None
    assert read_event(body[:8] + struct.pack("=q", 2**62) + body[16:]) is None
    assert read_event(struct.pack("=I", 0x7777) + body[4:]) is None
