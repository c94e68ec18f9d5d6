"""The queries of the boards: of the contract's metrics, bound to the variables, never mixing gateways; promtool reads them."""

import re
from pathlib import Path

import pytest
import yaml

from racoon_dashboards.queries import KEY, MANY, ONE, SITE, grown
from tests.dashboards.boards import BOARDS, Range, is_of_one, panels
from tests.dashboards.contract import METRICS
from tests.dashboards.promql import label_lists, selectors
from tests.dashboards.tools import DASHBOARDS, run

FUNCTIONS = frozenset({"rate", "increase", "last_over_time", "min_over_time", "count_over_time"})
"""What may stand around a counter."""
JOINS = [frozenset(labels.split(", ")) for labels in (KEY, SITE, "instance, job", "instance, job, source")] + [frozenset[str]()]
ASKED = [
    pytest.param(name, panel, target["expr"], id=f"{name}-{panel['title']}-{target['refId']}")
    for name, board in BOARDS.items()
    for panel in panels(board)
    for target in panel["targets"]
]
ASKED += [
    pytest.param(name, {}, annotation["expr"], id=f"{name}-{annotation['name']}")
    for name, board in BOARDS.items()
    for annotation in board["annotations"]["list"]
]
queries = pytest.mark.parametrize(("name", "panel", "expr"), ASKED)
Given = dict[str, object]


@queries
def test_a_query_uses_only_metrics_and_labels_of_the_contract(name: str, panel: Given, expr: str) -> None:
    del panel
    found = list(selectors(expr))
    assert found
    for selector in found:
        metric = METRICS[selector.metric]
        known = metric.labels | {"job", "instance"} | ({"gateway"} if metric.gateway else set())
        assert set(selector.matchers) <= known
        if metric.gateway:
            assert selector.matchers["gateway"] == ("=" if is_of_one(name) else "=~", "$gateway")


@queries
def test_each_selector_is_bound_to_the_variables(name: str, panel: Given, expr: str) -> None:
    del panel
    operator = "=" if is_of_one(name) else "=~"
    for selector in selectors(expr):
        assert selector.matchers["job"] == (operator, "$job")
        assert selector.matchers["instance"] == (operator, "$instance")
        if is_of_one(name) and "peer" in METRICS[selector.metric].labels:
            assert selector.matchers["peer"] == ("=", "$peer")


@queries
def test_a_counter_stands_only_where_its_growth_is_asked_for(name: str, panel: Given, expr: str) -> None:
    del name, panel
    counted = {selector.metric for selector in selectors(expr) if METRICS[selector.metric].kind == "counter"}
    bare = {
        selector.metric for selector in selectors(expr) if selector.metric in counted and selector.function not in FUNCTIONS
    }
    if bare:
        (metric,) = bare
        (by,) = {", ".join(re.split(r",\s*", found)) for found in re.findall(r"^sum by \(([^)]*)\)", expr)}
        scopes = ((scope, selector) for scope in (MANY, ONE) for selector in (scope.target, scope.gateway, scope.peer))
        assert expr in {grown(metric, by, *found) for found in scopes}
    for selector in selectors(expr):
        if selector.function == "rate":
            assert selector.window == "$__rate_interval"


@queries
def test_a_join_never_mixes_gateways(name: str, panel: Given, expr: str) -> None:
    """What is joined on nothing is one number of all."""
    del name, panel
    for word, labels in label_lists(expr):
        if word == "on":
            assert labels - {"phase"} in JOINS
    if "on () " in expr:
        assert "count_values" in expr


@pytest.mark.parametrize("seconds", [900, 86400, 604800], ids=["15m", "24h", "7d"])
def test_promtool_reads_every_query_at_every_range(tmp_path: Path, seconds: int) -> None:
    chosen = Range(1.8e9, seconds)
    exprs = [chosen.bound(param.values[2], param.values[1]) for param in ASKED]  # type: ignore[arg-type]
    assert not [expr for expr in exprs if "$_" in expr]
    rules = [{"record": f"query:{index}", "expr": expr} for index, expr in enumerate(exprs)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    assert f"{len(ASKED)} rules found" in run("promtool", "check", "rules", path)


def test_the_linter_is_told_of_what_it_would_not_have_and_why() -> None:
    exclusions = yaml.safe_load((DASHBOARDS / ".lint").read_text(encoding="utf-8"))["exclusions"]
    assert all(len(exclusion["reason"]) > 20 for exclusion in exclusions.values())
    asking = {
        (board["title"], panel["title"])
        for board in BOARDS.values()
        for panel in panels(board)
        if "clamp_min(" in str(panel["targets"])
    }
    entries = exclusions["target-counter-agg-rule"]["entries"]
    assert {(entry["dashboard"], entry["panel"]) for entry in entries} == asking
