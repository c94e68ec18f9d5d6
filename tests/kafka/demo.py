"""A fleet on this machine: a broker, gateways of three kinds that write all the time, two exporters, Prometheus with rules.

`make fleet-demo` starts it and says where to look; Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import heapq
import random
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from tests.kafka.brokers import cluster
from tests.kafka.fleet import Gateway
from tests.kafka.processes import make_group
from tests.kafka.prometheus import prometheus

_GATEWAYS: Final = 60
_PARTITIONS: Final = 6


class Site(Gateway):
    """A gateway whose lines wait until their time has come."""

    def __post_init__(self) -> None:
        Gateway.__post_init__(self)
        self.at = datetime.now(UTC) - timedelta(minutes=30 + self.number % 30)
        self.coming: list[tuple[datetime, str]] = []

    def _say(self, text: str, seconds: int = 1) -> str:
        line = Gateway._say(self, text, seconds)
        self.coming.append((self.at, line))
        return line


class Writer(threading.Thread):
    """Writes what the sites say, when they say it; the last half hour at once."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(name="gateways", daemon=True)
        self._producer = Producer({"bootstrap.servers": bootstrap, "compression.type": "lz4", "log_level": 0})
        chance = random.Random(1)
        self._sites = [Site(number, random.Random(chance.random())) for number in range(_GATEWAYS)]
        self._due: list[tuple[datetime, int, str]] = []
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            now = datetime.now(UTC)
            for site in self._sites:
                while site.at < now + timedelta(minutes=2):
                    site.round()
                    site.at += timedelta(seconds=site.chance.randint(5, 120))
                for at, line in site.coming:
                    heapq.heappush(self._due, (at, site.number, line))
                site.coming.clear()
            while self._due and self._due[0][0] <= now:
                _, number, line = heapq.heappop(self._due)
                self._producer.produce("racoon", line.encode(), self._sites[number].name)
                self._producer.poll(0)
            self._producer.flush(5)

    def stop(self) -> None:
        self._ended.set()
        self.join()


@dataclass(frozen=True)
class Demo:
    """Where to look."""

    exporters: list[str]
    prometheus: str


@contextlib.contextmanager
def demo(directory: Path) -> Iterator[Demo]:
    """Run all of it below a directory."""
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(cluster(directory / "broker"))
        running.make_topic("racoon", _PARTITIONS)
        writer = Writer(running.bootstrap)
        group = make_group(directory, running.bootstrap, 2, _GATEWAYS)
        for exporter in group.exporters:
            exporter.start()
            stack.callback(exporter.end, signal.SIGTERM)
        addresses = [f"127.0.0.1:{exporter.port}" for exporter in group.exporters]
        watching = stack.enter_context(prometheus(directory, addresses))
        writer.start()
        stack.callback(writer.stop)
        yield Demo([f"http://{address}/" for address in addresses], watching.url)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="racoon-fleet-") as directory, demo(Path(directory)) as running:
        print(f"{_GATEWAYS} gateways write into {_PARTITIONS} partitions, which two exporters share (see /gateways of each):")
        print(*(f"    {url}" for url in running.exporters), sep="\n")
        print(f"Prometheus, with the rules for gateways that move:\n    {running.prometheus}")
        print("End one exporter's process to see the other take over. Ctrl-C ends all.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
