"""Runs of samples as an OpenMetrics file: family after family, in them series after series, each from its oldest sample on.

Runs come in the order of the log and wait, compressed, on disk; of each series the places are kept. As the file is written a
run becomes a sample at each of its steps of which the log tells. A series has one sample at a time, and time goes on: what
reads such files drops others without a word.
"""

from __future__ import annotations

import json
import math
import platform
import tempfile
import zlib
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from racoon_exporter import __version__
from racoon_exporter.archives.backfill_rows import KNOWN
from racoon_exporter.archives.reading import Row
from racoon_exporter.archives.sampling import step_after
from racoon_exporter.archives.sinks import Sink, WholeRows
from racoon_exporter.availability.spans import Span, common, union
from racoon_exporter.exposition import head, sample_lines
from racoon_exporter.gateway_scope import same_name
from racoon_exporter.metrics import METRICS
from racoon_exporter.metrics import Row as Metric
from racoon_exporter.sa.racoon import DURATION_BUCKETS

_UP: Final = Metric("up", "gauge", "1 where the log tells: what Prometheus would have said of the exporter.")
_BUILD: Final = next(row for row in METRICS if row.name == "racoon_exporter_build_info")
_PARTS: Final = {"_bucket": range(len(DURATION_BUCKETS) + 1), "_count": (-2,), "_sum": (-1,)}
"""Lines of a histogram. Each part is a family of its own, as prometheus_client cannot read one that has several times."""
_WAITING: Final = 16 * 1024 * 1024
"""Characters of runs that are kept in memory."""
_STEPS: Final = 5000
"""Samples that are written at once."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What Prometheus would have added to the samples."""

    job: str
    instance: str
    """Of a gateway that has none of its own."""
    instances: tuple[tuple[str, str], ...] = ()
    """Gateways and their instances."""

    def of(self, gateway: str) -> dict[str, str]:
        """Give those of a gateway."""
        instances = {same_name(name): instance for name, instance in self.instances}
        instance = instances.get(same_name(gateway), self.instance)
        return {name: value for name, value in (("instance", instance), ("job", self.job)) if value}


class RunStore(AbstractContextManager["RunStore"]):
    """Runs by series: the newest in memory, those before them in a file without a name, which goes on leaving."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  closed on leaving
        self._places: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)
        self._size = 0

    def add(self, series: str, runs: str) -> None:
        """Take runs of a series: what stands in a list in JSON."""
        self._waiting[series].append(runs)
        self._size += len(runs)
        if self._size > _WAITING:
            self._put_away()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._places.keys() | self._waiting.keys())

    def runs(self, series: str) -> Iterator[Sequence[Any]]:
        """Give the runs of a series: first and last step, and value."""
        for place in self._places.get(series, ()):
            self._file.seek(place)
            size = int.from_bytes(self._file.read(4), "big")
            yield from json.loads(b"[%b]" % zlib.decompress(self._file.read(size)))
        yield from json.loads(f"[{','.join(self._waiting.get(series, ()))}]")

    def _put_away(self) -> None:
        for series, waiting in self._waiting.items():
            self._places[series].append(self._file.tell())
            data = zlib.compress(",".join(waiting).encode(), 1)
            self._file.write(len(data).to_bytes(4, "big") + data)
        self._waiting.clear()
        self._size = 0


class OpenMetrics(Sink):
    """Takes what `BackfillRows` gives. What was interrupted has no `# EOF`, so that nobody takes it for the whole."""

    may_break_off = True

    def __init__(self, out: WholeRows, step: int, labels: Labels, window: tuple[float | None, float | None]) -> None:
        super().__init__(out)
        self._step = step
        self._labels = labels
        self._window = window
        self._store = RunStore()
        self._known: dict[str, list[Span]] = {}
        """By gateway: from its first step to that after its last, of each time of which the log tells."""
        self.twice: list[str] = []
        """Gateways of which logs tell that were read apart."""

    def rows(self, rows: Iterable[Row]) -> None:
        """Take the rows of a round."""
        for _, table, text in rows:
            if table == KNOWN:
                self._know(*json.loads(text))
            else:
                self._store.add(*text.split("\n"))

    def _know(self, gateway: str, spans: Sequence[Span]) -> None:
        if gateway in self._known:
            self.twice.append(gateway)
        since, until = (None if bound is None else step_after(bound, self._step) for bound in self._window)
        rounded = [(step_after(begin, self._step), step_after(end, self._step) + self._step) for begin, end in spans]
        window = [(-math.inf if since is None else since, math.inf if until is None else until)]
        self._known[gateway] = union([*self._known.get(gateway, []), *common(union(rounded), window)])

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        with self._store:
            if kind is None:
                self.finish()
                self.out.flush()

    def finish(self) -> None:
        """Write the file."""
        of_metric: defaultdict[str, list[list[str]]] = defaultdict(list)
        for series in self._store:
            metric, *labels = json.loads(series)
            of_metric[metric].append(labels)
        for row in METRICS:
            if row.name in of_metric:
                self._family(row, sorted(of_metric[row.name]))
        self._of_instances(_BUILD, {"version": __version__, "python": platform.python_version()})
        self._of_instances(_UP, {})
        self.out.write("# EOF\n")

    def _family(self, row: Metric, series: Sequence[Sequence[str]]) -> None:
        if row.kind == "histogram":
            for suffix, lines in _PARTS.items():
                self.out.write(head(Metric(row.name + suffix, "unknown", row.help), openmetrics=True))
                for values in series:
                    for line in lines:
                        self._series(row, values, line)
        else:
            self.out.write(head(row, openmetrics=True))
            for values in series:
                self._series(row, values)

    def _series(self, row: Metric, values: Sequence[str], line: int = 0) -> None:
        """Write the samples of a series; of a histogram those of one of its lines."""
        named = dict(zip(("gateway", *row.labels), values, strict=True))
        labels = {name: value for name, value in named.items() if value} | self._labels.of(values[0])
        known = self._known.get(values[0], [])
        before: float = -math.inf
        for first, last, value in self._store.runs(json.dumps([row.name, *values])):
            text = sample_lines(row, labels, value)[line]
            for begin, end in within(known, max(first, before), last + self._step):
                self._samples(text, range(int(begin), int(end), self._step))
                before = end

    def _of_instances(self, row: Metric, labels: dict[str, str]) -> None:
        """Write what is 1 for each instance while the log of one of its gateways tells anything."""
        known: defaultdict[tuple[tuple[str, str], ...], list[Span]] = defaultdict(list)
        for gateway, spans in self._known.items():
            known[tuple(self._labels.of(gateway).items())] += spans
        self.out.write(head(row, openmetrics=True))
        for instance, spans in sorted(known.items()):
            (text,) = sample_lines(row, labels | dict(instance), 1.0)
            for begin, end in union(spans):
                self._samples(text, range(int(begin), int(end), self._step))

    def _samples(self, text: str, steps: range) -> None:
        for begin in range(0, len(steps), _STEPS):
            self.out.write("".join([f"{text} {time}\n" for time in steps[begin : begin + _STEPS]]))


def within(known: Sequence[Span], begin: float, end: float) -> Iterator[Span]:
    """Give what lies in one of the spans, which are in order and apart, and between two times."""
    for place in range(bisect_right(known, begin, key=lambda span: span[1]), len(known)):
        first, last = known[place]
        if first >= end:
            return
        if max(first, begin) < min(last, end):
            yield max(first, begin), min(last, end)
