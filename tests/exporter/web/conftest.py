from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from racoon_exporter.web import WebServer
from racoon_exporter.web.pages import health_routes, landing_route, metrics_route
from tests.exporter.web.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.routing import BaseRoute


class Serve(Protocol):
    def __call__(self, routes: Sequence[BaseRoute] | None = None, **settings: Any) -> WebServer: ...


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("racoon_test", "A counter of the tests.", ["peer"], registry=registry).labels("192.0.2.1").inc(3)
    return registry


@pytest.fixture
def usual_routes(registry: CollectorRegistry) -> list[BaseRoute]:
    return [
        metrics_route("/metrics", registry),
        *health_routes(lambda: (True, "Ready.")),
        landing_route("racoon exporter", [("/metrics", "Metrics")]),
        Route("/boom", boom),
        Route("/big", big),
    ]


@pytest.fixture
def serve(usual_routes: list[BaseRoute]) -> Iterator[Serve]:
    """Start web servers on free loopback ports; they are stopped at the end of the test, and their threads are gone."""
    with ExitStack() as running:

        def start(routes: Sequence[BaseRoute] | None = None, **settings: Any) -> WebServer:
            settings = {"addresses": ["127.0.0.1:0"], "config_file": None} | settings
            server = WebServer(usual_routes if routes is None else routes, **settings)
            server.start()
            running.callback(server.stop)
            return server

        yield start
    assert not [thread for thread in threading.enumerate() if thread.name == "web"]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return tmp_path / "web.yml"


BIG = b"x" * (8 * 1024 * 1024)


def boom(request: Request) -> PlainTextResponse:
    raise RuntimeError(f"no answer for {request.url.path}")


async def big(request: Request) -> PlainTextResponse:
    del request
    return PlainTextResponse(BIG)
