"""Answers of pages and the API: made one at a time, rows one after the other."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from racoon_exporter.status.responses import Answers, json_response
from racoon_exporter.web.pages import health_routes
from tests.exporter.web.client import PATIENCE, connect, get, read_all, status
from tests.exporter.web.conftest import Serve, registry, serve, usual_routes  # noqa: F401  fixtures

MANY = 60
"""More than there are worker threads."""


def test_who_waits_for_answers_holds_no_worker_thread(serve: Serve) -> None:  # noqa: F811
    begun, may_end = threading.Semaphore(0), threading.Semaphore(0)

    def answer(request: Request) -> Response:
        del request
        begun.release()
        assert may_end.acquire(timeout=PATIENCE)
        return PlainTextResponse("done")

    server = serve([Route("/slow", Answers().endpoint(answer)), *health_routes(lambda: (True, "Ready."))])
    with ExitStack() as opened:
        clients = [opened.enter_context(connect(server)) for _ in range(MANY)]
        for client in clients:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert begun.acquire(timeout=PATIENCE)
        assert status(get(server, b"/-/ready")) == 200  # it needs a worker thread, too
        assert not begun.acquire(blocking=False)
        for _ in clients:
            may_end.release()
        assert all(read_all(client).endswith(b"done") for client in clients)


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
