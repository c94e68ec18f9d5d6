"""Samples of how it is with each peer now: since when, and the one reason why it is not up, the same as on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from racoon_exporter.engine import Engine
from racoon_exporter.metrics.copies import PeerCopy
from racoon_exporter.metrics.samples import Samples
from racoon_exporter.sa.current_reason import Trouble
from racoon_exporter.sa.model import PSEUDO_PEERS
from racoon_exporter.text import visible

Held = tuple[bool, float | None]
"""Whether a phase is up, and when that last changed."""
_BEGINNING: Final = (False, 0.0)


def collect_since(samples: Samples, gateway: str, name: str, known: Sequence[PeerCopy], begun: float | None) -> None:
    """Give a name the time at which each phase came to be as `racoon_phase<n>_up`, taken before, says.

    An expected peer that never was up is down since what is read of its gateway `begun`, None for others.
    """
    for phase, held in (
        (1, [(peer.phase1_up, peer.phase1_since) for peer in known]),
        (2, [(peer.phase2_up, peer.since) for peer in known]),
    ):
        if (gateway, name) in samples.values[f"racoon_phase{phase}_up"]:
            since = _last_change(held)
            if since is None:
                since = begun
            if since is not None:
                samples.put(f"racoon_phase{phase}_state_since_timestamp_seconds", since, gateway, name)


def _last_change(held: Sequence[Held]) -> float | None:
    """Of several addresses of a name, or several racoons, one that is up makes it up; it is down since the last went down."""
    if len(held) == 1:
        return held[0][1]
    up = any(is_up for is_up, _ in held)
    times = [since for is_up, since in held if is_up == up and since is not None]
    return (min if up else max)(times, default=None)


class Beginnings:
    """When what is read of each gateway begins."""

    def __init__(self, engine: Engine) -> None:
        self._first: dict[str, float] = {}
        for source, time in engine.first_line.items():
            owner = visible(engine.state.gateways.spelled(engine.gateway_of(source)))
            self._first[owner] = min(time, self._first.get(owner, time))

    def of_gateway(self, gateway: str) -> float | None:
        """Give the time of the first line of the logs that may tell of a gateway: its own, and those that name no gateway."""
        everywhere, own = self._first.get(""), self._first.get(gateway)
        if everywhere is None or own is None:
            return everywhere if own is None else own
        return min(everywhere, own)


def collect_reason(samples: Samples, gateway: str, name: str, known: Sequence[PeerCopy]) -> None:
    """Give a name the one reason that the page shows; of several addresses, the newest."""
    troubles = [peer.trouble for peer in _believed(known) if peer.trouble is not None]
    if troubles:
        newest = max(troubles, key=_time)
        samples.put("racoon_peer_reason", 1, gateway, name, str(newest.phase), newest.reason)


def _time(trouble: Trouble) -> float:
    return trouble.time or 0.0


def _believed(known: Sequence[PeerCopy]) -> Iterable[PeerCopy]:
    """Give each peer once, also where several racoons of a gateway know it."""
    believed: dict[str, PeerCopy] = {}
    for peer in known:
        other = believed.get(peer.address)
        if peer.address not in PSEUDO_PEERS and (other is None or _credit(peer) > _credit(other)):
            believed[peer.address] = peer
    return believed.values()


def _credit(peer: PeerCopy) -> tuple[bool, float]:
    return peer.credit or _BEGINNING
