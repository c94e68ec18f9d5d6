from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser import story
from tests.browser.conftest import NOW, Open, Served

pytestmark = pytest.mark.browser

Serve = Callable[[str], Served]
SIZES = {
    "phone": {"width": 360, "height": 740},
    "desktop": {"width": 1280, "height": 900},
    "wide": {"width": 2200, "height": 1200},
}
TELL = {"calm": story.calm, "trouble": story.trouble}
SOON = 15_000
"""Milliseconds within which a refresh, every 5 s, is seen."""


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", TELL)
def test_axe_finds_no_violation_and_nothing_is_wider_than_the_page(
    serve: Serve, open_page: Open, state: str, scheme: str, size: str
) -> None:
    page = open_page(serve(TELL[state](NOW).text()), color_scheme=scheme, viewport=SIZES[size]).page
    unfold(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size]["width"]


def test_hostile_subjects_and_user_names_are_shown_and_do_not_run(serve: Serve, open_page: Open) -> None:
    page = open_page(serve(story.trouble(NOW).text())).page
    unfold(page)
    expect(page.locator("#messages")).to_contain_text(story.HOSTILE_SUBJECT)
    expect(page.locator("#messages")).to_contain_text("<script>document.body.remove()</script>")
    expect(page).to_have_title("2 down, 1 failing · racoon")
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_javascript_the_page_is_read_and_searched(serve: Serve, open_page: Open) -> None:
    page = open_page(serve(story.trouble(NOW).text()), java_script_enabled=False).page
    expect(page.locator(".headline")).to_have_text("2 of 3 expected peers are down.")
    expect(page.locator("#pause")).to_have_count(0)
    page.locator("#strangers > summary").click()
    expect(page.locator("#strangers table")).to_be_visible()
    page.get_by_label("Find a peer").fill("depot")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".peer")).to_have_count(1)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".peer")).to_have_count(5)
    page.get_by_label("State", exact=True).select_option("up")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".peer")).to_have_count(1)
    expect(page.locator(".peer")).to_contain_text("headquarters")
    page.get_by_role("link", name="2 down").click()
    expect(page.locator(".peer.down")).to_have_count(2)
    expect(page.locator(".peer")).to_have_count(2)


def test_what_failed_is_read_on_a_phone_without_scrolling_sideways(serve: Serve, open_page: Open) -> None:
    page = open_page(serve(story.trouble(NOW).text()), viewport={"width": 390, "height": 844}).page
    for text in page.locator("#failures li p").all():
        box = text.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] < 120


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_violation_in_a_runbook(serve: Serve, open_page: Open, size: str) -> None:
    window = open_page(serve(story.trouble(NOW).text()), viewport=SIZES[size])
    window.page.get_by_role("link", name="Runbook for certificate_expired").click()
    expect(window.page.locator("h3#certificate_expired")).to_be_in_viewport()
    found = Axe().run(window.page)
    assert found.violations_count == 0, found.generate_report()
    assert window.page.evaluate("document.documentElement.scrollWidth") == SIZES[size]["width"]


def test_a_change_is_seen_and_scroll_and_what_is_typed_stay(serve: Serve, open_page: Open) -> None:
    served = serve(story.calm(NOW).text())
    page = open_page(served, viewport=SIZES["phone"]).page
    page.get_by_label("Find a peer").fill("half a na")
    page.evaluate("scrollTo(0, 300)")
    served.gateway.read("2026-11-24 06:00:10: INFO: caught signal 15\n2026-11-24 06:00:11: INFO: racoon process 1 shutdown\n")
    served.clock[0] = NOW + 30
    expect(page.locator(".headline")).to_contain_text("3 of 3 expected peers are down", timeout=SOON)
    expect(page.locator("#trust")).to_contain_text("racoon is not running")
    expect(page).to_have_title("3 down · racoon")
    assert page.get_by_label("Find a peer").input_value() == "half a na"
    assert page.evaluate("scrollY") > 0


def test_folds_and_focus_outlive_a_refresh(serve: Serve, open_page: Open) -> None:
    served = serve(story.trouble(NOW).text())
    page = open_page(served).page
    summary = page.locator("#strangers > summary")
    summary.click()
    summary.focus()
    served.clock[0] = NOW + 65
    expect(page.locator("#as-of")).to_contain_text("06:01:05", timeout=SOON)
    assert page.evaluate("document.activeElement.parentElement.id") == "strangers"
    assert page.evaluate("document.getElementById('strangers').open")


def test_updates_can_be_paused(serve: Serve, open_page: Open) -> None:
    served = serve(story.calm(NOW).text())
    page = open_page(served).page
    button = page.get_by_role("button", name="Pause updates")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#connection")).to_have_text("Updates are paused.")
    button.click()
    served.clock[0] = NOW + 65
    expect(page.locator("#as-of")).to_contain_text("06:01:05", timeout=SOON)
    expect(page.locator("#connection")).to_have_text("")


def test_an_exporter_that_does_not_answer_is_told(serve: Serve, open_page: Open) -> None:
    window = open_page(serve(story.calm(NOW).text()))
    window.page.route("**/*", lambda route: route.abort())
    expect(window.page.locator("#connection")).to_have_text("Not updated: the exporter does not answer.", timeout=SOON)
    expect(window.page.locator(".headline")).to_have_text("All 3 expected peers are up.")
    assert all("ERR_FAILED" in complaint for complaint in window.complaints)
    window.complaints.clear()


def test_the_keyboard_reaches_everything_and_focus_is_seen(serve: Serve, open_page: Open) -> None:
    page = open_page(serve(story.trouble(NOW).text())).page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the peers")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the peers")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "peers"
    reachable = "#peers a, #peers button, #peers input, #peers summary"
    wanted = page.locator(reachable).locator("visible=true").count()
    reached = 0
    while True:
        page.keyboard.press("Tab")
        inside, seen = page.evaluate(
            "(() => { const one = document.activeElement; const style = getComputedStyle(one);"
            " return [one.closest('#peers') !== null, style.outlineStyle !== 'none'] })()"
        )
        if not inside:
            break
        assert seen
        reached += 1
    assert reached >= wanted > 0


def test_a_screen_reader_finds_landmarks_headings_and_tables_with_captions(serve: Serve, open_page: Open) -> None:
    page = open_page(serve(story.trouble(NOW).text())).page
    unfold(page)
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("racoon")
    assert page.locator("table").count() == page.locator("table > caption").count() > 4
    assert page.get_by_role("img").first.get_attribute("aria-label")
    expect(page.locator("#summary")).to_have_attribute("aria-live", "polite")
    for state in ("Down", "Failing", "No longer up", "Up"):
        expect(page.locator(".badge", has_text=state).first).to_be_visible()
