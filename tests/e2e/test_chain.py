"""From a line of racoon to a notification: the right alert, once, with the right labels, through the right receiver."""

import time

import pytest
import yaml

from tests.dashboards.tools import RULES
from tests.e2e.conftest import Chain
from tests.e2e.patience import shortened
from tests.e2e.scenarios import ALARMS, REKEY, Scenario

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
NOTIFY_SECONDS = 60
NO_CRL = "RacoonCRLMissing"
"""The hosts of the rekey recording had no CRL, and racoon says so: this one alert is true."""


@pytest.mark.parametrize("scenario", ALARMS, ids=lambda scenario: f"{scenario.name}-{scenario.alert}")
def test_a_recorded_fault_reaches_the_webhook(chain: Chain, scenario: Scenario) -> None:
    wanted = {"alertname": scenario.alert, "scenario": scenario.name, "job": "racoon", **dict(scenario.labels)}
    notified = chain.webhook.wait_for(lambda alert: wanted.items() <= alert.labels.items(), NOTIFY_SECONDS)
    assert notified is not None, [alert.labels for alert in chain.webhook.alerts() if alert.labels["scenario"] == scenario.name]
    assert notified.receiver == scenario.receiver
    assert notified.labels["instance"].startswith("127.0.0.1:")
    assert notified.annotations["runbook_url"].endswith(f"/{scenario.alert}.md")
    assert notified.annotations["summary"]
    if "reason" in wanted and "peer" in wanted:
        assert wanted["reason"] in notified.annotations["description"]
        assert "branch" in notified.annotations["summary"]


def test_rekeys_a_killed_exporter_and_its_gap_raise_nothing(chain: Chain) -> None:
    fired = chain.prometheus.since(f'ALERTS{{scenario="{REKEY.name}", alertstate="firing"}}', chain.begun, time.time())
    assert {series["metric"]["alertname"] for series in fired} <= {NO_CRL}
    established = chain.prometheus.now(f'sum(racoon_phase2_established_total{{scenario="{REKEY.name}"}})')
    assert float(established[0]["value"][1]) >= 5


def test_no_counter_fell_when_the_exporter_was_killed(chain: Chain) -> None:
    span = f"{int(time.time() - chain.begun) + 5}s"
    fallen = chain.prometheus.now(f'resets({{__name__=~"racoon_.+_total", scenario="{REKEY.name}"}}[{span}]) > 0')
    assert not fallen


def test_every_rule_evaluates(chain: Chain) -> None:
    groups = chain.prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == sum(len(group["rules"]) for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"])
    assert {rule["name"]: rule["lastError"] for rule in rules if rule.get("lastError")} == {}
    assert {rule["health"] for rule in rules} == {"ok"}


def test_the_rules_are_the_shipped_ones_but_for_their_patience() -> None:
    shipped = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for mine, theirs in zip(shortened(shipped)["groups"], shipped["groups"], strict=True):
        for rule, original in zip(mine["rules"], theirs["rules"], strict=True):
            changed = {key for key in original if rule[key] != original[key]}
            assert changed <= {"for", "keep_firing_for"}
