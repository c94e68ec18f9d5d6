"""What is believed of one racoon: its tables, and the few operations that change them.

The modules beside this one (`phase1`, `phase2`, `evidence`, `daemon`) say what each event does with these operations.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import count
from typing import Any, Final, Literal

from racoon_exporter.sa.current import note_failure
from racoon_exporter.sa.model import (
    HISTORY,
    OTHER,
    UNATTRIBUTED,
    DaemonRun,
    IpsecSa,
    IsakmpSa,
    Negotiation,
    Peer,
    Phase1End,
    to_json,
)
from racoon_exporter.sa.tables import (
    IPSEC,
    ISAKMP,
    NEGOTIATION,
    IpsecEvent,
    IsakmpEvent,
    NegotiationEvent,
    move,
)
from racoon_parsers.fields import Endpoint
from racoon_parsers.reasons import more_telling

DURATION_BUCKETS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""Upper bounds, in seconds, of the duration of phase 1 negotiations; racoon's times have whole seconds."""

NEGOTIATION_TTL: Final = 600.0
"""Seconds after which an unfinished negotiation is given up without a verdict: its end was not logged."""
GRACE: Final = 10.0
"""Seconds a line about an SA's end may be late before its lifetime ends it."""
ORPHAN_LIFETIME: Final = 28800.0
"""Seconds: racoon's default lifetime, the bound of an IPsec SA that outlived its daemon, or what was learned of its peer."""
_NEVER: Final = float("inf")
_MOST_OPEN: Final = 4096
"""Unfinished negotiations of one daemon; beyond it the one of the longest-waiting peer is given up."""
_COLLECTIVE: Final = frozenset({OTHER, UNATTRIBUTED})
_MOST_COOKIES: Final = 8192
_MOST_FOLDED: Final = 16384
_IDLE_STRANGER: Final = 3600.0
"""Seconds without a line after which a stranger's place may be given to another."""


Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Limits:
    """How many peers have series of their own."""

    strangers: int = 100
    peers: int = 10_000
    history: int | None = None
    """Rows kept of each table of ended SAs and negotiations; None for all."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the configuration says of a peer."""

    name: str
    """Empty where each address of a network stands for itself."""
    kind: str = "permanent"
    phase1_lifetime: float | None = None
    phase2_lifetime: float | None = None
    gateway: str | None = None
    """The gateway whose peer it is; None for every one."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known before the first line."""

    peers: Mapping[str, Expectation] = field(default_factory=dict)
    """By address."""
    lifetime: float | None = None
    """Seconds an IPsec SA lives where nothing else is known (`--lifetime`)."""
    limits: Limits = field(default_factory=Limits)
    networks: tuple[tuple[Network, Expectation], ...] = ()
    """Networks whose addresses are no strangers."""

    def at(self, gateway: str) -> Knowledge:
        """Give what holds for the racoons of a gateway: networks of other gateways are not known there."""
        networks = tuple(known for known in self.networks if known[1].gateway in (None, gateway))
        return self if len(networks) == len(self.networks) else replace(self, networks=networks)

    def expected(self, address: str) -> Expectation | None:
        """Give what is configured of an address, by itself or by its network."""
        known = self.peers.get(address)
        if known is None and self.networks:
            known = next((expectation for network, expectation in self.networks if _within(address, network)), None)
        return known

    def is_known(self, address: str) -> bool:
        """Whether an address is configured, by itself or by its network."""
        return address in self.peers or any(_within(address, network) for network, _ in self.networks)

    def name(self, address: str) -> str:
        """Give the name under which a peer is counted."""
        expected = self.expected(address)
        return address if expected is None else expected.name or address


def _within(address: str, network: Network) -> bool:
    try:
        return ip_address(address.partition("%")[0]) in network
    except ValueError:
        return False


class Archive:
    """Ended records, the newest kept."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.phase1: list[IsakmpSa] = []
        self.ipsec: list[IpsecSa] = []
        self.negotiations: list[Negotiation] = []
        self.daemon: list[DaemonRun] = []
        self._written: dict[str, list[dict[str, Any]]] = {name: [] for name in HISTORY}
        """The rows as JSON values: an ended record does not change, and a checkpoint must not take long."""

    def add(self, table: list[Any], record: Any) -> None:
        """File a record; the oldest tenth goes when the limit is passed."""
        table.append(record)
        if self._limit is not None and len(table) > self._limit:
            gone = max(1, self._limit // 10)
            del table[:gone]
            for name, written in self._written.items():
                if getattr(self, name) is table:
                    del written[:gone]

    def changed(self) -> None:
        """Note that an ended record changed after all, which is rare."""
        for written in self._written.values():
            written.clear()

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Give all rows; only those that are new since the last time are written anew."""
        for name, written in self._written.items():
            table = getattr(self, name)
            written += [to_json(record) for record in table[len(written) :]]
        return {name: written.copy() for name, written in self._written.items()}


TimedOut = tuple[float | None, str, str]
"""A phase 1 that timed out: when, its cookies, the reason the line gives."""


@dataclass(slots=True)
class Clues:
    """What the last lines leave to be understood by the next."""

    context: Negotiation | None = None
    """The negotiation whose start was the last line with an address: what follows may belong to it."""
    floating: list[Any] = field(default_factory=list)
    """Evidence that no line has tied to a peer yet."""
    ambiguous: list[TimedOut] = field(default_factory=list)
    """Time-outs that several peers' negotiations could claim, in order."""
    refusals: OrderedDict[tuple[Any, ...], Negotiation] = field(default_factory=OrderedDict)
    """Refusals that a retry may repeat."""
    recent: OrderedDict[str, tuple[float | None, str]] = field(default_factory=OrderedDict)
    """By peer: the last evidence that found no negotiation, for a failure line that follows."""
    larval: tuple[float | None, str, str] | None = None
    """The larval SA that expired last: time, peer, local end."""
    causes: dict[str, tuple[float | None, Phase1End]] = field(default_factory=dict)
    """By peer or cookies: why a teardown that now follows happens."""
    initial_contact: tuple[float | None, str] | None = None
    signalled: bool = False
    """Whether a signal told this run to end."""
    xauth_asked: bool = False
    """Whether a login was asked for since the last ISAKMP SA."""
    give_up_after: dict[bool, float] = field(default_factory=dict)
    """By whether the peer ever answered: seconds after which this racoon gave phase 1 up, once that was seen."""


class Racoon:
    """One racoon, as its log tells it."""

    def __init__(self, gateway: str, ident: str, stream: str, knowledge: Knowledge, archive: Archive) -> None:
        self.gateway = gateway
        self.ident = ident
        self.stream = stream
        self.knowledge = knowledge.at(gateway)
        self.archive = archive
        self.now: float | None = None
        """Time of the last line that had one."""
        self.run: DaemonRun | None = None
        self.stopped = False
        """Whether its end was the last that was heard of a run."""
        self.run_listens = False
        """Whether this run got as far as to listen: what stops it before is no crash."""
        self.peers: dict[str, Peer] = {}
        self.isakmp: dict[str, IsakmpSa] = {}
        """ISAKMP SAs alive, by cookies."""
        self.isakmp_of: dict[str, list[IsakmpSa]] = {}
        """The same by peer."""
        self.ipsec: dict[int, list[IpsecSa]] = {}
        """IPsec SAs alive, by SPI."""
        self.ipsec_of: dict[str, list[IpsecSa]] = {}
        """The same by peer."""
        self.open: dict[str, list[Negotiation]] = {}
        """By peer: negotiations under way, oldest first."""
        self.waiting: dict[str, list[Negotiation]] = {}
        """By peer: wishes for phase 2 that wait for a phase 1, oldest first."""
        self.begun_at: dict[int, dict[int, Negotiation]] = {}
        """Phase 1 negotiations under way, by the second of their beginning: time-outs go by age."""
        self.open_count = 0
        self.locals: set[str] = set()
        self.peer_of_cookies: OrderedDict[str, str] = OrderedDict()
        self.counters: Counter[tuple[str, ...]] = Counter()
        """Counters that have no peer: (metric, label values)."""
        self.durations: dict[str, list[float]] = {}
        """By role: counts per bucket, the rest, and the sum of seconds."""
        self.folded: set[str] = set()
        self.true_arrows: bool | None = None
        """Whether established lines print the true direction (0.5 to 0.7); None while unknown."""
        self.halves: dict[str, dict[str, tuple[IpsecSa, Negotiation | None]]] = {}
        """By peer and protocol: the inbound SA whose outbound half has not come yet, and its negotiation."""
        self.presumed: OrderedDict[int, IpsecSa] = OrderedDict()
        """By SPI: SAs that only their lifetime ended; a later line about one proves it wrong."""
        self.presumed_isakmp: OrderedDict[str, IsakmpSa] = OrderedDict()
        """By cookies: the same."""
        self.clues = Clues()
        self._unfinished: deque[tuple[float, Negotiation]] = deque()
        """When to forget a negotiation; in the order of their beginning."""
        self._timers: list[tuple[float, int, str, Any]] = []
        self._sequence = count()

    # peers

    def learn(self, knowledge: Knowledge) -> None:
        """Take what a changed configuration says. Peers keep their counts; those no longer configured become strangers."""
        knowledge = self.knowledge = knowledge.at(self.gateway)
        for peer in self.peers.values():
            expected = knowledge.expected(peer.address)
            if expected is not None:
                peer.phase1_lifetime = expected.phase1_lifetime or peer.phase1_lifetime
                peer.phase2_lifetime = expected.phase2_lifetime or peer.phase2_lifetime
            peer.stranger = not knowledge.is_known(peer.address) and peer.phase1_last_established is None

    def peer(self, address: str) -> Peer:
        """Give a peer, making it known if there is room; beyond the limits it is `other`."""
        peer = self.peers.get(address) or self._meet(address)
        peer.last_seen = self.now
        return peer

    def _meet(self, address: str) -> Peer:
        if not self.knowledge.is_known(address) and address not in _COLLECTIVE and not self._room_for_stranger():
            if len(self.folded) < _MOST_FOLDED and address not in self.folded:
                self.folded.add(address)
                self.counters["folded_peers",] += 1
            return self.peers.get(OTHER) or self._enter(OTHER)
        return self._enter(address)

    def _enter(self, address: str) -> Peer:
        expected = self.knowledge.expected(address)
        peer = self.peers[address] = Peer(address, stranger=not self.knowledge.is_known(address))
        if expected is not None:
            peer.phase1_lifetime = expected.phase1_lifetime
            peer.phase2_lifetime = expected.phase2_lifetime
        return peer

    def _room_for_stranger(self) -> bool:
        limits = self.knowledge.limits
        if len(self.peers) >= limits.peers:
            return False
        strangers = [peer for peer in self.peers.values() if peer.stranger]
        if len(strangers) < limits.strangers:
            return True
        if not strangers:
            return False
        now = self.now
        idle = min(strangers, key=lambda peer: peer.last_seen or 0.0)
        if now is None or idle.address in (OTHER, UNATTRIBUTED) or now - (idle.last_seen or 0.0) < _IDLE_STRANGER:
            return False
        del self.peers[idle.address]
        return True

    def acquaint(self, address: str) -> Peer:
        """Give a peer that completed a phase 1: no stranger any more."""
        peer = self.peers.get(address)
        if peer is None:
            room = len(self.peers) < self.knowledge.limits.peers or self.knowledge.is_known(address)
            peer = self._enter(address) if room else self._meet(address)
        if peer.address == address:
            peer.stranger = False
        peer.last_seen = self.now
        return peer

    def count(self, address: str, *metric: str) -> None:
        """Count something of a peer: the metric and its label values."""
        self.peer(address).counters[metric] += 1

    def ends(self, source: Endpoint, destination: Endpoint) -> tuple[str, str]:
        """Tell the local from the remote end of `A->B`, as (local, peer)."""
        one, other = source.address, destination.address
        if one in self.locals or (other in self.peers and other not in self.locals):
            return one, other
        if other in self.locals or one in self.peers:
            return other, one
        return one, other

    # negotiations

    def begin(self, negotiation: Negotiation) -> None:
        """Begin a negotiation."""
        if self.open_count >= _MOST_OPEN:
            self._drop_oldest()
        table = self.waiting if negotiation.waiting else self.open
        table.setdefault(negotiation.peer, []).append(negotiation)
        self.open_count += 1
        negotiation.touched = self.now
        if negotiation.phase == 1 and negotiation.begun is not None:
            self.begun_at.setdefault(int(negotiation.begun), {})[id(negotiation)] = negotiation
        if self.now is not None:
            self._unfinished.append((self.now + NEGOTIATION_TTL, negotiation))
            if len(self._unfinished) > 4 * _MOST_OPEN:
                self._unfinished = deque(item for item in self._unfinished if item[1].ended is None)

    def stop_waiting(self, negotiation: Negotiation) -> None:
        """Let a wish become a negotiation."""
        self._remove(self.waiting, negotiation)
        move(NEGOTIATION, negotiation, "begun")
        negotiation.touched = self.now
        self.open.setdefault(negotiation.peer, []).append(negotiation)

    def _drop_oldest(self) -> None:
        table = self.open or self.waiting
        self.finish(next(iter(table.values()))[0], "crowded_out")

    @staticmethod
    def _remove(table: dict[str, list[Negotiation]], negotiation: Negotiation) -> bool:
        negotiations = table.get(negotiation.peer)
        if negotiations is None or negotiation not in negotiations:
            return False
        negotiations.remove(negotiation)
        if not negotiations:
            del table[negotiation.peer]
        return True

    def finish(self, negotiation: Negotiation, event: NegotiationEvent) -> bool:
        """End a negotiation, with a verdict or without one, and tell whether that ended it."""
        table = self.waiting if negotiation.waiting else self.open
        if not move(NEGOTIATION, negotiation, event):
            return False
        if self._remove(table, negotiation):
            self.open_count -= 1
        if negotiation.phase == 1 and negotiation.begun is not None:
            second = self.begun_at.get(int(negotiation.begun), {})
            second.pop(id(negotiation), None)
            if not second:
                self.begun_at.pop(int(negotiation.begun), None)
        if self.clues.context is negotiation:
            self.clues.context = None
        negotiation.ended = self.now
        self.archive.add(self.archive.negotiations, negotiation)
        return True

    def fail(self, negotiation: Negotiation, reason: str | None, event: Literal["failed", "half_failed"] = "failed") -> None:
        """End a negotiation as failed, for its most telling reason, and count it."""
        if self.finish(negotiation, event):
            negotiation.reason = more_telling(negotiation.evidence, reason) or "unknown"
            self.count_failure(negotiation.phase, negotiation.peer, negotiation.reason)

    def abandon(self, negotiation: Negotiation, event: Literal["silence", "half_left"]) -> None:
        """End a negotiation of which nothing more will come: half a pair and a line that tells why make it a failure."""
        if negotiation.half and negotiation.evidence is not None:
            self.fail(negotiation, None, "half_failed")
        else:
            self.finish(negotiation, event)

    def count_failure(self, phase: int, address: str, reason: str) -> None:
        """Count a failed negotiation."""
        peer = self.peer(address)
        peer.counters[f"phase{phase}_failures", reason] += 1
        note_failure(peer, phase, self.now, reason)

    def unfinished(self, phase: int) -> Iterator[Negotiation]:
        """Give the negotiations of a phase that are under way."""
        for negotiations in self.open.values():
            for negotiation in negotiations:
                if negotiation.phase == phase:
                    yield negotiation

    def of_peer(self, address: str, phase: int, role: str | None = None) -> list[Negotiation]:
        """Give a peer's negotiations of a phase that are under way, oldest first."""
        return [
            negotiation
            for negotiation in self.open.get(address, ())
            if negotiation.phase == phase and (role is None or negotiation.role in (role, None))
        ]

    def watch(self, negotiations: list[Negotiation]) -> None:
        """Forget these in time, too; they are in the order of their last sign."""
        self._unfinished.extend(((one.touched or 0.0) + NEGOTIATION_TTL, one) for one in negotiations)

    def forgotten(self, now: float) -> Iterator[Negotiation]:
        """Give negotiations of which nothing was heard for so long that nothing will be."""
        waiting = self._unfinished
        while waiting and waiting[0][0] <= now:
            negotiation = waiting.popleft()[1]
            if negotiation.ended is not None:
                continue
            left = (negotiation.touched or 0.0) + NEGOTIATION_TTL
            if left > now:
                waiting.append((left, negotiation))
            else:
                yield negotiation

    # ISAKMP SAs

    def remember_cookies(self, cookies: str, address: str) -> None:
        """Remember whose cookies these are, for lines that have no address."""
        self.peer_of_cookies[cookies] = address
        self.peer_of_cookies.move_to_end(cookies)
        if len(self.peer_of_cookies) > _MOST_COOKIES:
            self.peer_of_cookies.popitem(last=False)

    def add_isakmp(self, sa: IsakmpSa) -> None:
        """Add an ISAKMP SA that is alive, and with it its daemon."""
        self.stopped = False
        self.isakmp[sa.cookies] = sa
        self.isakmp_of.setdefault(sa.peer, []).append(sa)

    def end_isakmp(self, sa: IsakmpSa, event: IsakmpEvent, end: Phase1End, ended: float | None = None) -> None:
        """End an ISAKMP SA, if what happened ends one of its state."""
        if not move(ISAKMP, sa, event):
            return
        if self.isakmp.pop(sa.cookies, None) is not None:
            _take_out(self.isakmp_of, sa.peer, sa)
        sa.end = end
        sa.ended = self.now if ended is None else ended
        self.archive.add(self.archive.phase1, sa)
        if not sa.counted:
            self.count(sa.peer, "phase1_ended", end)
        sa.counted = True

    def presume_isakmp_ended(self, sa: IsakmpSa, lifetime: float) -> None:
        """End an ISAKMP SA whose lifetime has passed without a line: it was flushed, or the line was lost."""
        self.presumed_isakmp[sa.cookies] = sa
        if len(self.presumed_isakmp) > _MOST_OPEN:
            self.presumed_isakmp.popitem(last=False)
        self.end_isakmp(sa, "lifetime", "expired", (sa.established or 0.0) + lifetime)

    def revive_isakmp(self, cookies: str) -> IsakmpSa | None:
        """Bring an ISAKMP SA back that was taken to be over."""
        sa = self.presumed_isakmp.pop(cookies, None)
        if sa is not None and sa in self.archive.phase1:
            self.archive.phase1.remove(sa)
            self.archive.changed()
            move(ISAKMP, sa, "heard_of")
            sa.end, sa.ended = None, None
            self.add_isakmp(sa)
        return sa

    # IPsec SAs

    def add_ipsec(self, sa: IpsecSa) -> None:
        """Add an IPsec SA that is alive."""
        self.ipsec.setdefault(sa.spi, []).append(sa)
        self.ipsec_of.setdefault(sa.peer, []).append(sa)
        if not self.peer(sa.peer).phase2_up:
            self.settle(sa.peer)
        self.bound_ipsec(sa)

    def bound_ipsec(self, sa: IpsecSa) -> None:
        """Set the time at which an SA whose end nobody logs is taken to have ended."""
        if sa.established is None:
            return
        if sa.dying is not None and sa.dying > sa.established:
            sa.lifetime = (sa.dying - sa.established) / SOFT_SHARE
        lifetime = sa.lifetime or (ORPHAN_LIFETIME if sa.orphan else None)
        if lifetime is not None:
            self.timer_at(sa.established + lifetime + max(GRACE, lifetime / 20), "ipsec", sa)

    def end_ipsec(self, sa: IpsecSa, event: IpsecEvent, end: str, ended: float | None = None) -> None:
        """End an IPsec SA."""
        if not move(IPSEC, sa, event):
            return
        _take_out(self.ipsec, sa.spi, sa)
        _take_out(self.ipsec_of, sa.peer, sa)
        sa.end = end
        sa.ended = self.now if ended is None else ended
        self.archive.add(self.archive.ipsec, sa)
        peer = self.peer(sa.peer)
        if not sa.counted:
            peer.counters["ipsec_sa_ended", end] += 1
        sa.counted = True
        if peer.phase2_up:
            self.settle(sa.peer)

    def correct_direction(self, sa: IpsecSa, direction: str) -> None:
        """Believe a line that prints the true direction over what the order of lines said, for both of a pair."""
        if sa.direction == direction:
            return
        at_once = [
            one
            for one in self.ipsec_of.get(sa.peer, ())
            if one.protocol == sa.protocol and one.established == sa.established and one is not sa
        ]
        if [one.direction for one in at_once] == [direction]:
            _turn(at_once[0], "out" if direction == "in" else "in")
        _turn(sa, direction)
        self.settle(sa.peer)

    def settle(self, address: str) -> None:
        """Tell whether phase 2 with a peer is up after a change, and count a fall as a flap."""
        peer = self.peer(address)
        up = False
        first = None
        for sa in self.ipsec_of.get(address, ()):
            if first is None:
                first = sa.direction
            elif sa.direction != first:
                up = True
                break
        if up == peer.phase2_up or peer.address != address:
            return
        if peer.phase2_up:
            peer.counters["phase2_flaps",] += 1
        peer.phase2_up, peer.since = up, self.now

    def open_to_change(self) -> Iterator[Any]:
        """Give the ended records that a later line may bring back or change: what only time ended, and fresh refusals."""
        yield from self.presumed.values()
        yield from self.presumed_isakmp.values()
        yield from self.clues.refusals.values()

    # causes

    def explain_teardown(self, key: str, cause: Phase1End) -> None:
        """Say why the teardown that may follow happens."""
        self.clues.causes[key] = (self.now, cause)
        if len(self.clues.causes) > _MOST_OPEN:
            del self.clues.causes[next(iter(self.clues.causes))]

    def teardown_cause(self, *keys: str) -> Phase1End | None:
        """Give the cause told for a peer or cookies within the last seconds."""
        for key in keys:
            told = self.clues.causes.get(key)
            if told is not None and (self.now is None or told[0] is None or self.now - told[0] <= GRACE):
                return told[1]
        return None

    # time

    def timer(self, after: float, kind: str, what: Any) -> None:
        """Look at something again after some seconds of the log's time."""
        if self.now is not None:
            self.timer_at(self.now + after, kind, what)

    def timer_at(self, when: float, kind: str, what: Any) -> None:
        """Look at something again at a time."""
        heapq.heappush(self._timers, (when, next(self._sequence), kind, what))

    def due(self, now: float) -> Iterator[tuple[str, Any]]:
        """Give what is to be looked at by now."""
        while self._timers and self._timers[0][0] <= now:
            _, _, kind, what = heapq.heappop(self._timers)
            yield kind, what

    @property
    def next_timer(self) -> float:
        """Time of the next look; infinity for none."""
        timer = self._timers[0][0] if self._timers else _NEVER
        forgotten = self._unfinished[0][0] if self._unfinished else _NEVER
        return min(timer, forgotten)


def _turn(sa: IpsecSa, direction: str) -> None:
    sa.source, sa.destination = sa.destination, sa.source
    sa.direction = direction


def _take_out(table: dict[Any, list[Any]], key: Any, record: Any) -> None:
    """Take a record out of a table of lists."""
    records = table.get(key)
    if records is None:
        return
    if len(records) == 1 and records[0] is record:
        del table[key]
    elif record in records:
        records.remove(record)


SOFT_SHARE: Final = 0.8
"""racoon sets the soft limit at 80 % of the lifetime (`PFKEY_SOFT_LIFETIME_RATE`, `ipsec_doi.h`)."""
