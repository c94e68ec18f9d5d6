"""The rules: promtool's own tests pass, none lacks a case, and each says what is wrong and where to read on."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from racoon_parsers.reasons import FAILURE_REASONS, REASONS
from tests.dashboards.contract import METRICS
from tests.dashboards.promql import label_lists, selectors
from tests.dashboards.tools import ROOT, RULE_TESTS, RULES, RUNBOOKS, run

GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
ALL = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = [rule for rule in ALL if "alert" in rule]
RECORDS = {rule["record"]: rule for rule in ALL if "record" in rule}
NAMES = sorted({rule["alert"] for rule in ALERTS})
SEVERITIES = frozenset({"critical", "warning", "info"})
SERVED = "http://{{ $labels.instance }}/runbooks/"
"""Runbooks come from the exporter that the alert is of."""
ON_THE_WEB = "https://github.com/racoon-exporter/racoon-exporter/blob/main/docs/runbooks/"
"""Those of an exporter that is away."""
AWAY = frozenset({"RacoonExporterDown", "RacoonExporterAbsent"})
EXPLAINED = 'racoon_peer_reason{reason=~"crl_expired|certificate_.*"}'
"""Peers whose trouble the alerts of certificates and CRLs tell; the others leave them out."""
WITHOUT_GATEWAY = (
    r"on \(instance, job\)(?: group_left \(\))?\s*\(?\s*"
    r"(?:sum_over_time\(up|up|last_over_time\(racoon_exporter|racoon_daemon_up)"
)
"""A join without gateway, and what it may be with: `up` and the exporter's own metrics, which have none, or any gateway of
an instance."""
CASE = (
    "dashboards/rules/tests has for each alert cases with the names 'ALERT fires: …' (one for each severity), 'ALERT holds its "
    "fire: …', 'ALERT resolves: …'; each names, at a time, the alerts that are expected of it: {}"
)
CASES = [
    case for path in sorted(RULE_TESTS.glob("*.yaml")) for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
]

rules = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.get("alert") or rule["record"]) for rule in ALL])
alerts = pytest.mark.parametrize(
    "alert", [pytest.param(rule, id=f"{rule['alert']}-{rule['labels']['severity']}") for rule in ALERTS]
)


def _expected(case: dict[str, Any], name: str) -> list[list[dict[str, Any]]]:
    """Return what the case expects of the alert at each of its times, in order."""
    return [check["exp_alerts"] for check in case["alert_rule_test"] if check["alertname"] == name]


def test_promtool_accepts_the_rules() -> None:
    assert f"{len(ALL)} rules found" in run("promtool", "check", "rules", RULES)


@pytest.mark.parametrize("path", sorted(RULE_TESTS.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_promtool_passes_the_cases(path: Path) -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", path)


@alerts
def test_an_alert_has_a_case_that_fires_with_its_severity(alert: dict[str, Any]) -> None:
    wanted = alert["labels"]["severity"]
    fired = [
        found
        for case in CASES
        if case["name"].startswith(f"{alert['alert']} fires: ")
        for check in _expected(case, alert["alert"])
        for found in check
    ]
    assert wanted in {found["exp_labels"]["severity"] for found in fired}, CASE.format(f"{alert['alert']} fires, {wanted}")
    assert all(found["exp_annotations"]["description"] for found in fired), "a case that fires names the whole description"


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_has_a_case_that_holds_its_fire(name: str) -> None:
    held = [_expected(case, name) for case in CASES if case["name"].startswith(f"{name} holds its fire: ")]
    assert held, CASE.format(f"{name} holds its fire")
    assert all(checks and not any(checks) for checks in held), f"{name} holds its fire: nothing is expected of it at any time"


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_has_a_case_that_resolves(name: str) -> None:
    resolved = [_expected(case, name) for case in CASES if case["name"].startswith(f"{name} resolves: ")]
    assert resolved, CASE.format(f"{name} resolves")
    assert all(checks[0] and not checks[-1] for checks in resolved), f"{name} resolves: expected first, and not at the end"


def test_no_case_is_for_an_alert_that_is_gone() -> None:
    gone = "no rule of dashboards/rules/racoon.yaml has these names: take their cases out"
    assert {case["name"].split()[0] for case in CASES} - set(NAMES) == set(), gone
    assert {check["alertname"] for case in CASES for check in case["alert_rule_test"]} - set(NAMES) == set(), gone


@alerts
def test_an_alert_says_what_is_wrong_where_and_what_to_read(alert: dict[str, Any]) -> None:
    assert alert["alert"].startswith("Racoon"), "all alerts begin with it"
    assert alert["labels"]["severity"] in SEVERITIES, SEVERITIES
    annotations = alert["annotations"]
    assert set(annotations) == {"summary", "description", "runbook_url"}
    name = alert["alert"]
    address, _, section = annotations["runbook_url"].partition("#")
    assert address == (f"{ON_THE_WEB}{name}.md" if name in AWAY else f"{SERVED}{name}")
    assert section in {"", "{{ $labels.reason }}"}
    assert (RUNBOOKS / f"{alert['alert']}.md").is_file(), f"write docs/runbooks/{name}.md, with the sections of the others"
    if alert["alert"] != "RacoonExporterAbsent":
        assert "$labels.instance" in annotations["description"], "the description names the exporter, {{ $labels.instance }}"


@alerts
def test_what_is_told_of_a_peer_names_the_peer_and_its_gateway(alert: dict[str, Any]) -> None:
    text = alert["annotations"]["summary"] + alert["annotations"]["description"]
    if "racoon_peer_expected{" in alert["expr"] and "count by" not in alert["expr"]:
        assert "$labels.peer" in alert["annotations"]["summary"], "the summary names the peer, {{ $labels.peer }}"
        assert "with $labels.gateway" in text, "name the gateway where there is one, {{ with $labels.gateway }} … {{ end }}"
    asks = alert["expr"].replace(EXPLAINED, "")
    if "reason" in asks and "without (peer" not in asks and "by (gateway" not in asks and "unparsed" not in asks:
        assert "$labels.reason" in text, "it asks for a reason: tell it, {{ $labels.reason }}"


@alerts
def test_only_permanent_peers_page(alert: dict[str, Any]) -> None:
    """Whatever is critical and about a peer asks for kind permanent."""
    about_peers = (
        any("peer" in METRICS[selector.metric].labels for selector in selectors(alert["expr"]) if selector.metric in METRICS)
        or "peer_reason:" in alert["expr"]
    )
    if about_peers and alert["labels"]["severity"] == "critical" and "without (peer)" not in alert["expr"]:
        assert '{kind="permanent"}' in alert["expr"], 'what pages for a peer asks for racoon_peer_expected{kind="permanent"}'


@rules
def test_a_rule_uses_only_metrics_and_labels_of_the_contract(rule: dict[str, Any]) -> None:
    for selector in selectors(rule["expr"]):
        if selector.metric not in RECORDS:
            assert set(selector.matchers) <= METRICS[selector.metric].labels


@rules
def test_reasons_are_of_the_closed_list(rule: dict[str, Any]) -> None:
    for selector in selectors(rule["expr"]):
        operator, value = selector.matchers.get("reason", ("=", "unknown"))
        if selector.metric != "racoon_exporter_unparsed_lines_total":
            for choice in value.split("|"):
                assert any(re.fullmatch(choice, reason) for reason in FAILURE_REASONS), (operator, choice)


_COUNTED = {
    "peer_reason:racoon_phase1_failures:current15m": "1",
    "peer_reason:racoon_phase2_failures:current15m": "2",
    "peer_reason:racoon_certificate_problems:increase15m": "certificate",
}
"""What a recorded series counts, as the table of reasons names it."""


def _selected() -> Iterator[tuple[str, str, str, str]]:
    """Give each choice of reasons in an alert: what is counted, the alert, the operator and the pattern."""
    for alert in ALERTS:
        for selector in selectors(alert["expr"]):
            if selector.metric in _COUNTED and "reason" in selector.matchers:
                yield _COUNTED[selector.metric], alert["alert"], *selector.matchers["reason"]


def test_the_alerts_choose_the_reasons_that_the_table_gives_them() -> None:
    """A reason that is forgotten in a rule, or a rule in the table, is found here."""
    chosen = {
        (counted, name, reason)
        for counted, name, operator, pattern in _selected()
        for reason in FAILURE_REASONS
        if operator in {"=", "=~"} and re.fullmatch(pattern, reason)
    }
    wanted = {(counted, name, reason.name) for reason in REASONS.values() for counted, name in reason.alerts}
    assert chosen == wanted, "the column alert of reasons.tsv, and the selector of the alert in dashboards/rules/racoon.yaml"


def test_the_general_alerts_leave_out_only_what_may_pass_by_itself() -> None:
    """Every other reason, a new one as well, is alerted by its phase's general alert."""
    excluded = [(counted, pattern) for counted, _, operator, pattern in _selected() if operator == "!~"]
    assert {counted for counted, _ in excluded} == {"1", "2"}
    for counted, pattern in excluded:
        left_out = {reason for reason in FAILURE_REASONS if re.fullmatch(pattern, reason)}
        passing = {reason.name for reason in REASONS.values() if int(counted) in reason.passing}
        assert left_out == passing, "the column passing of reasons.tsv, and reason!~ of the general alert in racoon.yaml"


@alerts
def test_an_alert_speaks_plain_words(alert: dict[str, Any]) -> None:
    text = alert["annotations"]["summary"] + alert["annotations"]["description"]
    said = re.sub(r"\{\{.*?\}\}", "", text, flags=re.DOTALL)
    assert not re.search(r"unattributed|declared dead|\bother\b(?= fails)", said)


@rules
def test_gateways_and_instances_are_never_mixed(rule: dict[str, Any]) -> None:
    for word, labels in label_lists(rule["expr"]):
        if word in {"on", "by"}:
            assert {"instance", "job"} <= labels, f"{word} ({', '.join(sorted(labels))}) lacks instance or job"
        if word == "by":
            assert "gateway" in labels, f"by ({', '.join(sorted(labels))}) mixes the gateways of an exporter: add gateway"
        if word == "on" and "gateway" not in labels:
            joined = "on (…) without gateway is for `up` and what the exporter tells of itself: WITHOUT_GATEWAY"
            assert re.search(WITHOUT_GATEWAY, rule["expr"]), joined
        if word == "without":
            assert not labels & {"gateway", "instance", "job"}, f"without ({', '.join(sorted(labels))}) mixes targets"


@alerts
def test_a_counter_that_fell_is_not_believed(alert: dict[str, Any]) -> None:
    grown = {selector.metric for selector in selectors(alert["expr"]) if selector.function == "increase"}
    fallen = {selector.metric for selector in selectors(alert["expr"]) if selector.function == "resets"}
    assert grown == fallen, "increase(X[15m]) unless resets(X[15m]) > 0, as the other alerts have it: a log may be read anew"


@alerts
def test_only_what_was_counted_fires_at_once(alert: dict[str, Any]) -> None:
    """A state must last for minutes, so that a rekey, a restart or a scrape gap cannot fire it; an event has happened."""
    if "for" not in alert:
        counted = re.search(r"increase|:current15m|racoon_unexpected_phase1_failures:sum", alert["expr"])
        assert counted, "a state must last: give the alert a `for`"
    else:
        assert re.fullmatch(r"\d+m", alert["for"]), "minutes, such as 5m"


def test_the_alerting_page_lists_every_alert_with_its_severity_and_patience() -> None:
    text = (ROOT / "docs" / "alerting.md").read_text(encoding="utf-8")
    for alert in ALERTS:
        name, severity, patience = alert["alert"], alert["labels"]["severity"], alert.get("for", "at once")
        row = f"| [{name}](runbooks/{name}.md) | {severity} | {patience} |"
        assert row in text, f"docs/alerting.md lists each alert: a row that begins with {row}"
