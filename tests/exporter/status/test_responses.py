"""Answers of pages and the API: made one at a time, rows one after the other."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from racoon_exporter.status.responses import Answers, json_response
from racoon_exporter.web import Limits
from racoon_exporter.web.pages import health_routes
from tests.exporter.web.client import PATIENCE, connect, get, read_all, status, until
from tests.exporter.web.conftest import Serve, registry, serve, usual_routes  # noqa: F401  fixtures

MANY = 60
"""More than there are worker threads."""
SLOWLY = b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Slow:
    """A route whose answers wait until they may end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)
        self.route = Route("/slow", Answers().endpoint(self._answer))

    def _answer(self, request: Request) -> Response:
        del request
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        return PlainTextResponse("done")


def test_who_waits_for_answers_holds_no_worker_thread(serve: Serve) -> None:  # noqa: F811
    slow = Slow()
    server = serve([slow.route, *health_routes(lambda: (True, "Ready."))])
    with ExitStack() as opened:
        clients = [opened.enter_context(connect(server)) for _ in range(MANY)]
        for client in clients:
            client.sendall(SLOWLY)
        assert slow.begun.acquire(timeout=PATIENCE)
        assert status(get(server, b"/-/ready")) == 200  # it needs a worker thread, too
        assert not slow.begun.acquire(blocking=False)
        slow.may_end.release(MANY)
        assert all(read_all(client).endswith(b"done") for client in clients)


def test_who_leaves_while_he_waits_is_not_answered(serve: Serve) -> None:  # noqa: F811
    slow = Slow()
    server = serve([slow.route, *health_routes(lambda: (True, "Ready."))])
    with ExitStack() as opened:
        first = opened.enter_context(connect(server))
        first.sendall(SLOWLY)
        assert slow.begun.acquire(timeout=PATIENCE)
        for _ in range(MANY):
            with connect(server) as client:
                client.sendall(SLOWLY)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        get(server, b"/-/ready")  # connections are accepted in their order: all those were
        until(lambda: server.connections == 1)
        last = opened.enter_context(connect(server))
        last.sendall(SLOWLY)
        slow.may_end.release(2)
        assert read_all(first).endswith(b"done")
        assert read_all(last).endswith(b"done")
        assert [slow.begun.acquire(blocking=False) for _ in range(2)] == [True, False]


def test_who_waits_for_answers_keeps_no_scraper_out(serve: Serve) -> None:  # noqa: F811
    slow = Slow()
    server = serve([slow.route, *health_routes(lambda: (True, "Ready."))], limits=Limits(max_connections=4))
    with ExitStack() as opened:
        for _ in range(4):
            client = opened.enter_context(connect(server))
            client.sendall(SLOWLY)
        assert slow.begun.acquire(timeout=PATIENCE)
        assert status(get(server, b"/-/ready")) == 200
        slow.may_end.release(4)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_rows_that_come_one_after_the_other_are_written_like_those_of_a_list(encoding: str) -> None:
    rows = [{"peer": f"198.51.100.{number}", "up": None} for number in range(200)]
    request = Request({"type": "http", "method": "GET", "headers": [(b"accept-encoding", encoding.encode())]})

    def answered(body: dict[str, Any]) -> tuple[str, bytes]:
        response = json_response(request, body)
        sent = b"".join(response._pieces)  # type: ignore[attr-defined]
        assert int(response.headers["content-length"]) == len(sent)
        return response.headers["etag"], gzip.decompress(sent) if encoding == "gzip" else sent

    listed = {"time": "2026-11-24T04:09:39+00:00", "peers": rows, "none": [], "total": 200}
    tag, text = answered({**listed, "peers": iter(rows), "none": iter(())})
    assert text.decode() == json.dumps(listed)
    assert (tag, text) == answered(listed)
    later, _ = answered({**listed, "time": "2026-11-24T04:09:40+00:00"})
    other, _ = answered({**listed, "peers": iter(rows[1:])})
    assert (later, other == tag) == (tag, False)
