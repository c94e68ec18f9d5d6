"""What is known of peers before the first line, at each gateway."""

from pathlib import Path

from racoon_exporter.config import read_config
from racoon_exporter.knowledge import Flags, build
from racoon_exporter.sa import Knowledge
from tests.exporter.reading import peer_of, read_lines, up

NETWORKS = """
peers:
  - {network: 198.51.100.0/24, name: guests, gateway: berlin, phase1_lifetime: 600, phase2_lifetime: 300}
  - {network: 203.0.113.0/24}
  - {network: 203.0.113.64/26, name: staff}
"""


def known(text: str = NETWORKS) -> Knowledge:
    config, problems = read_config(text, Path("/"))
    assert problems == []
    return build(Flags(), config)[0]


def test_a_network_of_one_gateway_is_known_at_no_other() -> None:
    berlin, paris = known().at("berlin"), known().at("paris")
    assert (berlin.name("198.51.100.7"), berlin.is_known("198.51.100.7")) == ("guests", True)
    assert (paris.name("198.51.100.7"), paris.is_known("198.51.100.7")) == ("198.51.100.7", False)


def test_a_network_without_a_name_leaves_each_address_its_own() -> None:
    assert known().name("203.0.113.1") == "203.0.113.1"
    assert known().is_known("203.0.113.1")


def test_of_two_networks_the_smaller_names_an_address() -> None:
    assert known().name("203.0.113.70") == "staff"


def test_the_peers_of_a_network_have_its_lifetimes() -> None:
    engine = read_lines("08:30:00 " + up(), knowledge=known("peers: [{network: 198.51.100.0/24, phase2_lifetime: 300}]"))
    assert peer_of(engine).phase2_lifetime == 300
    assert not peer_of(engine).stranger
