"""What an old log tells of availability, collected record by record: memory grows with outages, not with rekeys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from racoon_exporter.availability.spans import Span, union
from racoon_exporter.sa.model import DaemonRun, IpsecSa, IsakmpSa, Negotiation

LEAST_SILENCE: Final = 900.0
"""Seconds; a shorter silence of a log is never taken for missing lines."""
_PAUSE: Final = 60.0
"""Seconds; lines that follow sooner are of one story, and say nothing about how often there is one."""
_RHYTHMS: Final = 10
"""A silence so many times as long as a usual one is missing lines, while something lived that had to be told of."""
_IN_A_ROW: Final = 3600.0
"""Seconds between two failures of which no run is made."""
_PUT_TOGETHER: Final = 64
"""Spans of a peer after which those that touch are made one."""


class Place(NamedTuple):
    """A line of a log."""

    file: str
    line: int


class Lived(NamedTuple):
    """How long an IPsec SA lived, how it ended, and where that is told."""

    begin: float
    end: float
    cause: str | None
    place: Place | None


@dataclass(slots=True)
class Failed:
    """Failures in a row for the same reason."""

    first: float
    last: float
    reason: str
    told_by: str | None
    count: int = 1


@dataclass(slots=True)
class PeerLog:
    """What a log tells of a peer."""

    lived: dict[str, list[Lived]] = field(default_factory=lambda: {"in": [], "out": []})
    failed: list[Failed] = field(default_factory=list)
    first: float | None = None
    """When it was first up, or first failed."""
    exchange: str | None = None
    """Of its newest ISAKMP SA."""
    established: float | None = None
    """When its newest ISAKMP SA was."""

    def seen(self, time: float | None) -> None:
        """Note that it was up, or failed."""
        if time is not None and (self.first is None or time < self.first):
            self.first = time

    def add(self, direction: str, life: Lived) -> None:
        """Add the life of an SA."""
        lives = self.lived[direction]
        lives.append(life)
        if len(lives) % _PUT_TOGETHER == 0:
            lives[:] = together(lives)


def together(lives: list[Lived]) -> list[Lived]:
    """Make lives that overlap or touch one: its end is that of the last."""
    merged: list[Lived] = []
    for life in sorted(lives, key=lambda one: (one.begin, one.end)):
        if merged and life.begin <= merged[-1].end:
            last = merged[-1]
            if life.end > last.end:
                merged[-1] = Lived(last.begin, *life[1:])
        else:
            merged.append(life)
    return merged


class Silence(NamedTuple):
    """A time without a line."""

    begin: float
    end: float
    alive: bool
    """Whether SAs were alive as it began: they had to be told of."""


@dataclass(slots=True)
class GatewayLog:
    """What the log of a gateway tells."""

    first: float | None = None
    last: float | None = None
    newest: float | None = None
    peers: dict[str, PeerLog] = field(default_factory=dict)
    runs: list[DaemonRun] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    rhythm: Counter[int] = field(default_factory=Counter)
    """By the number of bits of its seconds: how often a pause was so long."""
    informed: bool = False
    """Whether the log has lines of information: without them it names no SA."""
    lapsed: list[float] = field(default_factory=list)
    """When SAs ended of which no line told the end."""

    def peer(self, address: str) -> PeerLog:
        """Give a peer's."""
        known = self.peers.get(address)
        if known is None:
            known = self.peers[address] = PeerLog()
        return known

    def line(self, time: float, *, alive: bool) -> None:
        """Note a line."""
        last, self.newest = self.newest, time
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)
        if last is None or time <= last:
            return
        if time - last >= _PAUSE:
            self.rhythm[int(time - last).bit_length()] += 1
        if time - last > LEAST_SILENCE:
            self.silences.append(Silence(last, time, alive))

    def known(self) -> list[Span]:
        """Give the times of which the log tells."""
        if self.first is None or self.last is None or not self.informed:
            return []
        missing = [(one.begin, one.end) for one in self.silences if self._is_missing(one)]
        bounds = [self.first, *(bound for span in union(missing) for bound in span), self.last]
        return union(zip(bounds[::2], bounds[1::2], strict=True))

    def _is_missing(self, silence: Silence) -> bool:
        """Whether lines are missing: something lived that had to be told of, to its end or for much longer than usual."""
        if not silence.alive:
            return False
        if any(silence.begin < time <= silence.end for time in self.lapsed):
            return True
        return silence.end - silence.begin > max(LEAST_SILENCE, _RHYTHMS * self._usual())

    def _usual(self) -> float:
        """Give the pause that one in ten exceeds."""
        left = sum(self.rhythm.values()) / 10
        for bits in sorted(self.rhythm, reverse=True):
            left -= self.rhythm[bits]
            if left < 0:
                return float(1 << bits)
        return 0.0

    def stops(self) -> list[Span]:
        """Give the times between an orderly stop of racoon and its next start."""
        runs = sorted(self.runs, key=lambda run: run.started or 0.0)
        starts = [run.started for run in runs if run.started is not None]
        end = self.last or 0.0
        return union(
            (run.stopped, min((start for start in starts if start >= run.stopped), default=end))
            for run in runs
            if run.end == "shutdown" and run.stopped is not None
        )

    # records

    def take(self, record: Any, place: Place | None = None) -> None:
        """Take a row of `history`."""
        match record:
            case IpsecSa():
                self._ipsec(record, place)
            case IsakmpSa():
                self._phase1(record)
            case Negotiation():
                self._negotiation(record)
            case DaemonRun():
                self.runs.append(record)

    def _ipsec(self, sa: IpsecSa, place: Place | None) -> None:
        peer = self.peer(sa.peer)
        peer.seen(sa.established)
        begin = sa.established if sa.established is not None else self.first
        end = sa.ended if sa.ended is not None else self.last
        if sa.end == "lifetime" and not sa.orphan and sa.ended is not None:
            self.lapsed.append(sa.ended)
        if begin is None or end is None:
            return
        life = Lived(begin, max(begin, end), sa.end, place)
        for direction in ("in", "out") if sa.direction is None else (sa.direction,):
            peer.add(direction, life)

    def _phase1(self, sa: IsakmpSa) -> None:
        peer = self.peer(sa.peer)
        if sa.established is not None and (peer.established is None or sa.established >= peer.established):
            peer.established, peer.exchange = sa.established, sa.exchange or peer.exchange

    def _negotiation(self, one: Negotiation) -> None:
        peer = self.peer(one.peer)
        when = one.ended if one.ended is not None else one.begun
        if one.outcome != "failed" or one.reason is None or when is None:
            return
        peer.seen(one.begun if one.begun is not None else when)
        last = peer.failed[-1] if peer.failed else None
        if last is not None and (last.reason, last.told_by) == (one.reason, one.told_by) and 0 <= when - last.last < _IN_A_ROW:
            last.last, last.count = when, last.count + 1
        else:
            peer.failed.append(Failed(when, when, one.reason, one.told_by))
