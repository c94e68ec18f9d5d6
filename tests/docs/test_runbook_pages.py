"""Every reason has a section in a runbook that names it, and what the exporter serves is what docs/runbooks says."""

import re

import pytest

from racoon_exporter.wording.reasons import explain
from racoon_parsers.reasons import REASONS
from tests.docs import written
from tests.docs.runbook_pages import SERVED, SOURCES, rendered, with_reasons

pages = pytest.mark.parametrize("page", sorted(path.stem for path in SOURCES.glob("*.md")))


@pages
def test_the_reasons_of_a_runbook_are_those_of_the_table(page: str) -> None:
    source = SOURCES / f"{page}.md"
    written.check(source, with_reasons(page, source.read_text(encoding="utf-8")))


@pages
def test_what_is_served_is_the_runbook(page: str) -> None:
    written.check(SERVED / f"{page}.html", rendered((SOURCES / f"{page}.md").read_text(encoding="utf-8")))


def test_nothing_else_is_served() -> None:
    assert {path.stem for path in SERVED.iterdir()} == {path.stem for path in SOURCES.glob("*.md")}


@pytest.mark.parametrize(("reason", "phase"), [(reason.name, phase) for reason in REASONS.values() for phase in reason.phases])
def test_the_link_of_a_reason_leads_to_a_section_that_names_it(reason: str, phase: int) -> None:
    page, _, section = explain(reason, phase).runbook.rpartition("/")[2].partition("#")
    served = (SERVED / f"{page}.html").read_text(encoding="utf-8")
    assert section == reason
    assert f'<h3 id="{reason}"><code>{reason}</code></h3>' in served


@pages
def test_links_and_anchors_of_a_served_page_are_there(page: str) -> None:
    served = (SERVED / f"{page}.html").read_text(encoding="utf-8")
    ids = re.findall(r' id="([^"]*)"', served)
    assert len(set(ids)) == len(ids)
    for target in re.findall(r' href="([^"]*)"', served):
        assert (SERVED / f"{target.partition('#')[0]}.html").exists(), target


def test_markup_in_a_runbook_is_text() -> None:
    said = rendered("# <script>\n\na <b>b</b> `<i>` [x](javascript:alert(1))\n\n```text\n</pre><script>\n```\n")
    assert not re.search(r"<(script|b|i)>|href=", said)
