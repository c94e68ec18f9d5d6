"""Batches that a broker's disk has damaged: what can be read is, and a partition goes on behind them."""

import signal
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from racoon_exporter.source.kafka.settings import Order
from tests.exporter.reading import up
from tests.kafka.brokers import Cluster, cluster
from tests.kafka.instance import Gateways, Instance

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]
HEAD = struct.Struct(">qi4xbIhi")
"""Of a batch: its first offset, its length behind these two, the kind of batch, a checksum, attributes, and by how much
the last offset is higher than the first one."""
BEFORE_LENGTH, RECORDS, CONTROL = 12, 61, 0x20
"""Up to where the length does not count, where the records of a batch begin; the attribute of marks that end a transaction."""
WAYS: list[tuple[str, Order | None, dict[str, str | int]]] = [
    ("by-partition", "partition", {"compression.type": "none", "batch.num.messages": 3}),
    ("in-order", "time", {"compression.type": "gzip", "batch.num.messages": 9}),
    ("as-found", None, {"compression.type": "zstd"}),
]
"""Topic, how it is read, and how its batches are made, which may be smaller ones on a busy machine."""


class Batch(NamedTuple):
    """A batch that holds records: their first and last offsets, and where it stands in its segment."""

    first: int
    last: int
    start: int
    end: int


def batches(log: bytearray) -> Iterator[Batch]:
    """Give the batches of a segment that hold records."""
    start = 0
    while start + HEAD.size < len(log):
        first, length, _, _, attributes, higher = HEAD.unpack_from(log, start)
        if not length:
            return
        end = start + BEFORE_LENGTH + length
        if not attributes & CONTROL:
            yield Batch(first, first + higher, start, end)
        start = end


def damage(running: Cluster, topic: str, offsets: range | None = None) -> None:
    """Change the records of all batches of partition 0 that hold these, or of the newest, while its broker is down."""
    (segment,) = (running.nodes[0].directory / "data" / f"{topic}-0").glob("*.log")
    log = bytearray(segment.read_bytes())
    found = list(batches(log))
    for each in found[-1:] if offsets is None else found:
        if offsets is None or (each.first in offsets and each.last in offsets):
            records = slice(each.start + RECORDS + 20, each.end)
            log[records] = bytes(byte ^ 0x5A for byte in log[records])
    segment.write_bytes(log)


def read_and_kept(running: Cluster, directory: Path, number: int) -> None:
    """Read so many records of a topic, and keep a checkpoint of them."""
    with closing(Instance(running.bootstrap, directory)) as instance:
        instance.until(lambda: instance.counted() == number)


def test_a_damaged_batch_stops_no_partition_be_it_of_records_or_of_checkpoints(
    tmp_path: Path, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with cluster(tmp_path / "broker") as running:
        for topic, _, made in WAYS:
            running.make_topic(topic, 2)
            for batch in range(3):
                writer = Gateways(running.bootstrap, topic, **{"linger.ms": 10_000} | made)
                for number in range(10):
                    writer.say("gw-0", up(f"{batch:08x}{number:08x}:0123456789abcdef"), partition=0)
                writer.flush()
        running.make_topic("racoon", 1)
        writer = Gateways(running.bootstrap)
        for number in range(2):
            writer.say("gw-0", up(f"{number:016x}:0123456789abcdef"))
            writer.flush()
            read_and_kept(running, directory, number + 1)
        running.nodes[0].kill(signal.SIGTERM)  # it would repair what it had not closed
        damage(running, "cp")
        for topic, _, _ in WAYS:
            damage(running, topic, range(10, 20))
        running.start()
        for topic, order, _ in WAYS:
            options: dict[str, Any] = {"topics": (topic,), "group": topic, "checkpoints": f"{topic}.cp", "order": order}
            with closing(Instance(running.bootstrap, directory, **options)) as instance:
                instance.until(lambda: instance.counted() == 20 and not instance.error)
                passed_over = f'passed_over_records_total{{reason="damaged",source="kafka:{topic}/0"}}'
                assert instance.scrape[f"racoon_exporter_source_{passed_over}"] == 10
        assert "topic cp: " not in caplog.text
        read_and_kept(running, directory, 2)
        assert "topic cp: " in caplog.text
        told = len(caplog.text)
        read_and_kept(running, directory, 2)
        assert "its checkpoint is gone" not in caplog.text[told:]
