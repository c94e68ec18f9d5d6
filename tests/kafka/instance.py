"""An exporter's loop over topics, turned by hand in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer

from racoon_exporter.engine import Engine
from racoon_exporter.exposition_cache import ExpositionCache
from racoon_exporter.serve.loop import Follower
from racoon_exporter.serve.partitions import Partitions
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kinds import Surroundings, Wanted
from tests.kafka.processes import Series, series_of

PATIENCE: Final = 300.0
"""Seconds after which something that should have happened has not, however busy the machine is."""
UP: Final = "racoon_phase1_established_total"


class Instance:
    """One exporter of a group."""

    def __init__(self, bootstrap: str, directory: Path, *, checkpoint_seconds: float = 0.2, **options: Any) -> None:
        usual: dict[str, Any] = {"topics": ("racoon",), "session_seconds": 3, "checkpoints": "cp"}
        self._settings = KafkaOptions(bootstrap, **(usual | options))
        self.engine = Engine(UTC, reference_of=lambda _source: time.time())
        partitions = Partitions(self.engine)
        around = Surroundings(keeper=partitions, partition_directory=directory, checkpoint_seconds=checkpoint_seconds)
        self.inputs = Inputs([Wanted("kafka", self._settings.name, self._settings)], around)
        self.follower = Follower(self.engine, self.inputs, partitions=partitions)
        self._expositions = ExpositionCache()

    def turn(self) -> None:
        if not self.follower.step():
            self.inputs.wait(0.05)

    def until(self, reached: Callable[[], bool]) -> None:
        """Turn until something is so."""
        turn_until([self], reached)

    @property
    def scrape(self) -> Series:
        return series_of(b"".join(self._expositions.answer(self.follower.look, openmetrics=False)).decode())

    def counted(self, metric: str = UP) -> float:
        """Give the sum of all series of a metric."""
        return sum(value for series, value in self.scrape.items() if series.startswith(metric))

    @property
    def held(self) -> set[str]:
        """The partitions that are read."""
        return {status.name for status in self.follower.statuses() if "/" in status.name and status.up}

    @property
    def error(self) -> str:
        return "; ".join(status.error for status in self.follower.statuses() if status.error)

    @property
    def remark(self) -> str:
        return "; ".join(status.remark for status in self.follower.statuses() if status.remark)

    def reload(self, *more: Wanted, **options: Any) -> None:
        """Read what a changed configuration names: other options, and other sources beside the topics."""
        settings = replace(self._settings, **options)
        self.follower.change([Wanted("kafka", settings.name, settings), *more], lambda _source: "")
        self._settings = settings

    def close(self) -> None:
        self.follower.save()
        self.inputs.close()


Make = Callable[..., Instance]
"""What the fixture `make` gives."""


def turn_until(instances: Iterable[Instance], reached: Callable[[], bool]) -> None:
    """Turn several instances, one after the other, until something is so."""
    until = time.monotonic() + PATIENCE
    while not reached():
        told = [(instance.held, instance.counted(), instance.error) for instance in instances]
        assert time.monotonic() < until, f"it did not happen: {told}"
        for instance in instances:
            instance.turn()


class Gateways:
    """Gateways that write into a topic, keyed by their names."""

    def __init__(self, bootstrap: str, topic: str = "racoon", **settings: Any) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0, "compression.type": "lz4", **settings})
        self._topic = topic
        self.written: list[tuple[str, str]] = []

    def say(self, gateway: str, *lines: str, key: bool = True, partition: int = -1) -> None:
        """Write lines of a gateway, as a syslog server has them."""
        for line in lines:
            text = f"2026-01-15T08:{len(self.written) // 60 % 60:02d}:{len(self.written) % 60:02d}Z {gateway} racoon: {line}"
            self.written.append((gateway, text))
            self._producer.produce(self._topic, text.encode(), gateway if key else None, partition=partition)

    def put(self, value: bytes | None, key: str | None = None, partition: int = -1, milliseconds: int = 0) -> None:
        """Write any record; without a time, it is written now."""
        self._producer.produce(self._topic, value, key, partition, timestamp=milliseconds)

    def flush(self) -> None:
        assert self._producer.flush(PATIENCE) == 0
