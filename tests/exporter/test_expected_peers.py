"""Expected peers: every source adds to one list, the nearer source decides, and roaming peers are told from permanent ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.expected_peers import (
    ExpectedPeer,
    expected_peers,
    normal_address,
    parse_expect_peer,
    read_policies,
    read_racoon_conf,
)
from racoon_parsers.racoon_conf import parse_racoon_conf
from racoon_parsers.setkey import parse_setkey, parse_spd_dump

SAMPLES = Path(__file__).parents[1] / "samples" / "conf"
LAB = Path(__file__).parents[1] / "scenarios" / "lab"
PROPOSAL = "proposal { encryption_algorithm aes; hash_algorithm sha1; authentication_method rsasig; dh_group 2; }"
VISITORS = "passive on; generate_policy on;"
OUTBOUND = "spdadd 10.1.0.0/24 10.2.0.0/24 any -P out ipsec esp/tunnel/192.0.2.1-198.51.100.2/require;"


def remote(address: str, statements: str = "", name: str = "") -> str:
    comment = f"# name: {name}\n" if name else ""
    return f"{comment}remote {address} {{ exchange_mode main; {statements} {PROPOSAL} }}\n"


def sainfo(head: str, seconds: int, statements: str = "") -> str:
    return (
        f"sainfo {head} {{ lifetime time {seconds} sec; {statements} encryption_algorithm aes;"
        " authentication_algorithm hmac_sha1; compression_algorithm deflate; }\n"
    )


@pytest.mark.parametrize(
    ("value", "peer"),
    [
        pytest.param("192.0.2.1", ExpectedPeer("192.0.2.1"), id="address"),
        pytest.param("192.0.2.1=Branch", ExpectedPeer("192.0.2.1", "Branch"), id="name"),
        pytest.param("192.0.2.1,roaming", ExpectedPeer("192.0.2.1", None, "roaming"), id="roaming"),
        pytest.param("192.0.2.1=B, C = D,roaming", ExpectedPeer("192.0.2.1", "B, C = D", "roaming"), id="name with signs"),
        pytest.param("2001:DB8:0::1=v6", ExpectedPeer("2001:db8::1", "v6"), id="normalised"),
        pytest.param("fe80::1%eth0", ExpectedPeer("fe80::1%eth0"), id="scope"),
        pytest.param("gw.example.org", ExpectedPeer("gw.example.org"), id="host name"),
    ],
)
def test_a_flag_is_read(value: str, peer: ExpectedPeer) -> None:
    assert parse_expect_peer(value) == peer


@pytest.mark.parametrize(
    "value",
    [
        "",
        "=x",
        " ,roaming",
        "192.0.2.1[500]",
        "10.0.0.0/8",
        "a b",
        "192.0.2.1=",
        "a,b",
        "192.0.2.1:500",
        "192.0.2.300",
        "192.0.2.1=other",
        "192.0.2.1=a\x1b[m",
    ],
)
def test_a_bad_flag_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is expected"):
        parse_expect_peer(value)


@given(st.ip_addresses())
def test_an_address_has_one_form(address: object) -> None:
    assert normal_address(str(address).upper()) == str(address)


def test_nothing_configured_is_no_peer() -> None:
    assert expected_peers().peers == ()


def test_a_remote_section_with_an_address_is_a_permanent_peer() -> None:
    conf = parse_racoon_conf(
        remote("198.51.100.2", "lifetime time 8 hour;", "Head office") + sainfo("anonymous", 3600), path="x"
    )
    assert expected_peers(conf=conf).peers == (
        ExpectedPeer("198.51.100.2", "Head office", "permanent", 28800, 3600, "x:2", "signature"),
    )


@pytest.mark.parametrize(
    ("statements", "policies", "kind"),
    [
        pytest.param("", "", "permanent", id="plain"),
        pytest.param("passive on;", "", "permanent", id="the peer initiates"),
        pytest.param("generate_policy on;", "", "permanent", id="generates, and may initiate"),
        pytest.param(VISITORS, "", "roaming", id="waits, and generates"),
        pytest.param("passive on; generate_policy unique;", "", "roaming", id="waits, and generates unique"),
        pytest.param(VISITORS, OUTBOUND, "permanent", id="waits, but has a policy"),
    ],
)
def test_the_kind_of_a_peer_follows_from_its_section_and_policies(statements: str, policies: str, kind: str) -> None:
    conf = parse_racoon_conf(remote("198.51.100.2", statements))
    (peer,) = expected_peers(conf=conf, policies=[parse_setkey(policies)]).peers
    assert peer.kind == kind


def test_a_policy_that_racoon_generated_makes_no_peer_permanent() -> None:
    dump = "10.1.0.0/24 10.2.0.0/24 any\n\tout ipsec\n\tesp/tunnel/192.0.2.1-198.51.100.2/require\n\tlifetime: 60(s)\n"
    policies = [parse_spd_dump(dump)]
    assert expected_peers(policies=policies).peers == ()
    (peer,) = expected_peers(conf=parse_racoon_conf(remote("198.51.100.2", VISITORS)), policies=policies).peers
    assert peer.kind == "roaming"


def test_an_anonymous_section_gives_no_peer_but_its_lifetimes_to_peers_of_policies() -> None:
    conf = parse_racoon_conf(remote("anonymous", "lifetime time 1 hour;") + sainfo("anonymous", 600))
    assert expected_peers(conf=conf).peers == ()
    (peer,) = expected_peers(conf=conf, policies=[parse_setkey(OUTBOUND, path="p")]).peers
    assert peer == ExpectedPeer("198.51.100.2", None, "permanent", 3600, 600, "p:1", "signature")


def test_inbound_and_idle_policies_give_no_peer() -> None:
    text = (
        "spdadd a b any -P in ipsec esp/tunnel/192.0.2.9-192.0.2.1/require;"
        "spdadd a c any -P out none; spdadd a d any -P out ipsec esp/tunnel/192.0.2.1-0.0.0.0/require;"
    )
    assert expected_peers(policies=[parse_setkey(text)]).peers == ()


def test_the_nearer_source_decides_and_the_farther_completes() -> None:
    conf = parse_racoon_conf(
        remote("198.51.100.2", "lifetime time 1 hour;", "from racoon.conf")
        + remote("198.51.100.3", "", "three")
        + remote("198.51.100.4", VISITORS, "four")
    )
    read = expected_peers(
        ["198.51.100.2,roaming", "198.51.100.3=III"],
        configured=[
            ExpectedPeer("198.51.100.2", "from configuration", phase2_lifetime=7, source="configuration"),
            ExpectedPeer("198.51.100.4", kind="permanent", source="configuration"),
        ],
        conf=conf,
        policies=[parse_setkey(OUTBOUND)],
    )
    assert [(peer.address, peer.name, peer.kind, peer.source) for peer in read.peers] == [
        ("198.51.100.2", "from configuration", "roaming", "--expect-peer"),
        ("198.51.100.3", "III", "permanent", "--expect-peer"),
        ("198.51.100.4", "four", "permanent", "configuration"),
    ]
    assert (read.peers[0].phase1_lifetime, read.peers[0].phase2_lifetime) == (3600, 7)


def test_one_address_written_in_two_ways_is_one_peer() -> None:
    conf = parse_racoon_conf(remote("2001:DB8::0:2 [4500]", VISITORS) + remote("2001:db8::2", "", "v6"))
    (peer,) = expected_peers(["2001:0db8::2"], conf=conf).peers
    assert (peer.address, peer.name, peer.kind) == ("2001:db8::2", "v6", "permanent")
    (alone,) = expected_peers(conf=conf).peers
    assert (alone.name, alone.kind) == ("v6", "permanent")


def test_the_scope_of_an_address_is_kept() -> None:
    (peer,) = expected_peers(conf=parse_racoon_conf(remote("FE80::2%eth0"))).peers
    assert peer.address == "fe80::2%eth0"


def test_a_quoted_section_is_named_by_its_comment_else_by_its_quotes() -> None:
    conf = parse_racoon_conf(
        remote('"branch"', "remote_address 192.0.2.2;") + remote('"depot"', "remote_address 192.0.2.3;", "The depot")
    )
    assert [(peer.address, peer.name) for peer in expected_peers(conf=conf).peers] == [
        ("192.0.2.2", "branch"),
        ("192.0.2.3", "The depot"),
    ]


@pytest.mark.parametrize(
    ("sainfos", "seconds"),
    [
        pytest.param("", None, id="none"),
        pytest.param(sainfo("anonymous", 60), 60, id="anonymous"),
        pytest.param(sainfo("anonymous", 60) + sainfo("anonymous clientaddr", 90), 90, id="the longest that may hold"),
        pytest.param(
            sainfo("anonymous", 600) + sainfo("address 10.1.0.0/24 any address 10.2.0.0/24 any", 60),
            60,
            id="that of the policy's addresses",
        ),
        pytest.param(sainfo("anonymous", 600) + sainfo("anonymous", 60, "remoteid 7;"), 60, id="that of its ph1id"),
        pytest.param(sainfo("anonymous", 600, "remoteid 8;") + sainfo("anonymous", 60), 60, id="not that of another ph1id"),
    ],
)
def test_the_phase_2_lifetime_is_that_of_the_sainfo_section_racoon_takes(sainfos: str, seconds: int | None) -> None:
    conf = parse_racoon_conf(remote("198.51.100.2", "ph1id 7;") + sainfos)
    (peer,) = expected_peers(conf=conf, policies=[parse_setkey(OUTBOUND)]).peers
    assert peer.phase2_lifetime == seconds


def test_problems_of_all_files_are_handed_on() -> None:
    read = expected_peers(
        ["192.0.2.1"],
        conf=parse_racoon_conf("nonsense;", path="a"),
        policies=[parse_setkey("nonsense;", path="b"), parse_setkey("nonsense;", path="c")],
    )
    assert [(problem.path, problem.line) for problem in read.problems] == [("a", 1), ("b", 1), ("c", 1)]
    assert len(read.peers) == 1


def test_files_are_read_with_what_they_include(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "2.conf").write_bytes(b"# \xff not UTF-8\n" + remote("192.0.2.2").encode())
    (tmp_path / "d" / "1.conf").write_text(remote("192.0.2.1"))
    (tmp_path / "d" / "3.conf").mkdir()
    conf_file = tmp_path / "racoon.conf"
    conf_file.write_text(f'path include "{tmp_path}";\ninclude "d/*.conf";\ninclude "none/*.conf";\n')
    conf = read_racoon_conf(conf_file)
    assert [section.address for section in conf.remotes] == ["192.0.2.1", "192.0.2.2"]
    assert [(problem.line, problem.message) for problem in conf.problems] == [
        (2, f"{tmp_path}/d/3.conf can not be read"),
        (3, '"include": no file fits'),
    ]


@pytest.mark.parametrize("pattern", ["~nobody-of-this-name/x", "a\0b", "a*\0/b*", "[", "x" * 5000], ids=range(5))
def test_an_include_that_can_not_be_is_reported(tmp_path: Path, pattern: str) -> None:
    conf_file = tmp_path / "racoon.conf"
    conf_file.write_text(f'include "{pattern}";\n{remote("192.0.2.1")}')
    conf = read_racoon_conf(conf_file)
    assert [(problem.line, problem.message) for problem in conf.problems] == [(1, '"include": no file fits')]
    assert len(conf.remotes) == 1


def test_the_sample_gateway_has_the_peers_its_files_name() -> None:
    conf = read_racoon_conf(SAMPLES / "office.racoon.conf")
    assert [(Path(problem.path).name, problem.line) for problem in conf.problems] == [("20-broken.conf", 3)]
    peers = expected_peers(conf=conf, policies=[read_policies(SAMPLES / "policies.setkey.conf")]).peers
    assert [(peer.address, peer.name, peer.kind) for peer in peers] == [
        ("198.51.100.2", "Head office", "permanent"),
        ("2001:db8::2", "Lager Süd", "permanent"),
        ("203.0.113.9", "Standby office", "permanent"),
        ("192.0.2.77", "Branch office", "roaming"),
        ("192.0.2.78", None, "permanent"),
        ("198.51.100.3", None, "permanent"),
    ]


def test_a_missing_file_is_an_error_for_the_caller(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_racoon_conf(tmp_path / "racoon.conf")
    with pytest.raises(FileNotFoundError):
        read_policies(tmp_path / "setkey.conf")


@pytest.mark.parametrize(
    "conf_file", sorted(LAB.glob("*/*.racoon.conf")), ids=lambda file: f"{file.parent.name}-{file.name[0]}"
)
def test_every_recorded_host_expects_the_peer_it_was_configured_for(conf_file: Path) -> None:
    setkey_file = conf_file.with_name(conf_file.name.replace("racoon", "setkey"))
    policies = [read_policies(setkey_file)] if setkey_file.exists() else []
    read = expected_peers(conf=read_racoon_conf(conf_file), policies=policies)
    flawed = conf_file.parent.name == "14-config-errors" and conf_file.name.startswith("a.")
    assert bool(read.problems) == flawed
    assert all(peer.kind == "permanent" for peer in read.peers)
    assert len(read.peers) <= 3


def test_proposals_of_two_methods_tell_nothing_of_a_peer_s_proof() -> None:
    both = remote("198.51.100.2", "proposal { authentication_method pre_shared_key; }")
    conf = parse_racoon_conf(both, path="x")
    assert [peer.authentication for peer in expected_peers(conf=conf).peers] == [None]
