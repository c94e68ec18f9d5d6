"""What one reading of the same lines tells, as one log: those who read a topic must tell the same."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC

from racoon_exporter.engine import Engine
from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.source import Block
from tests.kafka.processes import Series, series_of


def read_once(lines: Iterable[bytes]) -> Engine:
    """Read lines, or the lines of records, in this order; those without a year as exporters do that read them now."""
    engine = Engine(UTC, reference_of=lambda _source: time.time())
    for data in lines:
        engine.feed(Block("all", data, 1, None))
    engine.flush()
    return engine


def scraped(engine: Engine) -> Series:
    """Give the samples of an engine."""
    samples, gateways = collect(engine, OwnState())
    return series_of(render(samples, gateways=gateways, openmetrics=False).decode())
