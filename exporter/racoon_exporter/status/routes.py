"""The routes of the page, its assets and the API. Copies are taken under the reader's lock; all else happens outside it."""

from __future__ import annotations

import gzip
import json
import threading
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
from racoon_exporter.status import api, query
from racoon_exporter.status.facts import Facts, take_facts
from racoon_exporter.status.gateway_routes import GatewayLooks, Glance, gateway_routes
from racoon_exporter.status.page import page
from racoon_exporter.status.ring import MOST_RECORDS, Entry, EventRing
from racoon_exporter.status.runbooks import runbook_routes
from racoon_exporter.status.scene import Scene, Wanted
from racoon_exporter.status.view import Overview, overview
from racoon_exporter.web.negotiation import accepts_gzip
from racoon_exporter.witness import Shown

T = TypeVar("T")
Take = Callable[[Callable[[Engine, tuple[SourceStatus, ...]], T]], T]

PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ASSETS: Final = {
    "status.css": "text/css; charset=utf-8",
    "status.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_GZIP_LEVEL: Final = 1
_FRESH_SECONDS: Final = 1.0
"""Requests within it share one look at the engine: however many pages are open, the cost is that of one."""
_LOOKED_AT: Final = 200
"""Entries of the ring among which the page looks for warnings."""
_MOST_QUERY: Final = 100
_NO_STORE: Final = {"Cache-Control": "no-store"}
_KEPT: Final = {"Cache-Control": "private, max-age=86400"}
"""Assets are named by their content, so an old one is never taken for a new one."""


class _Look(NamedTuple):
    """What is known at a moment."""

    shown: Overview
    newest: tuple[Entry, ...]


class _Looks:
    """Looks at the engine, at most once a second and one at a time."""

    def __init__(
        self, take: Take[Any], now: Callable[[], float], ring: EventRing, witnessed: Callable[[], Shown | None]
    ) -> None:
        self._take = take
        self._witnessed = witnessed
        self._now = now
        self._ring = ring
        self._lock = threading.Lock()
        self._last: _Look | None = None

    def look(self) -> _Look:
        """Give what is known, not older than a second."""
        with self._lock:
            now = self._now()
            last = self._last
            if last is None or not 0 <= now - last.shown.now < _FRESH_SECONDS:
                facts, newest = self._take(self._copy)
                last = self._last = _Look(overview(replace(facts, witnessed=self._witnessed()), now), newest)
            return last

    def _copy(self, engine: Engine, statuses: tuple[SourceStatus, ...]) -> tuple[Facts, tuple[Entry, ...]]:
        return take_facts(engine, statuses), self._ring.newest(_LOOKED_AT)


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
    looks = _Looks(take, now, ring, witnessed)
    assets = {name: _asset(name) for name in _ASSETS}
    addresses = {name: f"assets/{name}?v={blake2b(content, digest_size=6).hexdigest()}" for name, content in assets.items()}
    return [
        Route("/", _page_endpoint(looks, zone, telemetry_path, addresses), methods=["GET"]),
        *(
            Route(f"/assets/{name}", _asset_endpoint(content, _ASSETS[name]), methods=["GET"])
            for name, content in assets.items()
        ),
        *(Route(f"/api/v1/{name}", _overview_endpoint(name, looks, zone), methods=["GET"]) for name in api.OVERVIEW_BODIES),
        *runbook_routes(addresses, _runbook_response),
        *gateway_routes(GatewayLooks(glance or take, now), zone, addresses, page=_gateways_response, json=_json, error=_error),
        Route("/api/v1/events", _events_endpoint(take, now, zone, ring), methods=["GET"]),
        Route("/api/v1/openapi.json", _openapi_endpoint(), methods=["GET"]),
        Route("/api/{rest:path}", _unknown, methods=["GET"]),
    ]


def _runbook_response(request: Request, body: bytes, media_type: str) -> Response:
    return _compressed(request, body, media_type, {"Cache-Control": "no-cache", "Content-Security-Policy": PAGE_CSP})


def _gateways_response(request: Request, body: bytes) -> Response:
    headers = _NO_STORE | {"Content-Security-Policy": PAGE_CSP}
    return _compressed(request, body, "text/html; charset=utf-8", headers)


def _page_endpoint(
    looks: _Looks, zone: tzinfo, telemetry_path: str, assets: Mapping[str, str]
) -> Callable[[Request], Response]:
    lock = threading.Lock()
    kept: dict[Wanted, tuple[_Look, bytes]] = {}

    def rendered(wanted: Wanted) -> bytes:
        """Render a look once, for all who ask for the same; only the last one is kept."""
        with lock:
            look = looks.look()
            last = kept.get(wanted)
            if last is None or last[0] is not look:
                scene = Scene(look.shown, zone, telemetry_path, dict(assets), wanted)
                last = look, page(scene, look.newest).encode("utf-8", "backslashreplace")
                kept.clear()
                kept[wanted] = last
            return last[1]

    def endpoint(request: Request) -> Response:
        asked = [request.query_params.get(name, "").strip()[:_MOST_QUERY] for name in ("q", "state", "gateway")]
        headers = _NO_STORE | {"Content-Security-Policy": PAGE_CSP}
        return _compressed(request, rendered(Wanted(*asked)), "text/html; charset=utf-8", headers)

    return endpoint


def _asset_endpoint(content: bytes, media_type: str) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        return _compressed(request, content, media_type, _KEPT)

    return endpoint


def _overview_endpoint(name: str, looks: _Looks, zone: tzinfo) -> Callable[[Request], Response]:
    body, allowed = api.OVERVIEW_BODIES[name]

    def endpoint(request: Request) -> Response:
        try:
            asked = query.read_parameters(request.query_params.multi_items(), allowed)
        except query.BadParameterError as error:
            return _error(400, str(error))
        shown = looks.look().shown
        return _json(request, body(shown, asked.at(shown.now), zone))

    return endpoint


def _events_endpoint(take: Take[Any], now: Callable[[], float], zone: tzinfo, ring: EventRing) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        try:
            asked = query.read_parameters(request.query_params.multi_items(), query.EVENTS)
        except query.BadParameterError as error:
            return _error(400, str(error))
        window = take(lambda _engine, _statuses: ring.since(asked.cursor, MOST_RECORDS))
        return _json(request, api.events_body(window, asked, now(), zone))

    return endpoint


def _openapi_endpoint() -> Callable[[Request], Response]:
    document = cache(lambda: json.dumps(openapi()).encode())  # read when somebody asks: parsing YAML takes time

    def endpoint(request: Request) -> Response:
        return _compressed(request, document(), "application/json", _NO_STORE)

    return endpoint


def _unknown(request: Request) -> Response:
    return _error(404, f"there is no {request.url.path}; see /api/v1/openapi.json")


def openapi() -> dict[str, Any]:
    """Read the description of the API."""
    document: dict[str, Any] = yaml.safe_load(_asset("openapi.yaml"))
    return document


def _asset(name: str) -> bytes:
    return files("racoon_exporter.status").joinpath("assets", name).read_bytes()


def _json(request: Request, body: Mapping[str, Any]) -> Response:
    """Give a body, or 304 to whoever has the same but for the time of the answer."""
    tag = _tag({key: value for key, value in body.items() if key != "time"})
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    if tag in given_tags(",".join(request.headers.getlist("if-none-match"))):
        return Response(status_code=304, headers={"Vary": "Accept-Encoding", **headers})
    return _compressed(request, json.dumps(body).encode(), "application/json", headers)


def _tag(content: Mapping[str, Any]) -> str:
    return f'W/"{blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()}"'


def given_tags(header: str) -> set[str]:
    """Read If-None-Match: its tags as weak ones, as RFC 9110 8.8.3.2 compares them here."""
    return {tag if tag.startswith("W/") else f"W/{tag}" for tag in (part.strip() for part in header.split(",")) if tag}


def _error(status: int, text: str) -> Response:
    return Response(json.dumps({"error": text}), status, headers=_NO_STORE, media_type="application/json")


def _compressed(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Give a response, gzip if the client takes it."""
    more = {"Vary": "Accept-Encoding", **headers}
    if accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
        content = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        more["Content-Encoding"] = "gzip"
    return Response(content, headers=more, media_type=media_type)
