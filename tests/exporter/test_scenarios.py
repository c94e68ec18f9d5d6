"""Recordings in, metrics out: one golden file for each story, compared as parsed families.

`REWRITE_GOLDEN=1 pytest tests/exporter/test_scenarios.py` writes them anew; such a run fails, so that it cannot pass for one.
"""

import os
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from racoon_exporter.engine import Engine
from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Expectation, Knowledge
from tests.exporter.reading import LAB, block, lab_logs, read_logs

GOLDEN = LAB.parent / "golden"
UTC = ZoneInfo("UTC")
STORIES = [
    pytest.param("01-seed", "b", UTC, id="certificates without CRL"),
    pytest.param("02-rekey", "a", UTC, id="rekeys that are no outage"),
    pytest.param("03-cut-silent-dpd", "a", UTC, id="a dead peer that comes back"),
    pytest.param("06-ph1-proposal-mismatch", "b", UTC, id="a refused proposal"),
    pytest.param("10-cert-revoked", "a", UTC, id="a revoked certificate"),
    pytest.param("11-delete-restart", "a", UTC, id="deletes, flushes, restarts, a crash"),
    pytest.param("12-natt", "b", UTC, id="NAT and generated policies"),
    pytest.param("15-anonymous-scan", "b", UTC, id="strangers that scan"),
    pytest.param("16-esp-ah-transport", "a", UTC, id="a bundle of AH and ESP"),
    pytest.param("16-ipv6-transport", "a", UTC, id="IPv6"),
    pytest.param("17-soak-chaos", "b", UTC, id="forty minutes of everything"),
    pytest.param("18-log-rotation", "a", UTC, id="a log rotated in five ways"),
    pytest.param("21-xauth-modecfg", "b", UTC, id="XAuth logins"),
    pytest.param("26-quiet-log-levels", "a", UTC, id="a log level that hides SAs"),
    pytest.param("28-clock-and-dst", "a", ZoneInfo("Europe/Berlin"), id="the end of summer time and stepped clocks"),
]
DIALECTS = sorted(path.stem for path in (GOLDEN.parent / "dialects").glob("*.log"))
"""Logs of systems that print racoon's sentences: `tests/scenarios/dialects`."""
_OURS = ("racoon_exporter_build_info",)

Family = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def exposition(engine: Engine) -> str:
    samples, gateways = collect(engine, OwnState())
    return render(samples, gateways=gateways, openmetrics=False).decode()


def families(text: str) -> dict[str, tuple[str, Family]]:
    return {
        family.name: (
            family.type,
            {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in family.samples},
        )
        for family in text_string_to_metric_families(text)
        if family.name not in _OURS
    }


@pytest.mark.parametrize(("scenario", "host", "zone"), STORIES)
def test_a_recording_gives_its_metrics(scenario: str, host: str, zone: tzinfo) -> None:
    knowledge = Knowledge({"192.168.0.41": Expectation("branch"), "192.168.0.77": Expectation("laptop", "roaming")})
    text = exposition(read_logs(lab_logs(scenario, host), zone=zone, knowledge=knowledge))
    compare(text, GOLDEN / f"{scenario}-{host}.metrics.txt")


@pytest.mark.parametrize("name", DIALECTS)
def test_a_log_of_a_dialect_gives_its_metrics(name: str) -> None:
    engine = Engine(UTC, knowledge=Knowledge({"198.51.100.7": Expectation("branch")}), reference_of=lambda _: 1_800_000_000.0)
    engine.feed(block((GOLDEN.parent / "dialects" / f"{name}.log").read_bytes(), name))
    engine.finish()
    compare(exposition(engine), GOLDEN / f"dialect-{name}.metrics.txt")


def compare(text: str, golden: Path) -> None:
    if os.environ.get("REWRITE_GOLDEN"):
        lines = [line for line in text.splitlines() if not line.startswith(("#", *_OURS))]
        golden.write_text("\n".join(lines) + "\n", encoding="utf-8")
        pytest.fail("golden file rewritten: look at the difference, then run without REWRITE_GOLDEN")
    wanted = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(golden.read_text(encoding="utf-8") if golden.exists() else "")
        for sample in family.samples
    }
    found = {key: value for _, samples in families(text).values() for key, value in samples.items()}
    assert found == wanted, "REWRITE_GOLDEN=1 writes the golden metrics anew: look at the difference"


def test_every_golden_file_has_its_story() -> None:
    stories = {f"{story.values[0]}-{story.values[1]}.metrics.txt" for story in STORIES}
    stories |= {f"dialect-{name}.metrics.txt" for name in DIALECTS}
    assert {path.name for path in GOLDEN.glob("*")} == stories
