"""The rendered dashboards: the same bytes as the code gives, and all that makes them work where they are installed."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from racoon_dashboards import parts, render_all
from tests.dashboards.contract import METRICS
from tests.dashboards.promql import label_lists, selectors
from tests.dashboards.tools import DASHBOARDS, run

NAMES = ("racoon-fleet", "racoon-peer", "racoon-health")
UNITS = frozenset({"short", "none", "s", "bytes", "Bps", "cps", "cpm", "percentunit", "dateTimeAsIsoNoDateIfToday"})
LAPTOP_HEIGHT = 16
"""Grid units (38 pixels each) that 768 lines of a laptop leave for panels."""

FUNCTIONS = frozenset({"rate", "increase", "resets", "changes", "count_over_time"})
"""What may stand around a counter; count_over_time asks only whether the series is new."""


def _load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DASHBOARDS / f"{name}.json").read_text(encoding="utf-8"))
    return found


BOARDS = {name: _load(name) for name in NAMES}
PANELS = [pytest.param(panel, id=f"{name}-{panel['title']}") for name, board in BOARDS.items() for panel in board["panels"]]
QUERIES = [
    pytest.param(target["expr"], id=f"{name}-{panel['title']}-{target['refId']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    for target in panel["targets"]
]


@pytest.fixture(params=NAMES)
def board(request: pytest.FixtureRequest) -> dict[str, Any]:
    return BOARDS[request.param]


@pytest.mark.parametrize("name", sorted(render_all()))
def test_rendering_again_gives_the_same_bytes(name: str) -> None:
    assert (DASHBOARDS / name).read_bytes() == render_all()[name].encode()


def test_no_rendered_file_is_left_over() -> None:
    files = {
        str(path.relative_to(DASHBOARDS)) for folder in ("", "import", "mixin") for path in (DASHBOARDS / folder).glob("*.json")
    }
    assert files == set(render_all())


def test_uids_are_stable_and_unique() -> None:
    assert {board["uid"] for board in BOARDS.values()} == set(NAMES)


def test_a_board_is_for_reading_and_of_a_schema_that_old_grafana_loads(board: dict[str, Any]) -> None:
    assert board["editable"] is False
    assert board["schemaVersion"] == parts.SCHEMA_VERSION
    assert "id" not in board
    assert board["time"]["to"] == "now"


def test_boards_are_linked_to_each_other_by_tag(board: dict[str, Any]) -> None:
    (link,) = board["links"]
    assert link["type"] == "dashboards"
    assert link["tags"] == ["racoon"]
    assert "racoon" in board["tags"]
    assert link["includeVars"]
    assert link["keepTime"]


def test_panels_neither_overlap_nor_leave_the_grid(board: dict[str, Any]) -> None:
    cells = [panel["gridPos"] for panel in board["panels"]]
    assert all(cell["x"] + cell["w"] <= parts.GRID_WIDTH for cell in cells)
    for one, other in combinations(cells, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y


def test_panel_ids_are_unique(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


def test_the_fleet_fits_on_a_laptop_without_scrolling() -> None:
    cells = [panel["gridPos"] for panel in BOARDS["racoon-fleet"]["panels"]]
    assert max(cell["y"] + cell["h"] for cell in cells) <= LAPTOP_HEIGHT


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_what_to_check_when_it_is_empty(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert defaults["unit"] in UNITS
    assert 3 < len(defaults["noValue"]) < 90
    assert panel["targets"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_and_its_queries_use_the_data_source_variable(panel: dict[str, Any]) -> None:
    for holder in (panel, *panel["targets"]):
        assert holder["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("panel", PANELS)
def test_colours_are_of_the_palette_that_all_eyes_tell_apart(panel: dict[str, Any]) -> None:
    palette = {parts.BLUE, parts.SKY, parts.GREEN, parts.YELLOW, parts.ORANGE, parts.VERMILION, parts.GREY}
    assert set(re.findall(r'"color": "([^"]+)"', json.dumps(panel))) <= palette


@pytest.mark.parametrize("panel", PANELS)
def test_a_state_is_a_word_and_not_only_a_colour(panel: dict[str, Any]) -> None:
    for mapping in _values(panel, "mappings"):
        for result in mapping[0]["options"].values():
            assert result["text"]
            assert result["color"]


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel.values[0]["type"] == "table"])  # type: ignore[index]
def test_a_table_names_only_columns_it_has(panel: dict[str, Any]) -> None:
    organize = next(step["options"] for step in panel["transformations"] if step["id"] == "organize")
    many = len(panel["targets"]) > 1
    values = {f"Value #{target['refId']}" for target in panel["targets"]} if many else {"Value"}
    labels = {
        label for target in panel["targets"] for word, found in label_lists(target["expr"]) if word == "by" for label in found
    }
    assert set(organize["renameByName"]) <= values | labels
    assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} <= set(
        organize["renameByName"].values()
    )
    assert not set(organize["renameByName"]) & set(organize["excludeByName"])


@pytest.mark.parametrize("expr", QUERIES)
def test_a_query_uses_only_metrics_and_labels_of_the_contract(expr: str) -> None:
    found = list(selectors(expr))
    assert found
    for selector in found:
        metric = METRICS[selector.metric]
        known = metric.labels | {"job", "instance"} | ({"gateway"} if metric.gateway else set())
        assert set(selector.matchers) <= known
        if metric.gateway:
            assert selector.matchers["gateway"] == ("=~", "$gateway")


@pytest.mark.parametrize("expr", QUERIES)
def test_each_selector_is_bound_to_the_variables(expr: str) -> None:
    for selector in selectors(expr):
        assert selector.matchers["job"] == ("=~", "$job")
        assert selector.matchers["instance"] == ("=~", "$instance")


@pytest.mark.parametrize("expr", QUERIES)
def test_a_counter_stands_only_inside_a_function_for_counters(expr: str) -> None:
    for selector in selectors(expr):
        if METRICS[selector.metric].kind == "counter":
            assert selector.function in FUNCTIONS
        if selector.function == "rate":
            assert selector.window == "$__rate_interval"


@pytest.mark.parametrize("expr", QUERIES)
def test_a_join_never_mixes_gateways(expr: str) -> None:
    for word, labels in label_lists(expr):
        if word == "on":
            assert labels - {"phase"} in ({"gateway", "instance", "job", "peer"}, {"instance", "job"})


def test_promtool_reads_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{index}", "expr": _bound(param.values[0])} for index, param in enumerate(QUERIES)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    assert f"{len(QUERIES)} rules found" in run("promtool", "check", "rules", path)


def test_the_fleet_tells_the_reason_of_each_phase() -> None:
    (table,) = [panel for panel in BOARDS["racoon-fleet"]["panels"] if panel["title"] == "What is down, and why"]
    renamed = table["transformations"][1]["options"]["renameByName"]
    assert {"phase1_reason", "phase2_reason"} <= set(renamed)


def test_the_link_of_a_row_leads_to_the_page_of_the_peer() -> None:
    urls = re.findall(r"/d/([\w-]+)\?var-(\w+)=", json.dumps(BOARDS["racoon-fleet"]))
    assert urls == [("racoon-peer", "peer")]
    assert "peer" in {variable["name"] for variable in BOARDS["racoon-peer"]["templating"]["list"]}


def test_variables_are_those_that_people_know(board: dict[str, Any]) -> None:
    source, *others = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"], source["label"]) == (
        "datasource",
        "datasource",
        "prometheus",
        "Data source",
    )
    names = [variable["name"] for variable in others]
    assert names == ["job", "instance", "gateway", "peer"][: len(names)]
    for variable in others:
        assert variable["multi"]
        assert variable["includeAll"]
        assert variable["datasource"]["uid"] == "${datasource}"
        # On change of the time range, as a label may have come since.
        assert variable["refresh"] == 2
        assert variable["allValue"] == (".*" if variable["name"] == "gateway" else ".+")


def test_each_variable_is_used_and_each_use_has_a_variable(board: dict[str, Any]) -> None:
    text = json.dumps(board["panels"])
    names = {variable["name"] for variable in board["templating"]["list"]} - {"datasource"}
    assert {name for name in names if f'=~\\"${name}\\"' in text} == names
    assert set(re.findall(r'=~\\"\$(\w+)\\"', text)) == names


@pytest.mark.parametrize("name", NAMES)
def test_the_importable_variant_asks_for_a_data_source_and_is_else_the_same(name: str) -> None:
    board = json.loads((DASHBOARDS / "import" / f"{name}.json").read_text(encoding="utf-8"))
    assert [(wanted["name"], wanted["pluginId"]) for wanted in board["__inputs"]] == [("DS_PROMETHEUS", "prometheus")]
    kinds = {panel["type"] for panel in board["panels"]}
    assert {needed["id"] for needed in board["__requires"] if needed["type"] == "panel"} == kinds
    assert board["templating"]["list"][0]["current"]["value"] == "${DS_PROMETHEUS}"
    assert board["panels"] == BOARDS[name]["panels"]
    assert board["id"] is None


def test_the_linter_is_told_of_each_panel_that_asks_whether_a_series_is_new() -> None:
    (exclusion,) = yaml.safe_load((DASHBOARDS / ".lint").read_text(encoding="utf-8"))["exclusions"].values()
    assert len(exclusion["reason"]) > 20
    asking = {
        (board["title"], panel["title"])
        for board in BOARDS.values()
        for panel in board["panels"]
        if "count_over_time" in json.dumps(panel)
    }
    assert {(entry["dashboard"], entry["panel"]) for entry in exclusion["entries"]} == asking


def test_provisioning_points_at_the_boards_and_at_prometheus() -> None:
    folder = DASHBOARDS / "provisioning"
    (provider,) = yaml.safe_load((folder / "dashboards" / "racoon.yaml").read_text(encoding="utf-8"))["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"]
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))["datasources"]
    assert source["type"] == "prometheus"
    assert source["jsonData"]["timeInterval"]


def _values(value: Any, key: str) -> Iterator[Any]:
    """Yield whatever stands under `key`, or in a field override of that id, anywhere in the JSON value."""
    if isinstance(value, dict):
        if value.get("id") == key:
            yield value["value"]
        elif key in value:
            yield value[key]
        for inner in value.values():
            yield from _values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, key)


def _bound(expr: Any) -> str:
    """Return the query as Grafana sends it with All chosen everywhere."""
    text = str(expr)
    for name, value in {"$__rate_interval": "1m", "$__range": "6h", "$gateway": ".*"}.items():
        text = text.replace(name, value)
    return re.sub(r'"\$(job|instance|peer)"', '".+"', text)
