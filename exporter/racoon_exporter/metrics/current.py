"""Samples of how it is with each peer now: since when, and the one reason why it is not up, the same as on the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from racoon_exporter.engine import Engine
from racoon_exporter.metrics.peers import name_of
from racoon_exporter.metrics.samples import Samples, Scrape
from racoon_exporter.sa.current_reason import Trouble, credit, current_trouble
from racoon_exporter.sa.model import PSEUDO_PEERS, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.text import visible

Labels = tuple[str, str]
"""Gateway and peer, as labels show them."""
Known = tuple[Racoon, Peer]
"""A peer, and a racoon that knows it."""
Held = tuple[bool, float | None]
"""Whether a phase is up, and when that last changed."""

_PHASES: Final = (1, 2)


def known_peers(engine: Engine) -> Iterator[Known]:
    """Give the peers of all racoons."""
    for racoon in engine.state.racoons.values():
        for peer in racoon.peers.values():
            yield racoon, peer


def collect_since(samples: Samples, peers: Iterable[Known], begins: Callable[[str], float | None]) -> None:
    """Give each peer the time at which each phase came to be as `racoon_phase<n>_up`, taken before, says."""
    held: dict[int, defaultdict[Labels, list[Held]]] = {phase: defaultdict(list) for phase in _PHASES}
    for racoon, peer in peers:
        labels = visible(racoon.gateway), name_of(racoon, peer.address)
        held[1][labels].append((peer.phase1_up, peer.phase1_since))
        held[2][labels].append((peer.phase2_up, peer.since))
    expected = {labels[:2] for labels in samples.values["racoon_peer_expected"]}
    for phase in _PHASES:
        for gateway, name in samples.values[f"racoon_phase{phase}_up"]:
            since = _last_change(held[phase].get((gateway, name), ()))
            if since is None and (gateway, name) in expected:
                since = begins(gateway)
            if since is not None:
                samples.put(f"racoon_phase{phase}_state_since_timestamp_seconds", since, gateway, name)


def _last_change(held: Iterable[Held]) -> float | None:
    """Of several addresses of a name, or several racoons, one that is up makes it up; it is down since the last went down."""
    held = list(held)
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
        return min((self._first[owner] for owner in ("", gateway) if owner in self._first), default=None)


def collect_reasons(samples: Samples, scrape: Scrape) -> None:
    """Give all peers their reasons."""
    collect_reasons_of(samples, known_peers(scrape.engine))


def collect_reasons_of(samples: Samples, peers: Iterable[Known]) -> None:
    """Give each peer the one reason that the page shows; of several addresses of a name, the newest."""
    newest: dict[Labels, Trouble] = {}
    for racoon, peer in _believed(peers):
        trouble = trouble_of(racoon, peer)
        if trouble is None:
            continue
        labels = visible(racoon.gateway), name_of(racoon, peer.address)
        if labels not in newest or (trouble.time or 0.0) > (newest[labels].time or 0.0):
            newest[labels] = trouble
    for labels, trouble in newest.items():
        samples.put("racoon_peer_reason", 1, *labels, str(trouble.phase), trouble.reason)


def trouble_of(racoon: Racoon, peer: Peer) -> Trouble | None:
    """Tell why a peer is not up, or what fails with it."""
    expected = racoon.knowledge.expected(peer.address)
    permanent = expected is not None and expected.kind != "roaming"
    return None if racoon.now is None else current_trouble(peer, racoon.now, permanent=permanent)


def _believed(peers: Iterable[Known]) -> Iterable[Known]:
    """Give each peer once, also where several racoons of a gateway know it."""
    believed: dict[tuple[str, str], Known] = {}
    for racoon, peer in peers:
        other = believed.get((racoon.gateway, peer.address))
        if peer.address not in PSEUDO_PEERS and (other is None or credit(peer) > credit(other[1])):
            believed[racoon.gateway, peer.address] = racoon, peer
    return believed.values()
