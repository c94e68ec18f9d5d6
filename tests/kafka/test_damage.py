"""Batches that a broker's disk has damaged: what can be read is, and a partition goes on behind them."""

import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exporter.reading import up
from tests.kafka.brokers import Cluster, cluster
from tests.kafka.instance import Gateways, Instance

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]
HEAD = struct.Struct(">qi")
"""Of a batch: its first offset, and its length behind these two."""
RECORDS, CONTROL = 61, 0x20
"""Where the records of a batch begin; the attribute of marks that end a transaction."""
WAYS = [("by-partition", "partition", "none"), ("in-order", "time", "gzip"), ("as-found", None, "zstd")]
"""Topic, how it is read, and how its batches are compressed."""


def batches(log: bytearray) -> Iterator[tuple[int, int]]:
    """Give the batches of a segment that hold records, as places in it."""
    start = 0
    while start + HEAD.size < len(log) and (length := HEAD.unpack_from(log, start)[1]) > 0:
        end = start + HEAD.size + length
        if not log[start + 22] & CONTROL:
            yield start, end
        start = end


def damage(running: Cluster, topic: str, which: int) -> None:
    """Change the records of a batch of partition 0, while its broker is down."""
    (segment,) = (running.nodes[0].directory / "data" / f"{topic}-0").glob("*.log")
    log = bytearray(segment.read_bytes())
    start, end = list(batches(log))[which]
    log[start + RECORDS + 20 : end] = bytes(byte ^ 0x5A for byte in log[start + RECORDS + 20 : end])
    segment.write_bytes(log)


def with_broker_down(running: Cluster, *damaged: tuple[str, int]) -> None:
    running.nodes[0].kill(signal.SIGTERM)  # it would repair what it had not closed
    for topic, which in damaged:
        damage(running, topic, which)
    running.start()


def read_and_kept(running: Cluster, directory: Path, number: int) -> None:
    """Read so many records of a topic, and keep a checkpoint of them."""
    instance = Instance(running.bootstrap, directory)
    instance.until(lambda: instance.counted() == number)
    instance.close()


def test_a_damaged_batch_stops_no_partition_be_it_of_records_or_of_checkpoints(
    tmp_path: Path, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with cluster(tmp_path / "broker") as running:
        for topic, _, codec in WAYS:
            running.make_topic(topic, 2)
            for batch in range(3):
                writer = Gateways(running.bootstrap, topic, **{"compression.type": codec, "linger.ms": 10_000})
                for number in range(10):
                    writer.say("gw-0", up(f"{batch:08x}{number:08x}:0123456789abcdef"), partition=0)
                writer.flush()
        running.make_topic("racoon", 1)
        writer = Gateways(running.bootstrap)
        for number in range(2):
            writer.say("gw-0", up(f"{number:016x}:0123456789abcdef"))
            writer.flush()
            read_and_kept(running, directory, number + 1)
        with_broker_down(running, ("cp", -1), *((topic, 1) for topic, _, _ in WAYS))
        for topic, order, _ in WAYS:
            options = {"topics": (topic,), "group": topic, "checkpoints": f"{topic}.cp", "order": order}
            instance = Instance(running.bootstrap, directory, **options)
            instance.until(lambda: instance.counted() == 20 and not instance.error)  # noqa: B023
            passed_over = f'passed_over_records_total{{reason="damaged",source="kafka:{topic}/0"}}'
            assert instance.scrape[f"racoon_exporter_source_{passed_over}"] == 10
            instance.close()
        assert "topic cp: " not in caplog.text
        read_and_kept(running, directory, 2)
        assert "topic cp: " in caplog.text
        told = len(caplog.text)
        read_and_kept(running, directory, 2)
        assert "its checkpoint is gone" not in caplog.text[told:]
