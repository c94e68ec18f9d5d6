"""State by partition: each partition of a topic has an engine of its own, which comes and goes with it.

What follows from a partition's lines is kept by its source, together with the place up to which they were read: whoever is
given the partition next goes on from there. Until all is read that stood in it by then, and time has passed, nobody sees
it: an instance that died may have shown more than its last checkpoint holds, and no counter may fall.
"""

from __future__ import annotations

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
from racoon_exporter.sa.model import HISTORY
from racoon_exporter.serve.fair_lock import FairLock
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.serve.restore_marker import RestoreMarker
from racoon_exporter.state_schema import check_partition
from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger("racoon_exporter")
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
        self._restore_marker = RestoreMarker(state_file)
        self._united = Engine.like(engine)
        self._monotonic = monotonic
        self._wall = wall
        self._held: dict[str, Partition] = {}
        self._told: set[str] = set()
        self.saved_at = 0.0
        """When a checkpoint of a partition was written last."""
        self.failures = 0
        """Checkpoints that could not be written."""

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
        """How large a state file may be, or the checkpoint of a partition: limits hold for each."""
        known = self._template.state.knowledge
        return checkpoint.most_bytes(known.limits.gateways + len(known.gateways))

    def begin(self, name: str, kept: Mapping[str, Any] | None) -> None:
        """Hold a partition, and go on from what `content` gave. Raises ValueError for what is no such thing."""
        partition = Partition(Engine.like(self._template), self._monotonic)
        if kept is not None:
            with self._restore_marker.restoring(name, str(kept.get("saved"))):
                partition = self._resumed(partition, kept)
        with self.lock.reading():
            self._held[name] = partition

    def _resumed(self, partition: Partition, kept: Mapping[str, Any]) -> Partition:
        check_partition(kept)
        try:
            return partition.resumed(dict(kept), max(0.0, self._wall() - kept["saved"]))
        except Exception as error:  # whatever it is: a checkpoint that cannot be used stops nothing
            raise ValueError(f"it holds what no exporter writes ({type(error).__name__})") from error

    def content(self, name: str) -> dict[str, Any]:
        """Give what is to be kept of a partition."""
        partition = self._held[name]
        with self.lock.reading():
            content = partition.to_json()
        partition.aged = False
        self._tell_of_split_gateways(name)
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
            self._held.pop(name, None)

    def at_end(self, name: str, *, reached: bool) -> None:
        """Take note whether all was read that stands in a partition."""
        self._held[name].at_end = reached

    def _tell_of_split_gateways(self, name: str) -> None:
        mine = _gateways(self._held[name].engine) - self._told
        for other, partition in self._held.items():
            both = mine & _gateways(partition.engine) if other != name else set()
            for gateway in sorted(both)[: _MOST_TOLD - len(self._told)]:
                _LOGGER.warning(
                    "the lines of gateway %s come through %s and %s: their order is lost, and its state is two; "
                    "key the records by gateway",
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


def _gateways(engine: Engine) -> set[str]:
    return {gateway for gateway, _, _ in engine.state.racoons if gateway}


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
