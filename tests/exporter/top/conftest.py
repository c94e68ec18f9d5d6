from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from racoon_exporter.status import status_routes
from racoon_exporter.web import WebServer
from tests.exporter.status.engines import Gateway


class Serve(Protocol):
    def __call__(self, gateway: Gateway, now: float | None = None, config_file: Path | None = None) -> WebServer: ...


class Answer(Protocol):
    def __call__(self, answers: Mapping[str, Any]) -> str: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve gateways as the exporter does, on free loopback ports."""
    with ExitStack() as running:

        def start(gateway: Gateway, now: float | None = None, config_file: Path | None = None) -> WebServer:
            routes = status_routes(
                gateway.take,
                now=lambda: gateway.now if now is None else now,
                zone=gateway.zone,
                telemetry_path="/metrics",
                ring=gateway.ring,
            )
            server = WebServer(routes, addresses=["127.0.0.1:0"], config_file=config_file)
            server.start()
            running.callback(server.stop)
            return server

        yield start


@pytest.fixture
def answer() -> Iterator[Answer]:
    """Serve made-up answers by resource: what an older exporter, another program or a liar would say."""
    with ExitStack() as running:

        def start(answers: Mapping[str, Any]) -> str:
            server = WebServer([Route("/{path:path}", _endpoint(answers))], addresses=["127.0.0.1:0"], config_file=None)
            server.start()
            running.callback(server.stop)
            return server.urls[0]

        yield start


def _endpoint(answers: Mapping[str, Any]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        given = answers.get(request.url.path.removeprefix("/api/v1/"))
        if isinstance(given, Response):
            return given
        if given is None:
            return JSONResponse({"error": "there is no such thing"}, status_code=404)
        return Response(json.dumps(given), media_type="application/json")

    return endpoint
