"""The part of the configuration file that says who ought to be there: peers, networks and racoon's files, at which gateways."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from racoon_exporter.expected_peers import ExpectedPeer, is_address, name_fault, normal_address
from racoon_exporter.gateway_scope import EVERYWHERE, Scope, scope_of
from racoon_exporter.yaml_document import Entry, Section, shown

MOST: Final = 1_000_000_000
"""Seconds or places that a configuration may ask for: thirty years, and more than fits into a memory."""
_WHERE: Final = ("gateway", "gateways")
PEER: Final = ("address", "network", "name", "kind", "phase1_lifetime", "phase2_lifetime", *_WHERE)
RACOON: Final = ("config", "policy_files", "lifetime", *_WHERE)
_KINDS: Final = ("permanent", "roaming")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ConfiguredNetwork:
    """Peers that come from a network, such as road warriors of one provider: known, but nobody waits for them."""

    network: Network
    name: str | None
    scope: Scope = EVERYWHERE
    """The gateways to which they come."""
    phase1_lifetime: int | None = None
    phase2_lifetime: int | None = None


@dataclass(frozen=True, slots=True)
class RacoonFiles:
    """Where racoon's own files are, of some gateways."""

    config: str | None = None
    policy_files: tuple[str, ...] = ()
    lifetime: int | None = None
    """Seconds an IPsec SA lives there, where nothing else tells."""
    scope: Scope = EVERYWHERE


class _Given:
    """What was told already, and where: twice of the same gateways would leave open which holds."""

    def __init__(self) -> None:
        self._sections: dict[tuple[str, str | None], Section] = {}

    def once(self, section: Section, key: str, what: str, scope: Scope) -> bool:
        """Note what is given twice; False if it is."""
        for part in scope.parts():
            first = self._sections.setdefault((what, part), section)
            if first is not section:
                where = "" if part is None else f" at {shown(part)}"
                section.note(f"{what} is given twice{where}, first in line {first.line}", key)
                return False
        return True


def read_peers(sections: tuple[Section, ...]) -> tuple[tuple[ExpectedPeer, ...], tuple[ConfiguredNetwork, ...]]:
    """Read the list of peers and networks; what is wrong is noted with its line."""
    peers: list[ExpectedPeer] = []
    networks: list[ConfiguredNetwork] = []
    given = _Given()
    for section in sections:
        address, network = section.text("address"), section.text("network")
        if (address is None) == (network is None):
            section.note("a peer has either an address or a network")
        elif network is not None:
            networks += _network(section, network, given)
        elif address is not None:
            peers += _peer(section, normal_address(address), given)
    return tuple(peers), tuple(networks)


def read_racoons(sections: tuple[Section, ...], directory: Path) -> tuple[RacoonFiles, ...]:
    """Read where racoon's files are; relative paths are relative to the directory."""
    given = _Given()
    found: list[RacoonFiles] = []
    for section in sections:
        scope = _scope(section)
        config = section.text("config")
        files = RacoonFiles(
            None if config is None else str(directory / config),
            tuple(str(directory / entry.text) for entry in section.entries("policy_files") or ()),
            natural(section, "lifetime", 1),
            scope,
        )
        if given.once(section, "config", "racoon", scope):
            found.append(files)
    return tuple(found)


def label(section: Section, key: str) -> str | None:
    """Read what becomes the value of a label."""
    text = section.text(key)
    if text is not None and (fault := name_fault(text)) is not None:
        section.note(f"{key} {shown(text)} {fault}", key)
    return text


def natural(section: Section, key: str, least: int) -> int | None:
    """Read a whole number that is not below `least`, nor beyond what anything is counted or waited for."""
    if key not in section.keys():  # noqa: SIM118  a section is no mapping
        return None
    number = section.integer(key, least)
    if number < least:
        section.note(f"{key} must be at least {least}", key)
    if number > MOST:
        section.note(f"{key} must be at most {MOST}", key)
    return number


def _scope(section: Section) -> Scope:
    """Read at which gateways an entry holds: `gateway: name`, or `gateways: [names and patterns]`."""
    one, several = label(section, "gateway"), section.entries("gateways")
    if one is not None and several is not None:
        section.note("either gateway or gateways says where it holds", "gateways")
    if several is not None and not several:
        section.note("gateways must name one at least, by its name or a pattern such as gw-*", "gateways")
    return scope_of([*([one] if one else []), *(_gateway(section, entry) for entry in several or ())])


def _gateway(section: Section, entry: Entry) -> str:
    if (fault := name_fault(entry.text)) is not None:
        section.note_at(entry.line, f"gateway {shown(entry.text)} {fault}")
    if not entry.text:
        section.note_at(entry.line, "a gateway has a name")
    return entry.text


def _network(section: Section, text: str, given: _Given) -> list[ConfiguredNetwork]:
    if section.text("kind") not in (None, "roaming"):
        section.note("peers of a network are roaming", "kind")
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        section.note(f"{shown(text)} is no network, such as 198.51.100.0/24", "network")
        return []
    scope = _scope(section)
    given.once(section, "network", str(network), scope)
    return [
        ConfiguredNetwork(
            network,
            label(section, "name"),
            scope,
            natural(section, "phase1_lifetime", 1),
            natural(section, "phase2_lifetime", 1),
        )
    ]


def _peer(section: Section, address: str, given: _Given) -> list[ExpectedPeer]:
    kind = section.text("kind") or "permanent"
    if kind not in _KINDS:
        section.note(f"kind must be one of {', '.join(_KINDS)}", "kind")
        return []
    if not is_address(address):
        section.note(f"{shown(address)} is no address", "address")
        return []
    scope = _scope(section)
    if not given.once(section, "address", address, scope):
        return []
    return [
        ExpectedPeer(
            address,
            label(section, "name"),
            "roaming" if kind == "roaming" else "permanent",
            natural(section, "phase1_lifetime", 1),
            natural(section, "phase2_lifetime", 1),
            f"line {section.line}",
            scope=scope,
        )
    ]


__all__ = [
    "PEER",
    "RACOON",
    "ConfiguredNetwork",
    "Network",
    "RacoonFiles",
    "label",
    "natural",
    "read_peers",
    "read_racoons",
]
