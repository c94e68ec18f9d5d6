"""The gateways, for `/api/v1/gateways`."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from racoon_exporter.history import timestamp
from racoon_exporter.status.api.query import USUAL_ROWS, Parameters
from racoon_exporter.status.overview.gateway_list import GatewayList, GatewayView


def gateways_body(shown: GatewayList, asked: Parameters, zone: tzinfo) -> dict[str, Any]:
    """Give the body of `/api/v1/gateways`."""
    found = [one for one in shown.found(asked.text or "", asked.state) if asked.gateway in (None, one.name)]
    return {
        "time": timestamp(shown.now, zone),
        "total": len(found),
        "states": dict(shown.totals()),
        "gateways": [_row(one, zone) for one in asked.page(found, usual=USUAL_ROWS)],
    }


def _row(one: GatewayView, zone: tzinfo) -> dict[str, Any]:
    worst = one.worst
    return {
        "gateway": one.name,
        "state": one.state,
        "peers": dict(one.peers),
        "strangers": one.strangers,
        "daemon": one.daemon,
        "quiet": one.quiet,
        "last_line": timestamp(one.last_line, zone),
        "worst": None
        if worst is None
        else {
            "peer": worst.address,
            "name": worst.name,
            "state": worst.state,
            "since": timestamp(worst.since, zone),
            "phase": None if worst.trouble is None else worst.trouble.phase,
            "reason": None if worst.trouble is None else worst.trouble.reason,
        },
    }


__all__ = ["gateways_body"]
