from __future__ import annotations

import logging
import os
import resource
import signal
import threading
from typing import TYPE_CHECKING

import bcrypt
import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from racoon_exporter.web import ListenError, WebConfigError, WebServer, protocol
from racoon_exporter.web.application import SECURITY_HEADERS
from racoon_exporter.web.config_reload import LiveConfig
from tests.clock import Clock
from tests.exporter.web.client import PATIENCE, connect, exchange, get, read_all, read_until, status, until

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from tests.exporter.web.conftest import Serve

HASH = bcrypt.hashpw(b"open sesame", bcrypt.gensalt(4)).decode()
OTHER_HASH = bcrypt.hashpw(b"friend", bcrypt.gensalt(4)).decode()


def test_the_url_has_the_real_port_where_0_was_asked(serve: Serve) -> None:
    server = serve(addresses=["127.0.0.1:0", "localhost:0"])
    first, second = server.urls
    assert first.startswith("http://127.0.0.1:")
    assert second.startswith("http://localhost:")
    for url in server.urls:
        assert httpx.get(f"{url}-/healthy").text == "Healthy.\n"


def test_an_address_in_use_is_one_clear_line(serve: Serve) -> None:
    taken = serve().urls[0].removeprefix("http://").rstrip("/")
    second = WebServer([], addresses=["127.0.0.1:0", taken], config_file=None)
    with pytest.raises(ListenError) as caught:
        second.start()
    assert str(caught.value) == f"cannot listen on {taken}: Address already in use"


def test_a_broken_configuration_file_is_told_at_start(config_file: Path) -> None:
    config_file.write_text("rate_limit:\n  burst: many\n")
    with pytest.raises(WebConfigError) as caught:
        WebServer([], addresses=["127.0.0.1:0"], config_file=config_file).start()
    assert str(caught.value) == f"{config_file}: line 2: burst must be a whole number"
    assert [problem.line for problem in caught.value.problems] == [2]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: \xff", "byte 3 is not UTF-8"), (b"#" * 2_000_000, "longer than 1048576 bytes"), (None, "No such file")],
    ids=["bytes", "long", "missing"],
)
def test_a_file_that_is_no_text_is_told_at_start(config_file: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        config_file.write_bytes(content)
    with pytest.raises(WebConfigError, match=message):
        WebServer([], addresses=["127.0.0.1:0"], config_file=config_file).start()


def test_a_fifo_in_place_of_the_file_does_not_hang(config_file: Path) -> None:
    os.mkfifo(config_file)
    with pytest.raises(WebConfigError, match="not a regular file"):
        WebServer([], addresses=["127.0.0.1:0"], config_file=config_file).start()


def test_stop_lets_a_running_request_finish(serve: Serve) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def slow(request: Request) -> PlainTextResponse:
        del request
        asked.set()
        assert may_answer.wait(PATIENCE)
        return PlainTextResponse("done")

    server = serve([Route("/slow", slow)])
    with connect(server) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asked.wait(PATIENCE)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        may_answer.set()
        assert read_all(client).endswith(b"done")
        stopping.join(PATIENCE)
    assert not stopping.is_alive()


def test_stop_cuts_what_does_not_finish_in_time(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve()
    with connect(server, receive_buffer=4096) as stuck:
        stuck.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stuck.recv(1)
        server.stop(timeout=0.05)
    assert "1 connections cut at the end" in caplog.text


def test_stop_closes_kept_connections_and_the_address_at_once(serve: Serve) -> None:
    server = serve()
    with connect(server) as kept:
        kept.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        read_until(kept, b"Healthy.\n")
        server.stop()
        assert read_all(kept) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(server)
    server.stop()  # a second time does nothing


def test_stop_answers_a_request_that_is_on_its_way(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a connection that was accepted: with socket activation, closing it would be all that a restart loses."""
    monkeypatch.setattr(protocol, "_ON_ITS_WAY", PATIENCE)
    server = serve()
    with connect(server) as client:
        until(lambda: server.connections == 1)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        until(lambda: refuses(server))
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = read_all(client)
        stopping.join(PATIENCE)
    assert answer.endswith(b"Healthy.\n")
    assert not stopping.is_alive()


def refuses(server: WebServer) -> bool:
    try:
        connect(server).close()
    except (ConnectionRefusedError, ConnectionResetError):  # the second where it is closed just now
        return True
    return False


def test_stop_does_not_wait_long_for_a_request_that_does_not_come(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_ON_ITS_WAY", 0.0)
    server = serve()
    with connect(server) as client:
        until(lambda: server.connections == 1)
        server.stop()
        assert read_all(client) == b""


def test_a_server_that_ends_by_itself_tells_whoever_started_it(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def end() -> None:
        raise SystemExit("of itself")

    told = threading.Event()
    server = serve(on_failure=told.set)
    assert server.failure is None
    assert server._loop is not None
    server._loop.call_soon_threadsafe(end)
    assert told.wait(PATIENCE)
    assert repr(server.failure) == "SystemExit('of itself')"
    assert "the web server ended: SystemExit('of itself')" in caplog.text


def test_without_a_thread_nothing_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = WebServer([], addresses=["127.0.0.1:0"], config_file=None)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ListenError, match="cannot serve: can't start new thread"):
        server.start()
    server.stop()


def test_a_server_that_was_never_started_can_be_stopped() -> None:
    WebServer([], addresses=[], config_file=None).stop()


def test_signals_and_logging_of_the_process_stay_as_they_were(serve: Serve) -> None:
    names = ["", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"]

    def logging_now() -> list[tuple[object, ...]]:
        loggers = map(logging.getLogger, names)
        return [(logger.level, logger.propagate, logger.disabled, *logger.handlers) for logger in loggers]

    signals, loggers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], logging_now()
    server = serve()
    assert status(get(server, b"/metrics")) == 200
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == signals
    assert logging_now() == loggers


def test_a_request_writes_no_log_line(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = serve()
    get(server, b"/metrics")
    exchange(server, b"no HTTP at all\r\n\r\n")
    assert [record.message for record in caplog.records if record.name != "httpx"] == []


def test_a_failing_route_is_500_and_one_line_for_all_its_occurrences(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = serve()
    for _ in range(3):
        assert status(get(server, b"/boom")) == 500
    assert [record.message for record in caplog.records] == ["GET '/boom' failed: RuntimeError: no answer for /boom"]


@pytest.mark.parametrize("path", [b"/", b"/metrics", b"/-/healthy", b"/nowhere", b"/boom"])
def test_every_response_carries_the_security_headers(serve: Serve, path: bytes) -> None:
    answer = httpx.get(serve().urls[0].rstrip("/") + path.decode())
    assert "server" not in answer.headers
    assert "date" in answer.headers
    for name, value in SECURITY_HEADERS.items():
        if name != "Content-Security-Policy":
            assert answer.headers[name] == value
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_configured_headers_replace_ours_and_blank_ones_remove_them(serve: Serve, config_file: Path) -> None:
    config_file.write_text(
        "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    X-XSS-Protection: 1\n"
        "    Strict-Transport-Security: max-age=1\n    Content-Security-Policy: ''\n"
    )
    answer = httpx.get(serve(config_file=config_file).urls[0])
    assert answer.headers["x-frame-options"] == "sameorigin"
    assert answer.headers["x-xss-protection"] == "1"
    assert answer.headers["strict-transport-security"] == "max-age=1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in answer.headers


def test_without_credentials_nothing_is_served(serve: Serve, config_file: Path) -> None:
    config_file.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    server = serve(config_file=config_file)
    for path in (b"/", b"/metrics", b"/-/healthy", b"/-/ready", b"//metrics", b"/nowhere", b"/%2e%2e/metrics"):
        answer = get(server, path)
        assert status(answer) == 401
        assert b'www-authenticate: Basic realm="racoon-exporter", charset="UTF-8"' in answer


def test_credentials_open_everything(serve: Serve, config_file: Path) -> None:
    config_file.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    url = serve(config_file=config_file).urls[0]
    for _ in range(2):
        assert httpx.get(f"{url}metrics", auth=("alice", "open sesame")).status_code == 200
    assert httpx.get(f"{url}metrics", auth=("alice", "open barley")).status_code == 401
    assert httpx.get(f"{url}metrics", auth=("cassim", "open sesame")).status_code == 401


def test_health_is_open_only_if_asked_and_only_by_its_own_name(serve: Serve, config_file: Path) -> None:
    config_file.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    server = serve(config_file=config_file, health_without_auth=True)
    assert status(get(server, b"/-/healthy")) == 200
    assert status(get(server, b"/-/ready")) == 200
    for path in (b"/metrics", b"/-/healthy/../../metrics", b"//-/healthy", b"/-/healthy/", b"/-/healthy%00", b"/?/-/ready"):
        assert status(get(server, path)) == 401


def test_users_change_without_a_restart(serve: Serve, config_file: Path) -> None:
    config_file.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    url = serve(config_file=config_file).urls[0]
    with httpx.Client() as kept:
        assert kept.get(url, auth=("alice", "open sesame")).status_code == 200
        replace(config_file, f"basic_auth_users:\n  alice: {OTHER_HASH}\n")
        assert kept.get(url, auth=("alice", "open sesame")).status_code == 401
        assert kept.get(url, auth=("alice", "friend")).status_code == 200


def test_a_broken_new_file_leaves_the_old_one_in_force(
    serve: Serve, config_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    config_file.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    server = serve(config_file=config_file)
    assert server.config_ok
    replace(config_file, "basic_auth_users: {alice: plain}\n")
    for _ in range(3):
        assert status(get(server, b"/")) == 401
        assert not server.config_ok
    replace(config_file, "")
    assert status(get(server, b"/")) == 200
    assert server.config_ok
    problem = "basic_auth_users: the password of 'alice' is not a bcrypt hash"
    assert [record.message for record in caplog.records if record.name != "httpx"] == [
        f"web configuration kept as it was: {config_file}: line 1: {problem}",
        f"web configuration {config_file} read anew",
    ]


def test_a_file_that_could_not_be_read_for_a_moment_is_tried_again(config_file: Path) -> None:
    """Without descriptors, say: the file does not change by itself when there are some again."""
    config_file.write_text("")
    clock = Clock()
    live = LiveConfig(config_file, logging.getLogger(), clock)
    replace(config_file, f"basic_auth_users:\n  alice: {HASH}\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert not live.current().config.users
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not live.ok
    clock.now += 3600
    assert live.current().config.users
    assert live.ok


def test_a_file_that_vanishes_leaves_the_old_one_in_force(serve: Serve, config_file: Path) -> None:
    config_file.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    server = serve(config_file=config_file)
    config_file.unlink()
    assert status(get(server, b"/")) == 401
    assert not server.config_ok


def test_requests_over_the_rate_get_429_and_the_rate_changes_without_a_restart(serve: Serve, config_file: Path) -> None:
    config_file.write_text("rate_limit: {interval: 1h, burst: 2}\n")
    server = serve(config_file=config_file)
    assert [status(get(server, b"/")) for _ in range(4)] == [200, 200, 429, 429]
    replace(config_file, "rate_limit: {interval: 1h, burst: 1}\n")
    assert [status(get(server, b"/")) for _ in range(2)] == [200, 429]
    replace(config_file, "rate_limit: {interval: 0, burst: 0}\n")
    assert [status(get(server, b"/")) for _ in range(3)] == [200] * 3


def replace(path: Path, text: str) -> None:
    """Put a new file in place as editors and configuration tools do."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
