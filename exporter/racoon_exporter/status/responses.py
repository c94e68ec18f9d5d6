"""Answers to requests: pages, JSON and errors, compressed where the client takes it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from racoon_exporter.status.api.query import BadParameterError, Parameter, Parameters, read_parameters
from racoon_exporter.web.content_negotiation import accepts_gzip

PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NO_STORE: Final = {"Cache-Control": "no-store"}
_GZIP_LEVEL: Final = 1


def page_response(request: Request, content: bytes, headers: Mapping[str, str] = NO_STORE) -> Response:
    """Give a page, which may use what the exporter itself serves."""
    return compressed(request, content, "text/html; charset=utf-8", {**headers, "Content-Security-Policy": PAGE_CSP})


def queried(known: Mapping[str, Parameter], body: Callable[[Parameters], Mapping[str, Any]]) -> Callable[[Request], Response]:
    """Give an endpoint that answers with a body for the parameters of a query, or with what is wrong with them."""

    def endpoint(request: Request) -> Response:
        try:
            asked = read_parameters(request.query_params.multi_items(), known)
        except BadParameterError as error:
            return error_response(400, str(error))
        return json_response(request, body(asked))

    return endpoint


def json_response(request: Request, body: Mapping[str, Any]) -> Response:
    """Give a body, or 304 to whoever has the same but for the time of the answer."""
    rest = json.dumps({key: value for key, value in body.items() if key != "time"})
    tag = f'W/"{blake2b(rest.encode(), digest_size=12).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    if tag in _given_tags(",".join(request.headers.getlist("if-none-match"))):
        return Response(status_code=304, headers={"Vary": "Accept-Encoding", **headers})
    if "time" in body:
        rest = (
            f'{{"time": {json.dumps(body["time"])}{", " if len(body) > 1 else ""}{rest[1:]}'  # thousands of peers are said once
        )
    return compressed(request, rest.encode(), "application/json", headers)


def _given_tags(header: str) -> set[str]:
    """Read If-None-Match: its tags as weak ones, as RFC 9110 8.8.3.2 compares them here."""
    return {tag if tag.startswith("W/") else f"W/{tag}" for tag in (part.strip() for part in header.split(",")) if tag}


def error_response(status: int, text: str) -> Response:
    """Say what is wrong."""
    return Response(json.dumps({"error": text}), status, headers=NO_STORE, media_type="application/json")


def compressed(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Give a response, gzip if the client takes it."""
    more = {"Vary": "Accept-Encoding", **headers}
    if accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
        content = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        more["Content-Encoding"] = "gzip"
    return Response(content, headers=more, media_type=media_type)


__all__ = [
    "NO_STORE",
    "PAGE_CSP",
    "compressed",
    "error_response",
    "json_response",
    "page_response",
    "queried",
]
