from __future__ import annotations

import base64
import gzip
import hashlib
import html.parser
import re
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from racoon_exporter.web.content_negotiation import accepts_gzip, prefers_openmetrics
from racoon_exporter.web.pages import Format, health_routes, landing_route, metrics_route, render
from racoon_exporter.web.pieces import slices
from tests.exporter.web.client import PATIENCE, connect, get, read_all, scrape, status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric

    from tests.exporter.web.conftest import Serve

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_small_pieces_are_put_together_once_for_all_who_get_them(registry: CollectorRegistry) -> None:
    pieces = [b"a" * 60] * 30_000
    rendered = render(registry, Format.TEXT, compressed=False, first=lambda _: pieces)
    assert len(rendered) < 40
    assert b"".join(rendered).startswith(b"".join(pieces))
    given = list(slices(rendered))
    assert all(piece is before for piece, before in zip(given[:-1], rendered[:-1], strict=True))


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ("application/OpenMetrics-Text; Version=1.0.0", True),
        ('application/openmetrics-text;version="1.0.0"', True),
        ("text/plain;version=0.0.4", False),
        ("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5", False),
        ("application/openmetrics-text;version=0.0.1", False),
        ("application/openmetrics-text;version=9.0.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=abc", False),
        ("application/openmetrics-text;q=inf", False),
        (BROWSER, False),
        ("*/*", False),
        ("", False),
        (",;=,;;q", False),
        (",".join(["a/b"] * 1000) + ",application/openmetrics-text", False),
    ],
)
def test_openmetrics_is_served_to_whoever_prefers_it_by_name(accept: str, *, openmetrics: bool) -> None:
    assert prefers_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=.5", True),
        ("gzip;q=0_1", False),
        ("gzip;q=1e0", False),
        ("gzip;q=nan", False),
        ("*", True),
        ("gzip;q=0", False),
        ("*;q=1, gzip;q=0", False),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_is_used_where_the_client_takes_it(accept_encoding: str, *, accepted: bool) -> None:
    assert accepts_gzip(accept_encoding) is accepted


def test_metrics_are_text_0_0_4_by_default(serve: Serve) -> None:
    answer = httpx.get(serve().urls[0] + "metrics", headers={"Accept-Encoding": "identity"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert value(parse_text(answer.text)) == 3.0


def test_metrics_are_openmetrics_for_prometheus(serve: Serve) -> None:
    answer = httpx.get(serve().urls[0] + "metrics", headers={"Accept": PROMETHEUS_3})
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("# EOF\n")
    families: Iterable[Metric] = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]
    assert value(families) == 3.0


def test_metrics_are_compressed_for_who_takes_it(serve: Serve) -> None:
    answer = get(serve(), b"/metrics", b"Accept-Encoding: gzip")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert b"racoon_test_total" in gzip.decompress(body)


def test_head_has_the_length_and_no_body(serve: Serve) -> None:
    url = serve().urls[0] + "metrics"
    plain = {"Accept-Encoding": "identity"}
    answer = httpx.head(url, headers=plain)
    assert answer.content == b""
    assert answer.headers["content-length"] == httpx.get(url, headers=plain).headers["content-length"]


class Gated(Collector):
    """A collector that waits, as one with a thousand peers would on a slow machine."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)
        self.collected = 0

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        self.collected += 1
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        yield GaugeMetricFamily("racoon_gated", "Collections so far.", self.collected)


def test_what_ails_the_process_is_told_to_whoever_asks_for_its_health(serve: Serve) -> None:
    trouble = ""
    server = serve(health_routes(lambda: (True, "Ready."), lambda: trouble))
    assert status(get(server, b"/-/healthy")) == 200
    trouble = "nothing is read"
    answer = get(server, b"/-/healthy")
    assert status(answer) == 503
    assert answer.endswith(b"nothing is read.\n")


def test_a_slow_collection_does_not_hold_up_other_requests(serve: Serve) -> None:
    registry, gated = CollectorRegistry(), Gated()
    registry.register(gated)
    server = serve([metrics_route("/metrics", registry), *health_routes(lambda: (True, "Ready."))])
    answers: list[bytes] = []
    scrape = threading.Thread(target=lambda: answers.append(get(server, b"/metrics")))
    scrape.start()
    assert gated.begun.acquire(timeout=PATIENCE)
    assert status(get(server, b"/-/healthy")) == 200
    assert status(get(server, b"/-/ready")) == 200
    assert not answers
    gated.may_end.release()
    scrape.join(PATIENCE)
    assert b"racoon_gated 1.0" in answers[0]


def test_who_asks_during_a_collection_shares_the_next_one(serve: Serve) -> None:
    registry, gated = CollectorRegistry(), Gated()
    registry.register(gated)
    server = serve([metrics_route("/metrics", registry)])
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as opened:
        first, *others = (opened.enter_context(connect(server)) for _ in range(6))
        first.sendall(request)
        assert gated.begun.acquire(timeout=PATIENCE)
        for client in others:
            client.sendall(request)
        # The loop reads in the order of arrival: once this one is answered, the others have asked.
        assert status(get(server, b"/nowhere")) == 404
        gated.may_end.release(2)
        assert b"racoon_gated 1.0" in read_all(first)
        for client in others:
            assert b"racoon_gated 2.0" in read_all(client)
    assert gated.collected == 2


def test_a_body_that_breaks_during_the_collection_is_400_and_no_failure_of_the_route(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    registry, gated = CollectorRegistry(), Gated()
    registry.register(gated)
    server = serve([metrics_route("/metrics", registry)])
    with connect(server) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert gated.begun.acquire(timeout=PATIENCE)
        client.sendall(b"no chunk\r\n")
        assert status(read_all(client)) == 400
    gated.may_end.release(2)
    assert b"racoon_gated 2.0" in get(server, b"/metrics")
    assert caplog.messages == []


def test_a_collector_that_fails_is_500_and_the_next_scrape_works(serve: Serve) -> None:
    class Failing(Collector):
        fails = True

        def describe(self) -> list[Metric]:
            return []

        def collect(self) -> Iterator[Metric]:
            if self.fails:
                raise OSError("no state")
            yield GaugeMetricFamily("racoon_test_total", "Works.", 1)

    registry, failing = CollectorRegistry(), Failing()
    registry.register(failing)
    server = serve([metrics_route("/metrics", registry)])
    assert status(get(server, b"/metrics")) == 500
    failing.fails = False
    scrape(server)


@pytest.mark.parametrize(("is_ready", "code"), [(True, 200), (False, 503)])
def test_ready_tells_the_state_and_why(serve: Serve, *, is_ready: bool, code: int) -> None:
    server = serve(health_routes(lambda: (is_ready, "Reading the log.")))
    answer = httpx.get(server.urls[0] + "-/ready")
    assert (answer.status_code, answer.text) == (code, "Reading the log.\n")
    healthy = httpx.get(server.urls[0] + "-/healthy")
    assert (healthy.status_code, healthy.text) == (200, "Healthy.\n")


class Page(html.parser.HTMLParser):
    """Notes the tags of a page and that each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_landing_page_escapes_what_it_is_given_and_its_policy_fits(serve: Serve) -> None:
    server = serve([landing_route("<script>alert(1)</script>", [('/metrics?"', "a & b")])])
    answer = httpx.get(server.urls[0])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    tags = [tag for tag, _ in page.attributes]
    assert answer.text.startswith("<!DOCTYPE html>\n")
    assert "script" not in tags
    assert ("html", {"lang": "en"}) in page.attributes
    assert {"title", "main", "h1", "nav"} <= set(tags)
    assert [attributes["href"] for tag, attributes in page.attributes if tag == "a"] == ['/metrics?"']
    style = re.search(r"<style>(.*)</style>", answer.text)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def value(families: Iterable[Metric]) -> float:
    return next(sample.value for family in families for sample in family.samples if sample.name == "racoon_test_total")
