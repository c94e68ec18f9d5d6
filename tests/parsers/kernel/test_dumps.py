"""Dumps of the SAD and SPD: every form gives the same values, keys never survive, a cut dump says that it is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.kernel import KernelSa, parse_ip_policy, parse_policies, parse_sad
from racoon_parsers.setkey import IpsecRequest

SAMPLES = Path(__file__).parents[2] / "samples" / "kernel"
NAMES = sorted(path.name for path in SAMPLES.iterdir())
KEY = re.compile(r"\b(?:[0-9a-f]{8} ){3}[0-9a-f ]+|0x[0-9a-f]{20,}")


def text_of(name: str) -> str:
    return (SAMPLES / name).read_text()


def test_an_sa_of_setkey_is_read_to_its_last_value() -> None:
    first = parse_sad(text_of("setkey-rekey.txt")).sas[0]
    taken = parse_sad(text_of("setkey-rekey.txt")).taken
    assert taken is not None
    assert first == KernelSa(
        "192.168.0.40", "192.168.0.41", "esp", 49037648, "Transport", "mature", taken - 1, taken + 39, 64, 1, 0, 0, 0,
        "3des-cbc", "hmac-sha1", 192,
    )  # fmt: skip


def test_a_soft_expired_sa_is_dying_and_still_counts() -> None:
    states = [(sa.state, sa.bytes) for sa in parse_sad(text_of("setkey-rekey.txt")).sas]
    assert states == [("mature", 64), ("mature", 64), ("dying", 2048), ("dying", 2048)]


def test_an_sa_of_iproute2_is_read_to_its_last_value() -> None:
    (first, _) = parse_sad(text_of("ip-state.txt")).sas
    assert first == KernelSa(
        "192.168.0.40", "192.168.0.41", "esp", 235004356, "Transport", "mature", 1795493299.0, 1795496899.0, 640, 10, 0, 0, 0,
        "cbc(des3_ede)", "hmac(sha1)", 192,
    )  # fmt: skip


def test_ports_of_nat_traversal_are_no_part_of_an_address() -> None:
    sas = parse_sad(text_of("setkey-natt.txt")).sas
    assert {sa.source for sa in sas} == {"10.9.0.2", "192.168.0.41"}
    assert {sa.protocol for sa in sas} == {"esp"}


def test_ah_has_no_encryption_and_ipv6_ends_are_read() -> None:
    assert {(sa.protocol, sa.encryption) for sa in parse_sad(text_of("setkey-ah.txt")).sas if sa.state != "larval"} == {
        ("ah", "")
    }
    assert {sa.destination for sa in parse_sad(text_of("setkey-ipv6.txt")).sas} == {"fd00:168::40", "fd00:168::41"}


@pytest.mark.parametrize("name", NAMES)
def test_no_key_survives_in_what_was_read(name: str) -> None:
    keys = {re.sub(r"\s|0x", "", key) for key in KEY.findall(text_of(name))}
    kept = repr(parse_sad(text_of(name)))
    assert keys
    assert not any(key[:12] in kept for key in keys)


@pytest.mark.parametrize("name", NAMES)
def test_a_dump_cut_anywhere_within_an_sa_says_that_it_is_cut(name: str) -> None:
    lines = text_of(name).splitlines()
    whole = parse_sad("\n".join(lines))
    assert not whole.truncated
    beginnings = {number for number, line in enumerate(lines) if not line.startswith((" ", "\t", "==="))} | {len(lines)}
    for end in range(2, len(lines)):
        cut = parse_sad("\n".join(lines[:end]))
        if end not in beginnings or "setkey" in name:
            assert cut.truncated, lines[end - 1]
        assert set(cut.sas) <= set(whole.sas)


def test_of_several_dumps_the_last_counts_whatever_its_form() -> None:
    both = parse_sad(text_of("setkey-rekey.txt") + text_of("ip-state.txt"))
    assert [sa.spi for sa in both.sas] == [235004356, 193811446]
    assert parse_sad(text_of("ip-state.txt") + "=== 2026-11-24T05:00:00+00:00 setkey -D\nNo SAD entries.\n").sas == ()


@pytest.mark.parametrize(
    "text", ["", "No SAD entries.\n", "=== 2026-11-24T05:00:00+00:00\n"], ids=["nothing", "setkey", "a head"]
)
def test_an_empty_table_is_no_problem(text: str) -> None:
    sad = parse_sad(text)
    assert (sad.sas, sad.problems, sad.truncated) == ((), (), False)


def test_a_text_in_no_form_is_a_problem_and_proves_nothing() -> None:
    sad = parse_sad("pfkey_open: Permission denied\n")
    assert sad.truncated
    assert [str(problem) for problem in sad.problems] == ["sad.txt:1: neither `setkey -D` nor `ip -s xfrm state`"]


def test_a_number_no_kernel_prints_is_none() -> None:
    text = (
        text_of("ip-state.txt").replace("640(bytes)", f"{'9' * 5000}(bytes)").replace("hard 3600(sec)", f"hard {'9' * 20}(sec)")
    )
    assert parse_sad(text).sas[0].bytes == 0


@pytest.mark.parametrize("name", ["setkey-rekey.txt", "ip-state.txt"])
def test_a_lifetime_of_a_kernel_that_has_none_is_for_ever(name: str) -> None:
    text = re.sub(r"(?:soft|hard):? \d+(?=\(s)", lambda match: f"{match[0].split()[0]} {2**63 - 1}", text_of(name))
    sad = parse_sad(text, taken=10.0**9)
    assert sad.sas
    assert {(sa.hard_expiry, sa.state) for sa in sad.sas} <= {(None, "mature"), (None, "dying")}


def test_larval_sas_are_told_from_usable_ones_in_both_forms() -> None:
    larval = "src 192.0.2.1 dst 192.0.2.2\n\tproto esp spi 0x00000000 reqid 0 mode transport\n\treplay-window 0 \n"
    assert [sa.state for sa in parse_sad(larval).sas] == ["larval"]


POLICY = """\
src 192.0.2.0/24 dst 198.51.100.0/24 proto tcp sport 80
\tdir out priority 2147483648
\ttmpl src 192.0.2.1 dst 203.0.113.9
\t\tproto esp reqid 7 mode tunnel
src 198.51.100.0/24 dst 192.0.2.0/24
\tdir in action block priority 100 ptype main
src 192.0.2.5/32 dst 192.0.2.6/32 uid 0
\tdir fwd action allow index 18 priority 0 share any flag  (0x00000000)
\tlifetime config:
\t  expire add: soft 0(sec), hard 3600(sec)
\ttmpl src 0.0.0.0 dst 0.0.0.0
\t\tproto esp spi 0x00000000(0) reqid 0(0x00000000) mode transport
\t\tlevel required share any
src 0.0.0.0/0 dst 0.0.0.0/0
\tsocket in priority 0 ptype main
"""


def test_policies_of_iproute2_are_those_of_setkey() -> None:
    out, blocked, forward = parse_ip_policy(POLICY).policies
    assert (out.direction, out.action, out.protocol, out.peer) == ("out", "ipsec", "tcp", "203.0.113.9")
    assert out.requests == (IpsecRequest("esp", "tunnel", "192.0.2.1", "203.0.113.9", "require", 7),)
    assert (blocked.direction, blocked.action, blocked.requests) == ("in", "discard", ())
    assert (forward.direction, forward.requests, forward.generated) == (
        "fwd",
        (IpsecRequest("esp", "transport", level="require"),),
        True,
    )
    assert parse_policies(POLICY).policies == parse_ip_policy(POLICY, path="spd.txt").policies


@given(st.text(max_size=400))
def test_any_text_is_read_without_raising(text: str) -> None:
    parse_sad(text)
    parse_ip_policy(text)


@given(st.sampled_from(NAMES), st.data())
def test_a_dump_with_lines_of_another_is_read_without_raising(name: str, data: st.DataObject) -> None:
    lines = text_of(name).splitlines(keepends=True) + POLICY.splitlines(keepends=True)
    picked = data.draw(st.lists(st.sampled_from(lines), max_size=40))
    text = "".join(picked)
    parse_sad(text)
    parse_ip_policy(text)
