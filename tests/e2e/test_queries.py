"""Every query of every panel, asked of a real Prometheus that scraped real exporters."""

import json
import re
import time
from typing import Any

import pytest

from tests.dashboards.tools import DASHBOARDS
from tests.e2e.conftest import Chain
from tests.e2e.scenarios import GATEWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

BOARDS = ("racoon-fleet", "racoon-peer", "racoon-health")
RATE_INTERVAL = "5s"
"""Grafana takes at least four scrapes."""

EMPTY_HERE = {
    "Lines not understood": "every line of these recordings is understood",
    "Bytes lost": "nothing is truncated or over 64 KiB in these recordings",
    **dict.fromkeys(
        ("Traffic", "Packets dropped", "Youngest SA expires in", "How it is spoken to"), "no witness stands beside these logs"
    ),
    "Checkpoint failures and folded peers": "the state can be written, and there are few peers",
}
"""Panels that rightly show their no-value text here, and why."""

PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name in BOARDS
    for panel in json.loads((DASHBOARDS / f"{name}.json").read_text(encoding="utf-8"))["panels"]
]


def _bound(expr: str, chain: Chain) -> str:
    """Return the query as Grafana sends it with All chosen, over the time since the chain was started."""
    span = f"{int(time.time() - chain.begun) + 5}s"
    text = expr.replace("$__rate_interval", RATE_INTERVAL).replace("$__range", span).replace('"$gateway"', '".*"')
    return re.sub(r'"\$(job|instance|peer)"', '".+"', text)


def _answer(target: dict[str, Any], chain: Chain) -> list[dict[str, Any]]:
    expr = _bound(target["expr"], chain)
    return chain.prometheus.now(expr) if target["instant"] else chain.prometheus.since(expr, chain.begun, time.time())


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_something_to_show(chain: Chain, panel: dict[str, Any]) -> None:
    """No query is refused, and the recordings fill each panel: each of its queries, or the panel is listed with a reason."""
    answers = {target["refId"]: _answer(target, chain) for target in panel["targets"]}
    if panel["title"] in EMPTY_HERE:
        assert not any(answers.values()), "not empty after all: take it off the list"
    else:
        assert all(answers.values()), {ref: len(found) for ref, found in answers.items()}


TABLES = [
    panel
    for panel in PANELS
    if panel.values[0]["type"] == "table" and panel.values[0]["title"] not in EMPTY_HERE  # type: ignore[index]
]


@pytest.mark.parametrize("panel", TABLES)
def test_the_columns_of_a_table_are_in_the_answers(chain: Chain, panel: dict[str, Any]) -> None:
    """Each label that a column shows comes with at least one answer; `gateway` only with several gateways."""
    organize = next(step["options"] for step in panel["transformations"] if step["id"] == "organize")
    shown = {field for field in organize["renameByName"] if not field.startswith("Value")} - {"gateway"}
    come = {label for target in panel["targets"] for series in _answer(target, chain) for label in series["metric"]}
    assert shown <= come


def test_the_fleet_names_the_reason_of_a_peer_that_is_down(chain: Chain) -> None:
    (table,) = (param.values[0] for param in PANELS if param.id == "racoon-fleet-What is down, and why")
    assert isinstance(table, dict)
    reasons = {
        (series["metric"]["instance"], series["metric"]["phase1_reason"])
        for target in table["targets"]
        if "phase1_reason" in target["expr"]
        for series in _answer(target, chain)
    }
    ports = {
        target["labels"]["instance"]: target["labels"]["scenario"]
        for target in chain.prometheus.ask("targets")["activeTargets"]
    }
    told = {(ports[instance], reason) for instance, reason in reasons}
    assert ("05-psk-mismatch-main", "timeout") in told
    assert ("06-ph1-proposal-mismatch", "proposal_mismatch") in told


def test_the_state_of_each_expected_peer_is_one_band(chain: Chain) -> None:
    """Up, negotiating and down of one peer are one series: a band that changes colour, not three bands."""
    (timeline,) = (param.values[0] for param in PANELS if param.id == "racoon-fleet-State of each peer")
    assert isinstance(timeline, dict)
    answer = _answer(timeline["targets"][0], chain)
    assert len(answer) == len({series["metric"]["instance"] for series in answer})
    tried = {series["metric"]["scenario"]: {value for _, value in series["values"]} for series in answer}
    assert tried["05-psk-mismatch-main"] == {"0", "1"}
    values = {value for target in timeline["targets"] for series in _answer(target, chain) for _, value in series["values"]}
    assert values == {"0", "1", "2"}


def test_two_gateways_in_one_log_are_never_mixed(chain: Chain) -> None:
    """Each gateway has its own band for the peer it has, and none for itself; records keep the gateway."""
    (timeline,) = (param.values[0] for param in PANELS if param.id == "racoon-fleet-State of each peer")
    assert isinstance(timeline, dict)
    bands = {
        (series["metric"]["gateway"], series["metric"]["peer"])
        for target in timeline["targets"]
        for series in _answer(target, chain)
        if series["metric"]["scenario"] == GATEWAYS.name
    }
    assert bands == {("ipsec-a", "192.168.0.41"), ("ipsec-b", "192.168.0.40")}
    kept = chain.prometheus.now(f'peer:racoon_phase1_established:sum{{scenario="{GATEWAYS.name}"}}')
    assert {series["metric"]["gateway"] for series in kept} == {"ipsec-a", "ipsec-b"}
