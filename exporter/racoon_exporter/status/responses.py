"""Answers to requests: pages, JSON and errors, compressed where the client takes it."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from racoon_exporter.status.api.query import BadParameterError, Parameter, Parameters, read_parameters
from racoon_exporter.web.application import WAITING
from racoon_exporter.web.content_negotiation import accepts_gzip
from racoon_exporter.web.pieces import GZIP_LEVEL, PiecesResponse, gzipped, slices
from racoon_exporter.web.workers import in_worker

PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NO_STORE: Final = {"Cache-Control": "no-store"}

Endpoint = Callable[[Request], Awaitable[Response]]


def page_response(request: Request, content: bytes, headers: Mapping[str, str] = NO_STORE) -> Response:
    """Give a page, which may use what the exporter itself serves."""
    return compressed(request, content, "text/html; charset=utf-8", {**headers, "Content-Security-Policy": PAGE_CSP})


def endpoint(answer: Callable[[Request], Response]) -> Endpoint:
    """Give the endpoint of an answer that costs little."""

    async def answered(request: Request) -> Response:
        return await in_worker(answer, request)

    return answered


class Answers:
    """Makes pages and bodies of the API, one at a time, in a worker thread.

    However many ask at once, a scrape shares the processor with one of them, finds a worker thread, and memory holds what one
    is made of.
    """

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    def endpoint(self, answer: Callable[[Request], Response]) -> Endpoint:
        """Give the endpoint of an answer that takes time or memory to make."""

        async def endpoint(request: Request) -> Response:
            note_waiting = request.scope.get("state", {}).get(WAITING, _nobody_minds)
            note_waiting(asyncio.current_task())
            async with self._one_at_a_time:
                note_waiting(None)
                return await in_worker(answer, request)

        return endpoint

    def queried(self, known: Mapping[str, Parameter], body: Callable[[Parameters], Mapping[str, Any]]) -> Endpoint:
        """Give an endpoint that answers with a body for the parameters of a query, or with what is wrong with them.

        Rows of a body that an iterator gives are made, and written, one after the other.
        """

        def answer(request: Request) -> Response:
            try:
                asked = read_parameters(request.query_params.multi_items(), known)
            except BadParameterError as error:
                return error_response(400, str(error))
            return json_response(request, body(asked))

        return self.endpoint(answer)


def json_response(request: Request, body: Mapping[str, Any]) -> Response:
    """Give a body, or 304 to whoever has the same but for the time of the answer."""
    hashed = blake2b(digest_size=12)
    compress = gzipped if _takes_gzip(request) else slices
    pieces = list(compress(_written(body, hashed.update)))
    tag = f'W/"{hashed.hexdigest()}"'
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "private, no-cache", "ETag": tag}
    if tag in _given_tags(",".join(request.headers.getlist("if-none-match"))):
        return Response(status_code=304, headers=headers)
    if compress is gzipped:
        headers["Content-Encoding"] = "gzip"
    return PiecesResponse(pieces, headers, media_type="application/json")


def _written(body: Mapping[str, Any], note: Callable[[bytes], None]) -> Iterator[bytes]:
    """Write a body as JSON, a row at a time; all but its time is noted."""
    before = "{"
    for key, value in body.items():
        rows = _rows(value) if isinstance(value, Iterator) else (json.dumps(value),)
        for text in chain((f"{before}{json.dumps(key)}: ",), rows):
            piece = text.encode()
            if key != "time":
                note(piece)
            yield piece
        before = ", "
    yield b"}"


def _rows(rows: Iterator[Any]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield f"{', ' if number else ''}{json.dumps(row)}"
    yield "]"


def _given_tags(header: str) -> set[str]:
    """Read If-None-Match: its tags as weak ones, as RFC 9110 8.8.3.2 compares them here."""
    return {tag if tag.startswith("W/") else f"W/{tag}" for tag in (part.strip() for part in header.split(",")) if tag}


def error_response(status: int, text: str) -> Response:
    """Say what is wrong."""
    return Response(json.dumps({"error": text}), status, headers=NO_STORE, media_type="application/json")


def compressed(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Give a response, gzip if the client takes it."""
    more = {"Vary": "Accept-Encoding", **headers}
    if _takes_gzip(request):
        content = gzip.compress(content, GZIP_LEVEL, mtime=0)
        more["Content-Encoding"] = "gzip"
    return Response(content, headers=more, media_type=media_type)


def _nobody_minds(task: object) -> None:
    """Stand in for a server that has no connections of ours."""
    del task


def _takes_gzip(request: Request) -> bool:
    return accepts_gzip(",".join(request.headers.getlist("accept-encoding")))


__all__ = [
    "NO_STORE",
    "PAGE_CSP",
    "Answers",
    "compressed",
    "endpoint",
    "error_response",
    "json_response",
    "page_response",
]
