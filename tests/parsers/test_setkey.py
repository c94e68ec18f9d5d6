"""Security policies: scripts and dumps give the same policies, keys never survive, mistakes are reported by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.racoon_conf import Problem
from racoon_parsers.setkey import IpsecRequest, Policies, Policy, Selector, parse_policies, parse_setkey, parse_spd_dump
from tests.steps import grows_linearly

SAMPLES = Path(__file__).parents[1] / "samples" / "conf"


def sample(name: str) -> Policies:
    return parse_policies((SAMPLES / name).read_text(), path=name)


def one(text: str) -> Policy:
    read = parse_setkey(text)
    assert read.problems == ()
    (policy,) = read.policies
    return policy


def test_a_script_with_every_command_gives_the_policies_that_stand_at_its_end() -> None:
    read = sample("policies.setkey.conf")
    assert read.problems == ()
    assert [(policy.line, policy.direction, policy.action, policy.peer) for policy in read.policies] == [
        (7, "out", "ipsec", "198.51.100.2"),
        (10, "out", "ipsec", "203.0.113.9"),
        (11, "out", "none", None),
        (12, "out", "ipsec", "2001:db8::2"),
        (13, "out", "ipsec", None),
        (14, "out", "discard", None),
        (15, "out", "ipsec", "198.51.100.3"),
        (16, "in", "ipsec", "198.51.100.3"),
    ]


def test_selectors_protocols_and_requests_are_read() -> None:
    bundle, udp, icmp, comp, _, _, unique, _ = sample("policies.setkey.conf").policies
    assert (bundle.source, bundle.destination, bundle.protocol) == (Selector("10.1.0.0/24"), Selector("10.2.0.0/24"), "any")
    assert bundle.requests == (
        IpsecRequest("esp", "tunnel", "192.0.2.1", "198.51.100.2", "unique", 7),
        IpsecRequest("ah", "transport", level="require"),
    )
    assert (udp.source, udp.destination, udp.protocol) == (Selector("192.0.2.1", "500"), Selector("203.0.113.9"), "udp")
    assert udp.requests == (IpsecRequest("esp", "transport", level="use"),)
    assert icmp.protocol == "icmp6"
    assert comp.requests == (IpsecRequest("ipcomp", "transport"), IpsecRequest("esp", "transport", level="require"))
    assert unique.requests == (IpsecRequest("esp", "tunnel", "192.0.2.1", "198.51.100.3", "unique", 16385),)


def test_keys_of_manual_associations_are_not_kept() -> None:
    kept = repr(sample("policies.setkey.conf"))
    assert not any(secret in kept for secret in ("key of 24", "0x0123", "sixteen"))


def test_keys_are_not_shown_in_problems() -> None:
    text = 'add 192.0.2.1 192.0.2.2 esp 1 -E 3des-cbc "Secret\nSECRET key;\n0xSECRET;\nspdadd "SECRET" SECRET;\n'
    problems = parse_setkey(text).problems
    assert [problem.line for problem in problems] == [3, 4]
    assert "SECRET" not in repr(problems).upper()


@pytest.mark.parametrize("name", ["rekey", "bundle", "ipv6", "natt-initiator"])
def test_a_recorded_script_has_no_problem(name: str) -> None:
    read = sample(f"{name}.setkey.conf")
    assert read.problems == ()
    assert len(read.policies) >= 2


@pytest.mark.parametrize("name", ["rekey", "bundle", "ipv6"])
def test_the_dump_of_the_kernel_shows_what_the_script_said(name: str) -> None:
    def shape(read: Policies) -> set[tuple[object, ...]]:
        return {
            (policy.direction, policy.source.address, policy.destination.address, policy.action, policy.requests, policy.peer)
            for policy in read.policies
            if policy.direction != "fwd"  # the kernel adds one for each inbound policy
        }

    assert shape(sample(f"{name}.spd.txt")) == shape(sample(f"{name}.setkey.conf"))
    assert sample(f"{name}.spd.txt").problems == ()


def test_policies_that_racoon_generated_are_told_apart() -> None:
    read = sample("natt-responder.spd.txt")
    assert read.problems == ()
    assert {(policy.direction, policy.peer, policy.lifetime, policy.generated) for policy in read.policies} == {
        ("in", "192.168.0.1", 60, True),
        ("fwd", "192.168.0.1", 60, True),
        ("out", "192.168.0.1", 60, True),
    }


def test_of_several_dumps_the_last_counts() -> None:
    text = (SAMPLES / "rekey.spd.txt").read_text()
    assert text.count("=== ") == 2
    assert len(parse_spd_dump(text).policies) == 3
    assert parse_spd_dump(text + "=== 2026-11-24T04:10:54+00:00 setkey -DP\nNo SPD entries.\n").policies == ()


def test_a_dump_of_netbsd_is_read() -> None:
    inbound, outbound = sample("netbsd.spd.txt").policies
    assert (inbound.direction, inbound.protocol, inbound.peer, inbound.generated) == ("in", "any", "198.51.100.2", False)
    assert (outbound.destination, outbound.protocol) == (Selector("10.2.0.0/24", "500"), "udp")
    assert outbound.requests == (
        IpsecRequest("esp", "tunnel", "192.0.2.1", "198.51.100.2", "unique", 7),
        IpsecRequest("ah", "transport", level="use"),
    )


@pytest.mark.parametrize("mark", [":", "#"], ids=["netbsd", "linux"])
def test_the_number_of_a_unique_policy_is_read(mark: str) -> None:
    (policy,) = parse_spd_dump(f"a b any\n\tout ipsec\n\tesp/tunnel/a-b/unique{mark}16385\n").policies
    assert policy.requests == (IpsecRequest("esp", "tunnel", "a", "b", "unique", 16385),)


def test_the_kind_of_text_is_found_out() -> None:
    script = "spdadd 192.0.2.1 192.0.2.2 any -P\n\tout ipsec\n\tesp/transport//require;\n"
    assert parse_policies(script).policies == parse_setkey(script).policies
    assert parse_policies("No SPD entries.\n").problems == ()
    assert parse_policies("").policies == ()


@pytest.mark.parametrize(
    ("destination", "request_text", "peer"),
    [
        pytest.param("192.0.2.2", "esp/transport//require", "192.0.2.2", id="host"),
        pytest.param("192.0.2.2/32[80]", "esp/transport//require", "192.0.2.2", id="host with prefix and port"),
        pytest.param("192.0.2.2 /32 [80]", "esp/transport//require", "192.0.2.2", id="host with spaces"),
        pytest.param("fe80::2%eth0", "esp/transport//require", "fe80::2%eth0", id="scope"),
        pytest.param("gw.example.org", "esp/transport//require", "gw.example.org", id="host name"),
        pytest.param("192.0.2.0/24", "esp/transport//require", None, id="network"),
        pytest.param("192.0.2.0/24", "esp/tunnel/192.0.2.1-198.51.100.2", "198.51.100.2", id="tunnel"),
        pytest.param("192.0.2.0/24", "ah/transport esp/tunnel/a-gw.example.org/", "gw.example.org", id="second request"),
        pytest.param("192.0.2.2", "esp/transport/192.0.2.1-192.0.2.2/use", "192.0.2.2", id="transport with ends"),
    ],
)
def test_the_peer_of_a_policy_is_the_far_end_of_its_associations(destination: str, request_text: str, peer: str | None) -> None:
    assert one(f"spdadd 192.0.2.1 {destination} any -P out ipsec {request_text};").peer == peer


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("spdad 192.0.2.1 192.0.2.2 any -P out none;", 1, '"spdad": no such command', id="command"),
        pytest.param("\nspdadd 192.0.2.1;", 2, "a word is missing", id="address missing"),
        pytest.param("spdadd a b any -P sideways none;", 1, "in or out or fwd is expected, not a value", id="direction"),
        pytest.param("spdadd a b any -P out tunnel;", 1, "discard or none or ipsec", id="action"),
        pytest.param("spdadd a b any -P out ipsec udp/transport;", 1, "an IPsec request", id="protocol"),
        pytest.param("spdadd a b any -P out ipsec esp/tunnel/a/use;", 1, "source-destination", id="ends"),
        pytest.param("spdadd a b any -P out ipsec esp/transport//must;", 1, "the level", id="level"),
        pytest.param("spdadd a b any out ipsec;", 1, "a word is missing", id="no -P"),
        pytest.param("flush\nspdflush;", 1, '; is missing after "flush"', id="semicolon forgotten"),
        pytest.param("spdflush", 1, '; is missing after "spdflush"', id="semicolon forgotten at the end"),
    ],
)
def test_what_is_not_understood_in_a_script_is_reported_by_line(text: str, line: int, message: str) -> None:
    good = "spdadd 192.0.2.1 192.0.2.2 any -P out ipsec esp/transport//require;"
    read = parse_setkey(f"{text}\n{good}", path="x")
    assert [(problem.path, problem.line) for problem in read.problems] == [("x", line)]
    assert message in read.problems[0].message
    assert read.policies[0].peer == "192.0.2.2" or text.endswith("spdflush")


def test_what_is_not_understood_in_a_dump_is_reported_by_line() -> None:
    dump = (
        "a b any\n\tout ipsec\n\tgre/transport\n\tspid=1\nc d any\n\tup\nlonely\ne f any\n\tout ipsec\n\tesp/transport//use\n"
    )
    read = parse_spd_dump(dump, path="x")
    assert [(problem.path, problem.line) for problem in read.problems] == [("x", 3), ("x", 6), ("x", 7)]
    assert isinstance(read.problems[0], Problem)
    assert [policy.peer for policy in read.policies] == [None, "f"]


def test_nothing_behind_exit_is_read() -> None:
    assert parse_setkey("exit;\nspdadd a b any -P out ipsec esp/transport;").policies == ()


def test_a_flush_takes_earlier_policies_away() -> None:
    assert one("spdadd a b any -P out none; spdflush; spdadd a c any -P out none;").destination.address == "c"


PIECES = """
spdadd spddelete spdflush flush add exit tagged -P -4n in out fwd prio high + 1 ipsec none 10.0.0.0/8 192.0.2.1[500] [any] /24
any udp esp/tunnel/a-b/unique:7 esp/transport//require ah "x" " # ; lifetime: 60(s) (per-socket === setkey -DP
"""
WORDS = st.sampled_from([*PIECES.split(), "\n", "\n\t", "=== x setkey -DP\n"])


@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join)))
def test_no_text_makes_reading_raise(text: str) -> None:
    lines = text.count("\n") + 1
    for read in (parse_setkey(text), parse_spd_dump(text), parse_policies(text)):
        assert all(1 <= problem.line <= lines for problem in read.problems)


@pytest.mark.parametrize(
    "piece", ["[", '"', "-", "a-", "a/", "spdadd ", "esp/tunnel/", "a ", "a;", "\t", "\n", "\n\tin a", "a b any\n"]
)
def test_work_grows_with_the_text_only(piece: str) -> None:
    def read(times: int) -> None:
        parse_policies(piece * times)
        parse_spd_dump(piece * times)
        parse_setkey(f"spdadd a b any -P out ipsec {piece * times};")

    assert grows_linearly(read)
