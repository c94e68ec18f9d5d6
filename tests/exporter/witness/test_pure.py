"""The small pure parts: whose an SA is, what differs from the log, what policies want, how weak it is, who still speaks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from racoon_exporter.witness.compare import Comparison
from racoon_exporter.witness.crypto import Crypto, of_phase1, of_sa
from racoon_exporter.witness.inventory import MOST, Inventory
from racoon_exporter.witness.own_end import Ends, local_ends
from racoon_exporter.witness.policies import PolicyCounts, policy_counts
from racoon_exporter.witness.traffic import Owner
from racoon_parsers.admin_socket import Phase1
from racoon_parsers.kernel import KernelSa
from racoon_parsers.setkey import parse_setkey

OURS, PEER, STRANGER = "192.0.2.1", "192.0.2.2", "203.0.113.9"


def ends(*locals_: str, peers: tuple[str, ...] = (PEER,)) -> Ends:
    return Ends("gw", frozenset(locals_), frozenset(peers).__contains__, "other")


def sa(source: str, destination: str, **more: object) -> KernelSa:
    return replace(KernelSa(source, destination, "esp", 7), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "one", "owner"),
    [
        (ends(OURS), sa(PEER, OURS), Owner("gw", PEER, "in")),
        (ends(OURS), sa(OURS, PEER), Owner("gw", PEER, "out")),
        (ends(), sa(OURS, PEER), Owner("gw", PEER, "out")),
        (ends(), sa(PEER, OURS), Owner("gw", PEER, "in")),
        (ends(OURS), sa(STRANGER, OURS), Owner("gw", "other", "in")),
        (ends(), sa(STRANGER, OURS), None),
        (ends(OURS, PEER), sa(OURS, PEER), Owner("gw", PEER, "out")),
        (ends(peers=(PEER, STRANGER)), sa(STRANGER, PEER), None),
    ],
    ids=[
        "our address tells, inbound",
        "our address tells, outbound",
        "the peer's address tells, outbound",
        "the peer's address tells, inbound",
        "a peer without series of its own is other",
        "two strangers are nobody's",
        "two addresses of ours: the peer tells",
        "two peers are nobody's",
    ],
)
def test_the_owner_of_an_sa_follows_from_what_is_known_of_its_ends(known: Ends, one: KernelSa, owner: Owner | None) -> None:
    assert known.owner(one) == owner


POLICIES = parse_setkey(
    f"""spdadd 10.1.0.0/24 10.2.0.0/24 any -P out ipsec esp/tunnel/{OURS}-{PEER}/require;
    spdadd 10.1.1.0/24 10.2.1.0/24 any -P out ipsec esp/tunnel/{OURS}-{PEER}/require ah/transport//require;
    spdadd {OURS} {STRANGER} any -P out ipsec esp/transport//require;
    spdadd 10.2.0.0/24 10.1.0.0/24 any -P in ipsec esp/tunnel/{PEER}-{OURS}/require;
    spdadd 10.1.0.0/24 10.9.0.0/24 any -P out ipsec esp/transport//require;
    spdadd {OURS} {PEER} udp -P out none;"""
).policies


def test_near_ends_of_outbound_policies_are_ours() -> None:
    assert local_ends(POLICIES) == {OURS}


def test_a_policy_without_an_sa_of_each_of_its_protocols_is_not_served() -> None:
    counts = policy_counts(POLICIES, [sa(OURS, PEER)])
    assert counts == {PEER: PolicyCounts(2, 1), STRANGER: PolicyCounts(1, 1)}


@pytest.mark.parametrize("state", ["larval", "dead"])
def test_an_sa_that_carries_nothing_serves_no_policy(state: str) -> None:
    assert policy_counts(POLICIES, [sa(OURS, PEER, state=state)])[PEER] == PolicyCounts(2, 2)


def test_a_difference_takes_two_looks() -> None:
    comparison: Comparison[int] = Comparison()
    assert comparison.look({1, 2}, {2, 3}, 10.0).vanished == {}
    differences = comparison.look({1, 2}, {2, 3}, 20.0)
    assert (differences.vanished, differences.unlogged) == ({1: 10.0}, {3: 10.0})
    assert not comparison.look({2, 3}, {2, 3}, 30.0).vanished


def test_what_the_log_caught_up_with_is_no_difference() -> None:
    comparison: Comparison[int] = Comparison()
    comparison.look({1}, {2}, 10.0)
    differences = comparison.look({2}, {2}, 20.0)
    assert (differences.vanished, differences.unlogged) == ({}, {})


def test_a_cut_look_proves_nothing_by_what_it_lacks_and_breaks_the_row() -> None:
    comparison: Comparison[int] = Comparison()
    comparison.look({1}, set(), 10.0)
    assert comparison.look({1}, set(), 20.0, complete=False).vanished == {}
    assert comparison.look({1}, set(), 30.0).vanished == {}
    assert comparison.look({1}, set(), 40.0).vanished == {1: 30.0}


def test_two_looks_with_a_gap_in_the_log_between_are_none_in_a_row() -> None:
    comparison: Comparison[int] = Comparison()
    comparison.look({1}, set(), 10.0)
    comparison.forget()
    assert comparison.look({1}, set(), 20.0).vanished == {}


@pytest.mark.parametrize(
    ("encryption", "bits", "name"),
    [
        ("cbc(aes)", 256, "aes_256"),
        ("aes-cbc", 128, "aes_128"),
        ("rfc4106(gcm(aes))", 160, "aes_gcm_128"),
        ("cbc(des3_ede)", 192, "3des"),
        ("3des-cbc", 192, "3des"),
        ("xts(sm4)", 0, "xts(sm4)"),
    ],
)
def test_one_algorithm_has_one_name_whoever_told_it(encryption: str, bits: int, name: str) -> None:
    assert of_sa(sa(OURS, PEER, encryption=encryption, key_bits=bits)).encryption == name


def test_what_is_weak_is_named() -> None:
    told = Phase1(
        "a:b",
        "established",
        exchange="aggressive",
        encryption="3DES-CBC",
        hash="SHA",
        authentication="pre-shared key",
        group="ECP",
    )
    assert of_phase1(told) == Crypto(1, "aggressive", "3des", "sha1", "2", "pre_shared_key")
    assert of_phase1(told).weaknesses == ("encryption 3des", "hash sha1", "group 2", "aggressive mode with a pre-shared key")


def test_what_is_strong_is_not() -> None:
    assert Crypto(1, "main", "aes", "sha256", "14", "pre_shared_key").weaknesses == ()
    assert Crypto(2, "quick", "aes_256", "sha256").weaknesses == ()


def test_the_inventory_remembers_who_fell_silent() -> None:
    inventory = Inventory()
    way = Crypto(2, "quick", "3des", "sha1")
    inventory.saw("gw", PEER, [way], 10.0)
    inventory.saw("gw", PEER, [way], 20.0)
    again = Inventory.from_json(json.loads(json.dumps(inventory.to_json())))
    seen = again.ways["gw", PEER, way]
    assert (seen.first, seen.last) == (10.0, 20.0)


def test_a_way_that_only_lacked_its_group_becomes_the_fuller_one() -> None:
    inventory = Inventory()
    way = Crypto(2, "quick", "3des", "sha1")
    inventory.saw("gw", PEER, [way], 10.0)
    inventory.saw("gw", PEER, [replace(way, group="2")], 20.0)
    assert [(crypto.group, seen.first) for (_, _, crypto), seen in inventory.ways.items()] == [("2", 10.0)]


def test_the_inventory_is_bounded_and_forgets_the_longest_silent() -> None:
    inventory = Inventory()
    for number in range(MOST + 5):
        inventory.saw("gw", f"peer {number}", [Crypto(1)], float(number))
    assert len(inventory.ways) == MOST
    assert min(seen.last for seen in inventory.ways.values()) == 5.0
