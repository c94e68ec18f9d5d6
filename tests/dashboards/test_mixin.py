"""The mixin gives what the rule file and the dashboards give, and changes what its settings say and nothing else."""

import json
from pathlib import Path
from typing import Any

import _jsonnet  # type: ignore[import-untyped]
import pytest
import yaml

from tests.dashboards.test_rules import ALERTS, RECORDS
from tests.dashboards.tools import DASHBOARDS, run

MIXIN = DASHBOARDS / "mixin" / "mixin.libsonnet"


def _evaluate(what: str, config: str = "{}") -> Any:
    return json.loads(_jsonnet.evaluate_snippet("test", f"((import '{MIXIN}') + {{_config+:: {config}}}).{what}"))


def _alerts(config: str = "{}") -> list[dict[str, Any]]:
    return [rule for group in _evaluate("prometheusAlerts", config)["groups"] for rule in group["rules"]]


def test_without_settings_the_rules_are_those_of_the_file() -> None:
    records = [rule for group in _evaluate("prometheusRules")["groups"] for rule in group["rules"]]
    assert {rule["record"]: rule for rule in records} == RECORDS
    written = [rule["alert"] for rule in ALERTS]
    assert [rule["alert"] for rule in _alerts()] == written, "make dashboards writes mixin/rules.json anew from racoon.yaml"
    for mine, tested in zip(_alerts(), ALERTS, strict=True):
        assert {**mine, "expr": mine["expr"].strip()} == {**tested, "expr": tested["expr"].strip()}


def test_the_dashboards_are_the_rendered_ones() -> None:
    for name, board in _evaluate("grafanaDashboards").items():
        assert board == json.loads((DASHBOARDS / name).read_text(encoding="utf-8"))


def test_settings_change_threshold_patience_severity_and_silence() -> None:
    config = (
        "{thresholds+: {RacoonPeerFlapping: 7}, 'for'+: {RacoonPhase2Down: '30m'},"
        " severity+: {RacoonDeadPeer: 'info'}, silentAfter: '24h', without: ['RacoonCRLMissing']}"
    )
    found = {rule["alert"]: rule for rule in _alerts(config)}
    assert found["RacoonPeerFlapping"]["expr"].endswith(") > 7\n")
    assert found["RacoonPhase2Down"]["for"] == "30m"
    assert found["RacoonDeadPeer"]["labels"] == {"severity": "info"}
    assert "offset 24h" in found["RacoonLogSilent"]["expr"]
    assert "8h" not in found["RacoonLogSilent"]["expr"]
    assert "RacoonCRLMissing" not in found


def test_a_threshold_for_an_alert_without_one_is_refused() -> None:
    with pytest.raises(RuntimeError, match="does not end with a threshold"):
        _alerts("{thresholds+: {RacoonDaemonDown: 7}}")


def test_prometheus_loads_what_the_mixin_gives(tmp_path: Path) -> None:
    for name in ("prometheusAlerts", "prometheusRules"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(_evaluate(name)), encoding="utf-8")
        assert "SUCCESS" in run("promtool", "check", "rules", path)
