"""What `make fleet-demo` starts works: both exporters have gateways, and Prometheus sees all of them once."""

import json
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.kafka.demo import demo

pytestmark = pytest.mark.kafka


def asked(prometheus: str, query: str) -> dict[str, float]:
    """Give the answer of Prometheus to a query, by gateway."""
    try:
        with urllib.request.urlopen(f"{prometheus}api/v1/query?{urlencode({'query': query})}", timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:  # it is starting
        return {}
    return {
        sample["metric"].get("gateway", sample["metric"].get("instance", "")): float(sample["value"][1]) for sample in found
    }


def test_the_demo_shows_a_fleet_in_two_instances_as_one(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        until = time.monotonic() + 90
        while True:
            held = asked(running.prometheus, "count by (gateway) (racoon_daemon_starts_total)")
            reading = asked(running.prometheus, "sum by (instance) (racoon_log_messages_total) > 0")
            if len(held) == 60 and len(reading) == 2:
                break
            assert time.monotonic() < until, (held, reading)
        assert set(held.values()) == {1.0}
        for url in running.exporters:
            with urllib.request.urlopen(f"{url}gateways", timeout=10) as answer:
                assert "site-0" in answer.read().decode()
