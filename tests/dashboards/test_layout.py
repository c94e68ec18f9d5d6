"""The boards' layout: what a title, a column or a row needs of a screen 1,440 pixels wide, it has.

Grafana is in no package registry: sizes are those measured in pictures of Grafana 9.4 (a grid unit is 38 pixels high).
"""

from itertools import combinations
from typing import Any

import pytest

from racoon_dashboards.page import GRID_WIDTH
from tests.dashboards.boards import BOARDS, NAMES, PANELS, of_type, panel_of, panels

SCREEN, MENU, GAP = 1440, 73, 8
UNIT = 38
LETTER = 8.2
"""Pixels of a letter of a title, on the average of its words."""
SMALL_LETTER = 7.4
"""Of a letter in a table."""
TITLE_ROOM, CELL_ROOM = 48, 16
"""What a title leaves for its icons, and a cell for its edges."""
LAPTOP_HEIGHT = 16
"""Grid units that 768 lines of a laptop leave for panels."""
LONGEST = {
    "Gateway": "gw-1.example.org",
    "Instance": "gw-1.example.org:10500",
    "Peer": "headquarters-branch-12",
    "Reason": "certificate_not_yet_valid",
    "Down for": "365 days",
    "For": "365 days",
    "Last up": "2026-11-24 18:17:59",
    "Last established": "2026-11-24 18:17:59",
    "Last failed": "2026-11-24 18:17:59",
    "Since": "2026-11-24 18:17:59",
    "Expires": "2026-11-24 18:17:59",
    "Started": "2026-11-24 18:17:59",
    "Address": "2001:db8::ffff:1234",
    "Kind": "unexpected",
    "Expected": "permanent",
    "Newest line": "365 days",
    "To be read": "1023 MiB",
    "Encryption": "aes-cbc-256",
    "Exchange": "aggressive",
}
"""The longest text of a column that is common."""


def _width(units: int) -> float:
    return (SCREEN - MENU) / GRID_WIDTH * units - GAP


@pytest.mark.parametrize("name", NAMES)
def test_panels_neither_overlap_nor_leave_the_grid(name: str) -> None:
    groups = [BOARDS[name]["panels"], *(panel["panels"] for panel in BOARDS[name]["panels"] if panel["type"] == "row")]
    for group in groups:
        cells = [panel["gridPos"] for panel in group]
        assert all(cell["x"] + cell["w"] <= GRID_WIDTH for cell in cells)
        for one, other in combinations(cells, 2):
            apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert apart_x or apart_y


@pytest.mark.parametrize("name", NAMES)
def test_panel_ids_are_unique(name: str) -> None:
    rows = [panel for panel in BOARDS[name]["panels"] if panel["type"] == "row"]
    ids = [panel["id"] for panel in (*rows, *panels(BOARDS[name]))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("panel", PANELS)
def test_a_title_fits(panel: dict[str, Any]) -> None:
    assert len(panel["title"]) * LETTER + TITLE_ROOM <= _width(panel["gridPos"]["w"])


@pytest.mark.parametrize("panel", of_type("stat"))
def test_what_a_number_says_where_there_is_none_can_be_read(panel: dict[str, Any]) -> None:
    """Grafana makes it as small as it must to get it into one line: 12 pixels high at least, half as wide a letter."""
    assert len(panel["fieldConfig"]["defaults"]["noValue"]) * 12 * 0.55 <= _width(panel["gridPos"]["w"])


@pytest.mark.parametrize("panel", of_type("table"))
def test_the_columns_of_a_table_fit(panel: dict[str, Any]) -> None:
    """Each has room for its title and its text, and all of them beside each other have it on the screen."""
    widths: list[float] = []
    for override in panel["fieldConfig"]["overrides"]:
        settings = {item["id"]: item["value"] for item in override["properties"]}
        if settings.get("custom.hidden"):
            continue
        title = override["matcher"]["options"]
        words = [option["text"] for mapping in settings.get("mappings", ()) for option in mapping["options"].values()]
        needed = max(map(len, (title, LONGEST.get(title, ""), *words))) * SMALL_LETTER + CELL_ROOM
        widths.append(settings.get("custom.width", max(needed, 100)))
        assert widths[-1] >= needed, title
    assert sum(widths) <= _width(panel["gridPos"]["w"]) - 2 * GAP


def test_what_is_not_up_stands_on_the_first_screen_over_its_full_width() -> None:
    panel = panel_of("racoon-fleet", "What is not up")
    cell = panel["gridPos"]
    assert cell["w"] == GRID_WIDTH
    assert cell["y"] + cell["h"] <= LAPTOP_HEIGHT
    assert (cell["h"] * UNIT - 80) // 36 >= 7, "rows of 36 pixels below title and head"


def test_twenty_bands_of_a_timeline_have_room_for_their_names() -> None:
    cell = panel_of("racoon-fleet", "Permanent peers that were down in this range (20 at most)")["gridPos"]
    assert (cell["h"] * UNIT - 70) / 20 >= 12


def test_good_news_is_folded_and_trouble_is_not() -> None:
    shown = {panel["title"] for panel in BOARDS["racoon-health"]["panels"] if panel["type"] != "row"}
    assert {"Gateways", "Sources", "racoon over time", "Starts, crashes and errors"} <= shown
    folded = [panel for panel in BOARDS["racoon-health"]["panels"] if panel["type"] == "row"]
    assert all(row["collapsed"] and row["panels"] for row in folded)
    titles = {panel["title"] for row in folded for panel in row["panels"]}
    assert {"Bytes lost", "What could not be kept", "Rotations"} <= titles
