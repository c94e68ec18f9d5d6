"""What is known before the first line: peers, networks, lifetimes, and how much is remembered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, Protocol

Network = IPv4Network | IPv6Network
_PEERS_OF_A_GATEWAY: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How many peers and gateways have series of their own."""

    strangers: int = 100
    peers: int = 10_000
    history: int | None = None
    """Rows kept of each table of ended SAs and negotiations; None for all."""
    gateways: int = 1000
    """Gateways, or logs whose lines name none, that have a state of their own; whoever may write the log names any host."""

    @property
    def peers_in_all(self) -> int:
        """How many peers that nobody configured have series at all gateways together, where a log is followed."""
        return max(self.peers, _PEERS_OF_A_GATEWAY * self.gateways)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the configuration says of a peer."""

    name: str
    """Empty where each address of a network stands for itself."""
    kind: str = "permanent"
    phase1_lifetime: float | None = None
    phase2_lifetime: float | None = None
    authentication: str | None = None
    """What it proves itself with, `psk` or `signature`, where racoon.conf tells."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known at a gateway before its first line. Told of none in particular, it holds at all."""

    peers: Mapping[str, Expectation] = field(default_factory=dict)
    """By address."""
    lifetime: float | None = None
    """Seconds an IPsec SA lives where nothing else is known (`--lifetime`)."""
    limits: Limits = field(default_factory=Limits)
    networks: tuple[tuple[Network, Expectation], ...] = ()
    """Networks whose addresses are no strangers."""

    gateways: Collection[str] = ()
    """Gateways that the configuration names."""
    own: Mapping[str, Expectation] = field(default_factory=dict)
    """Those of `peers` that are told of this gateway by its name: they are expected before it is heard of."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody is configured."""
        return not self.peers and not self.networks

    def at(self, gateway: str) -> Knowledge:
        """Give what holds at a gateway."""
        del gateway
        return self

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


class Known(Protocol):
    """What is known of all gateways."""

    @property
    def limits(self) -> Limits:
        """How much is remembered."""

    @property
    def gateways(self) -> Collection[str]:
        """Gateways that the configuration names, as it spells them."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody is configured at any gateway."""

    def at(self, gateway: str) -> Knowledge:
        """Give what holds at a gateway."""


def _within(address: str, network: Network) -> bool:
    try:
        return ip_address(address.partition("%")[0]) in network
    except ValueError:
        return False
