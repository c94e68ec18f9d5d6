"""The API of a running exporter over HTTP, HTTPS or a unix socket: JSON, or one line that says what is wrong and what to do."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from racoon_exporter import __version__
from racoon_exporter.top.client_file import ClientSettings

DEFAULT_URL: Final = "http://localhost:10500"
SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of an answer: ten thousand peers take a sixth of it."""
Body = dict[str, Any]


class Trouble(Exception):  # noqa: N818  it may pass
    """The exporter does not answer as it should; the text says what to do."""


class NotHereError(Exception):
    """The exporter is of an older version, which has no such resource or parameter."""


class UrlError(ValueError):
    """An address that cannot be asked."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


class _TlsConnection(http.client.HTTPConnection):
    default_port = 443

    def __init__(self, host: str, port: int, context: ssl.SSLContext, server_name: str) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._context = context
        self._server_name = server_name

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._server_name)


def checked(url: str) -> SplitResult:
    """Read an address. Raises UrlError."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.username is not None or parts.password is not None:
        raise UrlError("users and passwords on the command line are seen by everybody (ps): write them into --http.config.file")
    if parts.scheme == "unix":
        if not parts.path or parts.netloc:
            raise UrlError("a unix socket is named by its whole path: unix:///run/racoon-exporter/web.sock")
        return parts
    try:
        port = parts.port
    except ValueError as error:
        raise UrlError(f"{url!r} has a port that is none") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise UrlError(f"{url!r} is no address of an exporter; write {DEFAULT_URL}, https://… or unix:///…")
    return parts


class Client:
    """Asks one exporter; not thread-safe."""

    def __init__(self, url: str, settings: ClientSettings | None = None) -> None:
        """Prepare to ask. Raises UrlError; Trouble where a file of the TLS settings cannot be used."""
        self._url = checked(url)
        self.shown = (url if "://" in url else self._url.geturl()).rstrip("/")
        self._settings = settings or ClientSettings()
        self._context = self._tls() if self._url.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None
        self._kept: dict[str, tuple[str, Body]] = {}
        """By target: the last answer and its ETag."""

    def get(self, resource: str, **parameters: str | int) -> Body:
        """Give a resource of the API. Raises Trouble or NotHereError."""
        query = "?" + urlencode(parameters, errors="surrogatepass") if parameters else ""
        prefix = "" if self._url.scheme == "unix" else self._url.path.rstrip("/")
        return self._body(f"{prefix}/api/v1/{resource}{query}", resource)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _body(self, target: str, resource: str) -> Body:
        tag, kept = self._kept.get(target, ("", {}))
        status, headers, content = self._ask(target, {"If-None-Match": tag} if tag else {})
        if status == http.HTTPStatus.NOT_MODIFIED and kept:
            return kept
        self._check(status, content, resource)
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Trouble(f"{self.shown} answers, but not as racoon-exporter does: is this its address?")
        if len(self._kept) > 100:
            self._kept.clear()
        if headers.get("etag"):
            self._kept[target] = headers["etag"], body
        return body

    def _ask(self, target: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Ask once, and once more where a connection that was kept had been closed."""
        fresh = self._connection is None
        try:
            return self._exchange(target, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            if fresh:
                raise Trouble(f"{self.shown} hangs up: does it speak TLS, so that the address begins with https://?") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Trouble(self._why(error)) from error
        return self._ask(target, headers)

    def _exchange(self, target: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        connection = self._connection = self._connection or self._connect()
        connection.request("GET", target, headers={**self._headers(), **headers})
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            self.close()
            raise Trouble(f"{self.shown} answers without end: is this the address of racoon-exporter?")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def _connect(self) -> http.client.HTTPConnection:
        if self._url.scheme == "unix":
            return _UnixConnection(self._url.path)
        host = self._url.hostname or ""
        if self._context is None:
            return http.client.HTTPConnection(host, self._url.port or 80, timeout=SECONDS)
        return _TlsConnection(host, self._url.port or 443, self._context, self._settings.server_name or host)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": f"racoon-exporter-top/{__version__}"}
        if self._settings.basic is not None:
            pair = ":".join(self._settings.basic).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        elif self._settings.authorization is not None:
            headers["Authorization"] = self._settings.authorization
        return headers

    def _tls(self) -> ssl.SSLContext:
        settings = self._settings
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
            if settings.cert_file is not None:
                context.load_cert_chain(settings.cert_file, settings.key_file)
        except (OSError, ssl.SSLError) as error:
            named = ", ".join(str(path) for path in (settings.ca_file, settings.cert_file, settings.key_file) if path)
            raise Trouble(f"a file of tls_config cannot be used ({named}): {_reason(error)}") from error
        if settings.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _check(self, status: int, content: bytes, resource: str) -> None:
        if status == http.HTTPStatus.OK:
            return
        if status == http.HTTPStatus.UNAUTHORIZED:
            given = self._settings.basic or self._settings.authorization
            hint = "user or password are wrong" if given else "it asks who you are: give --http.config.file with basic_auth"
            raise Trouble(f"{self.shown} lets nobody in unnamed (401): {hint}")
        if status in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.BAD_REQUEST} and _is_ours(content) and resource != "peers":
            raise NotHereError(resource)
        if 300 <= status < 400:
            raise Trouble(f"{self.shown} sends us elsewhere ({status}): give the address it leads to")
        if status == http.HTTPStatus.BAD_REQUEST and self._url.scheme == "http":
            raise Trouble(f"{self.shown} refuses (400): does it speak TLS, so that the address begins with https://?")
        if status == http.HTTPStatus.NOT_FOUND:
            raise Trouble(f"{self.shown} has no API of racoon-exporter (404): is this its address?")
        raise Trouble(f"{self.shown} answers with status {status}")

    def _why(self, error: Exception) -> str:
        match error:
            case ssl.SSLCertVerificationError():
                return f"{self.shown} is not believed: {error.verify_message}; its CA is named as tls_config: ca_file"
            case ssl.SSLError():
                return f"{self.shown} speaks no TLS that we do: {_reason(error)}"
            case TimeoutError():
                return f"{self.shown} does not answer within {SECONDS:.0f} seconds"
            case http.client.HTTPException():
                return f"{self.shown} speaks no HTTP: is the address right, should it begin with https://?"
            case _:
                return f"nobody answers at {self.shown}: {_reason(error)}"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__


def _is_ours(content: bytes) -> bool:
    """Whether an error is told as this API tells them."""
    with contextlib.suppress(ValueError):
        body = json.loads(content)
        return isinstance(body, dict) and isinstance(body.get("error"), str)
    return False


__all__ = ["DEFAULT_URL", "Client", "NotHereError", "Trouble", "UrlError", "checked"]
