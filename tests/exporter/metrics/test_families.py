"""Families of metrics stand for themselves, and what the state counts has a row that shows it."""

import json
import re
from datetime import UTC
from importlib.resources import files
from pathlib import Path

import pytest

from racoon_exporter import metrics
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import families as families_of
from racoon_exporter.sa.counts import LABELS, PEER_COUNTS, RACOON_COUNTS
from tests.exporter.reading import read_lines, up


def test_a_family_that_fails_is_missing_and_the_others_are_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(samples: metrics.Samples, _scrape: metrics.Scrape) -> None:
        samples.add("racoon_phase1_sas", 7, "", "198.51.100.7")
        raise KeyError("unheard_of")

    families = dict(metrics.FAMILIES)
    monkeypatch.setattr(families_of, "FAMILIES", families | {"state": broken})
    own = metrics.OwnState(checkpoint_failures=3)
    engine = read_lines(f"08:30:04 {up()}")
    for _ in range(2):
        samples, _ = metrics.collect(engine, own)
        assert "racoon_phase1_sas" not in samples.values
        assert samples.values["racoon_exporter_checkpoint_failures"] == {("",): 3}
        ok = {labels[1]: value for labels, value in samples.values["racoon_exporter_family_ok"].items()}
        assert ok == dict.fromkeys(families, 1.0) | {"state": 0.0}
    assert [record.getMessage() for record in caplog.records] == ["the metrics of state cannot be taken; the others are served"]
    monkeypatch.setattr(families_of, "FAMILIES", families)
    samples, _ = metrics.collect(engine, own)
    assert set(samples.values["racoon_exporter_family_ok"].values()) == {1.0}


def test_what_the_state_counts_are_the_rows_that_show_it() -> None:
    rows = [row for row in metrics.METRICS if row.counter]
    of_peers = {row.counter for row in rows if row.labels[:1] == ("peer",)}
    assert of_peers == PEER_COUNTS, "PeerCount in sa/counts.py names the counters of rows whose first label is peer"
    assert {row.counter for row in rows} - of_peers == RACOON_COUNTS, "RacoonCount in sa/counts.py names those of other rows"
    labels = {row.counter: len([label for label in row.labels if label != "peer"]) for row in rows}
    assert labels == LABELS, "LABELS in sa/counts.py says how many labels a row has besides peer"


def test_every_metric_is_collected_somewhere() -> None:
    """What is counted is collected by its row; the name of any other stands in its row, and where its samples are put."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(str(files("racoon_exporter"))).rglob("*.py"))
    rows = [row for row in metrics.METRICS if not row.counter and row.kind != "histogram"]
    named = {row.name: re.sub(r"(?<=phase)\d", r"(?:\\d|\\{\\w+\\})", row.name) for row in rows}
    forgotten = [name for name, pattern in named.items() if len(re.findall(f'"{pattern}"', code)) < 2]
    assert forgotten == [], "rows without samples: put them in the function of a family (metrics/families.py)"


def test_every_count_is_counted_somewhere() -> None:
    state = Path(str(files("racoon_exporter.sa")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in state.rglob("*.py") if path.name != "counts.py")
    forgotten = [name for name in LABELS if f'"{name}"' not in code]
    assert forgotten == [], (
        "nothing in sa counts these: a handler does, racoon.count(peer, name, …) or racoon.counters[name, …]"
    )


def test_a_count_that_this_version_does_not_know_is_left_out_of_a_state_file() -> None:
    engine = read_lines(f"08:30:04 {up()}")
    kept = json.loads(json.dumps(to_json(engine)))
    (racoon,) = kept["state"]["racoons"]
    racoon["counters"].append(["of_another_version", 7])
    racoon["peers"]["peers"][0]["counters"].append(["of_another_version", "x", 7])
    resumed = Engine(UTC)
    restore(resumed, kept)
    assert metrics.collect(resumed, metrics.OwnState())[0].values == metrics.collect(engine, metrics.OwnState())[0].values
