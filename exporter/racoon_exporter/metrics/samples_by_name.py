"""Samples of one name at one gateway, apart from all others: for whoever takes them again only where they may have changed."""

from __future__ import annotations

from typing import NamedTuple

from racoon_exporter.metrics.copies import PeerCopy
from racoon_exporter.metrics.current import collect_reason, collect_since
from racoon_exporter.metrics.peers import collect_expected, collect_peer
from racoon_exporter.metrics.samples import Samples
from racoon_exporter.sa import Expectation


class NameCopy(NamedTuple):
    """All that the samples of a name are made of."""

    members: tuple[PeerCopy, ...]
    """Peers of the name, as each racoon of the gateway knows them."""
    expected: tuple[tuple[str, Expectation], ...]
    """What is configured under the name, with its addresses."""
    told: bool
    """Whether the gateway's log tells of phase 2."""
    begun: float | None
    """When what is read of the gateway begins."""


def samples_of_name(gateway: str, name: str, copied: NameCopy) -> Samples:
    """Take what is believed of a name, and counted for it."""
    samples = Samples()
    for member in copied.members:
        collect_peer(samples, gateway, name, member)
    collect_expected(samples, gateway, name, copied.expected, told=copied.told)
    collect_since(samples, gateway, name, copied.members, copied.begun if copied.expected else None)
    return samples


def reason_of_name(gateway: str, name: str, copied: NameCopy) -> Samples:
    """Take the one reason why a name is not up, or what fails with it."""
    samples = Samples()
    collect_reason(samples, gateway, name, copied.members)
    return samples
