"""State by partition: each partition of a topic has an engine of its own, which comes and goes with it.

What follows from a partition's lines is kept by its source, together with the place up to which they were read: whoever is
given the partition next goes on from there. Until all is read that stood in it by then, and time has passed, nobody sees
it: an instance that died may have shown more than its last checkpoint holds, and no counter may fall.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from racoon_exporter import checkpoint
from racoon_exporter.availability.past import Past
from racoon_exporter.engine import Engine
from racoon_exporter.sa import Known, SaState
from racoon_exporter.sa.archive import Archive
from racoon_exporter.sa.gateways import Gateways, Key
from racoon_exporter.sa.model import HISTORY, OTHER
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.serve.fair_lock import FairLock
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.serve.restore_marker import RestoreMarker
from racoon_exporter.serve.united_state import unite
from racoon_exporter.state_schema import check_partition
from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger("racoon_exporter")
SETTLING_SECONDS: Final = 240.0
"""Longer than a gateway takes from one instance to another, and less than the five minutes for which Prometheus goes on with
what it saw last."""
_LATELY: Final = 3600.0
"""Seconds between lines of a gateway in two partitions after which it has moved from one to the other."""
_MOST_TOLD: Final = 100
"""Gateways of two partitions that are named in the log."""


class Partition(LiveEngine):
    """The engine of a partition."""

    shown = False
    """Whether it may be seen."""
    at_end = False
    """Whether all was read that stands in it."""


class Partitions:
    """The partitions that this instance holds. Implements `Keeper` (`source/contract.py`)."""

    def __init__(
        self,
        engine: Engine,
        *,
        state_file: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Give each an engine of the same settings as `engine`; beside `state_file` stands which of them is being restored."""
        self.lock = FairLock()
        """Whose turn it is to read or look: one lock for all engines."""
        self._template = engine
        engine.share_places(self._taken_elsewhere, self._peers_elsewhere, self._racoons_elsewhere)
        self._restore_marker = RestoreMarker(state_file)
        self._united = Engine.like(engine)
        self._monotonic = monotonic
        self._wall = wall
        self._held: dict[str, Partition] = {}
        self._settling_since: dict[str, float] = {}
        """By gateway that went with its partition: when."""
        self._began = monotonic()
        self._told: set[str] = set()
        self._torn: dict[frozenset[str], frozenset[str]] = {}
        """By two names: gateways whose lines come through both, as of the last checkpoint of either."""
        self.saved_at = 0.0
        """When a checkpoint of a partition was written last."""
        self.failures = 0
        """Checkpoints that could not be written."""

    def _taken_elsewhere(self, ours: Gateways) -> int:
        """Tell how many gateways the partitions have, but for the one that asks: the limit is the instance's."""
        places = (partition.engine.state.gateways for partition in self._held.values())
        return sum(each.unnamed for each in places if each is not ours)

    def _peers_elsewhere(self, ours: SaState) -> int:
        """Tell how many peers the partitions have that nobody configured, but for the one that asks."""
        states = (partition.engine.state for partition in self._held.values())
        return sum(each.unnamed_peers for each in states if each is not ours)

    def _racoons_elsewhere(self, ours: SaState) -> Iterable[Mapping[Key, Racoon]]:
        """Give the racoons of the partitions, but for the one that asks."""
        states = (partition.engine.state for partition in self._held.values())
        return [each.racoons for each in states if each is not ours]

    def of(self, source: str) -> Partition | None:
        """Give the partition of a name; None for any other source."""
        return self._held.get(source)

    @property
    def pending(self) -> bool:
        """Whether a record is kept back that may be complete."""
        return any(partition.pending for partition in self._held.values())

    @property
    def behind(self) -> bool:
        """Whether there are partitions that nobody sees yet."""
        return not all(partition.shown for partition in self._held.values())

    def let_time_pass(self) -> None:
        """Complete what was kept back, and let time pass in those that were read to their end."""
        for partition in self._held.values():
            if partition.at_end:
                partition.flush()
                partition.let_time_pass()
                partition.shown = True

    def learn(self, knowledge: Known) -> None:
        """Take what a changed configuration says."""
        for engine in (self._template, *(partition.engine for partition in self._held.values())):
            engine.learn(knowledge)
        for partition in self._held.values():
            partition.look_anew()

    def name_gateways(self, gateway_of: Callable[[str], str]) -> None:
        """Ask this from now on whose source one is."""
        for engine in (self._template, self._united, *(partition.engine for partition in self._held.values())):
            engine.name_gateways(gateway_of)

    # keeping

    @property
    def most_bytes(self) -> int:
        """How large a state file may be, or the checkpoint of a partition: one may have all gateways."""
        known = self._template.state.knowledge
        return checkpoint.most_bytes(known.limits.gateways + len(known.gateways))

    def begin(self, name: str, kept: Mapping[str, Any] | None) -> None:
        """Hold a partition, and go on from what `content` gave. Raises ValueError for what is no such thing."""
        partition = self._made(name, kept)
        with self.lock.reading():
            self._held[name] = partition

    def _made(self, name: str, kept: Mapping[str, Any] | None) -> Partition:
        partition = Partition(Engine.like(self._template), self._monotonic)
        if kept is not None:
            with self._restore_marker.restoring(name, str(kept.get("saved"))):
                partition = self._resumed(partition, kept)
        return partition

    def _resumed(self, partition: Partition, kept: Mapping[str, Any]) -> Partition:
        check_partition(kept)
        try:
            return partition.resumed(dict(kept), max(0.0, self._wall() - kept["saved"]))
        except Exception as error:  # whatever it is: a checkpoint that cannot be used stops nothing
            raise ValueError(f"it holds what no exporter writes ({type(error).__name__})") from error

    def unite(self, name: str, kept: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Put together what `content` gave of several, for one of this name. Raises ValueError for what is no such thing."""
        parts = []
        for each in kept:
            part = self._made(name, each)
            part.flush()
            parts.append(json.loads(json.dumps(part.to_json())))
        return {**unite(name, parts), "saved": self._wall()}

    def content(self, name: str) -> dict[str, Any]:
        """Give what is to be kept of a partition."""
        partition = self._held[name]
        with self.lock.reading():
            partition.engine.mend()
        content = partition.to_json()  # nobody but the reader changes anything: who looks need not wait
        partition.aged = False
        self._find_torn_gateways(name)
        return {**content, "saved": self._wall()}

    def aged(self, name: str) -> bool:
        """Whether time changed something since `content` was asked for."""
        return self._held[name].aged

    def saved(self, *, succeeded: bool) -> None:
        """Take note that a checkpoint was written, or could not be."""
        if succeeded:
            self.saved_at = self._wall()
        else:
            self.failures += 1

    def end(self, name: str) -> None:
        """Hold a partition no more."""
        with self.lock.reading():
            gone = self._held.pop(name, None)
        self._torn = {both: torn for both, torn in self._torn.items() if name not in both}
        if gone is not None:
            now = self._monotonic()
            self._settling_since = {
                each: since for each, since in self._settling_since.items() if now - since < SETTLING_SECONDS
            }
            self._settling_since |= dict.fromkeys((gateway.casefold() for gateway in _gateways(gone.engine)), now)

    def is_settling(self, gateway: str) -> bool:
        """Whether a gateway that is not held may just be on its way, here or to another instance.

        What is said of it by configuration alone, that it is down and counted nothing, would be believed of who held it.
        """
        since = max(self._began, self._settling_since.get(gateway.casefold(), self._began))
        return self._monotonic() - since < SETTLING_SECONDS

    def torn(self, prefix: str) -> int:
        """Tell of how many gateways lines come through several partitions of a topic, as of the last checkpoints."""
        found = (torn for both, torn in self._torn.copy().items() if any(name.startswith(prefix) for name in both))
        return len(frozenset[str]().union(*found))

    def at_end(self, name: str, *, reached: bool) -> None:
        """Take note whether all was read that stands in a partition."""
        self._held[name].at_end = reached

    def _find_torn_gateways(self, name: str) -> None:
        """Find gateways that were heard in another partition as well, lately: where the topic has grown, one moves once."""
        mine = _gateways(self._held[name].engine)
        for other, partition in self._held.items():
            if other == name:
                continue
            theirs = _gateways(partition.engine)
            torn = {gateway for gateway in mine.keys() & theirs if abs(mine[gateway] - theirs[gateway]) < _LATELY}
            self._torn[frozenset((name, other))] = frozenset(torn)
            for gateway in sorted(torn - self._told)[: _MOST_TOLD - len(self._told)]:
                _LOGGER.warning(
                    "the lines of gateway %s come through %s and %s: their order is lost, and its state is two; "
                    "key the records by gateway, or say `order: time`",
                    visible(gateway),
                    name,
                    other,
                )
                self._told.add(gateway)

    # looking

    def united_with(self, engine: Engine, *, history: bool = False) -> Engine:
        """Give what `engine` and all partitions know as if one engine did, to look at; with `history`, what is over too."""
        engine.mend()
        parts = {name: partition.engine for name, partition in self._held.items() if partition.shown}
        if not parts:
            return engine
        for part in parts.values():
            part.mend()
        every = {"": engine, **parts}
        united = self._united
        united.parts = every
        united.state = SaState(engine.state.knowledge)
        united.state.racoons = {
            (gateway, ident, f"{stream}{name}"): racoon
            for name, part in every.items()
            for (gateway, ident, stream), racoon in part.state.racoons.items()
        }
        if history:
            passed_over = unite_archives(united.state.archive, [part.state.archive for part in every.values()])
            logs = {gateway: log.copy() for part in every.values() for gateway, log in part.past.gateways.items()}
            united.past = Past(None, logs)
            united.past.keep(passed_over, lambda _gateway, _address: True)
        united.first_line = {source: at for part in every.values() for source, at in part.first_line.items()}
        united.last_line = {source: at for part in every.values() for source, at in part.last_line.items()}
        for reason in united.unparsed:
            united.unparsed[reason] = sum(part.unparsed[reason] for part in every.values())
        united.errors.number = sum(part.errors.number for part in every.values())
        return united


def _gateways(engine: Engine) -> dict[str, float]:
    """Give the gateways of which an engine knows, and when each was heard last."""
    heard: dict[str, float] = {}
    for (gateway, _, _), racoon in engine.state.racoons.items():
        if gateway and gateway != OTHER:
            heard[gateway] = max(heard.get(gateway, 0.0), racoon.now or 0.0)
    return heard


def unite_archives(into: Archive, archives: Iterable[Archive]) -> list[Any]:
    """Put ended records together in the order of their ends: the newest, back to where one archive has let go of older ones.

    Gives those that are passed over.
    """
    limit = into.limit
    passed_over: list[Any] = []
    for name in HISTORY:
        tables = [table for archive in archives if (table := getattr(archive, name))]
        rows = sorted((row for table in tables for row in table), key=_end)
        if limit is not None:
            complete_from = max((_end(table[0]) for table in tables if len(table) >= limit - limit // 10), default=0.0)
            first = max(sum(1 for row in rows if _end(row) < complete_from), len(rows) - limit)
            passed_over += rows[:first]
            del rows[:first]
        setattr(into, name, rows)
    return passed_over


_ended: Final = attrgetter("ended")


def _end(row: Any) -> float:
    return _ended(row) or 0.0
