"""The rendered dashboards: the same bytes as the code gives, and all that makes them work where they are installed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from racoon_dashboards import palette, render_all
from racoon_dashboards.page import SCHEMA_VERSION
from tests.dashboards.boards import BOARDS, NAMES, PANELS, is_of_one, load, of_type, organized, panel_of, panels
from tests.dashboards.promql import label_lists
from tests.dashboards.tools import DASHBOARDS

UNITS = frozenset({"short", "none", "s", "bytes", "Bps", "percentunit", "dateTimeAsIsoNoDateIfToday"})


@pytest.fixture(params=NAMES)
def board(request: pytest.FixtureRequest) -> dict[str, Any]:
    return BOARDS[request.param]


@pytest.mark.parametrize("name", sorted(render_all()))
def test_rendering_again_gives_the_same_bytes(name: str) -> None:
    same = (DASHBOARDS / name).read_bytes() == render_all()[name].encode()
    assert same, f"dashboards/{name} is not what dashboards/src gives: make dashboards writes it anew"


def test_no_rendered_file_is_left_over() -> None:
    files = {
        str(path.relative_to(DASHBOARDS)) for folder in ("", "import", "mixin") for path in (DASHBOARDS / folder).glob("*.json")
    }
    assert files | {"rules/fleet/racoon-fleet.yaml"} == set(render_all())


def test_uids_are_stable_and_unique() -> None:
    assert {board["uid"] for board in BOARDS.values()} == set(NAMES)


def test_a_board_is_for_reading_and_of_a_schema_that_old_grafana_loads(board: dict[str, Any]) -> None:
    assert board["editable"] is False
    assert board["schemaVersion"] == SCHEMA_VERSION
    assert "id" not in board
    assert board["time"]["to"] == "now"
    assert "racoon" in board["tags"]


def test_boards_are_linked_to_each_other_and_not_to_copies(board: dict[str, Any]) -> None:
    """No link takes all of a board of many to the board of one peer, which would be an empty one."""
    assert {link["type"] for link in board["links"]} == {"link"}
    targets = {link["url"].partition("?")[0] for link in board["links"]}
    assert targets == {f"/d/{name}" for name in NAMES if name != board["uid"]}
    for link in board["links"]:
        assert link["keepTime"]
        assert "${datasource:queryparam}" in link["url"]
        assert not re.search(r"racoon-peer\?.*(instance|gateway|peer):", link["url"])


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_what_it_means_that_it_is_empty(panel: dict[str, Any]) -> None:
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
    known = {getattr(palette, name) for name in ("BLUE", "SKY", "GREEN", "YELLOW", "ORANGE", "VERMILION", "GREY")}
    assert set(re.findall(r'"color": "([^"]+)"', json.dumps(panel))) <= known


@pytest.mark.parametrize("panel", PANELS)
def test_a_state_is_a_word_and_not_only_a_colour(panel: dict[str, Any]) -> None:
    for mapping in _values(panel, "mappings"):
        for result in mapping[0]["options"].values():
            assert result["text"]
            assert result["color"]


def test_whatever_is_down_has_the_colour_of_down() -> None:
    (words,) = (
        override["properties"]
        for override in panel_of("racoon-fleet", "What is not up")["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == "State"
    )
    (options,) = (item["value"][0]["options"] for item in words if item["id"] == "mappings")
    down = {option["text"]: option["color"] for option in options.values()}
    assert {down[text] for text in ("Down", "Down, retrying", "Never up", "Exporter down")} == {palette.VERMILION}
    assert down["Up"] == palette.BLUE


@pytest.mark.parametrize("panel", of_type("stat"))
def test_a_number_is_of_now_and_whole(panel: dict[str, Any]) -> None:
    """A range query shows its last step, which is half an hour old in a week."""
    assert all(target["instant"] and not target.get("range") for target in panel["targets"])
    if panel["fieldConfig"]["defaults"]["unit"] == "none":
        assert panel["fieldConfig"]["defaults"]["decimals"] == 0


@pytest.mark.parametrize("panel", of_type("table"))
def test_a_table_names_only_columns_it_has(panel: dict[str, Any]) -> None:
    organize = organized(panel)
    shown = organize["renameByName"]
    many = len(panel["targets"]) > 1
    values = {f"Value #{target['refId']}" for target in panel["targets"]} if many else {"Value"}
    asked = " ".join(target["expr"] for target in panel["targets"])
    labels = {label for word, found in label_lists(asked) if word == "by" for label in found}
    labels |= set(re.findall(r', "(where|board|runbook)", "', asked))
    assert set(shown) <= values | labels
    assert values <= set(shown) | set(organize["excludeByName"])
    assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} == set(shown.values())
    assert not set(shown) & set(organize["excludeByName"])
    (order,) = (step["options"]["sort"][0]["field"] for step in panel["transformations"] if step["id"] == "sortBy")
    assert order in shown.values()


@pytest.mark.parametrize("panel", of_type("table"))
def test_an_empty_cell_says_nothing_and_an_empty_table_what_that_means(panel: dict[str, Any]) -> None:
    cells = [
        item["value"]
        for override in panel["fieldConfig"]["overrides"]
        for item in override["properties"]
        if item["id"] == "noValue"
    ]
    assert cells == ["\N{EN DASH}"] * len(panel["fieldConfig"]["overrides"])
    assert panel["fieldConfig"]["defaults"]["noValue"] not in cells


def test_a_row_of_the_fleet_leads_to_the_board_of_its_peer_and_to_a_runbook() -> None:
    for title in ("What is not up", "Roaming and unexpected peers"):
        panel = panel_of("racoon-fleet", title)
        links = {link["url"] for found in _values(panel, "links") for link in found}
        names = {name for url in links for name in re.findall(r"__data\.fields\.(\w+)", url)}
        shown = organized(panel)["renameByName"]
        assert len(links) == 2
        assert names == {"board", "Peer", "runbook"} <= set(shown.values())


def test_variables_are_those_that_people_know(board: dict[str, Any]) -> None:
    source, *others = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"], source["label"]) == (
        "datasource",
        "datasource",
        "prometheus",
        "Data source",
    )
    names = [variable["name"] for variable in others]
    assert names == ["job", "instance", "gateway", "peer"][: 4 if is_of_one(board["uid"]) else 3]
    for variable in others:
        assert variable["datasource"]["uid"] == "${datasource}"
        # On change of the time range, as a label may have come since.
        assert variable["refresh"] == 2
        assert variable["multi"] == variable["includeAll"] == (not is_of_one(board["uid"]))
        if variable["includeAll"]:
            assert variable["allValue"] == (".*" if variable["name"] == "gateway" else ".+")


def test_each_variable_is_used_and_each_use_has_a_variable(board: dict[str, Any]) -> None:
    text = json.dumps(board["panels"])
    names = {variable["name"] for variable in board["templating"]["list"]} - {"datasource"}
    assert {name for name in names if re.search(rf'=~?\\"\${name}\\"', text)} == names
    assert set(re.findall(r'=~?\\"\$(\w+)\\"', text)) == names


def test_changes_are_explained_by_what_happened(board: dict[str, Any]) -> None:
    annotations = {annotation["name"]: annotation for annotation in board["annotations"]["list"]}
    assert set(annotations) == {"Alerts firing", "racoon started", "Exporter started"}
    for annotation in annotations.values():
        assert annotation["datasource"]["uid"] == "${datasource}"
        assert annotation["enable"]
        assert annotation["titleFormat"]
    assert annotations["racoon started"]["useValueForTime"]


@pytest.mark.parametrize("name", NAMES)
def test_the_importable_variant_asks_for_a_data_source_and_is_else_the_same(name: str) -> None:
    board = load(name, "import")
    assert [(wanted["name"], wanted["pluginId"]) for wanted in board["__inputs"]] == [("DS_PROMETHEUS", "prometheus")]
    kinds = {panel["type"] for panel in panels(board)}
    assert {needed["id"] for needed in board["__requires"] if needed["type"] == "panel"} == kinds
    assert board["templating"]["list"][0]["current"]["value"] == "${DS_PROMETHEUS}"
    assert board["panels"] == BOARDS[name]["panels"]
    assert board["id"] is None


def test_provisioning_points_at_the_boards_and_at_prometheus() -> None:
    folder = DASHBOARDS / "provisioning"
    (provider,) = yaml.safe_load((folder / "dashboards" / "racoon.yaml").read_text(encoding="utf-8"))["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"]
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))["datasources"]
    assert source["type"] == "prometheus"
    assert source["jsonData"]["timeInterval"]
    # A Grafana that has another default does not start with two.
    assert "isDefault" not in source


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
