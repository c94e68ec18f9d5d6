"""Real exporters of one group, watched from outside."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.kafka.fleet import peer_of
from tests.ports import free_ports

Series = dict[str, float]


@dataclass
class Exporter:
    """A process of `serve`, which may be killed and started again."""

    number: int
    port: int
    config: Path
    interval: float
    """Seconds between two checkpoints."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        serve = [sys.executable, "-m", "racoon_exporter", "serve", "--config.file", str(self.config)]
        serve.append(f"--state.interval={self.interval}")
        with (self.config.parent / f"exporter{self.number}.log").open("ab") as log:
            self.process = subprocess.Popen([*serve, f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def end(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def scrape(self) -> Series | None:
        """Give all samples; None where it does not answer, or dies within its answer."""
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer,
        ):
            return series_of(answer.read().decode())
        return None


@dataclass
class Group:
    """Several exporters, scraped all the time as Prometheus would: of a series that several have, the largest value counts."""

    exporters: list[Exporter]
    fallen: list[str] = field(default_factory=list)
    """Counters of a gateway that fell, and tunnels that stayed up and were shown as down."""
    scrapes: int = 0

    def __post_init__(self) -> None:
        self._seen: Series = {}
        self._latest: Series = {}
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="scraper")

    def start(self) -> None:
        for exporter in self.exporters:
            exporter.start()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for exporter in self.exporters:
            exporter.end(signal.SIGTERM)

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            answers = [scrape for exporter in self.exporters if (scrape := exporter.scrape()) is not None]
            united: Series = defaultdict(float)
            for series, value in (sample for scrape in answers for sample in scrape.items()):
                united[series] = max(value, united[series])
            with self._changed:
                self._compare(united)
                self._latest = united
                self.scrapes += 1
                self._changed.notify_all()

    def _compare(self, united: Series) -> None:
        for series, value in united.items():
            if 'gateway="' not in series or "_total{" not in series:
                continue
            before = self._seen.get(series, 0.0)
            if value < before:
                self.fallen.append(f"{series}: {before} {value}")
            self._seen[series] = max(value, before)

    def wait(self, reached: Callable[[Series], bool], seconds: float = 300) -> Series:
        """Wait for a scrape of which something is true, and give it."""
        with self._changed:
            assert self._changed.wait_for(lambda: reached(self._latest), seconds), "it did not happen"
            return self._latest

    def look_again(self) -> Series:
        """Wait until all have been scraped twice since now, and give the last scrape."""
        before = self.scrapes
        return self.wait(lambda _: self.scrapes >= before + 2)


def series_of(text: str) -> Series:
    """Take an exposition apart."""
    samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def of_gateways(series: Series) -> Series:
    """Give the counters of gateways that are not 0."""
    return {name: value for name, value in series.items() if 'gateway="' in name and "_total{" in name and value}


def make_group(directory: Path, bootstrap: str, number: int, gateways: int, interval: float = 0.5, more: str = "") -> Group:
    """Give exporters that read the topic `racoon`, not started yet; each may have so many gateways. `more` is of the source."""
    config = directory / "config.yml"
    settings = f"bootstrap: '{bootstrap}', topic: racoon, session_timeout: 3{more}"
    peers = "".join(f"  - {{address: {peer_of(each, 1)}, gateways: [site-{each:03d}]}}\n" for each in range(0, gateways, 10))
    text = f"sources:\n  - kafka: {{{settings}}}\nlimits: {{gateways: {gateways}}}\ntime_zone: UTC\npeers:\n{peers}"
    config.write_text(text)
    return Group([Exporter(each, port, config, interval) for each, port in enumerate(free_ports(number))])
