"""Sunset inventory: who still speaks IKEv1 with us, how, since when, and when last. Pure.

IKEv1 is historic (RFC 9395): whoever runs a racoon needs to know which peers must be moved, and how weakly they are spoken to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Final

from racoon_exporter.witness.crypto import Crypto

MOST: Final = 20_000
"""Ways of speaking that are remembered; the one not seen for longest gives way."""


@dataclass(slots=True)
class Seen:
    """When something was first and last seen, in seconds since the epoch."""

    first: float
    last: float


@dataclass(slots=True)
class Inventory:
    """By gateway, peer and way of speaking."""

    ways: dict[tuple[str, str, Crypto], Seen] = field(default_factory=dict)

    def saw(self, gateway: str, peer: str, used: Iterable[Crypto], when: float) -> None:
        """Note how a peer is spoken to. What lacked only the group, which racoon alone knows, becomes the fuller one."""
        for crypto in used:
            key = (gateway, peer, crypto)
            known = self.ways.get(key)
            if known is not None:
                known.last = max(known.last, when)
            else:
                self._make_room()
                vague = self.ways.pop((gateway, peer, replace(crypto, group="")), None) if crypto.group else None
                self.ways[key] = Seen(vague.first if vague else when, when)

    def _make_room(self) -> None:
        if len(self.ways) >= MOST:
            del self.ways[min(self.ways, key=lambda key: self.ways[key].last)]

    def copy(self) -> Inventory:
        """Give a copy that does not change."""
        return Inventory({key: Seen(seen.first, seen.last) for key, seen in self.ways.items()})

    def to_json(self) -> list[list[Any]]:
        """Give everything as JSON values."""
        return [[gateway, peer, *astuple(crypto), seen.first, seen.last] for (gateway, peer, crypto), seen in self.ways.items()]

    @classmethod
    def from_json(cls, given: list[list[Any]]) -> Inventory:
        """Go on from what `to_json` gave. Raises TypeError or ValueError on anything else."""
        inventory = cls()
        for gateway, peer, phase, exchange, encryption, hash_, group, authentication, first, last in given:
            words = (exchange, encryption, hash_, group, authentication)
            if phase not in (1, 2) or not all(isinstance(word, str) for word in (gateway, peer, *words)):
                raise ValueError("a way of speaking that is none")
            inventory.ways[gateway, peer, Crypto(phase, *words)] = Seen(float(first), float(last))
        return inventory
