from __future__ import annotations

import re
from pathlib import Path

from racoon_exporter.status.api.bodies import OVERVIEW_BODIES
from racoon_exporter.status.api.query import EVENTS, GATEWAYS
from racoon_exporter.status.overview.event_ring import MOST_CHARACTERS, MOST_RECORDS
from racoon_exporter.status.overview.view import STATES
from racoon_exporter.status.pages.card import WORDS
from racoon_exporter.status.pages.status_page import MOST_PEERS
from racoon_exporter.status.responses import PAGE_CSP
from racoon_exporter.status.routes import openapi
from racoon_exporter.wording.markup import _MOST_TEXT

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "status-page.md").read_text(encoding="utf-8")
API = (DOCS / "api.md").read_text(encoding="utf-8")


def test_the_page_s_states_stand_in_their_order_with_their_meaning() -> None:
    rows = re.findall(r"^\| ([A-Z][^|]*) \| ([^|]*) \|$", PAGE, re.MULTILINE)
    assert rows == [(WORDS[state][0], meaning) for state, meaning in STATES.items()]


def test_the_page_s_policy_and_bounds_are_those_of_the_code() -> None:
    assert f"\n    {PAGE_CSP}\n" in PAGE
    assert f"At most {MOST_PEERS} are on one page" in PAGE
    assert f"cut at {_MOST_TEXT:,} characters" in PAGE
    assert f"The newest {MOST_RECORDS:,} messages" in API
    assert f"{MOST_CHARACTERS // 1024} Ki\ncharacters" in API


def test_every_resource_and_its_parameters_stand_in_the_table_and_in_the_description() -> None:
    rows = dict(re.findall(r"^\| `/api/v1/(\w+)` \|[^|]*\| (.*) \|$", API, re.MULTILINE))
    described = {
        path.strip("/"): {_name(parameter) for parameter in item["get"]["parameters"]}
        for path, item in openapi()["paths"].items()
    }
    assert {name: set(re.findall(r"`(\w+)`", cell)) for name, cell in rows.items()} == described
    ours = {name: set(allowed) for name, (_, allowed) in OVERVIEW_BODIES.items()}
    assert ours | {"events": set(EVENTS), "gateways": set(GATEWAYS)} == described


def _name(parameter: dict[str, str]) -> str:
    if "name" in parameter:
        return parameter["name"]
    found: str = openapi()["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]["name"]
    return found


def test_every_state_has_words_and_a_sign_of_its_own() -> None:
    assert list(WORDS) == list(STATES)
    assert len({sign for _, sign in WORDS.values()}) == len(WORDS)
