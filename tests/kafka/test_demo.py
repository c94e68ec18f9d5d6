"""What `make fleet-demo` starts works: both exporters have gateways, and Prometheus sees all of them once."""

import time
import urllib.request
from pathlib import Path

import pytest

from tests.kafka.demo import demo
from tests.kafka.instance import PATIENCE
from tests.kafka.prometheus import Prometheus

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(1800)]


def asked(watching: Prometheus, query: str) -> dict[str, float]:
    """Give the answer of Prometheus to a query, by gateway or instance."""
    return {gateway or instance: value for (gateway, instance), value in watching.values(query, "gateway", "instance").items()}


def test_the_demo_shows_a_fleet_in_two_instances_as_one(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        watching = Prometheus(running.prometheus)
        until = time.monotonic() + PATIENCE
        while True:
            held = asked(watching, "count by (gateway) (racoon_daemon_starts_total)")
            reading = asked(watching, "sum by (instance) (racoon_log_messages_total) > 0")
            if len(held) == 60 and set(held.values()) == {1.0} and len(reading) == 2:
                break  # between two scrapes, one that moves is seen twice
            assert time.monotonic() < until, (held, reading)
        for url in running.exporters:
            with urllib.request.urlopen(f"{url}gateways", timeout=10) as answer:
                assert "site-0" in answer.read().decode()
