"""The rules for gateways that move: promtool's tests pass, no rule keeps an instance, each alert has its cases."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.dashboards.contract import METRICS
from tests.dashboards.promql import label_lists, selectors
from tests.dashboards.test_rules import NAMES
from tests.dashboards.tools import DASHBOARDS, run

FOLDER = DASHBOARDS / "rules" / "fleet"
ALL: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "racoon-fleet.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in ALL if "alert" in rule]
RECORDS = {rule["record"]: rule for rule in ALL if "record" in rule}
FLEET_NAMES = [rule["alert"] for rule in ALERTS]
OF_INSTANCES = {"RacoonGatewaysFolded", "RacoonGatewaysTorn", "RacoonUnknownMessages"}
OWN_NAMES = {name for name in FLEET_NAMES if name not in NAMES} | {"RacoonKeyMismatch", "RacoonCRLExpired", "RacoonPeerNeverUp"}
"""Those that only this file has, and some of those that it has of racoon.yaml, whose cases are there."""
CASES = yaml.safe_load((FOLDER / "tests.yaml").read_text(encoding="utf-8"))["tests"]
rules = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.get("alert") or rule["record"]) for rule in ALL])


def test_promtool_accepts_the_rules_and_passes_their_cases() -> None:
    assert f"{len(ALL)} rules found" in run("promtool", "check", "rules", FOLDER / "racoon-fleet.yaml")
    assert "SUCCESS" in run("promtool", "test", "rules", FOLDER / "tests.yaml")


def test_every_alert_of_peers_and_daemons_is_there_for_gateways_that_move() -> None:
    """But for that of the silence of all logs together; `RacoonGatewayPeerDown` is `RacoonPhase2Down`."""
    groups = yaml.safe_load((DASHBOARDS / "rules" / "racoon.yaml").read_text(encoding="utf-8"))["groups"]
    replaced = [group for group in groups if group["name"] in {"racoon-peers", "racoon-daemon"}]
    names = {rule["alert"] for group in replaced for rule in group["rules"] if "alert" in rule}
    missing = names - {"RacoonPhase2Down", "RacoonLogSilent"} - set(FLEET_NAMES)
    assert missing == set(), "make dashboards writes rules/fleet/racoon-fleet.yaml anew from racoon.yaml"
    assert len(replaced) == 2
    assert not {rule["record"] for group in groups for rule in group["rules"] if "record" in rule} & RECORDS.keys()


@pytest.mark.parametrize("name", sorted(OWN_NAMES))
def test_an_alert_has_cases_in_which_it_fires_and_in_which_it_does_not(name: str) -> None:
    checks = [check for case in CASES for check in case["alert_rule_test"] if check["alertname"] == name]
    assert any(check["exp_alerts"] for check in checks)
    assert any(not check["exp_alerts"] for check in checks)


def test_what_names_a_cause_mutes_the_peers_of_a_gateway_that_moves() -> None:
    """None of these alerts has an instance, which is equal to none; but each must be of the same gateway."""
    config = yaml.safe_load((DASHBOARDS / "provisioning" / "alertmanager.yml").read_text(encoding="utf-8"))
    muting = [rule for rule in config["inhibit_rules"] if "RacoonGatewayPeerDown" in str(rule["target_matchers"])]
    assert all(cause in str(muting) for cause in ("RacoonDaemonDown", "RacoonLogTooQuiet", "RacoonKeyMismatch"))
    (moving,) = (rule for rule in ALERTS if rule["alert"] == "RacoonGatewayPeerDown")
    kept = {label for word, labels in label_lists(moving["expr"]) if word == "on" for label in labels}
    assert all(set(rule["equal"]) - {"instance"} <= kept for rule in muting)
    assert all("gateway" in rule["equal"] for rule in muting)
    assert "RacoonSourceUnreadable" not in str(muting)


@rules
def test_a_rule_uses_only_metrics_and_labels_of_the_contract(rule: dict[str, Any]) -> None:
    for selector in selectors(rule["expr"]):
        if selector.metric not in RECORDS:
            assert set(selector.matchers) <= METRICS[selector.metric].labels | {"gateway"}


@rules
def test_what_is_of_a_gateway_has_no_instance(rule: dict[str, Any]) -> None:
    """A gateway that moves would else be another series, and an alert of it another alert."""
    if rule.get("record", "").startswith("instance:") or rule.get("alert") in OF_INSTANCES:
        return
    outermost = re.match(r"(?:max|count|sum) by \(([^)]*)\)", rule["expr"].lstrip(" (\n"))
    kept = {label.strip() for label in outermost[1].split(",")} if outermost else set()
    assert "instance" not in kept
    assert all("job" in labels for word, labels in label_lists(rule["expr"]) if word in {"by", "on"})
