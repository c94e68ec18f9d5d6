"""Answers of NETLINK_XFRM: layouts as in linux/xfrm.h, keys never read, truncated and foreign messages harmless."""

from __future__ import annotations

import errno
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.kernel import KernelSa
from racoon_parsers.kernel.xfrm_messages import GET_POLICY, GET_SA, Dump, DumpError, read_policy, read_sa, request
from racoon_parsers.setkey import IpsecRequest, Selector

KEY = bytes(range(0xA0, 0xB8))
FOR_EVER = 2**64 - 1


def address(text: str) -> bytes:
    return ip_address(text).packed.ljust(16, b"\0")


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def algorithm(kind: int, name: str, *between: int) -> bytes:
    """A struct xfrm_algo, _auth or _aead: name, bits of the key, perhaps another length, key."""
    return attribute(kind, struct.pack(f"=64s{1 + len(between)}I", name.encode(), 8 * len(KEY), *between) + KEY)


SELECTOR = bytes(56)


def sa_message(
    *,
    attributes: bytes = b"",
    protocol: int = 50,
    family: int = 2,
    ends: tuple[str, str] = ("192.0.2.1", "192.0.2.2"),
    soft: int = 80,
    hard: int = 100,
) -> bytes:
    source, destination = ends
    return (
        SELECTOR
        + address(destination) + struct.pack("!IB3x", 0x01020304, protocol)
        + address(source)
        + struct.pack("=8Q", FOR_EVER, FOR_EVER, FOR_EVER, FOR_EVER, soft, hard, 0, 0)
        + struct.pack("=4Q", 640, 10, 1000, 1001)
        + struct.pack("=3I", 3, 2, 1)  # replay window, replay, integrity
        + struct.pack("=IIHBBB7x", 40, 0, family, 1, 4, 0)
        + attributes
    )  # fmt: skip


ALGORITHMS = algorithm(2, "cbc(aes)") + algorithm(20, "hmac(sha256)", 128)


def test_an_sa_is_read_to_its_last_value() -> None:
    assert read_sa(sa_message(attributes=ALGORITHMS), now=1010.0) == KernelSa(
        "192.0.2.1", "192.0.2.2", "esp", 0x01020304, "Tunnel", "mature", 1000.0, 1100.0, 640, 10, 2, 3, 1,
        "cbc(aes)", "hmac(sha256)", 8 * len(KEY),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "attributes", "state"),
    [(1079.0, ALGORITHMS, "mature"), (1080.0, ALGORITHMS, "dying"), (1080.0, b"", "larval")],
    ids=["before its soft expiry", "after it", "without an algorithm"],
)
def test_the_state_follows_from_lifetime_and_algorithms(now: float, attributes: bytes, state: str) -> None:
    sa = read_sa(sa_message(attributes=attributes), now)
    assert sa is not None
    assert sa.state == state


def test_aead_and_ipv6_are_read() -> None:
    sa = read_sa(
        sa_message(attributes=algorithm(18, "rfc4106(gcm(aes))", 128), family=10, ends=("2001:db8::1", "2001:db8::2")), 0.0
    )
    assert sa is not None
    assert (sa.source, sa.destination, sa.encryption) == ("2001:db8::1", "2001:db8::2", "rfc4106(gcm(aes))")


@pytest.mark.parametrize("lifetime", [FOR_EVER, 2**63 - 1])
def test_an_sa_without_a_hard_lifetime_never_expires(lifetime: int) -> None:
    sa = read_sa(sa_message(attributes=ALGORITHMS, soft=lifetime, hard=lifetime), 10.0**12)
    assert sa is not None
    assert (sa.hard_expiry, sa.state) == (None, "mature")


def test_mobile_ipv6_is_no_ipsec() -> None:
    assert read_sa(sa_message(protocol=43), 0.0) is None


def test_no_key_survives() -> None:
    sa = read_sa(sa_message(attributes=ALGORITHMS), 0.0)
    assert KEY.hex()[:8] not in repr(sa)
    assert repr(KEY)[2:12] not in repr(sa)


def policy_message(direction: int = 1, index: int = 9, mode: int = 1) -> bytes:
    selector = address("198.51.100.0") + address("192.0.2.0") + struct.pack("!HHHH", 0, 0, 80, 0xFFFF)
    selector += struct.pack("=HBBB3x8x", 2, 24, 25, 6)
    template = address("203.0.113.9") + struct.pack("=IB3xH2x", 0, 50, 2) + address("192.0.2.1")
    template += struct.pack("=IBBBxIII", 7, mode, 0, 0, FOR_EVER & 0xFFFFFFFF, 0, 0)
    return (
        selector
        + struct.pack("=8Q", *[FOR_EVER] * 4, 0, 0, 0, 0)
        + struct.pack("=4Q", 0, 0, 1000, 0)
        + struct.pack("=IIBBBB4x", 0, index, direction, 0, 0, 0)
        + attribute(5, template)
    )


def test_a_policy_is_read_to_its_last_value() -> None:
    policy = read_policy(policy_message())
    assert policy is not None
    assert (policy.direction, policy.action, policy.protocol, policy.generated) == ("out", "ipsec", "6", False)
    assert (policy.source, policy.destination) == (Selector("192.0.2.0/25", "80"), Selector("198.51.100.0/24"))
    assert policy.requests == (IpsecRequest("esp", "tunnel", "192.0.2.1", "203.0.113.9", "unique", 7),)
    assert policy.peer == "203.0.113.9"


def test_a_policy_of_a_socket_is_passed_over() -> None:
    assert read_policy(policy_message(index=11)) is None


def message(kind: int, body: bytes, *, sequence: int = 1, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body + bytes(-len(body) % 4)


def test_a_dump_takes_what_answers_it_up_to_its_end() -> None:
    dump = Dump(1, 1010.0)
    dump.feed(message(0x10, sa_message(attributes=ALGORITHMS)) + message(0x10, sa_message(), sequence=7))
    dump.feed(message(0x13, policy_message()) + message(3, bytes(4)))
    assert (len(dump.sas), len(dump.policies), dump.done, dump.cut, dump.malformed) == (1, 1, True, False, 0)


@pytest.mark.parametrize(
    ("code", "text"),
    [(errno.EPERM, "CAP_NET_ADMIN"), (errno.EINVAL, "no such table"), (errno.ENOMEM, "memory"), (2**31 - 1, "is none")],
)
def test_a_refusal_says_why(code: int, text: str) -> None:
    with pytest.raises(DumpError, match=text):
        Dump(1, 0.0).feed(message(2, struct.pack("=i", -code) + bytes(16)))


def test_a_table_that_changed_meanwhile_is_cut() -> None:
    dump = Dump(1, 0.0)
    dump.feed(message(3, bytes(4), flags=0x10 | 2))
    assert dump.cut


@given(st.integers(0, len(ALGORITHMS) + 224 + 16))
def test_a_truncated_message_gives_nothing_and_is_counted(length: int) -> None:
    whole = message(0x10, sa_message(attributes=ALGORITHMS))
    dump = Dump(1, 1010.0)
    dump.feed(whole[:length])
    assert (len(dump.sas) == 1) == (length >= len(whole))
    assert dump.cut == (16 <= length < len(whole))


@pytest.mark.parametrize(("kind", "body"), [(0x10, sa_message()), (0x13, policy_message())], ids=["SA", "policy"])
def test_a_whole_message_with_too_short_a_body_leaves_the_table_incomplete(kind: int, body: bytes) -> None:
    dump = Dump(1, 1010.0)
    dump.feed(message(kind, body[:100]))
    assert (dump.sas, dump.policies, dump.malformed, dump.cut) == ([], [], 1, True)


@pytest.mark.parametrize(
    ("kind", "body"), [(0x10, sa_message(protocol=43)), (0x13, policy_message(index=11))], ids=["Mobile IPv6", "a socket's"]
)
def test_what_is_none_of_ours_leaves_the_table_complete(kind: int, body: bytes) -> None:
    dump = Dump(1, 1010.0)
    dump.feed(message(kind, body))
    assert (dump.sas, dump.policies, dump.malformed, dump.cut) == ([], [], 0, False)


@given(st.binary(max_size=600))
def test_any_bytes_are_read_without_raising_anything_else(data: bytes) -> None:
    dump = Dump(1, 0.0)
    try:
        dump.feed(data)
    except DumpError:
        assert dump.malformed or data
    read_sa(data, 0.0)
    read_policy(data)


@pytest.mark.parametrize(("table", "length"), [(GET_SA, 16 + 224), (GET_POLICY, 16 + 168)])
def test_a_request_has_the_length_the_kernel_wants(table: int, length: int) -> None:
    asked = request(table, 5)
    assert struct.unpack_from("=IHHII", asked) == (length, table, 0x301, 5, 0)
    assert len(asked) == length
