"""The report in a browser: nothing for axe to find, nothing wider than the page, in light, dark and print."""

from __future__ import annotations

from pathlib import Path

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
