from __future__ import annotations

import shutil
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx
import pytest

from racoon_exporter.web import Limits
from racoon_exporter.web.config_file import parse_web_config
from racoon_exporter.web.tls import client_is_allowed
from tests.exporter.web.client import PATIENCE, connect, get, read_all, status, until
from tests.exporter.web.test_server import replace

if TYPE_CHECKING:
    from racoon_exporter.web import WebServer
    from tests.exporter.web.certificates import Authority, Certificate
    from tests.exporter.web.conftest import Serve


@pytest.fixture(scope="module")
def identity(authority: Authority) -> Certificate:
    return authority.issue("server-of-tls-tests")


@pytest.fixture(scope="module")
def prometheus(authority: Authority) -> Certificate:
    return authority.issue(
        "prometheus", "DNS:prometheus.example.org,IP:2001:db8::7,email:ops@example.org,URI:spiffe://example.org/p"
    )


def tls_config(identity: Certificate, *lines: str) -> str:
    settings = [f"cert_file: {identity.certificate}", f"key_file: {identity.key}", *lines]
    return "tls_server_config:\n" + "".join(f"  {line}\n" for line in settings)


class ServeTls(Protocol):
    def __call__(self, *lines: str, **settings: Any) -> WebServer: ...


@pytest.fixture
def serve_tls(serve: Serve, config_file: Path, identity: Certificate) -> ServeTls:
    def start(*lines: str, **settings: Any) -> WebServer:
        config_file.write_text(tls_config(identity, *lines))
        return serve(config_file=config_file, **settings)

    return start


def handshake(server: WebServer, context: ssl.SSLContext) -> tuple[str | None, tuple[str, str, int] | None]:
    """Return version and cipher agreed on, after a request: in TLS 1.3 only that shows a refused client certificate."""
    port = urlsplit(server.urls[0]).port
    with (
        socket.create_connection(("127.0.0.1", port or 0), timeout=PATIENCE) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        sock.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        answer = sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ") or answer == b""
        if not answer:
            raise ConnectionResetError("closed without an answer")
        return sock.version(), sock.cipher()


def refused(server: WebServer, context: ssl.SSLContext) -> bool:
    try:
        handshake(server, context)
    except (ssl.SSLError, ConnectionError):
        return True
    return False


def test_https_is_served_with_the_certificate(serve_tls: ServeTls, authority: Authority) -> None:
    server = serve_tls(addresses=["localhost:0"])
    assert server.urls[0].startswith("https://localhost:")
    with httpx.Client(verify=authority.client_context()) as client:
        for _ in range(3):
            assert "racoon_test_total" in client.get(server.urls[0] + "metrics").text


def test_plain_http_on_the_tls_port_gets_nothing(serve_tls: ServeTls) -> None:
    assert b"racoon" not in get(serve_tls(), b"/metrics")


def test_a_request_sent_with_the_end_of_the_handshake_is_answered(serve_tls: ServeTls, authority: Authority) -> None:
    """The client's last flight and its request in one segment, through memory buffers."""
    with connect(serve_tls()) as sock:
        tls, incoming, outgoing = shake_hands(sock, authority)
        answer = ask(b"GET /-/healthy HTTP/1.0\r\n\r\n", sock, tls, incoming, outgoing)
    assert status(answer) == 200


def shake_hands(sock: socket.socket, authority: Authority) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """Return TLS through memory buffers; the client's last flight is in the last of these still."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            incoming.write(sock.recv(65536))
        else:
            return tls, incoming, outgoing


def ask(request: bytes, sock: socket.socket, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> bytes:
    tls.write(request)
    sock.sendall(outgoing.read())
    answer = b""
    while not answer.endswith(b"Healthy.\n"):
        incoming.write(sock.recv(65536))
        answer += read_available(tls)
    return answer


def read_available(tls: ssl.SSLObject) -> bytes:
    answer = b""
    try:
        while part := tls.read(65536):
            answer += part
    except ssl.SSLWantReadError:
        pass  # the rest has not come yet
    return answer


@pytest.mark.parametrize(
    ("settings", "client_at_most", "agreed"),
    [
        ("", "TLSv1_3", "TLSv1.3"),
        ("", "TLSv1_2", "TLSv1.2"),
        ("max_version: TLS12", "TLSv1_3", "TLSv1.2"),
        ("min_version: TLS13", "TLSv1_3", "TLSv1.3"),
        ("min_version: TLS13", "TLSv1_2", None),
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", "TLSv1_2", None),
    ],
)
def test_versions_are_kept(
    serve_tls: ServeTls, authority: Authority, settings: str, client_at_most: str, agreed: str | None
) -> None:
    server = serve_tls(
        settings,
    )
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion[client_at_most]
    if agreed is None:
        assert refused(server, context)
    else:
        assert handshake(server, context)[0] == agreed


@pytest.mark.parametrize(("prefer_server", "agreed"), [("true", "AES128"), ("false", "AES256")])
def test_ciphers_and_whose_order_counts(serve_tls: ServeTls, authority: Authority, prefer_server: str, agreed: str) -> None:
    suites = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    server = serve_tls(
        f"cipher_suites: [{suites}]",
        f"prefer_server_cipher_suites: {prefer_server}",
    )
    context = authority.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    cipher = handshake(server, context)[1]
    assert cipher is not None
    assert agreed in cipher[0]
    context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
    assert refused(server, context)


def test_curves_not_listed_are_not_agreed_on(serve_tls: ServeTls, authority: Authority) -> None:
    server = serve_tls(
        "min_version: TLS13",
        "curve_preferences: [CurveP521]",
    )
    context = authority.client_context()
    context.set_ecdh_curve("secp521r1")
    assert handshake(server, context)[0] == "TLSv1.3"
    context = authority.client_context()
    context.set_ecdh_curve("secp384r1")
    assert refused(server, context)


@pytest.mark.parametrize(
    ("auth", "without", "verified", "unverified"),
    [
        ("NoClientCert", True, True, True),
        ("RequestClientCert", True, True, True),
        ("VerifyClientCertIfGiven", True, True, False),
        ("RequireAnyClientCert", False, True, False),
        ("RequireAndVerifyClientCert", False, True, False),
    ],
)
def test_client_authentication_lets_in_whom_it_should(
    serve_tls: ServeTls,
    authority: Authority,
    prometheus: Certificate,
    stranger: Certificate,
    auth: str,
    *,
    without: bool,
    verified: bool,
    unverified: bool,
) -> None:
    ca = "" if auth == "NoClientCert" else f"client_ca_file: {authority.certificate}"
    server = serve_tls(
        f"client_auth_type: {auth}",
        ca,
    )
    assert refused(server, authority.client_context()) is not without
    assert refused(server, authority.client_context(prometheus)) is not verified
    assert refused(server, authority.client_context(stranger)) is not unverified


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Certificate:
    return type(authority).create(tmp_path_factory.mktemp("stranger")).issue("stranger", "DNS:prometheus.example.org")


def test_a_client_certificate_may_be_its_own_ca(
    serve_tls: ServeTls, authority: Authority, identity: Certificate, prometheus: Certificate
) -> None:
    """As in the toolkit: each certificate of client_ca_file is trusted itself."""
    server = serve_tls(
        "client_auth_type: RequireAndVerifyClientCert",
        f"client_ca_file: {prometheus.certificate}",
    )
    assert not refused(server, authority.client_context(prometheus))
    assert refused(server, authority.client_context(identity))


@pytest.mark.parametrize(
    ("san", "allowed"),
    [
        ("prometheus.example.org", True),
        ("2001:db8::7", True),
        ("2001:0DB8:0:0:0:0:0:7", True),
        ("ops@example.org", True),
        ("spiffe://example.org/p", True),
        ("example.org", False),
        ("*.example.org", False),
        ("prometheus", False),
        ("2001:db8::8", False),
    ],
)
def test_only_a_client_with_an_allowed_name_is_served(
    serve_tls: ServeTls, authority: Authority, prometheus: Certificate, san: str, *, allowed: bool
) -> None:
    server = serve_tls(
        "client_auth_type: RequireAndVerifyClientCert",
        f"client_ca_file: {authority.certificate}",
        f'client_allowed_sans: ["nobody.example.org", "{san}"]',
    )
    assert refused(server, authority.client_context(prometheus)) is not allowed


def test_a_certificate_without_names_is_not_allowed() -> None:
    text = "client_auth_type: RequireAndVerifyClientCert, client_ca_file: c, client_allowed_sans: [a]"
    config, _ = parse_web_config(f"tls_server_config: {{cert_file: a, key_file: b, {text}}}", Path("/nowhere"))
    assert config.tls is not None
    for certificate in (None, {}, {"subjectAltName": ()}, {"subject": ((("commonName", "a"),),)}):
        assert not client_is_allowed(config.tls, certificate)
    assert not client_is_allowed(config.tls, {"subjectAltName": (("DirName", "a"), ("IP Address", "a"))})


def test_a_renewed_certificate_is_shown_to_new_connections(
    serve: Serve, config_file: Path, authority: Authority, tmp_path: Path
) -> None:
    first, second = authority.issue("first"), authority.issue("second")
    certificate, key = tmp_path / "s.crt", tmp_path / "s.key"
    shutil.copy(first.certificate, certificate)
    shutil.copy(first.key, key)
    config_file.write_text("tls_server_config: {cert_file: s.crt, key_file: s.key}\n")
    server = serve(config_file=config_file)

    def name_shown() -> object:
        port = urlsplit(server.urls[0]).port or 0
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw,
            authority.client_context().wrap_socket(raw, server_hostname="localhost") as sock,
        ):
            shown = sock.getpeercert()
            assert shown is not None
            return shown["subject"]

    assert name_shown() == ((("commonName", "first"),),)
    shutil.copy(second.certificate, certificate)
    # Between the two copies certificate and key do not fit: the old pair stays in force.
    assert name_shown() == ((("commonName", "first"),),)
    assert not server.config_ok
    shutil.copy(second.key, key)
    assert name_shown() == ((("commonName", "second"),),)
    assert server.config_ok


def test_the_client_ca_changes_without_a_restart(
    serve_tls: ServeTls, config_file: Path, authority: Authority, identity: Certificate, stranger: Certificate
) -> None:
    def required(ca: Path) -> tuple[str, str]:
        return "client_auth_type: RequireAndVerifyClientCert", f"client_ca_file: {ca}"

    server = serve_tls(*required(authority.certificate))
    assert not refused(server, authority.client_context(identity))
    assert refused(server, authority.client_context(stranger))
    replace(config_file, tls_config(identity, *required(stranger.certificate.parent / "ca.crt")))
    assert refused(server, authority.client_context(identity))
    assert not refused(server, authority.client_context(stranger))


def test_tls_does_not_go_away_without_a_restart(serve_tls: ServeTls, config_file: Path, authority: Authority) -> None:
    server = serve_tls()
    replace(config_file, "")
    assert b"racoon" not in get(server, b"/metrics")
    assert not refused(server, authority.client_context())
    assert not server.config_ok


def test_a_handshake_that_never_ends_is_cut(serve_tls: ServeTls) -> None:
    server = serve_tls(limits=Limits(request_timeout=0.05))
    with connect(server) as silent, connect(server) as half:
        half.sendall(b"\x16\x03\x01\x02\x00")
        assert read_all(silent) == b""
        assert read_all(half) == b""
    until(lambda: server.connections == 0)


def test_what_is_no_request_is_bounded_within_tls(serve_tls: ServeTls, authority: Authority) -> None:
    """A record that lacks its end stands for all that TLS takes and HTTP does not see."""
    server = serve_tls(limits=Limits(max_tls_bytes=10_000, keep_alive_timeout=10 * PATIENCE))
    with connect(server) as sock:
        tls, incoming, outgoing = shake_hands(sock, authority)
        ask(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", sock, tls, incoming, outgoing)
        tls.write(b"x" * 16_000)
        sock.sendall(outgoing.read()[:-1])
        read_all(sock)
    until(lambda: server.connections == 0)


def test_a_body_within_tls_may_be_longer(serve_tls: ServeTls, authority: Authority) -> None:
    head = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    with connect(serve_tls()) as sock:
        tls, incoming, outgoing = shake_hands(sock, authority)
        ask(head + b"x" * 900_000, sock, tls, incoming, outgoing)
        ask(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", sock, tls, incoming, outgoing)


def test_many_silent_tls_connections_do_not_keep_a_scraper_out(serve_tls: ServeTls, authority: Authority) -> None:
    server = serve_tls(limits=Limits(max_connections=8, max_tls_connections=8))
    silent = [connect(server) for _ in range(50)]
    assert handshake(server, authority.client_context())
    assert server.connections <= 16
    for sock in silent:
        sock.close()
    until(lambda: server.connections == 0)
