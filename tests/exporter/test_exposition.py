"""What we write ourselves is what prometheus_client would write, byte for byte."""

from datetime import UTC

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest as text
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_text

from racoon_exporter.engine import Engine
from racoon_exporter.exposition import render
from racoon_exporter.metrics import METRICS, OwnState, Samples, collect
from racoon_exporter.source.contract import SourceCounts, SourceStatus
from tests.exporter.reading import LAB, block, lab_logs, read_logs
from tests.exporter.rendering import RacoonCollector

SOURCE = SourceStatus(
    'we"ird\\na\nme',
    up=True,
    lag_bytes=5,
    counts=SourceCounts(lines=6, bytes=7, rotations=8, lost_bytes=9, too_long=10, dropped=11),
)
OWN = OwnState((SOURCE,), checkpoint_time=1.7e9, checkpoint_failures=3, web_config_ok=False)


def engines() -> list[object]:
    syslog = Engine(UTC, reference_of=lambda _: 1.8e9)
    syslog.feed(block((LAB / "20-syslog" / "a.syslog").read_bytes(), "a.syslog"))
    syslog.finish()
    return [
        pytest.param(read_logs(lab_logs("17-soak-chaos", "a")), id="a file"),
        pytest.param(read_logs(lab_logs("16-ipv6-transport", "b")), id="IPv6"),
        pytest.param(syslog, id="gateways"),
        pytest.param(Engine(UTC), id="nothing read"),
    ]


@pytest.mark.parametrize("engine", engines())
@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "OpenMetrics"])
def test_the_exposition_is_that_of_the_client_library(engine: Engine, *, openmetrics: bool) -> None:
    registry = CollectorRegistry()
    registry.register(RacoonCollector(lambda: collect(engine, OWN)))
    written: bytes = openmetrics_text(registry) if openmetrics else text(registry)  # type: ignore[no-untyped-call]
    wanted = written.removesuffix(b"# EOF\n")
    samples, gateways = collect(engine, OWN)
    assert render(samples, gateways=gateways, openmetrics=openmetrics) == wanted


def test_every_metric_has_a_row_and_every_row_its_samples() -> None:
    samples, _ = collect(read_logs(lab_logs("12-natt", "b")), OWN)
    assert set(samples.values) <= {row.name for row in METRICS}


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "OpenMetrics"])
def test_no_label_holds_what_is_no_text(*, openmetrics: bool) -> None:
    samples = Samples()
    samples.put("racoon_exporter_source_lag_bytes", 1, "", 'half \ud800 \x1b "\\')
    assert b'{source="half \\\\ud800 \\\\x1b \\"\\\\"} 1.0' in render(samples, gateways=False, openmetrics=openmetrics)


def test_large_and_odd_numbers_are_written_as_go_writes_them() -> None:
    samples = Samples()
    for number, value in enumerate((0, 1, 999_999, 1_000_000, 1.5, 1.795505972e9, 1.7955059725e9, 2**53, 0.1 + 0.2)):
        samples.put("racoon_exporter_source_lag_bytes", value, "", str(number))
    registry = CollectorRegistry()
    registry.register(RacoonCollector(lambda: (samples, False)))
    assert render(samples, gateways=False, openmetrics=False) == text(registry)
