"""What `doctor` finds at real brokers: topics that are not there, not keyed by gateway, or of another envelope."""

import time
from typing import Any

import pytest

from racoon_exporter.cli.serve import serve, settings_of
from racoon_exporter.doctor import kafka
from racoon_exporter.doctor.service_user import ourselves
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.source.kafka.records import ENVELOPES
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kinds import Wanted
from tests.exporter.reading import up
from tests.kafka.brokers import Cluster
from tests.kafka.instance import PATIENCE, Gateways

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


def told(broker: Cluster, topic: str, **options: Any) -> tuple[str, str]:
    """Give what is found of the topic: how bad it is, and what."""
    context = serve.make_context("serve", ["-"])
    setup = Setup(settings_of(context, context.params), ourselves())
    settings = KafkaOptions(broker.bootstrap, (topic,), group=topic, **options)
    until = time.monotonic() + PATIENCE
    while True:
        brokers, found = kafka.check(Wanted("kafka", settings.name, settings), setup)
        if found.status != "error" or "Unknown topic" in found.found:
            break
        assert time.monotonic() < until, found  # brokers that are too busy are asked again, as somebody would
    assert brokers.status == "ok"
    assert found.subject == f"kafka:{topic}"
    return found.status, f"{found.found} {found.meaning}"


def test_a_topic_that_is_keyed_by_gateway_is_good(broker: Cluster, topic: str) -> None:
    assert told(broker, topic) == ("ok", "4 partitions, no record yet ")
    gateways = Gateways(broker.bootstrap, topic)
    for number in range(50):
        gateways.say(f"gw-{number % 7}", up(f"{number:016x}:0123456789abcdef"))
    gateways.flush()
    assert told(broker, topic) == ("ok", "4 partitions, keyed by gateway ")


def test_a_topic_without_keys_is_told_with_what_follows(broker: Cluster, topic: str) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    for number in range(40):
        gateways.say("gw-1", up(f"{number:016x}:0123456789abcdef"), key=False, partition=number % 4)
    gateways.flush()
    status, words = told(broker, topic)
    assert status == "warning"
    assert words.startswith("not keyed by gateway: 40 of 40 records have no key")
    assert "others stand by" in words
    assert "its state is two" in told(broker, topic, order="partition")[1]
    assert told(broker, topic, order="time")[0] == "ok"


def test_a_topic_that_is_missing_or_in_another_envelope_is_told(broker: Cluster, topic: str) -> None:
    status, words = told(broker, "nowhere")
    assert status == "error"
    assert "Unknown topic" in words
    gateways = Gateways(broker.bootstrap, topic)
    gateways.say("gw-1", *(up(f"{number:016x}:0123456789abcdef") for number in range(5)))
    gateways.put(None, "gw-1")
    gateways.flush()
    status, words = told(broker, topic, keys=ENVELOPES["vector"])
    assert status == "warning"
    assert "5 not_json" in words
    assert "1 tombstone" in words
