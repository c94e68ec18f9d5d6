"""What is known of peers before the first line, at each gateway."""

from pathlib import Path

import pytest

from racoon_exporter.config.file import read_config
from racoon_exporter.config.fleet_knowledge import FleetKnowledge
from racoon_exporter.config.knowledge import Flags, build
from racoon_exporter.metrics import OwnState, collect
from tests.exporter.reading import peer_of, read_lines, up
from tests.exporter.status.engines import Gateway

NETWORKS = """
peers:
  - {network: 198.51.100.0/24, name: guests, gateway: berlin, phase1_lifetime: 600, phase2_lifetime: 300}
  - {network: 203.0.113.0/24}
  - {network: 203.0.113.64/26, name: staff}
"""


def known(text: str = NETWORKS) -> FleetKnowledge:
    config, problems = read_config(text, Path("/"))
    assert problems == []
    return build(Flags(), config)[0]


def test_a_network_of_one_gateway_is_known_at_no_other() -> None:
    berlin, paris = known().at("berlin"), known().at("paris")
    assert (berlin.name("198.51.100.7"), berlin.is_known("198.51.100.7")) == ("guests", True)
    assert (paris.name("198.51.100.7"), paris.is_known("198.51.100.7")) == ("198.51.100.7", False)


def test_a_network_without_a_name_leaves_each_address_its_own() -> None:
    assert known().at("").name("203.0.113.1") == "203.0.113.1"
    assert known().at("").is_known("203.0.113.1")


def test_of_two_networks_the_smaller_names_an_address() -> None:
    assert known().at("").name("203.0.113.70") == "staff"


def test_the_peers_of_a_network_have_its_lifetimes() -> None:
    engine = read_lines("08:30:00 " + up(), knowledge=known("peers: [{network: 198.51.100.0/24, phase2_lifetime: 300}]"))
    assert peer_of(engine).phase2_lifetime == 300
    assert not peer_of(engine).stranger


SAME_ADDRESS = """
peers:
  - {address: 192.0.2.1, name: headquarters, phase1_lifetime: 28800, phase2_lifetime: 3600}
  - {address: 192.0.2.1, name: hub, gateways: ["gw-*"], phase2_lifetime: 1800}
  - {address: 192.0.2.1, gateways: ["gw-b*"], kind: roaming}
  - {address: 192.0.2.1, name: mother, gateway: GW-7, kind: roaming}
"""


@pytest.mark.parametrize(
    ("gateway", "peer"),
    [
        ("elsewhere", ("headquarters", "permanent", 28800, 3600)),
        ("gw-1", ("hub", "permanent", 28800, 1800)),
        ("GW-1", ("hub", "permanent", 28800, 1800)),
        ("gw-b1", ("hub", "permanent", 28800, 1800)),
        ("gw-7", ("mother", "roaming", 28800, 1800)),
        ("", ("headquarters", "permanent", 28800, 3600)),
    ],
    ids=["of no entry", "of a pattern", "in capitals", "of two patterns: the first", "named", "nameless"],
)
def test_an_address_has_a_name_kind_and_lifetime_at_each_gateway(
    gateway: str, peer: tuple[str, str, int | None, int | None]
) -> None:
    """The nearest entry says what it is: by name, by pattern in the order of the file, of all; gaps are filled by the next."""
    found = known(SAME_ADDRESS).at(gateway).peers["192.0.2.1"]
    assert (found.name, found.kind, found.phase1_lifetime, found.phase2_lifetime) == peer


def test_a_flag_says_more_than_any_entry_and_leaves_open_what_it_does_not_say() -> None:
    config, _ = read_config(SAME_ADDRESS, Path("/"))
    everywhere, _ = build(Flags(expect_peers=("192.0.2.1=core",)), config)
    found = [everywhere.at(gateway).peers["192.0.2.1"] for gateway in ("gw-1", "gw-7")]
    assert [(peer.name, peer.kind, peer.phase2_lifetime) for peer in found] == [("core", "permanent", 1800)] * 2


def test_what_thousands_of_gateways_share_is_known_once() -> None:
    """A gateway's own peers stand beside the template's, not in a copy of it."""
    template = "".join(f"  - {{address: 10.0.{n // 250}.{n % 250}, gateways: [gw-*]}}\n" for n in range(1000))
    named = "".join(f"  - {{address: 192.0.2.1, name: own, gateway: gw-{n}}}\n" for n in range(50))
    fleet = known(f"peers:\n{template}{named}")
    assert len({id(fleet.at(f"gw-{n}")) for n in range(50, 5000)}) == 1
    one, other = fleet.at("gw-1").peers, fleet.at("gw-2").peers
    assert (len(one), "192.0.2.1" in one, "192.0.2.1" in fleet.at("gw-60").peers) == (1001, True, False)
    assert all(one[address] is other[address] for address in fleet.at("gw-60").peers)


def test_invented_names_do_not_fill_the_memory() -> None:
    fleet = known("peers:\n" + "".join(f"  - {{address: 10.0.0.{n}, gateways: ['*{n:02}*']}}\n" for n in range(1, 20)))
    for number in range(5000):
        fleet.at("".join(f"{n:02}-" for n in range(1, 20) if number >> n & 1))
    assert len(fleet._shared) <= 1024


RACOON = """
remote {address} {{ # name: {name}
  exchange_mode main;
  lifetime time {hours} hour;
  proposal {{ encryption_algorithm aes; hash_algorithm sha1; authentication_method pre_shared_key; dh_group 2; }}
}}
sainfo anonymous {{ lifetime time {hours} hour; encryption_algorithm aes; authentication_algorithm hmac_sha1;
  compression_algorithm deflate; }}
"""
FILES = """
racoon:
  - config: all.conf
    lifetime: 600
  - {config: branch.conf, gateways: ["gw-*"]}
  - {config: berlin.conf, gateway: berlin, lifetime: 300}
  - {policy_files: [paris.policies], gateway: paris}
peers:
  - {address: 192.0.2.2, name: named, gateway: berlin}
"""
POLICY = "spdadd 10.0.0.0/24 10.1.0.0/24 any -P out ipsec esp/tunnel/192.0.2.9-192.0.2.3/require;\n"


@pytest.mark.parametrize(
    ("gateway", "peers", "lifetime"),
    [
        ("any", {"192.0.2.1": ("centre", 3600)}, 600),
        ("gw-3", {"192.0.2.2": ("branch", 7200)}, 600),
        ("berlin", {"192.0.2.2": ("named", 10800)}, 300),
        ("paris", {"192.0.2.1": ("centre", 3600), "192.0.2.3": ("192.0.2.3", 3600)}, 600),
    ],
)
def test_each_gateway_has_the_racoon_conf_and_policies_nearest_to_it(
    tmp_path: Path, gateway: str, peers: dict[str, tuple[str, int]], lifetime: int
) -> None:
    for file, values in (
        ("all", {"address": "192.0.2.1", "name": "centre", "hours": 1}),
        ("branch", {"address": "192.0.2.2", "name": "branch", "hours": 2}),
        ("berlin", {"address": "192.0.2.2", "name": "b", "hours": 3}),
    ):
        (tmp_path / f"{file}.conf").write_text(RACOON.format_map(values))
    (tmp_path / "paris.policies").write_text(POLICY)
    config, problems = read_config(FILES, tmp_path)
    fleet, remarks = build(Flags(), config)
    at = fleet.at(gateway)
    assert (problems, remarks) == ([], [])
    assert {address: (peer.name, peer.phase2_lifetime) for address, peer in at.peers.items()} == peers
    assert at.lifetime == lifetime


def test_the_same_address_at_two_gateways_is_two_peers_everywhere() -> None:
    """Metrics, page and SA state, each with what is told of its gateway."""
    text = "<30>Nov 24 04:01:00 {host} racoon: INFO: IPsec-SA established: ESP/Tunnel 10.0.0.1[500]->192.0.2.1[500] spi={spi}\n"
    gateway = Gateway(known(SAME_ADDRESS)).read(text.format(host="gw-7", spi=7)).read(text.format(host="gw-8", spi=8))
    assert [(peer.gateway, peer.name, peer.kind) for peer in gateway.view().peers] == [
        ("gw-8", "hub", "permanent"),
        ("GW-7", "mother", "roaming"),
    ]
    assert [(sa.gateway, sa.lifetime) for sa in gateway.engine.state.ipsec_sas()] == [("GW-7", 1800), ("gw-8", 1800)]
    samples, _ = collect(gateway.engine, OwnState())
    assert samples.values["racoon_peer_expected"].keys() == {
        ("GW-7", "mother", "roaming"),
        ("gw-8", "hub", "permanent"),
    }
