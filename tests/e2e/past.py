"""A Prometheus whose past is made: recordings are read and scraped by the log's own clock, and imported as blocks.

So a week passes in seconds, and what boards say of it can be held against `history` to the second. Between recordings, where
nothing changes, there is a sample every four minutes (Prometheus looks back for five); around them one every 15 seconds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from racoon_exporter.engine import Engine
from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.source.contract import SourceCounts, SourceStatus
from tests.dashboards.tools import run
from tests.e2e.chain import ALWAYS, Prometheus
from tests.e2e.replay import Line, at_present, recorded
from tests.exporter.reading import block

END = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
"""When it is now."""
SCRAPE, SPARSE = 15, 240
DAY = 86400
BUSY = 900
"""Seconds after a line for which every scrape counts."""
_SAMPLE = re.compile(r"^(\w+?)(?:\{(.*)\})? (\S+)$")
_PART = re.compile(r"_(bucket|sum|count)$")
_ABOUT = "# TYPE up gauge\nup 1\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {}\n"
"""What Prometheus and the client library add to each scrape."""


@dataclass(frozen=True, slots=True)
class Played:
    """A recording that ended some time ago."""

    path: Path
    ended_ago: float = 0.0
    stop_before: str | None = None

    def lines(self) -> list[Line]:
        """Give its lines with the times at which they are written."""
        lines = list(recorded(self.path, stop_before=self.stop_before))
        shift = END - self.ended_ago - lines[-1].after
        return [Line(line.after + shift, line.text) for line in lines]


@dataclass(frozen=True, slots=True)
class Host:
    """A gateway with an exporter: what it logged, whom it expects, and when its exporter was lost, if it was."""

    instance: str
    played: Sequence[Played]
    expected: Mapping[str, Expectation]
    lost_ago: float | None = None
    known_for: float = 3600.0
    """Seconds since the exporter was first scraped."""

    @property
    def log(self) -> list[Line]:
        """Its lines in order."""
        return sorted((line for one in self.played for line in one.lines()), key=lambda line: line.after)


Sample = tuple[str, str, str]
"""Family, series, value."""


@dataclass
class Past:
    """What was scraped: by family the kind, and by series the samples."""

    families: frozenset[str] = frozenset()
    """What is kept; everything where empty."""
    kinds: dict[str, str] = field(default_factory=dict)
    series: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    engines: dict[str, Engine] = field(default_factory=dict)

    def live(self, host: Host) -> None:
        """Let an exporter live from its first line to its end, and keep what it says at every scrape."""
        engine = self.engines[host.instance] = Engine(UTC, knowledge=Knowledge(host.expected, None))
        log = host.log
        name = f"/var/log/{host.instance.partition(':')[0]}.log"
        status = SourceStatus(name, up=True)
        told: list[Sample] = []
        for at in _scrapes(host, log):
            read = status.counts.lines
            due = [line for line in log[read:] if line.after <= at]
            status = SourceStatus(name, up=True, counts=SourceCounts(lines=read + len(due)))
            if _heard(engine, name, due, read + 1) | _aged(engine, at) or not told:
                samples, gateways = collect(engine, OwnState((status,), checkpoint_time=at))
                text = render(samples, gateways=gateways, openmetrics=False).decode()
                told = self._samples(text + _ABOUT.format(END - host.known_for), host.instance)
            self._keep(told, at)
        for at in _times(END - (host.lost_ago or 0), END, SCRAPE) if host.lost_ago else ():
            self._keep(self._samples("up 0\n", host.instance), at)

    def _samples(self, text: str, instance: str) -> list[Sample]:
        """Take an exposition apart."""
        found: list[Sample] = []
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.kinds[name] = kind
            elif match := _SAMPLE.match(line):
                labels = ",".join(filter(None, (match[2], f'instance="{instance}"', 'job="racoon"')))
                family = match[1] if match[1] in self.kinds else _PART.sub("", match[1])
                if not self.families or family in self.families:
                    found.append((family, f"{match[1]}{{{labels}}}", match[3]))
        return found

    def _keep(self, samples: Iterable[Sample], at: float) -> None:
        for family, series, value in samples:
            self.series.setdefault(family, {}).setdefault(series, []).append(f"{value} {at:.0f}")

    def openmetrics(self) -> Iterator[str]:
        """Write everything as promtool imports it."""
        for family, series in self.series.items():
            kind = self.kinds[family]
            yield f"# TYPE {family.removesuffix('_total') if kind == 'counter' else family} {kind}\n"
            for name, samples in series.items():
                yield "".join(f"{name} {sample}\n" for sample in samples)
        yield "# EOF\n"


def _heard(engine: Engine, name: str, due: Sequence[Line], first: int) -> bool:
    """Let an exporter read lines, and tell whether there were any."""
    text = "".join(f"{at_present(line.text, line.after)}\n" for line in due)
    engine.feed(block(text.encode(), name, first))
    engine.flush()
    return bool(due)


def _aged(engine: Engine, at: float) -> bool:
    """Let time pass, as it does while a log is silent, and tell whether that ended anything."""
    due = [racoon for racoon in engine.state.racoons.values() if racoon.next_look <= at]
    for racoon in due:
        racoon.pass_time(at)
    return bool(due)


def _times(begin: float, end: float, step: int) -> Iterator[float]:
    yield from (float(at) for at in range(int(begin) // step * step + step, int(end) + 1, step))


def _scrapes(host: Host, log: Sequence[Line]) -> list[float]:
    """Give the times of the scrapes: often after a line and in the last hour, seldom where nothing happens."""
    end = END - (host.lost_ago or 0)
    begin = END - host.known_for
    often = {at for line in log for at in _times(line.after - SCRAPE, line.after + BUSY, SCRAPE)}
    often |= set(_times(end - 3600, end, SCRAPE))
    return sorted(at for at in often | set(_times(begin, end, SPARSE)) if begin <= at <= end)


def imported(folder: Path, past: Past) -> Prometheus:
    """Return a Prometheus that knows only the past."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "past.om"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(past.openmetrics())
    run("promtool", "tsdb", "create-blocks-from", "--max-block-duration=8760h", "openmetrics", text, folder / "data")
    return Prometheus(folder, {}, ALWAYS)


def played(hosts: Iterable[Host], families: frozenset[str] = frozenset()) -> Past:
    """Let all hosts live."""
    past = Past(families)
    for host in hosts:
        past.live(host)
    return past
