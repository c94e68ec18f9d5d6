"""What metrics a gateway had at each step of its log's time: those that `serve` would have exported then.

Values stand for long, so each is kept as a run: from which step to which. A step in which nothing changed costs nothing, and
one in which something did costs what changed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from racoon_exporter.metrics import METRICS, Samples
from racoon_exporter.metrics.copies import PeerCopy, copy_daemon, copy_peers
from racoon_exporter.metrics.samples_by_name import NameCopy
from racoon_exporter.metrics.state import GatewayCopy, Part, expected_by_name, kinds_of, reasons_of_part, samples_of_part
from racoon_exporter.sa import Expectation
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.text import visible

_OF_GATEWAYS: Final = frozenset(row.name for row in METRICS if row.has_gateway)
"""What is said of a gateway, and not of the exporter."""
_DURATION: Final = next(row.name for row in METRICS if row.kind == "histogram")

Value = float | tuple[float, ...]
"""Of a sample; of a histogram its counts, and the sum."""


class Series(NamedTuple):
    """A metric with the values of its labels, the gateway first."""

    metric: str
    labels: tuple[str, ...]


class Run(NamedTuple):
    """Steps with one value: times of the first and the last."""

    first: int
    last: int
    value: Value


@dataclass(slots=True)
class _Steps:
    """Samples that change together: those of a peer's name, or those without a peer."""

    copied: Part | None = None
    """What they were taken of."""
    begun: dict[Series, tuple[int, Value]] = field(default_factory=dict)
    """Since when each series has which value."""


@dataclass(slots=True)
class GatewaySteps:
    """The samples of a gateway, step by step; `next` is the time of the next step."""

    gateway: str
    step: int
    expected: Mapping[str, Expectation]
    """Peers that are configured for it, by address."""
    wants: Callable[[str], bool]
    """Whether a peer is asked for, by its address."""
    begun: float | None
    """When what is read of it begins."""
    next: int
    parts: defaultdict[str | None, _Steps] = field(default_factory=lambda: defaultdict(_Steps))
    over: defaultdict[Series, list[Run]] = field(default_factory=lambda: defaultdict(list))
    """Runs that have ended."""
    _expected: Mapping[str, tuple[tuple[str, Expectation], ...]] = field(default_factory=dict)
    _kinds: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        """Group the configured peers by their names."""
        self._expected = expected_by_name([{address: one for address, one in self.expected.items() if self.wants(address)}])
        self._kinds = kinds_of(self._expected)

    def up_to(self, time: float, racoons: Iterable[Racoon]) -> Iterator[Racoon]:
        """Take all steps before a time. Gives racoons for which time is to pass until `next`, before each step."""
        racoons = list(racoons)
        while self.next < time:
            yield from (racoon for racoon in racoons if racoon.next_look <= self.next)
            self._take(racoons)
            look = min((racoon.next_look for racoon in racoons), default=math.inf)
            self.next = max(self.next + self.step, step_after(min(time, look), self.step))

    def take_over(self) -> dict[Series, list[Run]]:
        """Take the runs that have ended."""
        over, self.over = self.over, defaultdict(list)
        return over

    def end(self) -> None:
        """No step comes any more: all runs end with the last."""
        for part in self.parts.values():
            self._change(part, {})

    def _take(self, racoons: list[Racoon]) -> None:
        daemons = tuple([copy_daemon(racoon) for racoon in racoons])
        self._look_at(None, GatewayCopy(daemons, zeros=True, kinds=self._kinds))
        told = all(daemon.phase2_told for daemon in daemons)
        for name, members in self._members(racoons).items():
            self._look_at(name, NameCopy(tuple(members), self._expected.get(name, ()), told, self.begun))

    def _look_at(self, name: str | None, copied: Part) -> None:
        """Take the samples of the gateway itself or of a name, if they may have changed."""
        steps = self.parts[name]
        if steps.copied != copied:
            steps.copied = copied
            gateway = visible(self.gateway)
            samples = samples_of_part(gateway, name, copied)
            samples.unite(reasons_of_part(gateway, name, copied))
            self._change(steps, _values(samples))

    def _members(self, racoons: list[Racoon]) -> dict[str, list[PeerCopy]]:
        """Give who has series of which name: those that are configured, that are known, and that were."""
        members: dict[str, list[PeerCopy]] = {name: [] for name in self._expected}
        members |= {name: [] for name in self.parts if name is not None}
        several = len(racoons) > 1
        for racoon in racoons:
            for peer in copy_peers(racoon, of_several=several, wants=self.wants).values():
                members.setdefault(peer.name, []).append(peer)
        return members

    def _change(self, part: _Steps, values: dict[Series, Value]) -> None:
        """Let the samples of a part be these from the next step on."""
        for series, (first, value) in list(part.begun.items()):
            if values.get(series) != value:
                self.over[series].append(Run(first, self.next - self.step, value))
                del part.begun[series]
        for series, value in values.items():
            part.begun.setdefault(series, (self.next, value))


def step_after(time: float, step: int) -> int:
    """Give the first step that is not before a time."""
    return math.ceil(time / step) * step


def _values(samples: Samples) -> dict[Series, Value]:
    values: dict[Series, Value] = {
        Series(metric, labels): value
        for metric, found in samples.values.items()
        if metric in _OF_GATEWAYS
        for labels, value in found.items()
    }
    for labels, counts in samples.durations.items():
        values[Series(_DURATION, labels)] = tuple(counts)
    return values
