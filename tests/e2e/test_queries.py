"""Every query of every panel, asked of a real Prometheus that scraped real exporters."""

import time
from typing import Any

import pytest

from tests.dashboards.boards import BOARDS, NAMES, Range, is_of_one, organized, panel_of, panels
from tests.e2e.conftest import Chain
from tests.e2e.scenarios import GATEWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

EMPTY_HERE = {
    "Lines not understood": "every line of these recordings is understood",
    "Bytes lost": "nothing is truncated or over 64 KiB in these recordings",
    "Roaming peers": "no peer is a roaming one",
    **dict.fromkeys(
        (
            *("Traffic", "Packets dropped", "How it is spoken to"),
            *("Witnesses", "Certificates and CRLs end in", "Missing CRLs"),
        ),
        "no witness stands beside these logs",
    ),
    "What could not be kept": "the state can be written, and there are few peers",
}
"""Panels that rightly show their no-value text here, and why."""

UNNAMED_HERE = {"Sources": {"gateway"}}
"""Labels that no answer has here: each log is a file of one host, whose lines do not name it, and none is configured."""

PANELS = [pytest.param(name, panel, id=f"{name}-{panel['title']}") for name in NAMES for panel in panels(BOARDS[name])]
Panel = dict[str, Any]
Series = list[dict[str, Any]]


def _asked(chain: Chain, panel: Panel, target: Panel, **chosen: str) -> Series:
    """Ask over the time since the chain was started, in whole steps up to now."""
    now = time.time()
    asked = Range(now, int(now - chain.begun) + 5, scrape=1, chosen=chosen)
    expr, step = asked.bound(target["expr"], panel), asked.step(panel)
    if target["instant"]:
        return chain.prometheus.now(expr)
    return chain.prometheus.since(expr, now - (asked.seconds // step + 1) * step, now, step)


def _peers(chain: Chain) -> list[dict[str, str]]:
    found = [series["metric"] for series in chain.prometheus.now("racoon_phase1_up")]
    return [{name: one.get(name, "") for name in ("job", "instance", "gateway", "peer")} for one in found]


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_has_something_to_show(chain: Chain, name: str, panel: Panel) -> None:
    """No query is refused, and the recordings fill each panel, for one peer at least; or it is listed with a reason."""
    choices = _peers(chain) if is_of_one(name) else [{}]
    answers = [_asked(chain, panel, target, **chosen) for chosen in choices for target in panel["targets"]]
    if panel["title"] in EMPTY_HERE:
        assert not any(answers), "not empty after all: take it off the list"
    else:
        assert any(answers)


TABLES = [
    param
    for param in PANELS
    if param.values[1]["type"] == "table" and param.values[1]["title"] not in EMPTY_HERE  # type: ignore[index]
]


@pytest.mark.parametrize(("name", "panel"), TABLES)
def test_the_columns_of_a_table_are_in_the_answers(chain: Chain, name: str, panel: Panel) -> None:
    """Each label that a column shows comes with at least one answer."""
    shown = {field for field in organized(panel)["renameByName"] if not field.startswith("Value")}
    choices = _peers(chain) if is_of_one(name) else [{}]
    come = {
        label
        for chosen in choices
        for target in panel["targets"]
        for series in _asked(chain, panel, target, **chosen)
        for label in series["metric"]
    }
    assert shown - come == UNNAMED_HERE.get(panel["title"], set()), "a label that comes after all: take it off the list"


def test_the_fleet_names_the_reason_of_a_peer_that_is_down(chain: Chain) -> None:
    panel = panel_of("racoon-fleet", "What is not up")
    ports = {
        target["labels"]["instance"]: target["labels"]["scenario"]
        for target in chain.prometheus.ask("targets")["activeTargets"]
    }
    told = {
        (ports[series["metric"]["instance"]], series["metric"]["reason"])
        for series in _asked(chain, panel, panel["targets"][2])
    }
    assert ("05-psk-mismatch-main", "timeout") in told
    assert ("06-ph1-proposal-mismatch", "proposal_mismatch") in told


def test_two_gateways_in_one_log_are_never_mixed(chain: Chain) -> None:
    """Each gateway has its own row for the peer it has, and none for itself; so has the board of a peer; records keep it."""
    panel = panel_of("racoon-fleet", "Roaming and unexpected peers")
    rows = {
        (series["metric"]["where"], series["metric"]["peer"])
        for series in _asked(chain, panel, panel["targets"][0])
        if series["metric"].get("gateway")
    }
    assert rows == {("ipsec-a", "192.168.0.41"), ("ipsec-b", "192.168.0.40")}
    state = panel_of("racoon-peer", "State")
    for chosen in _peers(chain):
        if chosen["gateway"]:
            (one,) = _asked(chain, state, state["targets"][0], **chosen)
            assert one["metric"]["gateway"] == chosen["gateway"]
    kept = chain.prometheus.now(f'peer:racoon_phase1_established:sum{{scenario="{GATEWAYS.name}"}}')
    assert {series["metric"]["gateway"] for series in kept} == {"ipsec-a", "ipsec-b"}
