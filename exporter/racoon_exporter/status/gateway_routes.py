"""The routes of the list of gateways: `/gateways` and `/api/v1/gateways`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from racoon_exporter.engine import Engine
from racoon_exporter.source import SourceStatus
from racoon_exporter.status import query
from racoon_exporter.status.gateway_list import GatewayList, GatewayView, gateways_body, look_at_gateways, sorted_gateways
from racoon_exporter.status.gateway_page import WantedGateways, gateway_page
from racoon_exporter.status.view import STATES

_FRESH_SECONDS: Final = 1.0
"""Requests within it share one look at the engine."""
_MOST_QUERY: Final = 100
_MOST_OFFSET: Final = 10_000_000

Glance = Callable[[Callable[[Engine, tuple[SourceStatus, ...]], list[GatewayView]]], list[GatewayView]]
"""Runs a function on the engine under the reader's lock."""
Json = Callable[[Request, Mapping[str, Any]], Response]
Error = Callable[[int, str], Response]
Page = Callable[[Request, bytes], Response]


class GatewayLooks:
    """Looks at the gateways, at most once a second and one at a time."""

    def __init__(self, glance: Glance, now: Callable[[], float]) -> None:
        self._glance = glance
        self._now = now
        self._lock = threading.Lock()
        self._last: GatewayList | None = None

    def look(self) -> GatewayList:
        """Give the gateways, not older than a second."""
        with self._lock:
            now = self._now()
            if self._last is None or not 0 <= now - self._last.now < _FRESH_SECONDS:
                views = self._glance(lambda engine, statuses: look_at_gateways(engine, statuses, now))
                self._last = sorted_gateways(views, now)
            return self._last


def gateway_routes(
    looks: GatewayLooks, zone: tzinfo, assets: Mapping[str, str], *, page: Page, json: Json, error: Error
) -> list[Route]:
    """Give the routes; `page`, `json` and `error` make answers."""

    def shown(request: Request) -> Response:
        text, state, offset = (request.query_params.get(name, "").strip()[:_MOST_QUERY] for name in ("q", "state", "offset"))
        known = state if state in STATES else ""
        passed = min(int(offset), _MOST_OFFSET) if offset.isascii() and offset.isdecimal() else 0
        wanted = WantedGateways(text, known, passed)
        return page(request, gateway_page(looks.look(), wanted, zone, assets).encode("utf-8", "backslashreplace"))

    def listed(request: Request) -> Response:
        try:
            asked = query.read_parameters(request.query_params.multi_items(), query.GATEWAYS)
        except query.BadParameterError as fault:
            return error(400, str(fault))
        return json(request, gateways_body(looks.look(), asked, zone))

    return [Route("/gateways", shown, methods=["GET"]), Route("/api/v1/gateways", listed, methods=["GET"])]


__all__ = ["GatewayLooks", "Glance", "gateway_routes"]
