"""Brokers that several tests share."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.kafka.brokers import Cluster, cluster
from tests.kafka.instance import Instance, Make


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


@pytest.fixture
def make(broker: Cluster, topic: str, directory: Path) -> Iterator[Make]:
    """Makes instances that read the topic; all are closed, however the test ends."""
    with ExitStack() as made:

        def instance(**options: Any) -> Instance:
            settings = {"topics": (topic,), "group": topic, "checkpoints": f"{topic}.cp"} | options
            new = Instance(settings.pop("bootstrap", broker.bootstrap), directory, **settings)
            made.callback(new.close)
            return new

        yield instance
