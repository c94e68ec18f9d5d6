"""Topics whose records are not keyed by gateway: one instance reads all partitions as one, in the order of time."""

import json
import random
import re
import time
from collections.abc import Callable
from typing import Final

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewPartitions

from racoon_exporter.engine import Engine
from racoon_exporter.source.kafka.records import ENVELOPES, Lines, Record
from tests.exporter.reading import start, up
from tests.exporter.sa.test_two_ends import REFUSES, A, B, begin, listens, timed_out
from tests.kafka.brokers import Cluster
from tests.kafka.fleet import Gateway
from tests.kafka.instance import PATIENCE, UP, Gateways, Instance, Make, turn_until
from tests.kafka.once import read_once, scraped
from tests.kafka.processes import Series, of_gateways

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]
PARTITIONS = 4


class Fleet:
    """Gateways whose lines a shipper deals out to the partitions as it likes."""

    def __init__(self, broker: Cluster, topic: str, number: int = 12, *, keyed: bool = False) -> None:
        """Each line is recorded a millisecond after the one before."""
        self._chance = random.Random(1)
        self._gateways = [Gateway(3 * each, random.Random(each)) for each in range(number)]
        self._settings = {"bootstrap.servers": broker.bootstrap, "log_level": 0, "compression.type": "lz4"}
        self._topic = topic
        self._keyed = keyed
        self._begun = int(time.time() * 1000)
        self.lines: list[str] = []

    def write(self, rounds: int = 1, partitions: int = PARTITIONS, *, last: bool = False) -> None:
        producer = Producer(self._settings)
        told: dict[str, list[str]] = {gateway.name: [] for gateway in self._gateways}
        for gateway in self._gateways:
            for _ in range(rounds):
                told[gateway.name] += gateway.last() if last else gateway.round()
        while any(told.values()):
            for name, lines in told.items():
                if lines:
                    line = lines.pop(0)
                    self.lines.append(line)
                    key, where = (name, -1) if self._keyed else (None, self._chance.randrange(partitions))
                    producer.produce(self._topic, line.encode(), key, where, timestamp=self._begun + len(self.lines))
        assert producer.flush(PATIENCE) == 0

    def read_once(self) -> Engine:
        """Read the same lines as one log."""
        return read_once(f"{line}\n".encode() for line in self.lines)


def once(fleet: Fleet) -> Series:
    return of_gateways(scraped(fleet.read_once()))


def all_read(instance: Instance, fleet: Fleet, more: int = 0) -> Callable[[], bool]:
    wanted = sum(fleet.read_once().messages.values()) + more
    return lambda: not instance.follower.partitions.behind and instance.counted("racoon_log_messages_total") == wanted


def test_lines_that_are_dealt_out_to_partitions_tell_what_one_log_tells(broker: Cluster, topic: str, make: Make) -> None:
    fleet = Fleet(broker, topic)
    fleet.write(5)
    instance = make()
    instance.until(all_read(instance, fleet))
    fleet.write(3)
    fleet.write(last=True)
    instance.until(all_read(instance, fleet))
    assert of_gateways(instance.scrape) == once(fleet)
    assert instance.counted("racoon_exporter_source_keyless_records_total") == len(fleet.lines)
    assert instance.counted("racoon_exporter_source_late_records_total") == 0
    assert instance.remark.count("not keyed by gateway") == 1


def test_the_order_is_kept_over_restarts_in_the_middle_of_everything(broker: Cluster, topic: str, make: Make) -> None:
    fleet = Fleet(broker, topic)
    for number in range(3):
        fleet.write(2, last=number == 2)
        instance = make()
        instance.until(lambda: instance.counted("racoon_exporter_source_lines_total") > 0)  # noqa: B023
        if number < 2:
            instance.close()
    instance.until(all_read(instance, fleet))
    assert of_gateways(instance.scrape) == once(fleet)


def test_one_instance_reads_and_the_others_stand_by_until_it_ends(broker: Cluster, topic: str, make: Make) -> None:
    fleet = Fleet(broker, topic)
    fleet.write(2)
    first = make()
    first.until(all_read(first, fleet))
    both = [first, make()]
    turn_until(both, lambda: len([each for each in both if "stands by" in each.remark]) == 1)
    turn_until(both, lambda: len([each for each in both if "of instances that stand by" in each.remark]) == 1)
    standing_by, reading = sorted(both, key=lambda each: "that stand by" in each.remark)
    stands_by = f'racoon_exporter_source_stands_by{{source="kafka:{topic}"}}'
    assert (reading.scrape[stands_by], standing_by.scrape[stands_by]) == (0, 1)
    assert not standing_by.error
    assert standing_by.follower.ready()[0]
    fleet.write(2)
    turn_until(both, all_read(reading, fleet))
    assert not standing_by.held
    assert standing_by.counted() == 0
    reading.close()
    fleet.write(last=True)
    standing_by.until(all_read(standing_by, fleet))
    assert of_gateways(standing_by.scrape) == once(fleet)
    assert standing_by.scrape[stands_by] == 0


def test_a_topic_that_is_empty_at_first_is_read_in_order_too(broker: Cluster, topic: str, make: Make) -> None:
    instance = make()
    instance.until(lambda: instance.follower.ready()[0])
    assert len(instance.held) == PARTITIONS
    fleet = Fleet(broker, topic)
    fleet.write(2, last=True)
    instance.until(all_read(instance, fleet))
    assert of_gateways(instance.scrape) == once(fleet)


def test_partitions_that_are_added_meanwhile_are_read_in_order_too(broker: Cluster, topic: str, make: Make) -> None:
    fleet = Fleet(broker, topic)
    fleet.write(2)
    instance = make()
    instance.until(all_read(instance, fleet))
    admin = broker.admin()
    admin.create_partitions([NewPartitions(topic, 6)])[topic].result(PATIENCE)
    fleet.write(2, partitions=6, last=True)
    instance.until(all_read(instance, fleet))
    assert of_gateways(instance.scrape) == once(fleet)
    assert len(instance.held) == 6


def test_what_partitions_knew_each_for_itself_is_put_together_when_the_order_is_asked_for(
    broker: Cluster,
    topic: str,
    make: Make,
) -> None:
    fleet = Fleet(broker, topic)
    fleet.write(3)
    torn = make(order="partition")
    torn.until(all_read(torn, fleet))
    torn.until(lambda: "come through several partitions" in torn.remark)
    before = of_gateways(torn.scrape)
    assert torn.scrape[f'racoon_exporter_source_torn_gateways{{source="kafka:{topic}"}}'] == 12
    torn.close()
    instance = make(order="time")
    instance.until(all_read(instance, fleet))
    after = of_gateways(instance.scrape)
    assert {name for name, value in before.items() if after.get(name, 0) < value} == set()
    fleet.write(last=True)
    instance.until(all_read(instance, fleet))
    last = instance.counted(UP)
    instance.close()
    again = make()  # found by its checkpoints
    again.until(all_read(again, fleet))
    assert again.counted(UP) == last
    assert "not keyed by gateway" in again.remark


@pytest.mark.parametrize(
    ("partitions", "told"),
    [((1, 1), ""), ((1, 2), "the lines of 1 gateway come through several partitions")],
    ids=["in one partition", "in two"],
)
def test_a_few_records_without_keys_do_not_keep_instances_from_sharing(
    partitions: tuple[int, int],
    told: str,
    broker: Cluster,
    topic: str,
    make: Make,
) -> None:
    fleet = Fleet(broker, topic, keyed=True)
    fleet.write(5)
    stranger = Gateways(broker.bootstrap, topic)
    for line, partition in zip((start(), up("1" * 16 + ":" + "2" * 16)), partitions, strict=True):
        stranger.say("gw-1", line, key=False, partition=partition)
    stranger.flush()
    instance = make()
    instance.until(all_read(instance, fleet, more=2))
    instance.until(lambda: not told or bool(instance.remark))  # it is found with a checkpoint
    assert instance.remark.partition(" of test")[0] == told
    assert instance.counted("racoon_exporter_source_keyless_records_total") == 2


def test_two_ends_in_two_partitions_tell_one_story(broker: Cluster, topic: str, make: Make) -> None:
    ends = Gateways(broker.bootstrap, topic)
    for gateway, partition, lines in (
        ("a", 0, (listens(A), begin("initiate", A, B))),
        ("b", 1, (listens(B), begin("respond", B, A), *REFUSES)),
        ("a", 0, (timed_out(),)),
    ):
        ends.say(gateway, *lines, key=False, partition=partition)
    ends.flush()
    instance = make()
    reason = "proposal_mismatch"
    for gateway, peer in (("a", B), ("b", A)):
        series = f'racoon_phase1_failures_total{{gateway="{gateway}",peer="{peer}",reason="{reason}"}}'
        instance.until(lambda series=series: instance.scrape.get(series) == 1)  # type: ignore[misc]


COLLECTORS: Final[dict[str, tuple[str, Callable[[str, str], object]]]] = {
    "vector": ("gzip", lambda host, line: {"message": line, "host": host, "source_type": "syslog"}),
    "fluent-bit": ("snappy", lambda host, line: {"log": line, "hostname": host, "@timestamp": 1768464000.5}),
    "rsyslog": ("lz4", lambda host, line: {"msg": line, "hostname": host, "programname": "racoon"}),
    "filebeat": ("zstd", lambda host, line: {"message": line, "host": {"name": host}, "log": {"offset": 7}}),
}
"""By preset: a codec, and an object as that collector writes them."""


@pytest.mark.parametrize("collector", COLLECTORS)
def test_envelopes_of_collectors_are_dealt_out_and_name_their_hosts(
    collector: str,
    broker: Cluster,
    topic: str,
    make: Make,
) -> None:
    """The key is an identifier of each record, as some shippers have it: it names no gateway."""
    codec, wrapped = COLLECTORS[collector]
    writer = Gateways(broker.bootstrap, topic, **{"compression.type": codec})
    gateways = [Gateway(number, random.Random(number)) for number in range(9)]
    told = [(gateway, line) for _ in range(4) for gateway in gateways for line in gateway.round()]
    told += [(gateway, line) for gateway in gateways for line in gateway.last()]
    values = [json.dumps(wrapped(gateway.name, line)).encode() for gateway, line in told]
    begun = int(time.time() * 1000)
    for number, value in enumerate(values):
        writer.put(value, f"record-{number}", number % PARTITIONS, begun + number)
    writer.flush()
    reading = Lines(ENVELOPES[collector], "host")
    engine = read_once(reading.of(Record(None, value, 0.0)) for value in values)
    instance = make(keys=ENVELOPES[collector], naming="host")
    wanted = sum(engine.messages.values())
    instance.until(lambda: instance.counted("racoon_log_messages_total") == wanted)
    assert of_gateways(instance.scrape) == of_gateways(scraped(engine))
    assert {gateway.name for gateway in gateways} <= set(re.findall(r'gateway="([^"]*)"', str(of_gateways(instance.scrape))))
