"""The gateways, the worst first: how many peers of each are in which state, and the one that is worst.

A central place has thousands of gateways, so this is worked out of the state itself, peer by peer, without the copy of
everything that the overview of peers is made of. Whoever asks holds the reader's turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from racoon_exporter.engine import Engine
from racoon_exporter.metrics import gateways_of
from racoon_exporter.sa import Knowledge, Peer, Racoon
from racoon_exporter.sa.current_reason import Trouble, credit, current_trouble
from racoon_exporter.sa.model import PSEUDO_PEERS
from racoon_exporter.source import SourceStatus
from racoon_exporter.status.overview.view import STATES, State, kind_of, state_of
from racoon_exporter.wording.natural_order import Natural, natural

Daemon = Literal["running", "stopped", "unheard"]
Counts = Mapping[State, int]
_URGENCY: Final[tuple[State, ...]] = tuple(STATES)
_RANKS: Final = {state: rank for rank, state in enumerate(_URGENCY)}
_CALMEST: Final = len(_URGENCY)


class Worst(NamedTuple):
    """The peer of a gateway that is most urgent."""

    address: str
    name: str
    state: State
    since: float | None
    trouble: Trouble | None
    """Why it is not up, or what fails with it."""


class GatewayView(NamedTuple):
    """A gateway as it is shown; strangers are counted apart."""

    name: str
    state: State
    """That of its worst peer; of a gateway without peers, whether anything is known of it."""
    peers: Counts
    """How many are in each state that occurs."""
    strangers: int
    daemon: Daemon
    quiet: bool
    """Its log does not tell of SAs."""
    last_line: float | None
    worst: Worst | None

    @property
    def urgency(self) -> tuple[int, bool, int, Natural]:
        """What gateways are sorted by: the worst state, whether racoon is stopped, how many peers are so, the name."""
        return _RANKS[self.state], self.daemon != "stopped", -self.peers.get(self.state, 0), natural(self.name)


class GatewayList(NamedTuple):
    """All gateways as of a moment, the worst first."""

    now: float
    gateways: Sequence[GatewayView]

    def totals(self) -> dict[State, int]:
        """Count the gateways by state."""
        counted: dict[State, int] = dict.fromkeys(_URGENCY, 0)
        for gateway in self.gateways:
            counted[gateway.state] += 1
        return counted

    def found(self, text: str = "", state: str | None = None) -> list[GatewayView]:
        """Give those whose name contains a text, in a state if one is asked for."""
        text = text.casefold()
        return [one for one in self.gateways if state in (None, "", one.state) and text in one.name.casefold()]


def look_at_gateways(engine: Engine, statuses: tuple[SourceStatus, ...], now: float) -> list[GatewayView]:
    """Look at every gateway that was heard of or is configured, in any order."""
    state = engine.state
    racoons: dict[str, list[Racoon]] = {}
    for racoon in state.racoons.values():
        racoons.setdefault(racoon.gateway, []).append(racoon)
    silent = gateways_of(engine, statuses).union(map(state.gateways.spelled, state.knowledge.gateways)).difference(racoons)
    looked_at = [_gateway(name, group, group[0].knowledge, now) for name, group in racoons.items()]
    return looked_at + [_gateway(name, (), state.knowledge.at(name), now) for name in silent]


def sorted_gateways(views: Iterable[GatewayView], now: float) -> GatewayList:
    """Put the worst first."""
    return GatewayList(now, sorted(views, key=lambda view: view.urgency))


def _gateway(name: str, racoons: Sequence[Racoon], knowledge: Knowledge, now: float) -> GatewayView:
    quiet = all(racoon.life.is_quiet(racoon.now) for racoon in racoons)
    peers = racoons[0].peers if len(racoons) == 1 else _believed(racoons)
    ranks = [0] * (_CALMEST + 1)
    strangers, rank, worst = 0, _CALMEST, ""
    for address in (*peers, *(address for address in knowledge.peers if address not in peers)):
        if address in PSEUDO_PEERS:
            continue
        peer = peers.get(address)
        kind = kind_of(peer, knowledge.expected(address))
        if kind == "stranger":
            strangers += 1
            continue
        found = _RANKS[state_of(kind, peer, now, blind=quiet)]
        ranks[found] += 1
        if found < rank:
            rank, worst = found, address
    return GatewayView(
        name,
        _URGENCY[rank] if worst else "unknown" if quiet else "idle",
        {state: ranks[_RANKS[state]] for state in _URGENCY if ranks[_RANKS[state]]},
        strangers,
        _daemon(racoons),
        quiet,
        max((racoon.now for racoon in racoons if racoon.now is not None), default=None),
        _worst(worst, _URGENCY[rank], peers.get(worst), knowledge, now) if worst else None,
    )


def _believed(racoons: Sequence[Racoon]) -> dict[str, Peer]:
    """Of several racoons of a gateway that know a peer, believe the one with which it is up, else that heard of it last."""
    believed: dict[str, Peer] = {}
    for racoon in racoons:
        for address, peer in racoon.peers.items():
            known = believed.get(address)
            if known is None or credit(peer) > credit(known):
                believed[address] = peer
    return believed


def _daemon(racoons: Sequence[Racoon]) -> Daemon:
    if not racoons:
        return "unheard"
    return "stopped" if all(racoon.life.stopped and racoon.life.run is None for racoon in racoons) else "running"


def _worst(address: str, state: State, peer: Peer | None, knowledge: Knowledge, now: float) -> Worst:
    expected = knowledge.expected(address)
    permanent = expected is not None and expected.kind != "roaming"
    return Worst(
        address,
        knowledge.name(address),
        state,
        None if peer is None else peer.since,
        None if peer is None else current_trouble(peer, now, permanent=permanent),
    )


__all__ = ["GatewayList", "GatewayView", "Worst", "look_at_gateways", "sorted_gateways"]
