"""The report in a browser: nothing for axe to find, nothing wider than the page, in light, dark and print."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from racoon_exporter.report.model import document
from racoon_exporter.report.page import page
from racoon_exporter.zone import read_zone
from tests.exporter.archives.test_report import fragment

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation_in_the_report(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    given = [fragment(5)]
    path = tmp_path / "report.html"
    path.write_text(page(document(given, read_zone("UTC")), given, read_zone("UTC")))
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}, java_script_enabled=True
    )
    shown = context.new_page()
    shown.goto(path.as_uri())
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.emulate_media(media="print")
    assert len(shown.pdf()) > 10_000
    context.close()


@pytest.mark.parametrize("media", ["screen", "print"])
def test_an_address_is_never_broken_at_a_digit(browser: Browser, tmp_path: Path, media: Literal["screen", "print"]) -> None:
    given = [fragment(5)]
    given[0]["gateway"] = ""
    for peer in given[0]["peers"]:
        peer["name"] = peer["address"] = peer["address"].replace("10.0.0.", "198.168.201.20")
    path = tmp_path / "report.html"
    path.write_text(page(document(given, read_zone("UTC")), given, read_zone("UTC")))
    shown = browser.new_page(viewport={"width": 718, "height": 1000} if media == "print" else {"width": 1280, "height": 800})
    shown.goto(path.as_uri())
    shown.emulate_media(media=media)
    lines = shown.evaluate(_LINES_OF_FIRST_CELLS)
    assert len(lines) > 5
    assert {number for _, number in lines} == {1}, lines
    shown.close()


_LINES_OF_FIRST_CELLS = """() => [...document.querySelectorAll('td:first-child')]
    .filter(cell => /^198[.]/.test(cell.textContent))
    .map(cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return [cell.textContent, new Set([...range.getClientRects()].map(box => Math.round(box.top))).size];
    })"""
