"""What is believed of one racoon: its parts, and how time passes for them.

The modules `phase1`, `phase2` and `daemon` say what each event does to the parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from racoon_exporter.sa.archive import Archive
from racoon_exporter.sa.blame import Blame
from racoon_exporter.sa.configured import Knowledge, Known
from racoon_exporter.sa.counts import PeerCount
from racoon_exporter.sa.ipsec import IpsecSas
from racoon_exporter.sa.isakmp import IsakmpSas
from racoon_exporter.sa.life import Life
from racoon_exporter.sa.mended_ends import prove_local
from racoon_exporter.sa.model import Negotiation, Peer
from racoon_exporter.sa.negotiations import Negotiations
from racoon_exporter.sa.pairs import Pairs
from racoon_exporter.sa.peers import Peers
from racoon_exporter.sa.shared_bounds import SharedBounds
from racoon_exporter.sa.timers import Timers
from racoon_exporter.sa.two_ends import Failures, TwoEnds

DURATION_BUCKETS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""Upper bounds, in seconds, of the duration of phase 1 negotiations; racoon's times have whole seconds."""
MOST_SUMMED: Final = 1e30
"""Seconds; what `MOST` of the longest negotiations that lines can tell take: some thousand of them take 1e15 seconds."""

_MOST_LOCALS: Final = 4096
"""Addresses of our own that are known; whoever may write the log may name any."""

_MOST_STREAMS: Final = 16


class Racoon:
    """One racoon, as its log tells it."""

    __slots__ = (
        "_packet",
        "archive",
        "blame",
        "bounds",
        "counters",
        "durations",
        "failures",
        "gateway",
        "heard_in",
        "ident",
        "ipsec",
        "isakmp",
        "key",
        "life",
        "negotiations",
        "now",
        "pairs",
        "peers",
        "revision",
        "stream",
        "timers",
        "two_ends",
    )

    def __init__(
        self,
        gateway: str,
        ident: str,
        stream: str,
        knowledge: Known,
        archive: Archive,
        two_ends: TwoEnds | None = None,
        bounds: SharedBounds | None = None,
    ) -> None:
        self.gateway = gateway
        self.ident = ident
        self.stream = stream
        self.key = gateway, ident, stream
        self.heard_in: set[str] = set()
        """Streams that lines of it came through, the first few: where a host is named, several may."""
        self.now: float | None = None
        """Time of the last line that had one. Only `advance` sets it."""
        self.revision = object()
        """What is shown of it stays as it is so long as this is the same."""
        self.archive = archive
        self.counters: Counter[tuple[str, ...]] = Counter()
        """Counters that have no peer: (metric, label values)."""
        self.durations: dict[str, list[float]] = {}
        """By role: counts per bucket, the rest, and the sum of seconds."""
        self.timers = Timers()
        self.bounds = bounds or SharedBounds()
        share = self.bounds.share
        self.life = Life(ident, share)
        self.peers = Peers(knowledge.at(gateway), self.counters, share)
        self.failures = Failures(self)
        self.two_ends = (two_ends or TwoEnds()).join(self)
        self.negotiations = Negotiations(archive, self._failed, self.bounds.negotiations)
        self.isakmp = IsakmpSas(archive, archive.phase1, self.peers, self.timers, self.bounds.isakmp, share)
        self.ipsec = IpsecSas(archive, archive.ipsec, self.peers, self.timers, self.bounds.ipsec, share)
        self.pairs = Pairs(self.negotiations, share)
        self.blame = Blame(gateway, self.negotiations, self.peers, self.timers, archive, share)
        self._packet = self.blame.packet

    @property
    def knowledge(self) -> Knowledge:
        """What is configured."""
        return self.peers.knowledge

    def learn(self, knowledge: Known) -> None:
        """Take what a changed configuration says."""
        self.peers.learn(knowledge.at(self.gateway))
        self.changed()

    def changed(self) -> None:
        """Take note that something of it may have changed that is shown."""
        self.revision = object()

    # time

    def advance(self, now: float) -> None:
        """A line of this time has come. Steps back are believed for what follows and end nothing."""
        before, self.now = self.now, now
        if before is not None and now > before:
            self.pass_time(now)

    def pass_time(self, now: float) -> None:
        """Let time pass without a line: what was to be looked at until then is looked at."""
        if self._packet.floating:
            self._packet.expire(now)
        if self.timers.next <= now or self.negotiations.next_look <= now:
            self.negotiations.pass_time(now)
            self.timers.run(now)

    @property
    def next_look(self) -> float:
        """When something is to be looked at again; infinity for never."""
        return min(self.timers.next, self.negotiations.next_look)

    def note_heard_in(self, stream: str) -> None:
        """Take note of a stream that a line of it came through."""
        if len(self.heard_in) < _MOST_STREAMS:
            self.heard_in.add(stream)

    def open_to_change(self) -> Iterator[Any]:
        """Give the ended records that a later line may bring back or change: what only time ended, and fresh refusals."""
        yield from self.ipsec.presumed
        yield from self.isakmp.presumed
        yield from self.blame.refusals
        if self.two_ends.catching_up:
            yield from self.failures.all_silent()

    def _failed(self, negotiation: Negotiation, now: float | None) -> None:
        self.two_ends.failed(self, negotiation, now)

    def own(self, address: str) -> None:
        """Take note of an address of our own."""
        if address not in self.peers.locals and len(self.peers.locals) < self.bounds.share(_MOST_LOCALS):
            self.two_ends.own(self, address)
            if self.peers.guesses.local_of:
                prove_local(self, address)

    # what handlers do at the time of their line

    def peer(self, address: str) -> Peer:
        """Give a peer that the line speaks of."""
        return self.peers.heard_of(address, self.now)

    def count(self, address: str, *metric: *tuple[PeerCount, *tuple[str, ...]]) -> None:
        """Count something of a peer: the metric and its label values."""
        self.peers.heard_of(address, self.now).counters[metric] += 1

    def begin(self, negotiation: Negotiation) -> None:
        """Begin a negotiation."""
        self.negotiations.begin(negotiation, self.now)

    def refuse(self, address: str, phase: int, reason: str, role: str | None, *key: str | None) -> None:
        """Count a negotiation that was refused before it began."""
        self.blame.refusals.refuse(address, phase, reason, role, *key, at=self.now, now=self.now)

    def fail(self, negotiation: Negotiation, reason: str | None) -> None:
        """End a negotiation as failed, for its most telling reason."""
        self.negotiations.fail(negotiation, reason, self.now, now=self.now)
