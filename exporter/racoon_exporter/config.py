"""`--config.file`: sources, gateways, peers, limits, time zone, and the files of racoon, in YAML.

A flag wins over the file; lists of both add up. The file is validated with line numbers, unknown keys are errors.
"""

from __future__ import annotations

import difflib
import ipaddress
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final

from racoon_exporter.expected import ExpectedPeer, is_address, name_fault, normal_address
from racoon_exporter.source.files.patterns import matches
from racoon_exporter.source.kinds import SOURCES, Wanted
from racoon_exporter.witness.settings import KEYS as WITNESS_KEYS
from racoon_exporter.witness.settings import WitnessSettings, read_settings
from racoon_exporter.yaml_document import Problem, Section, compose, shown
from racoon_exporter.zone import read_zone

_TOP: Final = ("sources", "peers", "limits", "time_zone", "lifetime", "racoon", "witnesses")
_SOURCE: Final = (*(kind.key for kind in SOURCES), "gateway")
_PEER: Final = ("address", "network", "name", "kind", "gateway", "phase1_lifetime", "phase2_lifetime")
_LIMITS: Final = ("strangers", "peers")
_RACOON: Final = ("config", "policy_files")
_ALIKE: Final = 0.8
"""How like a key of ours a misspelt one is, so that it is told what was meant."""
_KINDS: Final = ("permanent", "roaming")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ConfiguredNetwork:
    """Peers that come from a network, such as road warriors of one provider: known, but nobody waits for them."""

    network: Network
    name: str | None
    gateway: str | None
    """The gateway to which they come; None for every one."""
    phase1_lifetime: int | None = None
    phase2_lifetime: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says; empty where it says nothing."""

    sources: tuple[Wanted, ...] = ()
    gateways: dict[str, str] = field(default_factory=dict)
    """By path, pattern or address of a source: the gateway its lines are of, whatever host they name."""
    peers: tuple[ExpectedPeer, ...] = ()
    peer_gateways: dict[str, str] = field(default_factory=dict)
    """By address: the gateway a peer belongs to, where only one has it."""
    networks: tuple[ConfiguredNetwork, ...] = ()
    strangers: int | None = None
    peer_limit: int | None = None
    zone: tzinfo | None = None
    lifetime: int | None = None
    racoon_config: str | None = None
    policy_files: tuple[str, ...] = ()
    witnesses: WitnessSettings = field(default_factory=WitnessSettings)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files and globs among the sources, and `-`."""
        return tuple(each.name for each in self.sources if each.kind == "path")

    def gateway_of(self, source: str) -> str:
        """Name the gateway of a source, or of the pattern a file was found by; empty where the file names none."""
        if source in self.gateways:
            return self.gateways[source]
        return next((gateway for pattern, gateway in self.gateways.items() if matches(pattern, source)), "")


class ConfigError(Exception):
    """A configuration file that cannot be used; `problems` holds every fault."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(f"{path}: " + "; ".join(map(str, problems)))


def is_config(text: str) -> bool:
    """Whether a YAML text is a configuration file rather than a web configuration file, by its keys."""
    node, _ = compose(text)
    keys = Section("", node, []).keys() if node is not None else ()
    return any(difflib.get_close_matches(key, _TOP, n=1, cutoff=_ALIKE) for key in keys)


def load_config(path: Path) -> Config:
    """Read a file. Raises ConfigError with every fault, OSError if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(path, [Problem(None, "not UTF-8")]) from error
    config, problems = read_config(text, path.parent)
    if problems:
        raise ConfigError(path, problems)
    return config


def read_config(text: str, directory: Path) -> tuple[Config, list[Problem]]:
    """Read a text; relative paths are relative to the file's directory. Never raises."""
    node, problems = compose(text)
    top = Section("the configuration", node, problems, _TOP)
    sources = top.sections("sources", _SOURCE)
    wanted, gateways = _sources(sources, directory)
    peers, peer_gateways, networks = _peers(top.sections("peers", _PEER))
    limits = top.section("limits", _LIMITS)
    racoon = top.section("racoon", _RACOON)
    config = Config(
        wanted,
        gateways,
        peers,
        peer_gateways,
        networks,
        _natural(limits, "strangers", 0),
        _natural(limits, "peers", 1),
        _zone(top),
        _natural(top, "lifetime", 1),
        _resolved(racoon.text("config"), directory),
        tuple(str(directory / entry.text) for entry in racoon.entries("policy_files") or ()),
        read_settings(top.section("witnesses", WITNESS_KEYS), directory),
    )
    return config, sorted(problems, key=lambda problem: problem.line or 0)


def _resolved(text: str | None, directory: Path) -> str | None:
    return None if text is None else str(directory / text)


def _natural(section: Section, key: str, least: int) -> int | None:
    if key not in section.keys():  # noqa: SIM118  a section is no mapping
        return None
    number = section.integer(key, least)
    if number < least:
        section.note(f"{key} must be at least {least}", key)
    return number


def _zone(top: Section) -> tzinfo | None:
    name = top.text("time_zone")
    if name is None:
        return None
    try:
        return read_zone(name)
    except ValueError as error:
        top.note(str(error), "time_zone")
        return None


def _sources(sections: tuple[Section, ...], directory: Path) -> tuple[tuple[Wanted, ...], dict[str, str]]:
    wanted: dict[str, Wanted] = {}
    gateways: dict[str, str] = {}
    *others, last = (kind.key for kind in SOURCES)
    for section in sections:
        kinds = [kind for kind in SOURCES if section.mentions(kind.key)]
        if len(kinds) != 1:
            section.note(f"a source is one of {', '.join(others)} and {last}")
            continue
        source = kinds[0].read(section, directory)
        if source.name in wanted:
            section.note(f"{source.name} is given twice", kinds[0].key)
        wanted[source.name] = source
        gateway = _label(section, "gateway")
        if gateway:
            gateways[source.name] = gateway
    return tuple(wanted.values()), gateways


def _label(section: Section, key: str) -> str | None:
    """Read what becomes the value of a label."""
    text = section.text(key)
    if text is not None and (fault := name_fault(text)) is not None:
        section.note(f"{key} {shown(text)} {fault}", key)
    return text


def _peers(
    sections: tuple[Section, ...],
) -> tuple[tuple[ExpectedPeer, ...], dict[str, str], tuple[ConfiguredNetwork, ...]]:
    peers: dict[str, ExpectedPeer] = {}
    gateways: dict[str, str] = {}
    networks: list[ConfiguredNetwork] = []
    for section in sections:
        address, network = section.text("address"), section.text("network")
        if (address is None) == (network is None):
            section.note("a peer has either an address or a network")
        elif network is not None:
            _add_network(section, network, networks)
        elif address is not None:
            _add_peer(section, normal_address(address), peers, gateways)
    return tuple(peers.values()), gateways, tuple(networks)


def _add_network(section: Section, text: str, networks: list[ConfiguredNetwork]) -> None:
    if section.text("kind") not in (None, "roaming"):
        section.note("peers of a network are roaming", "kind")
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        section.note(f"{shown(text)} is no network, such as 198.51.100.0/24", "network")
        return
    if any(network == known.network and _share(section.text("gateway"), known.gateway) for known in networks):
        section.note(f"{network} is given twice", "network")
    networks.append(
        ConfiguredNetwork(
            network,
            _label(section, "name"),
            _label(section, "gateway"),
            _natural(section, "phase1_lifetime", 1),
            _natural(section, "phase2_lifetime", 1),
        )
    )


def _share(gateway: str | None, other: str | None) -> bool:
    return gateway is None or other is None or gateway == other


def _add_peer(section: Section, address: str, peers: dict[str, ExpectedPeer], gateways: dict[str, str]) -> None:
    kind = section.text("kind") or "permanent"
    if kind not in _KINDS:
        section.note(f"kind must be one of {', '.join(_KINDS)}", "kind")
        return
    if not is_address(address):
        section.note(f"{shown(address)} is no address", "address")
        return
    if address in peers:
        section.note(f"{address} is given twice", "address")
        return
    peers[address] = ExpectedPeer(
        address,
        _label(section, "name"),
        "roaming" if kind == "roaming" else "permanent",
        _natural(section, "phase1_lifetime", 1),
        _natural(section, "phase2_lifetime", 1),
        f"line {section.line}",
    )
    gateway = _label(section, "gateway")
    if gateway:
        gateways[address] = gateway
