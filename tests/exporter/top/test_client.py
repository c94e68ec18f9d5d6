"""The client against real servers: what is wrong is one line that says what to do."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from racoon_exporter.top import client as module
from racoon_exporter.top.client import Client, NotHereError, Trouble, UrlError
from racoon_exporter.top.client_file import ClientSettings
from tests.exporter.status.engines import Gateway, permanent, recording
from tests.exporter.top.conftest import Answer, Serve
from tests.exporter.web.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("pki"))


def gateway() -> Gateway:
    return Gateway(permanent()).read(recording("02-rekey", lines=20))


def trouble(url: str, settings: ClientSettings | None = None) -> str:
    client = Client(url, settings)
    with pytest.raises(Trouble) as caught:
        client.get("peers")
    client.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_answer_is_kept_while_nothing_changes(serve: Serve) -> None:
    client = Client(serve(gateway()).urls[0])
    first = client.get("peers")
    assert client.get("peers") is first
    assert client.get("failures", limit=3)["failures"] == []
    client.close()


def test_users_and_certificates_of_the_web_configuration(serve: Serve, authority: Authority, tmp_path: Path) -> None:
    server = authority.issue("server")
    hashed = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yml"
    config.write_text(
        f"tls_server_config: {{cert_file: {server.certificate}, key_file: {server.key}}}\n"
        f"basic_auth_users: {{anna: {hashed}}}\n"
    )
    url = serve(gateway(), config_file=config).urls[0]
    assert url.startswith("https://")
    known = ClientSettings(ca_file=authority.certificate)
    client = Client(url, replace(known, basic=("anna", "sesame")))
    assert client.get("peers")["total"] == 1
    client.close()
    assert "401" in trouble(url, known)
    assert "basic_auth" in trouble(url, known)
    assert "user or password are wrong" in trouble(url, replace(known, basic=("anna", "open")))
    assert "its CA is named as tls_config: ca_file" in trouble(url)
    assert "is not believed" in trouble(url, replace(known, server_name="elsewhere"))
    assert "401" in trouble(url, ClientSettings(insecure=True))
    assert "https://" in trouble(url.replace("https", "http"))


def test_files_of_tls_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "nothing.pem"):
        with pytest.raises(Trouble, match=r"a file of tls_config cannot be used .*\.pem"):
            Client("https://localhost:1", ClientSettings(ca_file=path))


def test_who_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert trouble(f"127.0.0.1:{port}") == f"nobody answers at http://127.0.0.1:{port}: Connection refused"
    assert "No such file" in trouble("unix:///nowhere/web.sock")


def test_who_does_not_answer_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "does not answer within" in trouble(f"127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (PlainTextResponse("hello"), "not as racoon-exporter does"),
        (PlainTextResponse("[1]"), "not as racoon-exporter does"),
        (PlainTextResponse("gone", 404), "no API of racoon-exporter (404)"),
        (RedirectResponse("https://elsewhere.example/"), "sends us elsewhere (307)"),
        (PlainTextResponse("ill", 503), "answers with status 503"),
    ],
)
def test_another_program_at_the_address_is_told(answer: Answer, given: Response, told: str) -> None:
    assert told in trouble(answer({"peers": given}))


def test_an_older_exporter_has_not_all_resources(answer: Answer) -> None:
    client = Client(answer({"peers": {"peers": []}}))
    assert client.get("peers") == {"peers": []}
    with pytest.raises(NotHereError):
        client.get("outages")
    client.close()


@contextmanager
def unix_server(path: Path) -> Iterator[None]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in {b"\r\n", b""}:
                pass
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{"peers": []}')

    with socketserver.UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_a_unix_socket_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with unix_server(path):
        client = Client(f"unix://{path}")
        assert client.get("peers") == {"peers": []}
        assert client.get("peers") == {"peers": []}, "once more, though it hung up"
        client.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://anna:sesame@gw", "seen by everybody"),
        ("ftp://gw", "no address of an exporter"),
        ("http://", "no address of an exporter"),
        ("http://gw:0", "no address of an exporter"),
        ("gw:http", "a port that is none"),
        ("unix://web.sock", "its whole path"),
    ],
)
def test_an_address_that_cannot_be_asked_is_told_without_its_password(url: str, told: str) -> None:
    with pytest.raises(UrlError, match=told) as caught:
        Client(url)
    assert "sesame" not in str(caught.value)


def test_a_path_before_the_api_is_kept(answer: Answer) -> None:
    url = answer({"/racoon/api/v1/peers": {"peers": [], "here": 1}})
    client = Client(f"{url.rstrip('/')}/racoon/")
    assert client.get("peers")["here"] == 1
    client.close()
