"""Runbooks: one for each alert, whole, and what they say racoon prints is what racoon prints."""

import gzip
import re
from functools import cache

import pytest

from tests.dashboards.test_fleet_rules import FLEET_NAMES
from tests.dashboards.test_rules import NAMES
from tests.dashboards.tools import ROOT, RUNBOOKS

SECTIONS = ("What it means", "What racoon printed", "Most likely causes", "What to run", "How you know it is over")
LAB = ROOT / "tests" / "scenarios" / "lab"
PREFIX = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: ")

PAGES = sorted({*NAMES, *FLEET_NAMES})
pages = pytest.mark.parametrize("name", PAGES)


def _page(name: str) -> str:
    path = RUNBOOKS / f"{name}.md"
    assert path.is_file(), f"write docs/runbooks/{name}.md: its name, and the sections {', '.join(SECTIONS)}"
    return path.read_text(encoding="utf-8")


def _section(name: str, title: str) -> str:
    _, found, behind = _page(name).partition(f"\n## {title}\n")
    assert found, f"docs/runbooks/{name}.md lacks the section {title}"
    return behind.partition("\n## ")[0]


@cache
def _recorded() -> frozenset[str]:
    """Return every line of the recordings without its time."""
    lines: set[str] = set()
    for path in LAB.glob("*/*.log*"):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines.update(PREFIX.sub("", line).rstrip() for line in data.decode(errors="replace").split("\n"))
    return frozenset(lines)


def test_there_is_a_page_for_each_alert_and_no_other() -> None:
    there = {path.stem for path in RUNBOOKS.glob("*.md")}
    assert set(PAGES) - there == set(), "alerts without a page: write docs/runbooks/ALERT.md"
    assert there - set(PAGES) == set(), "no rule has these names: take the pages out, or name them as the rules are"


@pages
def test_a_page_has_its_sections_in_order(name: str) -> None:
    sections = re.findall(r"^## (.+)$", _page(name), re.MULTILINE)
    assert tuple(title for title in sections if title != "The reasons") == SECTIONS
    assert _page(name).startswith(f"# {name}\n")


@pages
def test_a_page_names_three_causes(name: str) -> None:
    assert re.findall(r"^(\d)\. ", _section(name, "Most likely causes"), re.MULTILINE) == ["1", "2", "3"], "three, numbered"


@pages
def test_a_page_says_what_to_run(name: str) -> None:
    assert re.search(r"```sh\n.+?```", _section(name, "What to run"), re.DOTALL), "commands in a block ```sh"


@pages
def test_lines_of_racoon_are_quoted_from_recordings(name: str) -> None:
    """Blocks of kind `text` hold recorded lines; what is known from the source only stands in a block of another kind."""
    for block in re.findall(r"```text\n(.+?)```", _section(name, "What racoon printed"), re.DOTALL):
        for line in block.splitlines():
            assert PREFIX.sub("", line).rstrip() in _recorded(), f"no recording has this line; put it into a block ```: {line}"
