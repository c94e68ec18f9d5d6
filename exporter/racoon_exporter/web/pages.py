"""Routes that need nothing of racoon: /metrics for a registry, the health endpoints, a plain landing page."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING

from prometheus_client import exposition
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from racoon_exporter.web.content_negotiation import accepts_gzip, prefers_openmetrics
from racoon_exporter.web.pieces import PiecesResponse, gzipped, slices
from racoon_exporter.web.workers import in_worker

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from starlette.requests import Request

_STYLE = (
    ":root{color-scheme:light dark;font-family:system-ui,sans-serif}"
    "body{max-width:40rem;margin:2rem auto;padding:0 1rem;line-height:1.5}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: Nothing but the page's own style sheet, known by its hash.
LANDING_CSP = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Format(Enum):
    """An exposition format; the value is its media type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


Write = Callable[[Format], Iterable[bytes]]
"""Writes families in a format, piece by piece, without OpenMetrics' `# EOF`."""


def metrics_route(path: str, registry: CollectorRegistry, first: Write | None = None) -> Route:
    """Return the route that exposes a registry, as text 0.0.4 or OpenMetrics 1.0.0, gzip if the client takes it.

    ``first`` writes what stands before the registry's families; it runs in a worker thread.
    """
    renderings = _Renderings(registry, first)

    async def metrics(request: Request) -> Response:
        chosen = Format.OPENMETRICS if prefers_openmetrics(_header(request, "accept")) else Format.TEXT
        compressed = accepts_gzip(_header(request, "accept-encoding"))
        headers = {"Content-Type": chosen.value, "Vary": "Accept, Accept-Encoding"}
        if compressed:
            headers["Content-Encoding"] = "gzip"
        return PiecesResponse(await renderings.get(chosen, compressed=compressed), headers)

    return Route(path, metrics, methods=["GET"])


def health_routes(is_ready: Callable[[], tuple[bool, str]], ails: Callable[[], str] = lambda: "") -> list[Route]:
    """Return ``/-/healthy``: 200, or 503 with what ``ails`` us, and ``/-/ready``: 200 or 503 with ``is_ready``'s text.

    ``is_ready`` runs in a worker thread; ``ails`` waits for nothing.
    """

    async def healthy(request: Request) -> Response:
        del request
        trouble = ails()
        return PlainTextResponse(f"{trouble}.\n" if trouble else "Healthy.\n", 503 if trouble else 200)

    async def ready(request: Request) -> Response:
        del request
        is_so, text = await in_worker(is_ready)
        return PlainTextResponse(f"{text}\n", 200 if is_so else 503)

    return [Route("/-/healthy", healthy, methods=["GET"]), Route("/-/ready", ready, methods=["GET"])]


def landing_route(title: str, links: Sequence[tuple[str, str]]) -> Route:
    """Return a page at ``/`` with a title and links, given as (address, text)."""
    page = _landing_page(title, links)

    async def landing(request: Request) -> Response:
        del request
        return HTMLResponse(page, headers={"Content-Security-Policy": LANDING_CSP})

    return Route("/", landing, methods=["GET"])


def render(registry: CollectorRegistry, chosen: Format, *, compressed: bool, first: Write | None = None) -> list[bytes]:
    """Return the exposition of a registry behind what ``first`` writes, piece by piece; collects anew."""
    write = openmetrics.generate_latest if chosen is Format.OPENMETRICS else exposition.generate_latest
    pieces = chain(() if first is None else first(chosen), map(write, [registry]))
    return list(gzipped(pieces) if compressed else slices(pieces))  # put together once, whoever gets them


class _Renderings:
    """Renders a registry in a worker thread, once for all requests that wait at the same time.

    However many clients ask at once, a scrape waits for the rendering under way and for its own: it never gets one that
    began before it asked, and all who share one share its memory.
    """

    def __init__(self, registry: CollectorRegistry, first: Write | None) -> None:
        self._registry = registry
        self._first = first
        self._next: dict[tuple[Format, bool], asyncio.Task[list[bytes]]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def get(self, chosen: Format, *, compressed: bool) -> list[bytes]:
        task = self._next.get((chosen, compressed))
        if task is None:
            task = self._next[chosen, compressed] = asyncio.create_task(self._render(chosen, compressed=compressed))
        # Shielded, since others wait for it too.
        return await asyncio.shield(task)

    async def _render(self, chosen: Format, *, compressed: bool) -> list[bytes]:
        async with self._one_at_a_time:
            del self._next[chosen, compressed]  # who comes from now on needs a later one
            return await in_worker(render, self._registry, chosen, compressed=compressed, first=self._first)


def _header(request: Request, name: str) -> str:
    """Return a header; one that came several times is one list (RFC 9110, 5.3)."""
    return ",".join(request.headers.getlist(name))


def _landing_page(title: str, links: Sequence[tuple[str, str]]) -> str:
    items = "\n".join(f'<li><a href="{html.escape(address)}">{html.escape(text)}</a></li>' for address, text in links)
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{html.escape(title)}</h1>
<nav aria-label="Pages">
<ul>
{items}
</ul>
</nav>
</main>
</body>
</html>
"""
