"""The status page at `/` and the JSON API at `/api/v1/…`: what the engine believes, for people and for programs."""

from racoon_exporter.status.overview.event_ring import EventRing
from racoon_exporter.status.routes import status_routes

__all__ = ["EventRing", "status_routes"]
