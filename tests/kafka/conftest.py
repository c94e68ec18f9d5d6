"""Brokers that several tests share."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.brokers import Cluster, cluster


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node."""
    with cluster(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def topic(broker: Cluster, request: pytest.FixtureRequest) -> str:
    """A topic of four partitions that no other test has."""
    name = re.sub(r"[^\w.-]", "_", request.node.name)[-100:]
    broker.make_topic(name, 4)
    return name


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state.json.partitions"
