"""What `backfill` makes of a unit's logs: runs of samples, and the times of which each gateway's log tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from racoon_exporter.archives.availability_rows import AttentiveEngine, collect
from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.reading import Reading, Row, in_rounds
from racoon_exporter.archives.sampling import GatewaySteps, Series, step_after
from racoon_exporter.metrics import METRICS
from racoon_exporter.metrics.current import Beginnings
from racoon_exporter.sa import Knowledge
from racoon_exporter.text import visible

RUNS: Final = "runs"
KNOWN: Final = "known"
_LABELS: Final = {row.name: row.labels for row in METRICS}


class SampledEngine(AttentiveEngine):
    """An engine that takes samples of each gateway at each step of its log's time, before the line that comes after it."""

    def __init__(self, share: int, shares: int, zone: Any, **settings: Any) -> None:
        super().__init__(share, shares, zone, **settings)
        self.step = 60
        self.wants: Callable[[Knowledge, str], bool] = lambda _known, _address: True
        self.steps: dict[str, GatewaySteps] = {}

    def note_line(self, gateway: str, time: float, level: str, event: str, line: int) -> None:
        """Take note of a line."""
        super().note_line(gateway, time, level, event, line)
        gateway = self.state.gateways.shown(gateway, self._stream)
        steps = self.steps.get(gateway)
        if steps is None:
            steps = self.steps[gateway] = self._begin(gateway, time)
        if time > steps.next:
            self._note_line(gateway, time, level)  # what was alive is to be known before time passes
            self._pass(steps, time)

    def end_steps(self) -> None:
        """Take the steps up to that after the last line of each gateway."""
        for gateway, steps in self.steps.items():
            log = self.past.gateways.get(gateway)
            if log is not None and log.last is not None:
                self._pass(steps, step_after(log.last, self.step) + 1)
            steps.end()

    def _begin(self, gateway: str, time: float) -> GatewaySteps:
        known = self.state.knowledge.at(gateway)
        wants = partial(self.wants, known)
        first = self.reader(self._source).clock.first
        if first is not None:
            self.first_line.setdefault(self._source, first)  # which is noted after the block only
        begun = Beginnings(self).of_gateway(visible(gateway))
        return GatewaySteps(gateway, self.step, known.peers, wants, begun, step_after(time, self.step))

    def _pass(self, steps: GatewaySteps, time: float) -> None:
        """Let time pass as it does in `serve` while a log is silent."""
        for racoon in steps.up_to(time, self.state.of_gateway(steps.gateway)):
            try:
                racoon.pass_time(steps.next)
            except Exception as error:  # noqa: BLE001  time goes on for the others
                self.errors.note(error)
                self.state.doubt((racoon.gateway, racoon.ident, racoon.stream))


@dataclass(frozen=True, slots=True)
class BackfillRows:
    """What backfill makes of a unit's logs."""

    reading: Reading
    step: int

    def can_share(self, unit: Unit) -> bool:
        """Whether several workers may mind a part of the gateways each."""
        return unit.splits_by_gateway

    def rounds(self, once: LinesOnce, share: int, shares: int) -> Iterator[list[Row]]:
        """Give runs as they end; which of them the log tells of is known when all is read."""
        engine = self.reading.engine(share, shares, SampledEngine)
        assert isinstance(engine, SampledEngine)
        engine.step, engine.wants = self.step, self._wants
        for _ in in_rounds(engine, once, self.reading.round_size, live=True):
            once.heard |= bool(engine.messages)
            collect(engine, engine.state.take_settled())
            yield list(self._runs(engine))
        collect(engine, engine.state.history())
        engine.end_steps()
        yield [*self._runs(engine), *self._known(engine)]

    def _runs(self, engine: SampledEngine) -> Iterator[Row]:
        for gateway, steps in engine.steps.items():
            over = steps.take_over()
            if not self.reading.selection.has_gateway(gateway):
                continue
            for series, runs in over.items():
                if self._has_reason(series):
                    yield [], RUNS, f"{json.dumps([series.metric, *series.labels])}\n{json.dumps(runs)[1:-1]}"

    def _wants(self, known: Knowledge, address: str) -> bool:
        return self.reading.selection.has_peer(address, known)

    def _has_reason(self, series: Series) -> bool:
        labels = dict(zip(_LABELS[series.metric], series.labels[1:], strict=True))
        return self.reading.selection.has_reason(labels.get("reason"))

    def _known(self, engine: SampledEngine) -> Iterator[Row]:
        for gateway, log in engine.past.gateways.items():
            if self.reading.selection.has_gateway(gateway):
                yield [], KNOWN, json.dumps([visible(gateway), log.known()])
