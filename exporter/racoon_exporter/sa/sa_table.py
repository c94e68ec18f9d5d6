"""The SAs of one kind that are alive, and those that only their lifetime ended: both kinds live and end in the same way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, Generic, TypeVar, cast

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.model import IpsecSa, IsakmpSa, Peer, from_json, to_json
from racoon_exporter.sa.peers import Peers
from racoon_exporter.sa.shared_bounds import Crowd, Share, whole
from racoon_exporter.sa.tables import Table, move, with_own_code
from racoon_exporter.sa.timers import NEVER, Timers

GRACE: Final = 10.0
"""Seconds a line about an SA's end may be late before its lifetime ends it."""
_LATE_SHARE: Final = 20
"""A twentieth of the lifetime, where that is more: the longer it is, the less it is kept to the second."""
AT_LEAST: Final = 1 + 1 / _LATE_SHARE
"""An SA whose end nobody logs is taken to have ended so many times its lifetime after its beginning, or later."""
_MOST_PRESUMED: Final = 4096
_OFTEN: Final = ("add", "enter", "leave", "due", "end")
"""Methods that the lines about SAs go through, which are half of all."""

_NONE: Final[dict[Any, Any]] = {}

Sa = TypeVar("Sa", IsakmpSa, IpsecSa)
Event = TypeVar("Event", bound=str)


def latest_end(established: float, lifetime: float) -> float:
    """Give the time at which an SA of a lifetime is surely over, however late its lines are."""
    late = lifetime / _LATE_SHARE
    return established + lifetime + (late if late > GRACE else GRACE)  # noqa: FURB136  twice as fast as `max`


class SasOfPeer(list[Sa]):
    """A peer's SAs that are alive, oldest first, and when to look at them again: one look for all keeps the timers few."""

    __slots__ = ("look", "overdue")

    def __init__(self) -> None:
        super().__init__()
        self.look = NEVER
        """When the first of them is to be ended, if no line ends it before."""
        self.overdue = NEVER
        """When a line that the first of them should cause is overdue."""


class SaTable(Generic[Sa, Event]):
    """SAs by what lines call them, and by peer. A name may be that of several: SPIs are of either end's choice."""

    __slots__ = (
        "_alike",
        "_archive",
        "_crowd",
        "_ended",
        "_metric",
        "_most",
        "_most_of_peer",
        "_move",
        "_peers",
        "_presumed",
        "_share",
        "_since",
        "_table",
        "_timers",
        "named",
        "of_peer",
    )

    kind: type[Sa]
    table: Table[Any, Event]
    move: Callable[[Table[Any, Event], Sa, Event], bool]
    """`tables.move` for this kind."""
    metric: str
    """Under which a peer's ended SAs are counted."""
    taken_over: Any
    """The end of one that gives way to another."""
    most_of_peer: int
    """SAs of a peer that are kept. Whoever sends packets makes as many as he likes; real gateways stay far below."""
    most: int
    """SAs that are kept in all."""

    def __init_subclass__(cls) -> None:
        """Give each kind of table code of its own: Python fits code to the one class that it meets there (PEP 659)."""
        super().__init_subclass__()
        for name in _OFTEN:
            setattr(cls, name, with_own_code(getattr(SaTable, name)))
        cls.move = staticmethod(with_own_code(move))

    def __init__(
        self, archive: Archive, ended: list[Sa], peers: Peers, timers: Timers, crowd: Crowd, share: Share = whole
    ) -> None:
        kind = type(self)  # what is looked up in the class takes ten times as long
        self._table, self._metric = kind.table, kind.metric
        self._move: Callable[[Table[Any, Event], Sa, Event], bool] = kind.move
        self._most_of_peer, self._most = kind.most_of_peer, kind.most
        self.named: dict[Hashable, Sa] = {}
        """All that are alive, oldest first, by name; those that came while another had their name, by that and their `id`."""
        self._alike: dict[Hashable, dict[Hashable, Sa]] = {}
        """By name, and by what tells them apart: those that came while another had the name, oldest first."""
        self._since = 0
        """How many came since `take_new` was last asked."""
        self.of_peer: dict[str, SasOfPeer[Sa]] = {}
        self._presumed: OrderedDict[Hashable, Sa] = OrderedDict()
        """By name: SAs that only their lifetime ended; a later line about one proves it wrong."""
        self._archive = archive
        self._ended: list[Sa] = ended
        self._peers = peers
        self._timers = timers
        self._crowd = crowd
        self._share = share

    def __iter__(self) -> Iterator[Sa]:
        return iter(self.named.values())

    def __len__(self) -> int:
        return len(self.named)

    # their lives

    def add(self, sa: Sa, peer: Peer, now: float | None) -> None:
        """Add an SA that is alive, and tell its peer. Of too many, the oldest of its peer, or of all, gives way to it."""
        of_peer = self.enter(sa)
        if len(of_peer) > self._most_of_peer:
            self._crowd_out(of_peer[0], now)
        elif len(self.named) > self._most:
            self._crowd_out(next(iter(self.named.values())), now)
        self._schedule(sa, of_peer)
        self.grown(peer, sa.peer, now)
        self._crowd.grown()

    def let_go(self, number: int, now: float | None) -> None:
        """Take so many to be over, the oldest first: there are too many of all racoons."""
        for sa in list(islice(self.named.values(), number)):
            self._crowd_out(sa, now)

    def _crowd_out(self, oldest: Sa, now: float | None) -> None:
        self.end(oldest, cast("Event", "crowded_out"), self.taken_over, now, now)
        self._peers.note_dropped_sa()

    def enter(self, sa: Sa) -> SasOfPeer[Sa]:
        """Enter an SA under its name and its peer, and give those of its peer."""
        name = sa.name
        self._since += 1
        if name in self._alike or self.named.setdefault(name, sa) is not sa:
            alike = self._alike.setdefault(name, {})
            if alike.setdefault(self.tell_apart(sa), sa) is not sa:
                alike[id(sa)] = sa
            self.named[name, id(sa)] = sa
        of_peer = self.of_peer.get(sa.peer)
        if of_peer is None:
            of_peer = self.of_peer[sa.peer] = SasOfPeer()
        of_peer.append(sa)
        return of_peer

    def leave(self, sa: Sa) -> None:
        """Take an SA out of the tables of those alive."""
        name, address = sa.name, sa.peer
        if name in self._alike and self.named.get(name) is not sa:
            self._leave_alike(name, sa)
        else:
            del self.named[name]
        of_peer = self.of_peer[address]
        of_peer.remove(sa)
        if not of_peer:
            del self.of_peer[address]

    def _leave_alike(self, name: Hashable, sa: Sa) -> None:
        alike = self._alike[name]
        key = self.tell_apart(sa)
        del alike[key if alike.get(key) is sa else id(sa)]
        if not alike:
            del self._alike[name]
        del self.named[name, id(sa)]

    def oldest(self, name: Hashable) -> Sa | None:
        """Give the oldest SA of a name."""
        return self.named.get(name) or next(iter(self._alike.get(name, _NONE).values()), None)

    def of_name(self, name: Hashable) -> list[Sa]:
        """Give the SAs of a name, oldest first: SPIs are of either end's choice, and may be equal."""
        first: Sa | None = self.named.get(name)
        return [*([] if first is None else [first]), *self._alike.get(name, _NONE).values()]

    def tell_apart(self, sa: Sa) -> Hashable:
        """Give what tells SAs of one name apart."""
        return sa.peer

    def take_new(self) -> list[Sa]:
        """Give those that came since the last time, and perhaps some before: with each line that asks, all would be many."""
        new, self._since = list(islice(reversed(self.named.values()), self._since)), 0
        return new

    def ends_by_time(self, sa: Sa) -> float:
        """Tell when an SA whose end nobody logs is taken to have ended; infinity for never."""
        raise NotImplementedError

    def end_by_time(self, sa: Sa, now: float) -> None:
        """End an SA for which that time has come."""
        raise NotImplementedError

    def schedule_end(self, sa: Sa) -> None:
        """Look at an SA when it is taken to have ended."""
        self._schedule(sa, self.of_peer[sa.peer])

    def _schedule(self, sa: Sa, sas: SasOfPeer[Sa]) -> None:
        self._look_at(sas, self.ends_by_time(sa))

    def _look_at(self, sas: SasOfPeer[Sa], when: float) -> None:
        if when < sas.look:
            sas.look = when
            self._timers.at(when, self, sas)

    def due(self, sas: SasOfPeer[Sa], now: float) -> None:
        """End those of a peer's SAs for which the time has come, and look at the others later."""
        when = sas.look
        if now < when:
            return  # they were looked at before
        over, following = [], NEVER
        ends_by_time = self.ends_by_time
        for sa in sas:
            end = ends_by_time(sa)
            if end <= when:
                over.append(sa)
            elif end < following:
                following = end
        for sa in over:
            self.end_by_time(sa, now)
        sas.look = NEVER
        self._look_at(sas, following)

    def awaits(self, sas: SasOfPeer[Sa], when: float) -> bool:
        """Whether a peer's SAs are to be looked at at this time; a look that was to come later goes for one that is sooner."""
        return bool(sas) and sas.look == when

    def grown(self, peer: Peer, address: str, at: float | None) -> None:
        """Take note that there is an SA more of an address; `peer` is what is counted for it."""
        self.changed(peer, address, at)

    def changed(self, peer: Peer, address: str, at: float | None) -> None:
        """Take note that the SAs of an address are others."""

    def end(self, sa: Sa, event: Event, cause: Any, at: float | None, now: float | None, peer: Peer | None = None) -> bool:
        """End an SA, if what happened ends one of its state, and tell whether it did. What was taken back is counted once.

        What is counted for its peer is looked up if it is not given.
        """
        if not self._move(self._table, sa, event):
            return False
        self.leave(sa)
        sa.end, sa.ended = cause, at
        self._archive.add(self._ended, sa)
        if peer is None:
            peer = self._peers.entry(sa.peer, now)
        if not sa.counted:
            peer.counters[self._metric, cause] += 1
            sa.counted = True
        self.changed(peer, sa.peer, at)
        return True

    def presume_ended(self, sa: Sa, event: Event, cause: Any, at: float | None, now: float | None) -> None:
        """End an SA whose lifetime has passed without a line: it was flushed, or the line was lost."""
        self._presumed[sa.name] = sa
        most = self._share(_MOST_PRESUMED)
        while len(self._presumed) > most:
            self._presumed.popitem(last=False)
        self.end(sa, event, cause, at, now)

    def revive(self, name: Hashable, event: Event, now: float | None, peer: str | None = None) -> Sa | None:
        """Bring an SA back that was taken to be over, as a line proves that it lives."""
        sa = self._presumed.get(name)
        if sa is None or peer not in (None, sa.peer):
            return None
        del self._presumed[name]
        if sa not in self._ended:
            return None  # too long ago
        self._ended.remove(sa)
        self._archive.changed()
        self._crowd.grown()  # before it is one of them: it must not give way to itself
        self._move(self._table, sa, event)
        sa.end, sa.ended = None, None
        self.enter(sa)
        self.changed(self._peers.entry(sa.peer, now), sa.peer, now)
        return sa

    def forget_presumed(self) -> None:
        """Believe in the end of all that only time ended."""
        self._presumed.clear()

    @property
    def presumed(self) -> Sequence[Sa]:
        """SAs that only their lifetime ended."""
        return tuple(self._presumed.values())

    # keeping

    def to_json(self, places: Places) -> dict[str, Any]:
        """Give everything, for a checkpoint. Ended SAs are named by their place in the archive."""
        return {
            "alive": [to_json(sa) for sa in self],
            "presumed": [places[id(sa)] for sa in self._presumed.values() if id(sa) in places],
        }

    def restore(self, given: dict[str, Any]) -> list[Sa]:
        """Go on from what `to_json` gave, and give the SAs that are alive in its order."""
        alive = [from_json(self.kind, item) for item in given["alive"]]
        for sa in alive:
            self.enter(sa)
        over = [self._ended[place] for place in given["presumed"]]
        self._presumed = OrderedDict((sa.name, sa) for sa in over)
        return alive
