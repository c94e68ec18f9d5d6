"""The routes of the list of gateways: `/gateways` and `/api/v1/gateways`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from racoon_exporter.engine import Engine
from racoon_exporter.source import SourceStatus
from racoon_exporter.status.api import query
from racoon_exporter.status.api.gateways import gateways_body
from racoon_exporter.status.overview.gateway_list import GatewayList, GatewayView, look_at_gateways, sorted_gateways
from racoon_exporter.status.overview.view import STATES
from racoon_exporter.status.pages.gateway_page import WantedGateways, gateway_page
from racoon_exporter.status.responses import Answers, page_response
from racoon_exporter.status.shared_snapshot import SharedSnapshot

_MOST_QUERY: Final = 100
_MOST_OFFSET: Final = 10_000_000

Glance = Callable[[Callable[[Engine, tuple[SourceStatus, ...]], list[GatewayView]]], list[GatewayView]]
"""Runs a function on the engine under the reader's lock."""


def gateway_routes(
    glance: Glance, now: Callable[[], float], zone: tzinfo, assets: Mapping[str, str], answers: Answers
) -> list[Route]:
    """Give the routes; `now` is the time of day in seconds since the epoch, `zone` is that of the log."""

    def look(moment: float) -> GatewayList:
        views = glance(lambda engine, statuses: look_at_gateways(engine, statuses, moment))
        return sorted_gateways(views, moment)

    snapshot = SharedSnapshot(look, now)

    def shown(request: Request) -> Response:
        text, state, offset = (request.query_params.get(name, "").strip()[:_MOST_QUERY] for name in ("q", "state", "offset"))
        known = state if state in STATES else ""
        passed = min(int(offset), _MOST_OFFSET) if offset.isascii() and offset.isdecimal() else 0
        wanted = WantedGateways(text, known, passed)
        return page_response(request, gateway_page(snapshot.look(), wanted, zone, assets).encode("utf-8", "backslashreplace"))

    listed = answers.queried(query.GATEWAYS, lambda asked: gateways_body(snapshot.look(), asked, zone))
    return [Route("/gateways", answers.endpoint(shown), methods=["GET"]), Route("/api/v1/gateways", listed, methods=["GET"])]


__all__ = ["Glance", "gateway_routes"]
