"""The routes of the page, its assets and the API. Copies are taken under the reader's lock; all else happens outside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import tzinfo
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final, NamedTuple, TypeVar

import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from racoon_exporter.engine import Engine
from racoon_exporter.source import SourceStatus
from racoon_exporter.status.api import query
from racoon_exporter.status.api.bodies import OVERVIEW_BODIES, Body, events_body
from racoon_exporter.status.gateway_routes import Glance, gateway_routes
from racoon_exporter.status.overview.event_ring import MOST_RECORDS, Entry, EventRing
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import Overview, overview
from racoon_exporter.status.pages.context import PageContext, Wanted
from racoon_exporter.status.pages.status_page import page
from racoon_exporter.status.responses import (
    NO_STORE,
    Answers,
    Endpoint,
    compressed,
    endpoint,
    error_response,
    page_response,
)
from racoon_exporter.status.runbooks import runbook_routes
from racoon_exporter.status.shared_snapshot import SharedSnapshot
from racoon_exporter.witness import Shown

T = TypeVar("T")
Take = Callable[[Callable[[Engine, tuple[SourceStatus, ...]], T]], T]

_ASSETS: Final = {
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_LOOKED_AT: Final = 200
"""Entries of the ring among which the page looks for warnings."""
_MOST_QUERY: Final = 100
_KEPT: Final = {"Cache-Control": "private, max-age=86400"}
"""Assets are named by their content, so an old one is never taken for a new one."""


class _Look(NamedTuple):
    """What is known at a moment."""

    shown: Overview
    newest: tuple[Entry, ...]


def status_routes(
    take: Take[Any],
    *,
    now: Callable[[], float],
    zone: tzinfo,
    telemetry_path: str,
    ring: EventRing,
    witnessed: Callable[[], Shown | None] = lambda: None,
    glance: Glance | None = None,
) -> list[Route]:
    """Give the routes of the status page (`/`), its assets, and `/api/v1/…`.

    `take` runs a function on the engine under the reader's lock; `now` is the time of day in seconds since the epoch;
    `zone` is that of the log; `ring` is what the engine's `on_record` fills; `witnessed` gives what witnesses
    beside the log say; `glance` is as `take`, of what is alive only.
    """

    def look(moment: float) -> _Look:
        facts, newest = take(lambda engine, statuses: (take_facts(engine, statuses), ring.newest(_LOOKED_AT)))
        return _Look(overview(replace(facts, witnessed=witnessed()), moment), newest)

    snapshot = SharedSnapshot(look, now)
    answers = Answers()
    assets = {name: _asset(name) for name in _ASSETS}
    addresses = {name: f"assets/{name}?v={blake2b(content, digest_size=6).hexdigest()}" for name, content in assets.items()}
    return [
        Route("/", answers.endpoint(_status_page(snapshot, zone, telemetry_path, addresses)), methods=["GET"]),
        *(
            Route(f"/assets/{name}", _asset_endpoint(content, _ASSETS[name]), methods=["GET"])
            for name, content in assets.items()
        ),
        *(
            Route(f"/api/v1/{name}", _overview_endpoint(name, snapshot, zone, answers), methods=["GET"])
            for name in OVERVIEW_BODIES
        ),
        *runbook_routes(addresses),
        *gateway_routes(glance or take, now, zone, addresses, answers),
        Route("/api/v1/events", _events_endpoint(take, now, zone, ring, answers), methods=["GET"]),
        Route("/api/v1/openapi.json", _openapi_endpoint(), methods=["GET"]),
        Route("/api/{rest:path}", _unknown, methods=["GET"]),
    ]


def _status_page(
    snapshot: SharedSnapshot[_Look], zone: tzinfo, telemetry_path: str, assets: Mapping[str, str]
) -> Callable[[Request], Response]:
    kept: dict[Wanted, tuple[_Look, bytes]] = {}

    def rendered(wanted: Wanted) -> bytes:
        """Render a look once, for all who ask for the same; only the last one is kept."""
        look = snapshot.look()
        last = kept.get(wanted)
        if last is None or last[0] is not look:
            context = PageContext(look.shown, zone, telemetry_path, dict(assets), wanted)
            last = look, page(context, look.newest).encode("utf-8", "backslashreplace")
            kept.clear()
            kept[wanted] = last
        return last[1]

    def answer(request: Request) -> Response:
        asked = [request.query_params.get(name, "").strip()[:_MOST_QUERY] for name in ("q", "state", "gateway")]
        return page_response(request, rendered(Wanted(*asked)))

    return answer


def _asset_endpoint(content: bytes, media_type: str) -> Endpoint:
    return endpoint(lambda request: compressed(request, content, media_type, _KEPT))


def _overview_endpoint(name: str, snapshot: SharedSnapshot[_Look], zone: tzinfo, answers: Answers) -> Endpoint:
    body, allowed = OVERVIEW_BODIES[name]

    def answer(asked: query.Parameters) -> Body:
        shown = snapshot.look().shown
        return body(shown, asked.at(shown.now), zone)

    return answers.queried(allowed, answer)


def _events_endpoint(take: Take[Any], now: Callable[[], float], zone: tzinfo, ring: EventRing, answers: Answers) -> Endpoint:
    def answer(asked: query.Parameters) -> Body:
        window = take(lambda _engine, _statuses: ring.since(asked.cursor, MOST_RECORDS))
        return events_body(window, asked, now(), zone)

    return answers.queried(query.EVENTS, answer)


def _openapi_endpoint() -> Endpoint:
    document = cache(lambda: json.dumps(openapi()).encode())  # read when somebody asks: parsing YAML takes time
    return endpoint(lambda request: compressed(request, document(), "application/json", NO_STORE))


async def _unknown(request: Request) -> Response:
    return error_response(404, f"there is no {request.url.path}; see /api/v1/openapi.json")


def openapi() -> dict[str, Any]:
    """Read the description of the API."""
    document: dict[str, Any] = yaml.safe_load(_asset("openapi.yaml"))
    return document


def _asset(name: str) -> bytes:
    return files("racoon_exporter.status").joinpath("assets", name).read_bytes()
