"""From a line of racoon to a notification: the right alert, once, with the right labels, through the right receiver."""

import time

import pytest
import yaml

from tests.dashboards.contract import METRICS
from tests.dashboards.test_rules import NAMES, RECORDS
from tests.dashboards.tools import RULES
from tests.e2e.conftest import Chain
from tests.e2e.patience import shortened
from tests.e2e.scenarios import ALARMS, GONE, REKEY, Scenario

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
NOTIFY_SECONDS = 200
PATIENCE = 5
"""Seconds for which an exporter must be away here to be called so."""
NOT_HERE = {
    "RacoonCRLExpired": "no recording has an expired CRL",
    "RacoonCheckpointFailing": "the state can be written",
    "RacoonExporterAbsent": "the others are there",
    "RacoonKernelErrors": "no recording has three refusals of the kernel",
    "RacoonLogBytesLost": "nothing is lost",
    "RacoonLogSilent": "takes eight hours",
    "RacoonPeerFlapping": "no recording has three long interruptions",
    "RacoonPeersFolded": "few peers",
    "RacoonSasDropped": "few SAs",
    **dict.fromkeys(
        (
            *("RacoonCRLExpiring", "RacoonCRLFileMissing", "RacoonCertificateExpiring", "RacoonLogAndKernelDisagree"),
            *("RacoonPolicyWithoutSA", "RacoonWeakCrypto", "RacoonWitnessDown"),
        ),
        "the recordings have no witness beside them",
    ),
    "RacoonSourceLagging": "the recordings are small",
    "RacoonUnexpectedPeersFailing": "compares with an hour ago",
    "RacoonUnknownMessages": "every line is known",
    "RacoonXAuthGuessing": "no recording has eleven failed logins",
}
"""Alerts that these recordings do not bring about, and why; promtool's cases cover them."""
NO_CRL = "RacoonCRLMissing"
"""The hosts of the rekey recording had no CRL, and racoon says so: this one alert is true."""


@pytest.mark.parametrize("scenario", ALARMS, ids=lambda scenario: f"{scenario.name}-{scenario.alert}")
def test_a_recorded_fault_reaches_the_webhook(chain: Chain, scenario: Scenario) -> None:
    wanted = {"alertname": scenario.alert, "scenario": scenario.name, "job": "racoon", **dict(scenario.labels)}
    notified = chain.webhook.wait_for(lambda alert: wanted.items() <= alert.labels.items(), NOTIFY_SECONDS)
    assert notified is not None, [alert.labels for alert in chain.webhook.alerts() if alert.labels["scenario"] == scenario.name]
    assert notified.receiver == scenario.receiver
    assert notified.labels["instance"].startswith("127.0.0.1:")
    assert notified.annotations["runbook_url"].partition("#")[0].endswith(f"/runbooks/{scenario.alert}")
    assert notified.annotations["summary"]
    if "reason" in wanted and "peer" in wanted:
        assert wanted["reason"] in notified.annotations["description"]
        assert "branch" in notified.annotations["summary"]


def test_one_cause_is_one_page(chain: Chain) -> None:
    """What follows from a cause that is named, for the same peer or the same gateway, pages nobody."""
    pages: dict[str, set[str]] = {}
    for alert in chain.webhook.alerts():
        if alert.receiver == "pager" and alert.status == "firing":
            pages.setdefault(alert.labels["scenario"], set()).add(alert.labels["alertname"])
    wanted = {scenario.name: {scenario.alert} for scenario in ALARMS if scenario.receiver == "pager"}
    wanted["11-delete-restart"].add("RacoonDaemonCrashed")  # a cause of its own, minutes before racoon is stopped
    assert {name: found for name, found in pages.items() if name in wanted} == wanted
    assert {name: found for name, found in pages.items() if name not in wanted and len(found) > 1} == {}


def test_a_log_that_is_gone_reaches_the_webhook(chain: Chain) -> None:
    wanted = {"alertname": "RacoonSourceUnreadable", "scenario": GONE.name}
    notified = chain.webhook.wait_for(lambda alert: wanted.items() <= alert.labels.items(), NOTIFY_SECONDS)
    assert notified is not None
    assert notified.receiver == "pager"
    assert notified.labels["source"].endswith("racoon.log")


def test_rekeys_a_killed_exporter_and_its_gap_raise_nothing(chain: Chain) -> None:
    """Up to the end of the recording: after it nobody renews the SAs, and the peer is down indeed when they have expired."""
    fired = chain.prometheus.since(f'ALERTS{{scenario="{REKEY.name}", alertstate="firing"}}', chain.begun, chain.played)
    allowed = {NO_CRL}
    (up,) = chain.prometheus.since(f'up{{scenario="{REKEY.name}"}}', chain.begun, chain.played)
    if sum(value == "0" for _, value in up["values"]) >= PATIENCE:
        allowed.add("RacoonExporterDown")  # a busy machine took longer to start it: it is true
    assert {series["metric"]["alertname"] for series in fired} <= allowed
    established = chain.prometheus.now(f'sum(racoon_phase2_established_total{{scenario="{REKEY.name}"}})')
    assert float(established[0]["value"][1]) >= 5


def test_no_counter_fell_when_the_exporter_was_killed(chain: Chain) -> None:
    span = f"{int(time.time() - chain.begun) + 5}s"
    counters = [name for name, metric in METRICS.items() if metric.kind == "counter" and name.startswith("racoon_")]
    fallen = {name for name in counters if chain.prometheus.now(f'resets({name}{{scenario="{REKEY.name}"}}[{span}]) > 0')}
    assert fallen == set()


def test_every_alert_was_seen_or_is_listed(chain: Chain) -> None:
    end = time.time()
    series = chain.prometheus.since("group by (alertname) (ALERTS)", chain.begun, end)
    assert {found["metric"]["alertname"] for found in series} == set(NAMES) - set(NOT_HERE)


def test_every_record_has_something(chain: Chain) -> None:
    for record in RECORDS:
        assert chain.prometheus.since(record, chain.begun, time.time()), record


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
