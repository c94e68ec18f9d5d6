"""What is known before the first line: peers, networks, lifetimes, and how much is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Limits:
    """How many peers have series of their own."""

    strangers: int = 100
    peers: int = 10_000
    history: int | None = None
    """Rows kept of each table of ended SAs and negotiations; None for all."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the configuration says of a peer."""

    name: str
    """Empty where each address of a network stands for itself."""
    kind: str = "permanent"
    phase1_lifetime: float | None = None
    phase2_lifetime: float | None = None
    gateway: str | None = None
    """The gateway whose peer it is; None for every one."""
    authentication: str | None = None
    """What it proves itself with, `psk` or `signature`, where racoon.conf tells."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known before the first line."""

    peers: Mapping[str, Expectation] = field(default_factory=dict)
    """By address."""
    lifetime: float | None = None
    """Seconds an IPsec SA lives where nothing else is known (`--lifetime`)."""
    limits: Limits = field(default_factory=Limits)
    networks: tuple[tuple[Network, Expectation], ...] = ()
    """Networks whose addresses are no strangers."""

    def at(self, gateway: str) -> Knowledge:
        """Give what holds for the racoons of a gateway: networks of other gateways are not known there."""
        networks = tuple(known for known in self.networks if known[1].gateway in (None, gateway))
        return self if len(networks) == len(self.networks) else replace(self, networks=networks)

    def expected(self, address: str) -> Expectation | None:
        """Give what is configured of an address, by itself or by its network."""
        known = self.peers.get(address)
        if known is None and self.networks:
            known = next((expectation for network, expectation in self.networks if _within(address, network)), None)
        return known

    def is_known(self, address: str) -> bool:
        """Whether an address is configured, by itself or by its network."""
        return address in self.peers or any(_within(address, network) for network, _ in self.networks)

    def name(self, address: str) -> str:
        """Give the name under which a peer is counted."""
        expected = self.expected(address)
        return address if expected is None else expected.name or address


def _within(address: str, network: Network) -> bool:
    try:
        return ip_address(address.partition("%")[0]) in network
    except ValueError:
        return False
