"""What an old log tells of availability, collected record by record: memory grows with outages, not with rekeys."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from racoon_exporter.availability.spans import Span, common, union
from racoon_exporter.sa.model import DaemonRun, IpsecSa, IsakmpSa, Negotiation

LEAST_SILENCE: Final = 900.0
"""Seconds; a shorter silence of a log is never taken for missing lines."""
_PAUSE: Final = 60.0
"""Seconds; lines that follow sooner are of one story, and say nothing about how often there is one."""
_RHYTHMS: Final = 10
"""A silence so many times as long as a usual one is missing lines, while something lived that had to be told of."""
_WRONG_CLOCK: Final = 400 * 86400.0
"""Seconds; no log is silent for so long: between these lines a clock was wrong, or years of the log are missing."""
_IN_A_ROW: Final = 3600.0
"""Seconds between two failures of which no run is made."""
_DAY: Final = 86400.0
_INFORMATION: Final = frozenset({"INFO", "DEBUG", "DEBUG2", ""})
"""Levels of a log that names SAs."""
_PUT_TOGETHER: Final = 64
"""Spans of a peer after which those that touch are made one; then after twice as many as are left, as all are looked at."""
_MOST_LAPSED: Final = 4096
"""Of a gateway: times at which SAs lapsed. One that a clock showed before it was set back may never come."""


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


_new: Final[Callable[[type[Lived], tuple[float, float, str | None, Place | None]], Lived]] = tuple.__new__
"""Makes a life at half the cost of the class's own way: one is made of each SA that the archive lets go."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Failures in a row for the same reason, of a day at most: so many are counted where a day is asked for."""

    first: float
    last: float
    reason: str
    told_by: str | None
    count: int = 1


@dataclass(slots=True)
class PeerLog:
    """What a log tells of a peer."""

    lived: dict[str, list[Lived]] = field(default_factory=dict)
    """By direction. Of who only knocked there is none, and those may be many."""
    failed: list[Failed] = field(default_factory=list)
    first: float | None = None
    """When it was first up, or first failed."""
    exchange: str | None = None
    """Of its newest ISAKMP SA."""
    established: float | None = None
    """When its newest ISAKMP SA was."""
    kept_from: float | None = None
    """Before it, what is told of its SAs was let go; None where nothing was."""
    untidy: dict[str, int] = field(default_factory=dict)
    """By direction: how many lives are kept as they come, before those that touch are made one again."""

    def copy(self) -> PeerLog:
        """Give one that may be added to."""
        lived = {direction: lives.copy() for direction, lives in self.lived.items()}
        return PeerLog(lived, self.failed.copy(), self.first, self.exchange, self.established, self.kept_from)

    @property
    def is_known(self) -> bool:
        """Whether something was ever established with it; who only knocked is a stranger."""
        return self.established is not None or any(self.lived.values())

    def seen(self, time: float | None) -> None:
        """Note that it was up, or failed."""
        if time is not None and (self.first is None or time < self.first):
            self.first = time

    def add(self, direction: str, begin: float, end: float, cause: str | None, place: Place | None) -> None:
        """Add the life of an SA: most often one that begins while the last of its direction lives, and outlives it."""
        lives = self.lived.get(direction)
        if lives is None:
            lives = self.lived[direction] = []
        elif lives:
            first, last, _, _ = lives[-1]
            if first <= begin <= last <= end:
                lives[-1] = _new(Lived, (first, end, cause, place))
                return
        lives.append(Lived(begin, end, cause, place))
        if len(lives) >= self.untidy.get(direction, _PUT_TOGETHER):
            lives[:] = together(lives)
            self.untidy[direction] = max(_PUT_TOGETHER, 2 * len(lives))

    # bounds

    @property
    def pieces(self) -> int:
        """How much is kept."""
        return sum(map(len, self.lived.values())) + len(self.failed)

    @property
    def newest(self) -> float:
        """When it was last up, or last failed."""
        return max(self.established or 0.0, *self.ends(), 0.0)

    def ends(self) -> Iterator[float]:
        """Give the end of each piece."""
        yield from (life.end for lives in self.lived.values() for life in lives)
        yield from (one.last for one in self.failed)

    def shorten(self, most: int, oldest: float) -> None:
        """Let go what is older than a time, and the oldest where there is more than so much."""
        for lives in self.lived.values():
            if len(lives) > 1:
                lives[:] = together(lives)
        if self.pieces <= most // 2 and all(end > oldest for end in self.ends()):
            return  # so it is with nearly all, and all are looked at
        del self.failed[: max(0, len(self.failed) - most // 2)]
        ends = sorted(life.end for lives in self.lived.values() for life in lives)
        left = most - len(self.failed)
        horizon = ends[-left - 1] if len(ends) > left else oldest
        self.forget(max(horizon, oldest))

    def forget(self, horizon: float) -> None:
        """Let go what was over at a time."""
        gone = False
        for lives in self.lived.values():
            kept = [life for life in lives if life.end > horizon]
            gone = gone or len(kept) < len(lives)
            lives[:] = kept
        self.failed[:] = [one for one in self.failed if one.last > horizon]
        if gone:
            self.kept_from = horizon


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


@dataclass(slots=True)
class GatewayLog:
    """What the log of a gateway tells."""

    first: float | None = None
    last: float | None = None
    newest: float | None = None
    peers: dict[str, PeerLog] = field(default_factory=dict)
    runs: list[DaemonRun] = field(default_factory=list)
    silences: list[Span] = field(default_factory=list)
    """Times without a line while SAs were alive, which had to be told of."""
    rhythm: Counter[int] = field(default_factory=Counter)
    """By the number of bits of its seconds: how often a pause was so long."""
    informed: bool = False
    """Whether the log has lines of information: without them it names no SA."""
    quiet_from: float | None = None
    """From when on its racoons log too little to see an SA; None where they log enough. Not kept: racoons know it."""
    lapsed: list[float] = field(default_factory=list)
    """When SAs ended of which no line told the end."""
    kept_from: float | None = None
    """Before it, what is told was let go; None where nothing was."""

    def copy(self) -> GatewayLog:
        """Give one that may be added to. The reader waits while those of thousands of gateways are copied."""
        rhythm: Counter[int] = Counter()
        dict.update(rhythm, self.rhythm)  # a counter's own copy takes three times as long
        return GatewayLog(
            self.first,
            self.last,
            self.newest,
            {address: peer.copy() for address, peer in self.peers.items()},
            self.runs.copy(),
            self.silences.copy(),
            rhythm,
            self.informed,
            self.quiet_from,
            self.lapsed.copy(),
            self.kept_from,
        )

    def peer(self, address: str) -> PeerLog:
        """Give a peer's."""
        known = self.peers.get(address)
        if known is None:
            known = self.peers[address] = PeerLog()
        return known

    def goes_on(self, time: float) -> bool:
        """Note a line that says nothing new: it follows another without a silence, in a log that is known to name SAs."""
        newest, last = self.newest, self.last
        if newest is None or last is None or time < last or not self.informed:
            return False
        pause = time - newest
        if not 0 <= pause <= LEAST_SILENCE:
            return False
        if pause >= _PAUSE:
            self.rhythm[int(pause).bit_length()] += 1
        self.newest = self.last = time
        return True

    def is_silent_until(self, time: float) -> bool:
        """Whether a line of a time would end a silence."""
        return self.newest is not None and time - self.newest > LEAST_SILENCE

    def line(self, time: float, level: str, *, alive: bool) -> None:
        """Note a line; `alive` says whether SAs are, where it ends a silence."""
        self.informed = self.informed or level in _INFORMATION
        self.passed(time, alive=alive)

    def passed(self, time: float, *, alive: bool) -> None:
        """Note that time passed."""
        last, self.newest = self.newest, time
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)
        if last is None or time <= last:
            return
        if time - last >= _PAUSE:
            self.rhythm[int(time - last).bit_length()] += 1
        if time - last > (LEAST_SILENCE if alive else _WRONG_CLOCK):
            self.silences.append((last, time))

    @property
    def begin(self) -> float | None:
        """From when on it is known what was told; None if nothing was."""
        return None if self.first is None else max(self.first, self.kept_from or self.first)

    def known(self) -> list[Span]:
        """Give the times of which the log tells."""
        begin = self.begin
        if begin is None or self.last is None or not self.informed or begin >= self.last:
            return []
        told = common([(begin, self.last)], [(begin, self.last if self.quiet_from is None else self.quiet_from)])
        missing = [(max(since, begin), until) for since, until in self._missing() if until > begin]
        bounds = [begin, *(bound for span in union(missing) for bound in span), self.last]
        return common(union(zip(bounds[::2], bounds[1::2], strict=True)), told)

    def quiet(self, since: Iterable[float | None], told: Iterable[float | None]) -> None:
        """Take note since when each of its racoons is quiet, and when SAs began: one that tells of SAs is not quiet."""
        found = list(since)
        quiet_from = min((one for one in found if one is not None), default=None) if None not in found else None
        newest = max((time for time in told if time is not None), default=None)
        self.quiet_from = None if quiet_from is not None and newest is not None and newest >= quiet_from else quiet_from

    def _missing(self) -> list[Span]:
        """Give the silences in which lines are missing: something was to be told to its end, or for much longer than usual."""
        longest = min(max(LEAST_SILENCE, _RHYTHMS * self._usual()), _WRONG_CLOCK)
        lapsed = sorted(self.lapsed)
        return [
            (begin, end)
            for begin, end in self.silences
            if end - begin > longest or bisect_right(lapsed, begin) < bisect_right(lapsed, end)
        ]

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
        following = [*starts, self.last or 0.0]
        return union(
            (run.stopped, following[bisect_left(starts, run.stopped)])
            for run in runs
            if run.end == "shutdown" and run.stopped is not None
        )

    # bounds

    def forget_silences(self, most: int) -> None:
        """Let go silences that are none as far as is known, and of the others the oldest."""
        missing = self._missing()
        if len(missing) > most:
            self.kept_from = missing[-most - 1][1]
        self.silences = missing[-most:]
        self.forget_lapses()

    def forget_lapses(self) -> None:
        """Let go when SAs lapsed while lines were written."""
        now = self.newest if self.newest is not None else float("-inf")
        within = {time for time in self.lapsed if time > now or any(begin < time <= end for begin, end in self.silences)}
        self.lapsed = sorted(within)[-_MOST_LAPSED:]

    def forget_runs(self, most: int) -> None:
        """Let go the oldest lives of racoons: what was before the newest of these is no longer known."""
        ended = [run.stopped for run in self.runs[:-most] if run.stopped is not None]
        del self.runs[:-most]
        if ended:
            self.kept_from = max(self.kept_from or ended[-1], *ended)

    # records

    def take(self, record: Any, place: Place | None = None) -> None:
        """Take a row of `history`."""
        match record:
            case IpsecSa():
                self.lived(record, place)
            case IsakmpSa():
                self._phase1(record)
            case Negotiation():
                self._negotiation(record)
            case DaemonRun():
                self.runs.append(record)

    def lived(self, sa: IpsecSa, place: Place | None = None) -> None:
        """Take an IPsec SA that ended."""
        peer = self.peers.get(sa.peer) or self.peer(sa.peer)
        begin, end, cause, direction = sa.established, sa.ended, sa.end, sa.direction
        if begin is None:
            begin = self.first
        elif peer.first is None or begin < peer.first:
            peer.first = begin
        if end is None:
            end = self.last
        elif cause == "lifetime" and has_lapsed(sa):
            self.lapsed.append(end)
        if begin is None or end is None:
            return
        end = end if end > begin else begin  # noqa: FURB136  twice as fast as `max`
        if direction is None:
            peer.add("in", begin, end, cause, place)
            direction = "out"
        peer.add(direction, begin, end, cause, place)

    def _phase1(self, sa: IsakmpSa) -> None:
        peer = self.peer(sa.peer)
        if sa.established is not None and (peer.established is None or sa.established >= peer.established):
            peer.established, peer.exchange = sa.established, sa.exchange or peer.exchange

    def _negotiation(self, one: Negotiation) -> None:
        when = one.ended if one.ended is not None else one.begun
        if one.state != "failed" or one.reason is None or when is None:
            return
        peer = self.peer(one.peer)
        peer.seen(one.begun if one.begun is not None else when)
        last = peer.failed[-1] if peer.failed else None
        if last is not None and last.reason == one.reason and last.told_by == one.told_by and _follows(when, last.last):
            peer.failed[-1] = Failed(last.first, when, last.reason, last.told_by, last.count + 1)
        else:
            peer.failed.append(Failed(when, when, one.reason, one.told_by))


def _follows(time: float, last: float) -> bool:
    return 0 <= time - last < _IN_A_ROW and time // _DAY == last // _DAY


def lapses(ended: Iterable[IpsecSa], gateway: str) -> list[float]:
    """Give when SAs of a gateway ended of which no line told the end."""
    return [sa.ended for sa in ended if sa.gateway == gateway and has_lapsed(sa) and sa.ended is not None]


def has_lapsed(sa: IpsecSa) -> bool:
    """Whether no line told the end of an SA, though its racoon lived on."""
    return sa.end == "lifetime" and not sa.orphan
