"""Each line counts once, whoever dies: three brokers, three exporters, 200 gateways that write all the time."""

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Iterable, Sequence
from datetime import UTC
from pathlib import Path

import pytest
from confluent_kafka import Producer

from racoon_exporter.engine import Engine, restore
from racoon_exporter.history import COLUMNS
from racoon_exporter.source.kafka.checkpoints import WHOLE, Place
from racoon_exporter.source.kafka.records import Lines, Record
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kafka.topic_checkpoints import TopicCheckpoints
from tests.kafka.brokers import Cluster, cluster
from tests.kafka.fleet import Gateway
from tests.kafka.once import read_once, scraped
from tests.kafka.processes import Group, Series, make_group, of_gateways
from tests.kafka.prometheus import Prometheus, prometheus

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(1800)]
SEED = int(os.environ.get("SEED", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "4"))
PARTITIONS = 6
COUNTERS = (
    "gateway_peer:racoon_phase1_established:max",
    "gateway_peer:racoon_phase2_established:max",
    "gateway_peer_reason:racoon_phase1_failures:max",
    "gateway_peer:racoon_phase2_flaps:max",
    "gateway_peer:racoon_dead_peers:max",
)
"""Of the recorded series."""
UNTRUE = "RacoonDaemon.*|RacoonConfigError|Racoon.*Mismatch|RacoonGatewayLost"
"""What nothing in the lines tells of."""
TOLD_DOWN = (
    'group by (gateway, peer) (last_over_time((ALERTS{alertname="RacoonGatewayPeerDown"} and on (gateway, peer) '
    "gateway_peer:racoon_phase2_up:max == 0 and on (gateway, peer) "
    "max_over_time(gateway_peer:racoon_phase2_up:max[1h]) == 1)[1h:1s]))"
)
"""Peers that were told to be down, be it for a moment, after they had been up. One whose phase 2 comes up for the first time is
down before; and at just that moment Prometheus may put what one rule recorded now beside what another recorded before."""
GATEWAYS = 200


class Writer:
    """The gateways, and all they have said; with `keyed`, in the partition of each, else in any."""

    def __init__(self, bootstrap: str, chance: random.Random, *, keyed: bool = True) -> None:
        self._chance, self._keyed, self._begun = chance, keyed, int(time.time() * 1000)
        self.gateways = [Gateway(number, random.Random(chance.random())) for number in range(GATEWAYS)]
        self.lines: list[tuple[str, str]] = []
        settings = {"bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.type": "zstd", "log_level": 0}
        self._producer = Producer(settings)

    def write(self, *, last: bool = False) -> None:
        for gateway in self.gateways:
            for line in gateway.last() if last else gateway.round():
                self.lines.append((gateway.name, line))
                if self._keyed:
                    self._producer.produce("racoon", line.encode(), gateway.name)
                else:
                    self._deal_out(gateway.name, line)
        assert self._producer.flush(300) == 0

    def _deal_out(self, gateway: str, line: str) -> None:
        """Write a line to any partition, in an envelope that names its host, a millisecond after the one before."""
        value = json.dumps({"message": line, "host": gateway}).encode()
        recorded = self._begun + len(self.lines)
        self._producer.produce("racoon", value, None, self._chance.randrange(PARTITIONS), timestamp=recorded)

    def read_once(self) -> Engine:
        """Read the same lines as one log."""
        reading = Lines()
        return read_once(reading.of(Record(gateway.encode(), line.encode(), 0.0)) for gateway, line in self.lines)


def everything_read(group: Group, wanted: int) -> Series:
    return group.wait(
        lambda seen: sum(value for name, value in seen.items() if name.startswith("racoon_log_messages_total")) >= wanted
    )


def until_equal(group: Group, wanted: Series) -> Series:
    """Wait until all gateways are shown with the counters that they should have, and give what is shown in the end.

    A partition that moves just then is shown a little later; what counts twice, or never, stays so.
    """
    try:
        return of_gateways(group.wait(lambda seen: of_gateways(seen) == wanted))
    except AssertionError:
        return of_gateways(group.look_again())


def disturb(chance: random.Random, running: Cluster, group: Group, ways: Sequence[str]) -> None:
    """End somebody, and let those come back who were ended before."""
    for exporter in group.exporters:
        if exporter.process is None:
            exporter.start()
    dead = [node.number for node in running.nodes if node.process is None]
    if dead:
        running.start(*dead)
    what = chance.choice(ways)
    if what == "kill broker":
        chance.choice(running.nodes).kill()
        running.wait_for_leaders("racoon")  # lines that a shipper keeps for longer than others are late, which is another story
    else:
        chance.choice(group.exporters).end(signal.SIGKILL if what == "kill exporter" else signal.SIGTERM)


def rows(engine: Engine) -> dict[str, list[str]]:
    """Give what `history` tells, a text for each row."""
    told = engine.state.history()
    return {table: [json.dumps([getattr(row, key) for key in keys]) for row in told[table]] for table, keys in COLUMNS.items()}


def told_by_prometheus(watching: Prometheus, exporters: int) -> list[str]:
    """Give what Prometheus was told and is not true: counters that fell, peers that were down and never went down."""
    watching.until(lambda: len(watching.ask("gateway_peer:racoon_phase2_up:max")) > GATEWAYS)
    fallen = [
        f"{metric} {series}"
        for metric in COUNTERS
        for series, resets in watching.values(f"resets({metric}[1h])", "gateway", "peer", "reason").items()
        if resets
    ]
    falls = watching.values("resets(gateway_peer:racoon_phase2_up:max[1h])", "gateway", "peer")
    down = watching.values(TOLD_DOWN, "gateway", "peer")
    flaps = watching.values("gateway_peer:racoon_phase2_flaps:max", "gateway", "peer")  # last: they only grow
    untrue = watching.values(f'group by (alertname) (last_over_time(ALERTS{{alertname=~"{UNTRUE}"}}[1h]))', "alertname")
    false = [
        *(
            f"{series} was down {number} times and fell {flaps[series]}"
            for series, number in falls.items()
            if number > flaps[series]
        ),
        *(f"{series} was told to be down" for series in down if not flaps[series]),
        *(f"{name} was told" for name in untrue),
    ]
    assert len(watching.values("max_over_time(up[1h]) > 0", "instance")) == exporters
    return fallen + false


def kept(bootstrap: str, numbers: Iterable[int]) -> list[dict[str, list[str]]]:
    """Give the histories that the checkpoints of partitions hold."""
    checkpoints = TopicCheckpoints(KafkaOptions(bootstrap, ("racoon",), checkpoints="racoon-exporter-checkpoints"))
    histories = []
    for number in numbers:
        content = checkpoints.take(Place("racoon", number))
        assert content is not None
        engine = Engine(UTC)
        restore(engine, content["state"]["engine"])
        histories.append(rows(engine))
    checkpoints.close()
    return histories


KEYED = pytest.param(True, ("kill exporter", "kill exporter", "end exporter", "kill broker"), range(PARTITIONS), id="keyed")
DEALT_OUT = pytest.param(False, ("kill exporter", "kill broker", "end exporter"), [WHOLE], id="dealt out")


@pytest.mark.parametrize(("keyed", "ways", "numbers"), [KEYED, DEALT_OUT])
def test_each_line_counts_once_and_no_counter_falls_while_exporters_and_brokers_are_killed(
    keyed: bool,  # noqa: FBT001  a parameter
    ways: Sequence[str],
    numbers: Iterable[int],
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(cluster(tmp_path / "brokers", 3, {"min.insync.replicas": "2"}))
        running.make_topic("racoon", PARTITIONS)
        writer = Writer(running.bootstrap, chance, keyed=keyed)
        group = make_group(tmp_path, running.bootstrap, 3, GATEWAYS, more="" if keyed else ", gateway: host, envelope: vector")
        targets = [f"127.0.0.1:{exporter.port}" for exporter in group.exporters]
        watching = stack.enter_context(prometheus(tmp_path, targets))
        try:
            group.start()
            for number in range(ROUNDS):
                writer.write()
                if number % 2 == 0:  # the next one comes while these are read
                    group.look_again()
                disturb(chance, running, group, ways)
            for exporter in group.exporters:
                if exporter.process is None:
                    exporter.start()
            writer.write(last=True)
            once = writer.read_once()
            everything_read(group, sum(once.messages.values()))
            wanted = of_gateways(scraped(once))
            told = until_equal(group, wanted)
            assert told_by_prometheus(watching, len(group.exporters)) == []
        finally:
            group.stop()
        assert {name for name in told | wanted if told.get(name) != wanted.get(name)} == set()
        assert not group.fallen
        histories = kept(running.bootstrap, numbers)
        for table, read in rows(once).items():
            assert sorted(row for history in histories for row in history[table]) == sorted(read)
