"""`A->B` in lines about IPsec SAs: what they say beside the SPI, and whose SAs they are about."""

from __future__ import annotations

from typing import Any

from racoon_exporter.sa.model import Peer


class Arrow:
    """What lines about an IPsec SA say beside its SPI, and whose SAs they are about as far as one racoon knows.

    Lines that differ in the SPI only share one, so that what follows from the addresses is looked up once.
    """

    __slots__ = ("destination", "direction", "local", "mode", "peer", "protocol", "remote", "source", "sure")

    def __init__(self, protocol: str | None, mode: str | None, source: str, destination: str) -> None:
        self.protocol = protocol
        self.mode = mode
        self.source = source
        self.destination = destination
        self.local = source
        """Our end, as the racoon knew it that saw the arrow last."""
        self.remote = destination
        """The other end."""
        self.direction = "out"
        """Where the arrow points, if it is a true one."""
        self.peer: Peer | None = None
        """What is counted for the other end, where it has its own."""
        self.sure: object = None
        """`Peers.certainty` of the racoon by which the ends are told; None where another line may tell otherwise."""


def arrow_of(event: Any) -> Arrow | None:
    """Take the SA's ends, without their ports, from the values of a line; None where it does not name them."""
    if event.source is None or event.destination is None:
        return None
    return Arrow(event.protocol, event.mode, event.source.address, event.destination.address)
