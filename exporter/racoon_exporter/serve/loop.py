"""The loop of `serve`: read what is new, keep the state, write checkpoints, let the scrapers look."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from racoon_exporter.engine import Engine
from racoon_exporter.metrics import OwnState
from racoon_exporter.sa import Known
from racoon_exporter.sa.checkpoint import Gather
from racoon_exporter.sa.findings import Believed, Findings, believed, take_findings, witnessed
from racoon_exporter.serve.block_size import BlockSize
from racoon_exporter.serve.crash_marker import CrashMarker
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.serve.partitions import Partitions
from racoon_exporter.serve.reconfiguration import fit_to_sources
from racoon_exporter.serve.state_file import StateFile
from racoon_exporter.source import Block, SourceCounts, SourceStatus
from racoon_exporter.state_schema import PASSES, check_file
from racoon_exporter.text import visible

if TYPE_CHECKING:
    from racoon_exporter.source.inputs import Inputs
    from racoon_exporter.source.kinds import Wanted
    from racoon_exporter.witness import WitnessPanel

T = TypeVar("T")

_LOGGER: Final = logging.getLogger("racoon_exporter")
CHECKPOINT_SECONDS: Final = 10.0
QUIET_SECONDS: Final = 0.1
"""Silence after which a record that may go on in the next line is taken to be complete."""
IDLE_SECONDS: Final = 1.0
STUCK_SECONDS: Final = 60.0
"""A turn that takes longer waits for something that may never come, such as a disk or a file server. Then nothing is read: who
asks is told. systemd's watchdog, where there is one, ends the process after as long."""
_MIB: Final = 1024 * 1024


class Follower:
    """Follows the inputs until stopped. One thread runs it; any may look."""

    def __init__(
        self,
        engine: Engine,
        inputs: Inputs,
        *,
        state_file: Path | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        on_turn: Callable[[], None] = lambda: None,
        witnesses: WitnessPanel | None = None,
        partitions: Partitions | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Follow `inputs` with `engine`; `on_turn` is called in each turn of the loop. `witnesses` say what the log cannot.

        `partitions` are those of the inputs that come with their own state.
        """
        self._live = LiveEngine(engine, monotonic)
        self.partitions = Partitions(engine, monotonic=monotonic, wall=wall) if partitions is None else partitions
        self.config_ok = True
        self.web_config_ok: Callable[[], bool] = lambda: True
        self._on_turn = on_turn
        self.witnesses = witnesses
        if witnesses is not None:
            witnesses.believes, witnesses.report = self._believed, self._take_findings
        self._inputs = inputs
        self._state_file = StateFile(state_file, checkpoint_seconds, monotonic)
        self._marker = CrashMarker(state_file)
        self._monotonic = monotonic
        self._wall = wall
        self.lock = self.partitions.lock
        self._keeping = threading.Lock()
        """Held while a checkpoint is written: all parts of it are of one state."""
        self._block_size = BlockSize()
        self._stopping = False
        self._partitions_due = 0.0
        self._dirty = False
        self._caught_up = False
        self._families_told: set[str] = set()
        self._behind = True
        """Whether the last turn found something to read: more may wait behind it."""
        self._earlier: dict[str, SourceCounts] = {}
        """By source: what was counted before this start."""
        self._aside: dict[str, Any] = {}
        """What is known of sources that are read no longer, by name, as JSON values."""
        self._started = monotonic()
        self._turned: float | None = None
        """When the present turn of `run` began; None while it does not run."""

    @property
    def engine(self) -> Engine:
        """The engine of all that has no partitions."""
        return self._live.engine

    # life

    def restore(self) -> None:
        """Go on from the state file. A file that cannot be used is set aside with a message; reading then starts anew."""
        self._state_file.restore(self.partitions.most_bytes, self._resume)

    def _resume(self, content: dict[str, Any]) -> None:
        """Take the content of a state file: all of it, or nothing where any of it raises."""
        check_file(content)
        dropped = fit_to_sources(content, self._inputs.reads, self.engine.gateway_of) if "gateways" in content else []
        positions = _positions(content["positions"])
        earlier = {str(name): SourceCounts.from_json(counts) for name, counts in content["sources"].items()}
        resumed = self._live.resumed(content, max(0.0, self._wall() - content["saved"]))
        self._inputs.check(positions)
        if self.witnesses is not None and "witnesses" in content:
            self.witnesses.restore(content["witnesses"])
        self._inputs.resume(positions)
        # Nothing from here on raises.
        self._live = resumed
        self._earlier = earlier
        self._aside = content.get("aside", {})
        for remark in dropped:
            _LOGGER.warning("%s", visible(remark))

    def run(self) -> None:
        """Follow until `stop`, or until every input has ended."""
        self._marker.begin()
        while not self._stopping:
            self._turned = self._monotonic()
            self._on_turn()
            if self.step():
                continue
            if self._inputs.finished:
                break
            self._inputs.wait(QUIET_SECONDS if self._live.pending or self.partitions.pending else IDLE_SECONDS)
        self._turned = None
        with self.lock.reading():
            self._live.flush()
        self.save()
        self._marker.end()

    def stop(self) -> None:
        """End `run`; from any thread or a signal handler."""
        self._stopping = True
        self._inputs.wake()

    def step(self) -> bool:
        """Read one block, or notice that there is none; True if there was one."""
        block = self._inputs.read(self._block_size.bytes)
        self._behind = block is not None
        if block is None:
            self._idle()
            self._caught_up = self._caught_up or self._has_partitions_read()
        else:
            self._take(block)
        if (self._dirty or self._live.aged) and self._state_file.is_due(only_time_passed=not self._dirty):
            self.save()
        return block is not None

    def _has_partitions_read(self) -> bool:
        """Whether all that topics hold was read; one that cannot be read is told elsewhere, and not waited for."""
        statuses = self._inputs.statuses()
        return not self.partitions.behind and all(each.up or each.error for each in statuses if each.kept)

    def _take(self, block: Block) -> None:
        partition = self.partitions.of(block.source)
        reader = partition or self._live
        for part, passed_over in self._marker.parts(block):  # which writes: nobody who looks waits for a disk
            with self.lock.reading():
                begun = self._monotonic()
                (reader.pass_over if passed_over else reader.feed)(part)
                self._block_size.note(len(part.data), self._monotonic() - begun)
        if self._monotonic() >= self._partitions_due:  # one that is read to its end need not wait for the others
            self._partitions_due = self._monotonic() + IDLE_SECONDS
            with self.lock.reading():
                self.partitions.let_time_pass()
        self._dirty |= partition is None

    def _idle(self) -> None:
        """Complete what was kept back, and let the log's time pass as fast as ours."""
        with self.lock.reading():
            self._live.flush()
            self._live.let_time_pass()
            self.partitions.let_time_pass()
        self._marker.rest()

    def learn(self, knowledge: Known) -> None:
        """Take what a changed configuration says."""
        with self.lock.reading():
            self.engine.learn(knowledge)
            self._live.look_anew()
            self.partitions.learn(knowledge)

    def change(self, wanted: Sequence[Wanted], gateway_of: Callable[[str], str], most_open: int | None = None) -> None:
        """Read what is wanted from now on, as after a restart: what is known goes with its source, or is set aside with it.

        `gateway_of` gives the configured gateway of a source, or "". Whoever looks sees what was known before until all is
        done. Raises ValueError or OSError, with nothing changed, for what cannot be read.
        """
        with self.lock.reading():
            self._live.flush()
            self.engine.mend()
        with self._keeping:
            content = json.loads(json.dumps(self._content()))
        places = {name: kept["position"] for name, kept in self._aside.items() if kept["position"] is not None} | content[
            "positions"
        ]
        count_on = self._inputs.change(wanted, _positions(places), most_open)
        remarks = fit_to_sources(content, self._inputs.reads, gateway_of)
        with self.lock.reading():
            self.engine.name_gateways(gateway_of)
            self.partitions.name_gateways(gateway_of)
        resumed = self._live.resumed(content, 0.0)
        with self.lock.reading():
            self._live = resumed
        earlier = {name: SourceCounts.from_json(counts) for name, counts in content["sources"].items() if name not in count_on}
        self._earlier = earlier | {name: counts for name, counts in self._earlier.items() if name in count_on}
        self._aside = content["aside"]
        self._dirty = True
        for remark in remarks:  # now that whoever looks sees it
            _LOGGER.info("%s", visible(remark))

    # witnesses

    def _believed(self, gateway: str | None) -> Believed | None:
        """Copy what the log believes, for a witness to compare with; None while the log is not followed to its end."""
        if self._behind:
            return None
        with self.lock.looking():
            racoon = witnessed(self.engine.state.racoons.values(), gateway)
            return None if racoon is None else believed(racoon)

    def _take_findings(self, findings: Findings) -> None:
        with self._keeping, self.lock.looking():
            racoon = witnessed(self.engine.state.racoons.values(), findings.gateway)
            if racoon is not None:
                take_findings(racoon, findings)
                self._live.look_at(racoon)
                self._live.aged = True

    # checkpoints

    def save(self) -> None:
        """Write the state file."""
        with self.lock.reading():
            self.engine.mend()
        # Nobody else changes anything: who looks need not wait, and racoons are written one by one.
        with self._keeping, self._marker.resting():
            if self._state_file.save(partial(self._content, self.lock.beside_answers)):
                self._dirty = self._live.aged = False

    def _content(self, gather: Gather = list) -> dict[str, Any]:
        live = self._live.to_json(gather)
        statuses = [status for status in self.statuses() if not status.kept]
        positions = dict.fromkeys((status.name for status in statuses), PASSES) | self._inputs.positions()
        names = tuple(positions)
        with self.lock.reading():
            self.engine.forget_sources(frozenset(names))
        return {
            **live,
            "positions": positions,
            "gateways": {name: self.engine.gateway_of(name) for name in names},
            "sources": {status.name: status.counts.to_json() for status in statuses},
            "saved": self._wall(),
            "aside": self._aside,
            **({} if self.witnesses is None else {"witnesses": self.witnesses.to_json()}),
        }

    # looking

    def look(self, copy: Callable[[Engine, OwnState], T]) -> T:
        """Let a function copy what samples are made of, holding the reader up only that long."""
        own = OwnState(
            self.statuses(),
            max(self._state_file.saved_at, self.partitions.saved_at),
            self._state_file.failures + self.partitions.failures,
            self.web_config_ok(),
            self.config_ok,
            None if self.witnesses is None else self.witnesses.shown(),
            self.partitions.is_settling,
            self._families_told,
        )
        with self.lock.looking():
            return copy(self.partitions.united_with(self.engine), own)

    def take(self, copy: Callable[[Engine, tuple[SourceStatus, ...]], T]) -> T:
        """Let a function copy what it shows, while the reader waits."""
        statuses = self.statuses()
        with self.lock.looking():
            return copy(self.partitions.united_with(self.engine, history=True), statuses)

    def glance(self, copy: Callable[[Engine, tuple[SourceStatus, ...]], T]) -> T:
        """Let a function copy what it shows of what is alive; what is over is not put together for it."""
        statuses = self.statuses()
        with self.lock.looking():
            return copy(self.partitions.united_with(self.engine), statuses)

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How the sources are doing, counted over restarts. While the reader is stuck, all of them are down."""
        told = tuple(self._total(status) for status in self._inputs.statuses())
        stuck = self.stuck()
        return tuple(replace(each, up=False, error=each.error or stuck) for each in told) if stuck else told

    def _total(self, status: SourceStatus) -> SourceStatus:
        if status.kept:
            return status
        return replace(status, counts=status.counts + self._earlier.get(status.name, SourceCounts()))

    def stuck(self) -> str:
        """Say that the reader is, and for how long, or nothing. Waits for nothing itself."""
        turned = self._turned
        seconds = 0.0 if turned is None else self._monotonic() - turned
        if seconds < STUCK_SECONDS:
            return ""
        return f"nothing is read: the reader has waited for {seconds:,.0f} seconds, for a disk or a file server perhaps"

    def ready(self) -> tuple[bool, str]:
        """Whether what was in the logs at the start has been read, in words."""
        if stuck := self.stuck():
            return False, f"{stuck}."
        if not self._caught_up:
            return False, self._progress()
        return True, "Ready."

    def _progress(self) -> str:
        statuses = self._inputs.statuses()
        done, left = sum(each.counts.bytes for each in statuses), sum(each.lag_bytes for each in statuses)
        so_far = f"Reading what the logs hold already: {done / _MIB:,.1f} of {(done + left) / _MIB:,.1f} MiB"
        if any(each.kept for each in statuses):
            records = sum(each.lag_records or 0 for each in statuses)
            return f"{so_far}; of topics {records:,} records are left."
        seconds = self._monotonic() - self._started
        if not done or seconds <= 0:
            return f"{so_far}."
        return f"{so_far} ({done / (done + left):.0%}), about {left * seconds / done:,.0f} seconds more."


def _positions(places: Mapping[str, Any]) -> dict[str, Any]:
    """Give the places that sources can go on from."""
    return {name: place for name, place in places.items() if place != PASSES}
