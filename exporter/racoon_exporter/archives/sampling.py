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
from racoon_exporter.metrics.peers import addresses_of, name_of
from racoon_exporter.metrics.samples_by_name import key_of, samples_of_name
from racoon_exporter.metrics.state import collect_daemon, collect_zeros, daemon_key
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
class _Part:
    """Samples that change together: those of a peer's name, or those without a peer."""

    key: object = None
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
    parts: defaultdict[str | None, _Part] = field(default_factory=lambda: defaultdict(_Part))
    over: defaultdict[Series, list[Run]] = field(default_factory=lambda: defaultdict(list))
    """Runs that have ended."""
    _expected: dict[str, dict[str, Expectation]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Group the configured peers by their names."""
        for address, known in self.expected.items():
            if self.wants(address):
                self._expected.setdefault(visible(known.name), {})[address] = known

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
        itself, of_daemons = self.parts[None], tuple(daemon_key(racoon) for racoon in racoons)
        if itself.key != of_daemons:
            itself.key = of_daemons
            self._change(itself, _values(self._of_daemons(racoons)))
        told = all(racoon.life.phase2_told for racoon in racoons)
        for name, members in self._members(racoons).items():
            part, key = self.parts[name], (told, key_of(members))
            if part.key != key:
                part.key = key
                expected = self._expected.get(name, {})
                samples = samples_of_name(self.gateway, members, expected, told=told, begun=self.begun)
                self._change(part, _values(samples))

    def _of_daemons(self, racoons: list[Racoon]) -> Samples:
        samples = Samples()
        collect_zeros(samples, visible(self.gateway))
        for racoon in racoons:
            collect_daemon(samples, racoon)
        for expected in self._expected.values():
            for kind in {one.kind for one in expected.values()}:
                samples.add("racoon_gateway_peers", 1, visible(self.gateway), kind)
        return samples

    def _members(self, racoons: list[Racoon]) -> dict[str, list[tuple[Racoon, str]]]:
        """Give who has series of which name: those that are configured, that are known, and that were."""
        members: dict[str, list[tuple[Racoon, str]]] = {name: [] for name in self._expected}
        members |= {name: [] for name in self.parts if name is not None}
        for racoon in racoons:
            for address in addresses_of(racoon):
                if self.wants(address):
                    members.setdefault(name_of(racoon, address), []).append((racoon, address))
        return members

    def _change(self, part: _Part, values: dict[Series, Value]) -> None:
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
