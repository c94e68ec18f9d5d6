"""The peers of a racoon, what is counted for them, and how many have series of their own."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final, TypeVar, overload

from racoon_exporter.sa.arrow import Arrow
from racoon_exporter.sa.configured import Knowledge
from racoon_exporter.sa.current_reason import note_failure
from racoon_exporter.sa.guessed_ends import Guesses
from racoon_exporter.sa.model import OTHER, PSEUDO_PEERS, Peer, from_json, to_json
from racoon_exporter.sa.peer_places import PeerPlaces
from racoon_exporter.sa.shared_bounds import Share, whole

T = TypeVar("T")
_MOST_COOKIES: Final = 8192
_MOST_FOLDED: Final = 16384
_IDLE_STRANGER: Final = 3600.0
"""Seconds without a line after which a stranger's place may be given to another."""
_TOTALS: Final = {"phase1_failures": "gateway_failures", "phase2_failures": "gateway_failures", "phase2_flaps": "gateway_flaps"}
"""What is counted for a peer and for all of them together."""
_ALWAYS: Final = float("-inf")


class Peers(Mapping[str, Peer]):
    """Peers by address. Beyond the limits a peer is `other`: whoever may send a packet makes racoon name an address."""

    __slots__ = (
        "_counters",
        "_folded",
        "_known",
        "_no_room_until",
        "_of_cookies",
        "_share",
        "_strangers",
        "certainty",
        "guesses",
        "knowledge",
        "locals",
        "places",
        "unnamed",
    )

    def __init__(self, knowledge: Knowledge, counters: Counter[tuple[str, ...]], share: Share = whole) -> None:
        self.knowledge = knowledge
        self.locals: set[str] = set()
        """Addresses that are ours."""
        self.guesses = Guesses(share)
        """Which end of a pair is ours, where no line has told."""
        self.certainty = object()
        """What is sure of ends and peers stays so as long as this is the same."""
        self._known: dict[str, Peer] = {}
        self._strangers: dict[str, Peer] = {}
        self._no_room_until = _ALWAYS
        """Before this time no stranger gives way to another."""
        self._of_cookies: OrderedDict[str, str] = OrderedDict()
        self._folded: set[str] = set()
        self._counters = counters
        self._share = share
        self.places = PeerPlaces(lambda: self.unnamed)
        """Those that these peers share with the peers of others."""
        self.unnamed = 0
        """Peers that the configuration does not name."""

    def __getitem__(self, address: str) -> Peer:
        return self._known[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, address: object) -> bool:
        return address in self._known

    @overload
    def get(self, key: str) -> Peer | None: ...
    @overload
    def get(self, key: str, default: T) -> Peer | T: ...
    def get(self, key: str, default: T | None = None) -> Peer | T | None:
        """Give a peer without making it known."""
        return self._known.get(key, default)

    def keys(self) -> KeysView[str]:
        """Give the addresses of the peers: all of them are looked at in each scrape, so not one by one."""
        return self._known.keys()

    def items(self) -> ItemsView[str, Peer]:
        """Give the peers and their addresses."""
        return self._known.items()

    def values(self) -> ValuesView[Peer]:
        """Give the peers."""
        return self._known.values()

    # meeting

    def heard_of(self, address: str, now: float | None) -> Peer:
        """Give a peer that a line speaks of, making it known if there is room."""
        peer = self._known.get(address) or self._meet(address, now)
        peer.last_seen = now
        return peer

    def entry(self, address: str, now: float | None) -> Peer:
        """Give a peer of which no line speaks just now."""
        peer = self._known.get(address)
        if peer is None:
            peer = self._meet(address, now)
        if peer.last_seen is None:
            peer.last_seen = now
        return peer

    def note_dropped_sa(self) -> None:
        """Count an SA that gave way to another as there were too many."""
        self._counters["dropped_sas",] += 1

    def acquaint(self, address: str, now: float | None) -> Peer:
        """Give a peer of which an SA came up: no stranger any more."""
        peer = self._known.get(address)
        if peer is None:
            limits = self.knowledge.limits
            room = len(self._known) < limits.peers and self._has_place(limits.peers_in_all)
            peer = self._enter(address) if self.knowledge.is_known(address) or room else self._meet(address, now)
        if not peer.proved and peer.address == address:
            self._make_known(peer)
        peer.last_seen = now
        return peer

    def learn(self, knowledge: Knowledge) -> None:
        """Take what a changed configuration says. Peers keep their counts; those no longer configured become strangers."""
        self.knowledge = knowledge
        self.certainty = object()
        for peer in self._known.values():
            expected = knowledge.expected(peer.address)
            if expected is not None:
                peer.phase1_lifetime = expected.phase1_lifetime or peer.phase1_lifetime
                peer.phase2_lifetime = expected.phase2_lifetime or peer.phase2_lifetime
                peer.authentication = expected.authentication or peer.authentication
            proved = peer.proved or peer.phase1_last_established is not None  # older versions did not note it
            peer.stranger = peer.address in PSEUDO_PEERS or (not proved and not knowledge.is_known(peer.address))
        self._find_strangers()
        self._count_unnamed()

    def _count_unnamed(self) -> None:
        self.unnamed = sum(1 for address in self._known if self._is_unnamed(address))

    def _is_unnamed(self, address: str) -> bool:
        return address not in PSEUDO_PEERS and not self.knowledge.is_known(address)

    def _has_place(self, most: int) -> bool:
        """Whether there is a place among the peers of all gateways; for those of an old log, which is read once, there is."""
        return self.knowledge.limits.history is None or self.places.take(most)

    def _meet(self, address: str, now: float | None) -> Peer:
        if not self.knowledge.is_known(address) and address not in PSEUDO_PEERS and not self._room_for_stranger(now):
            if len(self._folded) < self._share(_MOST_FOLDED) and address not in self._folded:
                self._folded.add(address)
                self._counters["folded_peers",] += 1
            return self._known.get(OTHER) or self._enter(OTHER)
        return self._enter(address)

    def _enter(self, address: str) -> Peer:
        expected = self.knowledge.expected(address)
        peer = self._known[address] = Peer(address, stranger=not self.knowledge.is_known(address))
        self.unnamed += self._is_unnamed(address)
        if peer.stranger:
            self._strangers[address] = peer
        if expected is not None:
            peer.phase1_lifetime = expected.phase1_lifetime
            peer.phase2_lifetime = expected.phase2_lifetime
            peer.authentication = expected.authentication
        return peer

    def _make_known(self, peer: Peer) -> None:
        peer.stranger, peer.proved = False, True
        self._strangers.pop(peer.address, None)

    def _find_strangers(self) -> None:
        self._strangers = {address: peer for address, peer in self._known.items() if peer.stranger}
        self._no_room_until = _ALWAYS

    def _room_for_stranger(self, now: float | None) -> bool:
        """Tell whether there is room for one more; one that has been silent for long makes it."""
        limits = self.knowledge.limits
        if len(self._known) >= limits.peers:
            return False
        if len(self._strangers) < limits.strangers:
            return self._has_place(limits.peers_in_all // 2)  # the others are for those that complete a phase 1
        if now is None or now < self._no_room_until:
            return False
        idle = min(
            (peer for peer in self._strangers.values() if peer.address not in PSEUDO_PEERS),
            key=lambda peer: peer.last_seen or 0.0,
            default=None,
        )
        if idle is None:
            return False
        self._no_room_until = (idle.last_seen or 0.0) + _IDLE_STRANGER
        if now < self._no_room_until:
            return False
        del self._known[idle.address], self._strangers[idle.address]
        self.unnamed -= self._is_unnamed(idle.address)
        self.certainty = object()
        return True

    # counting

    def count(self, address: str, now: float | None, *metric: str) -> None:
        """Count something of a peer: the metric and its label values."""
        self.heard_of(address, now).counters[metric] += 1

    def count_failure(self, phase: int, address: str, reason: str, at: float | None, now: float | None) -> None:
        """Count a negotiation that failed. One that is told late changes no later failure's time and reason."""
        self.add_failure(phase, address, reason, now)
        self.note_failure(phase, address, reason, at, now)

    def add_failure(self, phase: int, address: str, reason: str, now: float | None) -> None:
        """Count a failure, for the peer and in the gateway's total, that was noted as the peer's last before."""
        self.entry(address, now).counters[f"phase{phase}_failures", reason] += 1
        self._counters["gateway_failures", str(phase), reason] += 1

    def count_flap(self, peer: Peer) -> None:
        """Count that phase 2 with a peer went from up to down."""
        peer.counters["phase2_flaps",] += 1
        self._counters["gateway_flaps",] += 1

    def note_failure(self, phase: int, address: str, reason: str, at: float | None, now: float | None) -> None:
        """Note a failure as the peer's last, if it is."""
        peer = self.entry(address, now)
        last = peer.phase1_last_failure if phase == 1 else peer.phase2_last_failure
        if at != now and at is not None and last is not None and at < last:
            return
        note_failure(peer, phase, at, reason)

    # who is who

    def ends(self, one: str, other: str) -> tuple[str, str]:
        """Tell the local from the remote end of `A->B`, as (local, peer)."""
        if one in self.locals:
            return one, other
        if other in self.locals or self._is_peer(one, other):
            return other, one
        if self._is_peer(other, one) or self.guesses.local(one, other) == one:
            return one, other
        return other, one

    def tell_ends(self, arrow: Arrow) -> None:
        """Tell the ends of an arrow. Where one is surely ours, that is remembered until something changes it."""
        arrow.local, address = self.ends(arrow.source, arrow.destination)
        peer = self._known.get(address)
        sure = arrow.local in self.locals and peer is not None and peer.address == address
        arrow.direction = "in" if arrow.destination == arrow.local else "out"
        arrow.remote, arrow.peer = address, peer
        arrow.sure = self.certainty if sure else None

    def own(self, address: str) -> None:
        """Take note of an address of our own."""
        self.locals.add(address)
        self.certainty = object()

    def _is_peer(self, address: str, other: str) -> bool:
        """Whether an address is known to be a peer's, not only guessed; in a mesh both ends may be configured as peers."""
        if address in self._known:
            return not self.guesses.local_of or not self.guesses.is_peer(address)
        return self.knowledge.is_known(address) and not self.knowledge.is_known(other)

    def forget_guessed(self, address: str) -> None:
        """Forget a peer that is none."""
        self.certainty = object()
        if self._known.pop(address, None) is not None:
            self.unnamed -= self._is_unnamed(address)
        self._strangers.pop(address, None)

    def remember_cookies(self, cookies: str, address: str) -> None:
        """Remember whose cookies these are, for lines that have no address."""
        self._of_cookies[cookies] = address
        self._of_cookies.move_to_end(cookies)
        most = self._share(_MOST_COOKIES)
        while len(self._of_cookies) > most:
            self._of_cookies.popitem(last=False)

    def of_cookies(self, cookies: str | None) -> str | None:
        """Tell whose cookies these are, if a line told it."""
        return None if cookies is None else self._of_cookies.get(cookies)

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give everything, for a checkpoint."""
        return {
            "peers": [to_json(peer) for peer in self._known.values()],
            "locals": sorted(self.locals),
            "peer_of_cookies": list(self._of_cookies.items()),
            "folded": sorted(self._folded),
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self._known = {peer.address: peer for peer in (from_json(Peer, item) for item in given["peers"])}
        self.locals = set(given["locals"])
        self.certainty = object()
        self._of_cookies = OrderedDict(given["peer_of_cookies"])
        self._folded = set(given["folded"])
        self._find_strangers()
        self._count_unnamed()
        if not any(name in _TOTALS.values() for name, *_ in self._counters):
            self._add_up()

    def _add_up(self) -> None:
        """Make the totals of what older versions counted for peers only."""
        for peer in self._known.values():
            for (name, *labels), number in peer.counters.items():
                if name in _TOTALS:
                    phase = [name.removeprefix("phase")[0]] if labels else []
                    self._counters[_TOTALS[name], *phase, *labels] += number
