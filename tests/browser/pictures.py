"""Pictures of the status page for the documentation: `make pictures`.

One is of recordings (`tests/scenarios/lab`), each the log of a gateway, as if they had ended together; two are of the made-up
day that `story` tells. They are not compared with those that are kept: fonts differ between machines.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from racoon_exporter import replay
from racoon_exporter.sa import Expectation
from racoon_exporter.status import status_routes
from racoon_exporter.web import WebServer
from tests.browser import story
from tests.browser.conftest import EXPECTED, FLAGS, NOW
from tests.exporter.status.engines import LAB, Gateway, status

GATEWAYS = {"hamburg": "17-soak-chaos", "lyon": "10-cert-expired", "oslo": "03-peer-killed-dpd", "turin": "02-rekey"}
"""By gateway: its recording."""
_END = "caught signal"
"""How racoon says that the recording is over."""
PEER = "192.168.0.41"
SIZE: ViewportSize = {"width": 1100, "height": 820}


def recordings() -> Gateway:
    """Read the recordings, each moved so that it ends now."""
    sources = tuple(status(name, lag_bytes=0) for name in GATEWAYS)
    gateway = Gateway({PEER: Expectation("headquarters")}, statuses=sources)
    gateway.engine.gateway_of = lambda source: source
    for name, folder in GATEWAYS.items():
        gateway.read("".join(ending_now(folder)), name)
    return gateway


def ending_now(folder: str) -> Iterator[str]:
    recorded = replay.recorded((LAB / folder / "a.log").read_text())
    end = max((at for at, line in enumerate(recorded) if _END in line.text), default=len(recorded))
    last = recorded[end - 1].after
    for line in recorded[:end]:
        yield replay.at(line, NOW - 30 - (last - line.after)) + "\n"


def told(one: story.Story) -> Gateway:
    text = one.text()
    return Gateway({address: expected for address, expected in EXPECTED.items() if address in text}).read(text)


def shot(browser: Browser, gateway: Gateway, file: Path, query: str = "") -> None:
    """Take a picture of a gateway's page."""
    routes = status_routes(gateway.take, now=lambda: NOW, zone=gateway.zone, telemetry_path="/metrics", ring=gateway.ring)
    server = WebServer(routes, addresses=["127.0.0.1:0"], config_file=None)
    server.start()
    try:
        page = browser.new_page(viewport=SIZE)
        page.goto(server.urls[0] + query)
        page.screenshot(path=file)
        page.close()
    finally:
        server.stop()


def main(folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        shot(browser, recordings(), folder / "status-page.png")
        shot(browser, told(story.trouble(NOW)), folder / "status-page-trouble.png")
        shot(browser, told(story.calm(NOW)), folder / "status-page-calm.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
