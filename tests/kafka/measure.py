"""Figures for docs/fleet.md: `python -m tests.kafka.measure`; one broker, 1,000 gateways of three kinds, 6 partitions."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from racoon_exporter.engine import Engine
from racoon_exporter.source import Block
from racoon_exporter.source.kafka.checkpoint_pieces import cut
from racoon_exporter.source.kafka.checkpoints import Place
from racoon_exporter.source.kafka.records import Lines, Record
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kafka.topic_checkpoints import TopicCheckpoints
from tests.kafka.brokers import cluster
from tests.kafka.fleet import Gateway
from tests.kafka.processes import Exporter, make_group

_PARTITIONS: Final = 6
_GATEWAYS: Final = 1000
_BACKLOG: Final = 100_000
_LINES, _CPU = "racoon_exporter_source_lines_total", "process_cpu_seconds_total"


class Fleet:
    """Gateways that write as fast as they can."""

    def __init__(self, bootstrap: str) -> None:
        chance = random.Random(1)
        self._gateways = [Gateway(number, random.Random(chance.random())) for number in range(_GATEWAYS)]
        self._producer = Producer({"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 50})
        self.lines: list[tuple[str, str]] = []

    def write(self, lines: int) -> None:
        until = len(self.lines) + lines
        while len(self.lines) < until:
            for gateway in self._gateways:
                for line in gateway.round():
                    self._producer.produce("racoon", line.encode(), gateway.name)
                    self.lines.append((gateway.name, line))
            self._producer.flush()


def timed(what: str, reached: Callable[[], bool], pause: float = 0.2) -> None:
    begun = time.perf_counter()
    while not reached():
        time.sleep(pause)
    print(f"{what}: {time.perf_counter() - begun:.1f} s", flush=True)


def counted(exporter: Exporter, name: str) -> float:
    assert exporter.process is None or exporter.process.poll() is None, "the exporter ended by itself"
    return sum(value for series, value in (exporter.scrape() or {}).items() if series.startswith(name))


def shown(exporters: list[Exporter]) -> int:
    """Count the gateways that somebody shows."""
    names = [name for each in exporters for name in each.scrape() or {} if name.startswith("racoon_daemon_starts_total")]
    return len(set(names))


def alone(lines: list[tuple[str, str]]) -> float:
    """Give the lines that the engine takes in a second of the processor, without Kafka."""
    reading = Lines()
    texts = [reading.of(Record(gateway.encode(), line.encode(), 1e9)) for gateway, line in lines]
    engine = Engine(UTC)
    begun = time.process_time()
    for start in range(0, len(texts), 500):
        engine.feed(Block("all", b"".join(texts[start : start + 500]), 1, None))
    return len(texts) / (time.process_time() - begun)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder) / "broker") as running:
        running.make_topic("racoon", _PARTITIONS)
        fleet = Fleet(running.bootstrap)
        fleet.write(_BACKLOG)
        group = make_group(Path(folder), running.bootstrap, 2, _GATEWAYS, interval=10)
        first, second = group.exporters
        first.start()
        timed("start until the first line is read", lambda: counted(first, _LINES) > 0)
        before, cpu = counted(first, _LINES), counted(first, _CPU)
        timed(f"first reading of {_BACKLOG:,} lines", lambda: counted(first, _LINES) >= len(fleet.lines), pause=5)
        rate = (len(fleet.lines) - before) / (counted(first, _CPU) - cpu)
        print(f"lines in a second of the processor: {rate:,.0f}; the engine alone: {alone(fleet.lines):,.0f}")
        timed("until all gateways are shown", lambda: shown([first]) == _GATEWAYS)
        scrape = time.perf_counter()
        first.scrape()
        print(f"a scrape with {_GATEWAYS} gateways: {time.perf_counter() - scrape:.2f} s")
        cpu = counted(first, _CPU)
        time.sleep(20)
        print(f"idle, with the scrape that tells: {(counted(first, _CPU) - cpu) / 20:.1%} of a processor")
        second.start()
        timed(
            "a second instance starts, until both show all", lambda: shown([second]) > 0 and shown([first, second]) == _GATEWAYS
        )
        first.end(signal.SIGKILL)
        timed("one is killed (session 3 s), until the other shows all", lambda: shown([second]) == _GATEWAYS)
        second.end(signal.SIGTERM)
        fleet.write(50_000)
        second.start()
        timed("restart behind 50,000 lines, until all is read and shown", lambda: shown([second]) == _GATEWAYS)
        second.end(signal.SIGTERM)
        checkpoints = TopicCheckpoints(KafkaOptions(running.bootstrap, ("racoon",), checkpoints="racoon-exporter-checkpoints"))
        for number in range(_PARTITIONS):
            begun = time.perf_counter()
            content = checkpoints.take(Place("racoon", number))
            assert content is not None
            read = time.perf_counter() - begun
            size = sum(map(len, cut(content)))
            begun = time.perf_counter()
            checkpoints.save(Place("racoon", number), content)
            written = time.perf_counter() - begun
            gateways = len(content["state"]["engine"]["state"]["racoons"])
            print(f"checkpoint {number}: {gateways} gateways, {size:,} bytes, read in {read:.2f} s, written in {written:.2f} s")


if __name__ == "__main__":
    main()
