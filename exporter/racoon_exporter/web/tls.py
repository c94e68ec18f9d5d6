"""Python's ssl set up as the web configuration file asks, and the check of a client certificate's names."""

from __future__ import annotations

import ipaddress
import os
import ssl
import stat
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from racoon_exporter.web.config import ClientAuth, Pem, TlsConfig
from racoon_exporter.yaml_document import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VERIFY_MODES = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}
#: Suites for TLS 1.2 where the file names none: no CBC (padding oracles), no finite fields (see _KEY_EXCHANGE).
_CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
#: The group for the key exchange where the file names none. OpenSSL's own list holds finite fields of up to 8,192 bits, for
#: which an answer takes a hundred times as long, and anybody may ask for one before he has shown who he is. Python's ssl
#: takes one curve or that list; every TLS 1.3 client knows P-256 (RFC 8446, 9.1).
_KEY_EXCHANGE = "prime256v1"
_SAN_TYPES = frozenset({"DNS", "email", "URI"})


class TlsError(Exception):
    """The TLS settings cannot be used; ``problem`` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def server_context(config: TlsConfig) -> ssl.SSLContext:
    """Load certificate, key and CA and return the context for new connections; raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if config.allow_tls12 else ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if config.allow_tls13 else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if config.prefer_server_ciphers:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.set_ciphers(":".join(config.ciphers or _CIPHERS))
    _offer(context, config.curve or _KEY_EXCHANGE)
    _load_certificate(context, config)
    _load_client_ca(context, config)
    return context


def _offer(context: ssl.SSLContext, curve: str) -> None:
    try:
        context.set_ecdh_curve(curve)
    except ssl.SSLError:
        # Python 3.11.2 (Debian 12) cannot name X25519.
        if curve != "X25519":
            raise
        context.set_ecdh_curve(_KEY_EXCHANGE)


def client_is_allowed(config: TlsConfig, certificate: Mapping[str, Any] | None) -> bool:
    """Tell whether a verified client certificate carries one of client_allowed_sans (always, where none are asked).

    ``certificate`` is what SSLObject.getpeercert() returns. Names match exactly, as in the toolkit; addresses match
    however they are spelled.
    """
    if config.client_allowed_sans is None:
        return True
    names = () if certificate is None else certificate.get("subjectAltName", ())
    return any(_is_allowed(kind, value, config.client_allowed_sans) for kind, value, *_ in names)


def _is_allowed(kind: str, value: str, allowed: frozenset[str]) -> bool:
    if kind in _SAN_TYPES:
        return value in allowed
    return kind == "IP Address" and _address(value) in {address for address in map(_address, allowed) if address}


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _load_certificate(context: ssl.SSLContext, config: TlsConfig) -> None:
    _require_readable(config.certificate)
    _require_readable(config.key)
    try:
        with _as_file(config.certificate) as certificate, _as_file(config.key) as key:
            context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, ValueError) as error:
        # OpenSSL does not tell which of the two files it dislikes, except that a mismatch is the key's.
        source = config.key if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH" else config.certificate
        both = f"{config.certificate.key} and {config.key.key}"
        raise TlsError(Problem(source.line, f"{both}: {_reason(error)}")) from error


def _load_client_ca(context: ssl.SSLContext, config: TlsConfig) -> None:
    context.verify_mode = _VERIFY_MODES[config.client_auth]
    if config.client_auth is ClientAuth.NONE:
        return
    # Go takes every certificate of the pool for a root, also an intermediate CA and a client's own certificate.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if config.client_ca is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)  # as Go: no pool means the system's
        return
    _require_readable(config.client_ca)
    try:
        with _as_file(config.client_ca) as path:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        raise TlsError(Problem(config.client_ca.line, f"{config.client_ca.key}: {_reason(error)}")) from error


def _require_readable(pem: Pem) -> None:
    """Raise TlsError with the path in it where a file cannot be opened; OpenSSL's own message lacks the path."""
    if pem.path is None:
        return
    try:
        if not stat.S_ISREG(pem.path.stat().st_mode):
            raise ValueError("not a regular file")  # noqa: TRY301 -- a FIFO would block the open below
        with pem.path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise TlsError(Problem(pem.line, f"{pem.key}: cannot read {pem.path}: {_reason(error)}")) from error


@contextmanager
def _as_file(pem: Pem) -> Iterator[str]:
    """Yield a path to PEM data, since ssl loads keys from files only; inline data never touches a disk on Linux."""
    if pem.path is not None:
        yield str(pem.path)
    elif hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create(pem.key, os.MFD_CLOEXEC), "wb") as memory:
            memory.write(pem.text.encode())
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:  # readable by its owner only
            file.write(pem.text.encode())
            file.flush()
            yield file.name


def _no_passphrase() -> NoReturn:
    # Without this OpenSSL asks on the terminal, and the exporter hangs.
    raise ValueError("the key is encrypted with a passphrase, which is not supported")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "not usable").replace("_", " ").lower()
        return "no certificate or key in PEM form" if reason in {"no start line", "not usable", "pem lib"} else reason
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
