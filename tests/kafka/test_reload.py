"""A reload: topics come and go, and options change, while brokers and gateways go on."""

from itertools import count
from pathlib import Path

import pytest

from racoon_exporter.source.kafka.settings import Sasl
from racoon_exporter.source.kinds import paths
from tests.exporter.reading import start, up
from tests.kafka.brokers import Cluster
from tests.kafka.instance import UP, Gateways, Instance, Make

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]
COOKIES = "{:016x}:0123456789abcdef"
NUMBERS = count(1)


def establish(broker: Cluster, topic: str, fleet: str, number: int = 10) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    for each in range(number):
        gateways.say(f"{fleet}-{each}", start(), up(COOKIES.format(next(NUMBERS))))
    gateways.flush()


def of(instance: Instance, fleet: str) -> float:
    return instance.counted(f'{UP}{{gateway="{fleet}-')


def settled(instance: Instance, held: int) -> bool:
    return len(instance.held) == held and not instance.follower.partitions.behind


def test_topics_come_and_go_with_a_reload_and_each_line_counts_once(
    broker: Cluster,
    topic: str,
    make: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = f"{topic}.more"
    broker.make_topic(other, 2)
    establish(broker, topic, "gw")
    instance = make()
    instance.until(lambda: of(instance, "gw") == 10)
    establish(broker, other, "more")
    establish(broker, topic, "gw")
    instance.reload(topics=(topic, other))
    instance.until(lambda: settled(instance, 6) and of(instance, "gw") == 20 and of(instance, "more") == 10)
    instance.reload(topics=(other,))
    establish(broker, topic, "gw")
    establish(broker, other, "more")
    instance.until(lambda: settled(instance, 2) and of(instance, "more") == 20)
    assert of(instance, "gw") == 0
    instance.reload(topics=(topic, other))
    instance.until(lambda: settled(instance, 6) and of(instance, "gw") == 30)
    assert of(instance, "more") == 20
    assert sum(status.counts.lines for status in instance.follower.statuses()) == 100
    assert "another instance" not in caplog.text  # none of its own producers fenced another


def test_options_change_with_a_reload_and_what_is_known_goes_along(
    broker: Cluster,
    topic: str,
    tmp_path: Path,
    make: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    establish(broker, topic, "gw")
    instance = make()
    instance.until(lambda: settled(instance, 4) and of(instance, "gw") == 10)
    log = tmp_path / "racoon.log"
    log.write_text(f"2026-01-15 08:00:00: {start()}\n2026-01-15 08:00:01: {up(COOKIES.format(next(NUMBERS)))}\n")
    instance.reload(*paths(str(log)), order="time", session_seconds=4)
    establish(broker, topic, "gw")
    instance.until(lambda: settled(instance, 5) and of(instance, "gw") == 20)  # the log is one of them
    assert "not keyed by gateway" in instance.remark
    assert instance.counted() == 21
    with pytest.raises(ValueError, match="nowhere"):
        instance.reload(sasl=Sasl("PLAIN", "exporter", str(tmp_path / "nowhere")))
    establish(broker, topic, "gw")
    instance.until(lambda: of(instance, "gw") == 30)
    instance.reload()  # the log goes, the topic stays as it is
    establish(broker, topic, "gw")
    instance.until(lambda: of(instance, "gw") == 40)
    assert instance.counted() == 40
    assert "another instance" not in caplog.text  # none of its own producers fenced another
