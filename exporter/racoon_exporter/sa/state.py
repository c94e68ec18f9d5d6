"""The state of all racoons: `apply` a record, look at what is believed, keep it over a restart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from racoon_exporter.sa import daemon
from racoon_exporter.sa.archive import Archive
from racoon_exporter.sa.checkpoint import Gather, made_anew, racoon_from_json, racoon_to_json, without_sas
from racoon_exporter.sa.configured import Knowledge, Known
from racoon_exporter.sa.gateways import Gateways, Key
from racoon_exporter.sa.handlers import HANDLERS, take
from racoon_exporter.sa.heard import Heard
from racoon_exporter.sa.model import HISTORY, OTHER, IpsecSa, IsakmpSa, as_made, from_json
from racoon_exporter.sa.peer_places import PeerPlaces
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.sa.shared_bounds import SharedBounds
from racoon_exporter.sa.two_ends import TwoEnds
from racoon_parsers.record import Origin, Record

_FOLDED: Final = (OTHER, "racoon", "")
"""The racoon of all gateways beyond the limit."""
_ANY_NAME: Final = "racoon"
IDLE_RACOON: Final = 86400.0
"""Seconds without a line after which a racoon's place may be given to another."""
_MOST_REPEATS: Final = 100
"""`last message repeated` is applied at most this often: more changes nothing."""


class SaState:
    """Everything believed, of every gateway and every racoon on it."""

    def __init__(self, knowledge: Known | None = None) -> None:
        self.knowledge: Known = knowledge or Knowledge()
        self.archive = Archive(self.knowledge.limits.history)
        self.two_ends = TwoEnds()
        self.racoons: dict[Key, Racoon] = {}
        self.bounds = SharedBounds(self.racoons)
        self.bounds.learn(self.knowledge.limits)
        self.gateways = Gateways(self.knowledge)
        self.peer_places = PeerPlaces(self._unnamed_peers)
        self.peers_elsewhere: Callable[[SaState], int] = lambda _ours: 0
        """How many peers others have that share the limit."""
        self._heard: set[Racoon] = set()
        """Racoons of which a line came since `take_heard` was last asked."""
        self._latest: Racoon | None = None
        """The racoon of the last record: most often that of the next."""
        self._tenure = object()
        """Stays while no racoon goes, or is made anew: what was looked up holds."""
        self._doubtful: set[Key] = set()
        """Racoons whose tables a record may have left half changed, as it raised."""
        self._full_until = float("-inf")
        """Before this time no racoon gives way to another."""

    def racoon(self, gateway: str, ident: str, stream: str, time: float | None = None) -> Racoon:
        """Give the racoon of a gateway that runs under a name. Where no line names a host, each stream is a racoon's own."""
        key = (gateway, ident, stream)
        racoon = self.racoons.get(key)
        if racoon is None:
            key = self._place(key, time)
            racoon = self.racoons.get(key)
            if racoon is None:
                racoon = self._put(Racoon(*key, self.knowledge, self.archive, self.two_ends, self.bounds))
                self.gateways.enter(key)
        return racoon

    def _put(self, racoon: Racoon) -> Racoon:
        """Make a racoon one of ours."""
        self.racoons[racoon.key] = racoon
        racoon.peers.places = self.peer_places
        return racoon

    @property
    def unnamed_peers(self) -> int:
        """How many peers there are that the configuration does not name."""
        return sum(racoon.peers.unnamed for racoon in self.racoons.values())

    def _unnamed_peers(self) -> int:
        return self.unnamed_peers + self.peers_elsewhere(self)

    def _place(self, key: Key, time: float | None) -> Key:
        """Give the key under which a racoon is known: by the one spelling of its gateway, or by what stands for too many."""
        gateway, ident, stream = key
        key = self.gateways.spelled(gateway), ident, stream
        if key in self.racoons:
            return key
        if not self._has_room(key, time):
            self.gateways.fold(key)
            return _FOLDED
        return key if self.gateways.has_name_free(key) else (key[0], _ANY_NAME, stream)

    def _has_room(self, key: Key, time: float | None) -> bool:
        """Tell whether there is room for a racoon; a gateway that has been silent for long makes it."""
        if self.gateways.has_room(key):
            return True
        if time is None or time < self._full_until:
            return False
        return self._make_room(time)

    def _make_room(self, time: float) -> bool:
        last: dict[tuple[str, str], float] = {}
        for (gateway, _, stream), racoon in self.racoons.items():
            place = gateway, stream
            if not self.gateways.is_configured(place):
                last[place] = max(last.get(place, 0.0), racoon.now or 0.0)
        oldest = min(last, key=lambda place: last[place], default=None)
        if oldest is None:
            return False
        self._full_until = last[oldest] + IDLE_RACOON
        if time < self._full_until:
            return False
        self.forget([key for key in self.racoons if (key[0], key[2]) == oldest])
        return True

    def forget(self, keys: Collection[Key]) -> None:
        """Let racoons go, with all that is known of them."""
        for key in keys:
            gone = self.racoons.pop(key)
            self.two_ends.leave(gone)
            self._heard.discard(gone)
        self.gateways.leave(keys)
        self._latest, self._tenure = None, object()

    def apply(self, record: Record, stream: str = "") -> None:
        """Take a record of a stream. Never raises; what is unexpected is believed."""
        racoon = self.racoon_at(record.gateway, record.ident, stream, record.time)
        message = record.message
        if message is not None and message.event in HANDLERS:
            heard = Heard(message, record.event, record.tag)
            for _ in range(min(record.times, _MOST_REPEATS)):
                take(racoon, heard)

    def racoon_at(self, gateway: str, ident: str, stream: str, time: float | None) -> Racoon:
        """Give the racoon that writes a line, at the time of the line."""
        racoon = self.racoon(gateway, ident, stream, time)
        if racoon is not self._latest:
            self._latest = racoon
            self._heard.add(racoon)
        if time is not None and time != racoon.now:
            racoon.advance(time)
        return racoon

    def turn_to(self, time: float, origin: Origin, stream: str) -> Racoon:
        """Give the racoon that writes the lines of an origin, at the time of a line: `racoon_at` for one that comes again."""
        if origin.sure is not self._tenure:
            racoon = self.racoon_at(origin.gateway, origin.ident, stream, time)
            if racoon.key == (origin.gateway, origin.ident, stream):  # another stands for it until there is room
                origin.known, origin.sure = racoon, self._tenure
            return racoon
        racoon = origin.known
        if racoon is not self._latest:
            self._latest = racoon
            self._heard.add(racoon)
        if time != racoon.now:
            racoon.advance(time)
        return racoon

    def take_heard(self) -> set[Key]:
        """Give the racoons of which a line came since the last time."""
        heard, self._heard, self._latest = self._heard, set(), None
        return {racoon.key for racoon in heard}

    def doubt(self, key: Key) -> None:
        """Take note that a record of a racoon raised while it was applied."""
        gateway, ident, stream = self.gateways.spelled(key[0]), *key[1:]
        places = (gateway, ident, stream), (gateway, _ANY_NAME, stream)  # as `_place` gives them
        self._doubtful.add(next((place for place in places if place in self.racoons), _FOLDED))

    def mend(self) -> list[str]:
        """Make the tables of doubtful racoons anew from what they say of themselves, and tell of what had to be given up.

        The tables by peer, by time and by number follow from those that a state file keeps, so a change that was not made in
        all of them is made now. Where that fails, the SAs are forgotten: they are known again from their next line.
        """
        remarks: list[str] = []
        if not self._doubtful:
            return remarks
        for key in self._doubtful & self.racoons.keys():
            old = self.racoons[key]
            try:
                self._put(made_anew(old))
            except Exception:  # noqa: BLE001  whatever is wrong with it, it can't be kept
                self.two_ends.leave(old)
                self._put(without_sas(old))
                remarks.append(f"what was known of the SAs of {old.gateway or old.stream or old.ident!r} is lost by an error")
        self.two_ends.make_anew(self.racoons.values())
        self._doubtful.clear()
        self._latest, self._tenure = None, object()
        return remarks

    def learn(self, knowledge: Known) -> None:
        """Take what a changed configuration says."""
        self.knowledge = knowledge
        self.gateways.learn(knowledge)
        self.bounds.learn(knowledge.limits)
        for racoon in self.racoons.values():
            racoon.learn(knowledge)

    def settle(self) -> None:
        """Decide what waits for a next line, as none will come."""
        for racoon in self.racoons.values():
            racoon.blame.settle(racoon.now)
        self.two_ends.settle()

    # looking

    def of_gateway(self, gateway: str) -> list[Racoon]:
        """Give the racoons of a gateway."""
        return [self.racoons[key] for key in self.gateways.keys_of(gateway) if key in self.racoons]

    def isakmp_sas(self) -> Iterator[IsakmpSa]:
        """Give the ISAKMP SAs that are alive."""
        for racoon in self.racoons.values():
            yield from racoon.isakmp

    def ipsec_sas(self) -> Iterator[IpsecSa]:
        """Give the IPsec SAs that are alive."""
        for racoon in self.racoons.values():
            yield from racoon.ipsec

    def history(self) -> dict[str, list[Any]]:
        """Give all negotiations, SAs and daemons, ended and alive, in the order of their beginning."""
        archive = self.archive
        runs = [racoon.life.run for racoon in self.racoons.values() if racoon.life.run is not None]
        unfinished = [negotiation for racoon in self.racoons.values() for negotiation in racoon.negotiations]
        return {
            "phase1": sorted([*archive.phase1, *self.isakmp_sas()], key=lambda sa: (sa.established or 0.0, sa.cookies)),
            "ipsec": sorted(
                [*archive.ipsec, *self.ipsec_sas()],
                key=lambda sa: (sa.established or 0.0, sa.peer, sa.direction != "in", sa.spi),
            ),
            "negotiations": sorted(
                [*archive.negotiations, *unfinished], key=lambda one: (one.begun or 0.0, one.phase, one.peer, one.ended or 0.0)
            ),
            "daemon": sorted([*archive.daemon, *runs], key=lambda run: (run.started or 0.0, run.gateway)),
        }

    def take_settled(self) -> dict[str, list[Any]]:
        """Take the ended records out of the archive that no later line can change any more.

        For archives that are read once: what is over leaves, so that memory does not grow with the log.
        """
        racoons = self.racoons.values()
        open_to_change = {id(record) for racoon in racoons for record in racoon.open_to_change()}
        awaited = {(racoon.gateway, sa.cookies) for racoon in racoons for sa in daemon.may_await_login(racoon)}
        settled: dict[str, list[Any]] = {}
        for name in HISTORY:
            held: list[Any] = []
            gone: list[Any] = []
            table = getattr(self.archive, name)
            for record in table:
                late = id(record) in open_to_change or (name == "negotiations" and (record.gateway, record.cookies) in awaited)
                (held if late else gone).append(record)
            table[:] = held
            settled[name] = gone
        self.archive.changed()
        return settled

    # keeping

    def to_json(self, gather: Gather = list) -> dict[str, Any]:
        """Give everything, for a checkpoint. `gather` puts the racoons together."""
        places = self.archive.places()
        return {
            "archive": self.archive.to_json(),
            "racoons": gather(racoon_to_json(racoon, places) for racoon in self.racoons.values()),
            "folded_gateways": self.gateways.to_json(),
        }

    @classmethod
    def from_json(
        cls, given: dict[str, Any], knowledge: Known | None = None, archive: Mapping[str, Any] | None = None
    ) -> SaState:
        """Make the state of what `to_json` gave. Raises KeyError, TypeError or ValueError on anything else.

        `archive` holds the records of what is over, where they were made already.
        """
        state = cls(knowledge)
        for name, kind in HISTORY.items():
            rows = given["archive"][name]
            made = [from_json(kind, row) for row in rows] if archive is None else as_made(kind, rows, archive[name])
            setattr(state.archive, name, made)
        for item in given["racoons"]:
            racoon = racoon_from_json(item, state.knowledge, state.archive, state.two_ends, state.bounds)
            racoon.learn(state.knowledge)
            state._put(racoon)
            state.gateways.enter(racoon.key)
        if "folded_gateways" in given:  # older versions did not keep it
            state.gateways.restore(given["folded_gateways"])
        return state
