"""What witnesses beside the log say, and who still speaks IKEv1 with us: the sunset inventory. Pure.

Names of XAuth users and identities stand here and in no metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from racoon_exporter.status.overview.view import Overview
from racoon_exporter.witness import Shown
from racoon_exporter.witness.crypto import Crypto


def disagreements(witnessed: Shown, witness: str) -> dict[str, int]:
    """Give what a witness disagrees about, by kind."""
    return {kind: number for (name, kind), number in witnessed.disagreements.items() if name == witness}


class Spoken(NamedTuple):
    """A way in which a peer is, was or would be spoken to."""

    gateway: str
    peer: str
    crypto: Crypto
    told_by: str
    """`witness`, `log` (the exchange only), or `racoon.conf` (what is proposed)."""
    first: float | None = None
    last: float | None = None


def spoken(shown: Overview) -> list[Spoken]:
    """Give the sunset inventory: who still speaks IKEv1 with us, how, since when, and when last."""
    witnessed = shown.facts.witnessed or Shown()
    found = [Spoken(*key, "witness", seen.first, seen.last) for key, seen in witnessed.inventory.ways.items()]
    found += _logged(shown)
    found += [
        Spoken(gateway, peer, crypto, "racoon.conf")
        for gateway, proposals in witnessed.configured.items()
        for peer, crypto in dict.fromkeys(proposals)
    ]
    return sorted(found, key=lambda one: (one.gateway, one.peer, one.told_by, one.crypto))


def _logged(shown: Overview) -> Iterator[Spoken]:
    """What the log tells of each peer: its exchange, and when a phase 1 was first and last there."""
    times: dict[tuple[str, str, str], list[float]] = {}
    for sa in (*shown.facts.ended_isakmp, *shown.facts.isakmp):
        last = shown.now if sa.ended is None and sa.end is None else sa.ended
        known = [time for time in (sa.established, last) if time is not None]
        times.setdefault((sa.gateway, sa.peer, sa.exchange or ""), []).extend(known)
    for (gateway, peer, exchange), seen in times.items():
        yield Spoken(gateway, peer, Crypto(1, exchange), "log", min(seen, default=None), max(seen, default=None))


__all__ = ["Spoken", "disagreements", "spoken"]
