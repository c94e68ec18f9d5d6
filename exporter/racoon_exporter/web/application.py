"""What stands between a connection and the routes: configuration, rate limit, authentication, headers, errors."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

from racoon_exporter.web.authentication import Authenticator, Verdict
from racoon_exporter.web.network import client_network, never_came
from racoon_exporter.web.token_bucket import TokenBucket
from racoon_exporter.web.turns import Turns

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from racoon_exporter.web.config import RateLimit, WebConfig
    from racoon_exporter.web.config_reload import LiveConfig

HEALTH_PATHS = frozenset({"/-/healthy", "/-/ready"})

#: Key of a scope's state under which a connection may want to be told that its request was let in and answered.
SERVED = "served"
#: The same, of how many bytes its response has.
ANSWERING = "answering"
#: The same, of the task that waits for its turn to make a response, and then of None: it ends where the client has gone.
WAITING = "waiting"

#: Sent with every response, unless the route or the configuration says otherwise.
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_CHALLENGE = 'Basic realm="racoon-exporter", charset="UTF-8"'
_BUSY_SECONDS = "1"


class Guard:
    """The ASGI application of the endpoint: lets a request through to ``app`` or answers it itself.

    The order is the toolkit's: rate limit (429), then authentication (401). Both come before routing, so that no path,
    however spelled, gets around them.
    """

    def __init__(
        self,
        app: ASGIApp,
        live: LiveConfig,
        logger: logging.Logger,
        *,
        health_without_auth: bool = False,
        max_head_bytes: int = 16 * 1024,
        visits: Callable[[str], int] = never_came,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._live = live
        self._logger = logger
        self._open_paths = HEALTH_PATHS if health_without_auth else frozenset()
        self._max_head_bytes = max_head_bytes
        self._visits = visits
        self._clock = clock
        self._turns = Turns()
        self._authenticator = Authenticator()
        self._bucket: TokenBucket | None = None
        self._last_failure = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if not self._turns.is_mine():
            note_waiting = scope.get("state", {}).get(WAITING, _nobody_minds)
            note_waiting(asyncio.current_task())
            await self._turns.wait(self._visits(_network(scope)))
            note_waiting(None)
        config = self._live.current().config
        answer = _Answer(send, config.headers, scope.get("state", {}).get(ANSWERING, _nobody_counts))
        try:
            app = await self._refusal(scope, config) or self._app
            await app(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 -- whatever a route raises must not end the connection without an answer
            self._note_failure(scope, error)
            if not answer.started:
                await _text("Internal Server Error", 500, {"Connection": "close"})(scope, receive, answer.send)
        if 0 < answer.status < HTTPStatus.BAD_REQUEST and scope["path"] not in self._open_paths:
            scope.get("state", {}).get(SERVED, _nobody_listens)()

    async def _refusal(self, scope: Scope, config: WebConfig) -> ASGIApp | None:
        if _head_bytes(scope) > self._max_head_bytes:  # h11 counts only heads that come in several pieces
            return _text("Request Header Fields Too Large", 431, {"Connection": "close"})
        if not self._within_rate(config.rate_limit):
            return _text("Too Many Requests", 429)
        if not config.users or scope["path"] in self._open_paths:
            return None
        verdict = await self._authenticator.check(config.users, _header(scope, b"authorization"), _network(scope))
        if verdict is Verdict.BUSY:
            return _text("Service Unavailable", 503, {"Retry-After": _BUSY_SECONDS})
        return None if verdict is Verdict.ALLOWED else _text("Unauthorized", 401, {"WWW-Authenticate": _CHALLENGE})

    def _within_rate(self, limit: RateLimit | None) -> bool:
        if limit is None:
            self._bucket = None
            return True
        if self._bucket is None or self._bucket.limit != limit:
            self._bucket = TokenBucket(limit, self._clock)
        return self._bucket.take()

    def _note_failure(self, scope: Scope, error: Exception) -> None:
        """Log a failing route: one line for each problem, not for each scrape that meets it."""
        failure = f"{type(error).__name__}: {error}"
        log = self._logger.debug if failure == self._last_failure else self._logger.error
        log("%s %r failed: %s", scope["method"], scope["path"], failure)
        self._logger.debug("traceback of the failure", exc_info=error)
        self._last_failure = failure


class _Answer:
    """The ``send`` of one response: adds the headers that every response carries."""

    def __init__(self, send: Send, configured: Mapping[str, str], note_size: Callable[[int], None]) -> None:
        self._send = send
        self._configured = configured
        self._note_size = note_size
        self.status = 0

    @property
    def started(self) -> bool:
        return self.status != 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            self._note_size(int(headers.get("content-length", "0")))
            self._add_headers(headers)
        await self._send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers.setdefault("Date", formatdate(usegmt=True))
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        for name, value in self._configured.items():
            if value:
                headers[name] = value
            elif name in headers:
                del headers[name]


def _text(text: str, status: int, headers: Mapping[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(text + "\n", status, headers)


def _nobody_counts(size: int) -> None:
    del size


def _nobody_minds(task: asyncio.Task[None] | None) -> None:
    del task


def _nobody_listens() -> None:
    """Stand in for a server that has no connections of ours."""


def _head_bytes(scope: Scope) -> int:
    fields = sum(len(name) + len(value) for name, value in scope["headers"])
    return fields + len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])


def _network(scope: Scope) -> str:
    return client_network(scope["client"][0] if scope["client"] else "")


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
