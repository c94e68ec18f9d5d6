"""Which end of an SA is ours, and whose it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from racoon_exporter.expected_peers import normal_address
from racoon_exporter.witness.traffic import Owner
from racoon_parsers.kernel import KernelSa
from racoon_parsers.setkey import Policy

_NOBODY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


def local_ends(policies: Iterable[Policy]) -> frozenset[str]:
    """Give the addresses that are ours by the policies: the near ends of what goes out."""
    found: set[str] = set()
    for policy in policies:
        if policy.direction != "out" or policy.action != "ipsec":
            continue
        for request in policy.requests:
            end = request.source if request.mode == "tunnel" else policy.source.host
            if end is not None:
                found.add(normal_address(end))
    return frozenset(found - _NOBODY)


@dataclass(frozen=True, slots=True)
class Ends:
    """What is known of addresses at one gateway."""

    gateway: str
    locals: frozenset[str]
    is_peer: Callable[[str], bool]
    """Whether an address is a peer that has series of its own."""
    other: str
    """The peer under which the rest is counted."""

    def owner(self, sa: KernelSa) -> Owner | None:
        """Tell whose an SA is; None where neither end is known."""
        source, destination = sa.source, sa.destination
        if (source in self.locals) != (destination in self.locals):
            inbound = destination in self.locals
        elif self.is_peer(source) != self.is_peer(destination):
            inbound = self.is_peer(source)
        else:
            return None
        peer = source if inbound else destination
        return Owner(self.gateway, peer if self.is_peer(peer) else self.other, "in" if inbound else "out")
