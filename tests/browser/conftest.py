"""A real browser, Debian's chromium, and a status page that it reads over loopback."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from racoon_exporter.sa import Expectation
from racoon_exporter.status import status_routes
from racoon_exporter.web import WebServer
from tests.browser import story
from tests.exporter.status.engines import Gateway

NOW = 1795500000.0
EXPECTED = {
    story.HEADQUARTERS: Expectation("headquarters"),
    story.BRANCH: Expectation("branch-hamburg"),
    story.DEPOT: Expectation("depot"),
    story.LAPTOP: Expectation("laptop-anna", "roaming"),
}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Served:
    """A gateway with its status page; the test moves its time."""

    gateway: Gateway
    url: str
    clock: list[float]


@dataclass
class Window:
    """A page in the browser, and everything that it complained of or asked of elsewhere."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self, url: str) -> None:
        def asked(address: str) -> None:
            if not address.startswith(url):
                self.complaints.append(f"asked for {address}")

        def told(dialog: Dialog) -> None:
            self.complaints.append(dialog.message)
            dialog.dismiss()

        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", told)
        self.page.on("request", lambda request: asked(request.url))


class Open(Protocol):
    def __call__(self, served: Served, **settings: Any) -> Window: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "chromium is needed: make browser-test installs it"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def serve() -> Iterator[Callable[[str], Served]]:
    """Serve the log of a gateway on a free loopback port."""
    with ExitStack() as running:

        def start(log: str) -> Served:
            named = {address: expected for address, expected in EXPECTED.items() if address in log}
            gateway = Gateway(named).read(log)
            clock = [NOW]
            routes = status_routes(
                gateway.take, now=lambda: clock[0], zone=gateway.zone, telemetry_path="/metrics", ring=gateway.ring
            )
            server = WebServer(routes, addresses=["127.0.0.1:0"], config_file=None)
            server.start()
            running.callback(server.stop)
            return Served(gateway, server.urls[0], clock)

        yield start


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open pages; at the end none of them may have complained."""
    with ExitStack() as opened:
        windows: list[Window] = []

        def start(served: Served, **settings: Any) -> Window:
            context = browser.new_context(**settings)
            opened.callback(context.close)
            window = Window(context.new_page())
            window.watch(served.url)
            windows.append(window)
            window.page.goto(served.url)
            return window

        yield start
        assert [window.complaints for window in windows if window.complaints] == []
