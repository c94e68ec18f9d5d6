"""What is known of the past of all gateways: noted as it is read, kept over restarts, bounded.

An old log is read once and nothing is let go. A live exporter keeps what its archive of ended records lets go as spans of time
in which SAs lived (a year without an outage is one span), so that a month can be counted long after its rekeys are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from racoon_exporter.availability.log import GatewayLog, PeerLog
from racoon_exporter.sa.model import IpsecSa, Negotiation

MOST_SECONDS: Final = 400 * 86400.0
"""Older than this nothing is kept: a year, and a month to look back at it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept."""

    gateways: int = 1_000
    peers: int = 10_000
    pieces: int = 30_000
    """Spans of life, and runs of failures, of all peers."""
    of_peer: int = 1_000
    """Those of one peer."""
    silences: int = 64
    """Of one gateway; and so many lives of its racoons."""
    untidy: int = 20_000
    """Records after which the bounds are looked at: that takes a look at every peer."""


_PEERS_OF_GATEWAY: Final = 4
_PIECES_OF_PEER: Final = 3
_RECORDS_OF_PEER: Final = 2


def bounds_for(gateways: int) -> Bounds:
    """Give the bounds where so many gateways are let in: looking at every peer must stay rare beside what they write."""
    usual = Bounds()
    peers = max(usual.peers, gateways * _PEERS_OF_GATEWAY)
    return Bounds(
        max(usual.gateways, gateways),
        peers,
        max(usual.pieces, peers * _PIECES_OF_PEER),
        untidy=max(usual.untidy, peers * _RECORDS_OF_PEER),
    )


@dataclass(slots=True)
class Past:
    """What is known, by gateway."""

    bounds: Bounds | None = None
    """None for all there is."""
    gateways: dict[str, GatewayLog] = field(default_factory=dict)
    untidy: int = 0
    """Records taken since the bounds were last looked at."""

    def of(self, gateway: str) -> GatewayLog:
        """Give what is known of a gateway. Beyond the bound, that of the others is let go for it."""
        log = self.gateways.get(gateway)
        if log is None:
            if self.bounds is not None and len(self.gateways) >= self.bounds.gateways:
                del self.gateways[min(self.gateways, key=lambda name: self.gateways[name].last or 0.0)]
            log = self.gateways[gateway] = GatewayLog()
        return log

    def line(self, gateway: str, time: float, level: str, alive: Callable[[], bool]) -> bool:
        """Note a line of a gateway that does not just go on; `alive` tells whether SAs of it are.

        Returns whether there are more silences now than are kept: `forget_silences` lets go of them.
        """
        log = self.of(gateway)
        log.line(time, level, alive=log.is_silent_until(time) and alive())
        return self.bounds is not None and len(log.silences) > self.bounds.silences

    def forget_silences(self, gateway: str, lapses: Iterable[float]) -> None:
        """Let go silences of a gateway that are none, seen by when its SAs lapsed, and the oldest."""
        if self.bounds is not None:
            log = self.of(gateway)
            log.lapsed += lapses
            log.forget_silences(self.bounds.silences // 2)

    def keep(self, records: Sequence[Any], is_expected: Callable[[str, str], bool]) -> None:
        """Take ended records that are let go elsewhere; then let the oldest go here, where there is too much."""
        gateways = self.gateways
        for record in records:
            if isinstance(record, IpsecSa):  # most are
                (gateways.get(record.gateway) or self.of(record.gateway)).lived(record)
            elif not isinstance(record, Negotiation) or record.state == "failed":
                self.of(record.gateway).take(record)
        self.untidy += len(records)
        if self.bounds is not None and self.untidy >= self.bounds.untidy:
            self.untidy = 0
            self._tidy(self.bounds, is_expected)

    # bounds

    def _tidy(self, bounds: Bounds, is_expected: Callable[[str, str], bool]) -> None:
        for gateway, log in self.gateways.items():
            log.forget_runs(bounds.silences)
            log.forget_lapses()
            for address in [address for address, peer in log.peers.items() if not peer.is_known]:
                if not is_expected(gateway, address):
                    del log.peers[address]  # who only knocked
            for peer in log.peers.values():
                peer.shorten(bounds.of_peer, (log.last or 0.0) - MOST_SECONDS)
        self._spare_peers(bounds.peers)
        self._spare_pieces(bounds.pieces)

    def _spare_peers(self, most: int) -> None:
        too_many = sum(len(log.peers) for log in self.gateways.values()) - most
        if too_many <= 0:
            return
        every = [(peer.newest, gateway, address) for gateway, address, peer in self._peers()]
        for _, gateway, address in sorted(every)[:too_many]:
            del self.gateways[gateway].peers[address]

    def _spare_pieces(self, most: int) -> None:
        """Let the oldest tenth go of all peers: what is known then begins later."""
        number = sum(peer.pieces for _, _, peer in self._peers())
        if number <= most:
            return
        ends = sorted(end for _, _, peer in self._peers() for end in peer.ends())
        horizon = ends[number - most * 9 // 10]
        for _, _, peer in self._peers():
            peer.forget(horizon)

    def _peers(self) -> Iterator[tuple[str, str, PeerLog]]:
        for gateway, log in self.gateways.items():
            for address, peer in log.peers.items():
                yield gateway, address, peer


__all__ = ["MOST_SECONDS", "Bounds", "Past", "bounds_for"]
