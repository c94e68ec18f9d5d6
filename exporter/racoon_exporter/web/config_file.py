"""The web configuration file of Prometheus' exporter-toolkit, read into values.

Follows docs/web-configuration.md, ``web/tls_config.go`` and ``web/handler.go`` of the toolkit (0.20): its keys, defaults and
checks. Where this server cannot do what Go does, the file is refused rather than served more weakly than it asks;
docs/web.md lists each case.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from racoon_exporter.web.config import ClientAuth, Pem, RateLimit, TlsConfig, WebConfig
from racoon_exporter.yaml_document import Section, compose, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from racoon_exporter.yaml_document import Problem

#: Go's tls.CipherSuites() and OpenSSL's name of each; None marks TLS 1.3, whose suites neither Go nor we let be chosen.
CIPHER_SUITES: Mapping[str, str | None] = MappingProxyType(
    {
        "TLS_AES_128_GCM_SHA256": None,
        "TLS_AES_256_GCM_SHA384": None,
        "TLS_CHACHA20_POLY1305_SHA256": None,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    }
)

#: Go's names of the curves and OpenSSL's.
CURVES: Mapping[str, str] = MappingProxyType(
    {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}
)

#: The headers a file may set, with the values allowed (empty: any).
HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Content-Security-Policy": (),
        "Strict-Transport-Security": (),
        "X-Content-Type-Options": ("nosniff",),
        "X-Frame-Options": ("deny", "sameorigin"),
        "X-XSS-Protection": (),
    }
)

_TOP_KEYS = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")
_TLS_KEYS = (
    "cert",
    "key",
    "client_ca",
    "cert_file",
    "key_file",
    "client_auth_type",
    "client_ca_file",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
)
_TLS_VERSIONS = ("TLS10", "TLS11", "TLS12", "TLS13")
_UNVERIFIED = ("RequireAnyClientCert", "RequireClientCert")  # the second is the toolkit's old spelling of the first
_CLIENT_AUTH: Mapping[str, ClientAuth] = MappingProxyType(
    {
        "": ClientAuth.NONE,
        "NoClientCert": ClientAuth.NONE,
        # Go asks for a certificate, does not look at it and lets everybody in: who gets in is the same without asking.
        "RequestClientCert": ClientAuth.NONE,
        "VerifyClientCertIfGiven": ClientAuth.IF_GIVEN,
        "RequireAndVerifyClientCert": ClientAuth.REQUIRED,
        # Go lets in any certificate, verified by nobody. Python's ssl has no such mode; with a CA we verify, which is stricter.
        **dict.fromkeys(_UNVERIFIED, ClientAuth.REQUIRED),
    }
)

#: What bcrypt prints: version, cost, 22 characters of salt (128 bits, so the last one holds two) and 31 of hash.
_BCRYPT = re.compile(r"\$2[abxy]?\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def parse_web_config(text: str, directory: Path) -> tuple[WebConfig, list[Problem]]:
    """Read a web configuration file; relative paths in it are relative to ``directory``, that of the file.

    Certificates and keys are not opened here. With problems the configuration returned is not to be used.
    """
    node, problems = compose(text)
    top = Section("the file", node, problems, _TOP_KEYS)
    config = WebConfig(
        tls=_tls(top.section("tls_server_config", _TLS_KEYS), directory),
        headers=_headers(top.section("http_server_config", ("http2", "headers"))),
        users=_users(top.section("basic_auth_users")),
        rate_limit=_rate_limit(top.section("rate_limit", ("interval", "burst"))),
    )
    return config, sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration as Go writes it ("1s", "1m30s", "1.5h"), None where it is none.

    A bare whole number is nanoseconds, as for yaml.v2 and time.Duration. Negative durations are None.
    """
    text = text.removeprefix("+")
    if text.isascii() and text.isdigit():
        return int(text) / 10**9
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return float(sum(float(number) * _NANOSECONDS[unit] for number, unit in parts)) / 10**9


def _tls(section: Section, directory: Path) -> TlsConfig | None:
    certificate = _pem(section, "cert", directory)
    key = _pem(section, "key", directory)
    client_ca = _pem(section, "client_ca", directory)
    auth = _client_auth(section, client_ca)
    allowed = _allowed_sans(section, auth)
    allow_tls12, allow_tls13 = _versions(section)
    ciphers = _ciphers(section)
    curve = _curve(section)
    prefer_server_ciphers = section.boolean("prefer_server_cipher_suites", default=True)
    if not _asks_for_tls(section):
        return None
    if certificate is None:
        section.note("tls_server_config: missing one of cert or cert_file")
    if key is None:
        section.note("tls_server_config: missing one of key or key_file")
    if ciphers == ():  # TLS 1.3 suites only: Go then finds no suite for a TLS 1.2 client
        allow_tls12, ciphers = False, None
        if not allow_tls13:
            section.note("cipher_suites holds no suite for TLS 1.2, and max_version allows no other", "cipher_suites")
    if certificate is None or key is None:
        return None
    return TlsConfig(
        certificate=certificate,
        key=key,
        client_auth=auth,
        client_ca=client_ca,
        client_allowed_sans=allowed,
        allow_tls12=allow_tls12,
        allow_tls13=allow_tls13,
        ciphers=ciphers,
        prefer_server_ciphers=prefer_server_ciphers,
        curve=curve,
    )


def _asks_for_tls(section: Section) -> bool:
    """Tell whether the section wants TLS at all; blank texts count as absent.

    The toolkit serves plain HTTP where neither certificate nor client authentication is named, even if, say, min_version
    is. Whoever writes that wants TLS: any key that is set asks for it.
    """
    blank = {"cert", "key", "client_ca", "cert_file", "key_file", "client_ca_file", "client_auth_type"}
    return any(key not in blank or section.text(key) for key in section.keys())  # noqa: SIM118 -- not a dict


def _pem(section: Section, name: str, directory: Path) -> Pem | None:
    """Return what KEY_file or KEY names. The file wins where both are given, as in the toolkit."""
    key = f"{name}_file"
    if path := section.text(key):
        return Pem(key, section.line_at(key), directory / path)
    if text := section.text(name):
        return Pem(name, section.line_at(name), None, text)
    return None


def _client_auth(section: Section, client_ca: Pem | None) -> ClientAuth:
    name = section.text("client_auth_type") or ""
    auth = _CLIENT_AUTH.get(name)
    if auth is None:
        section.note(
            f"client_auth_type {shown(name)} is unknown; use one of {', '.join(filter(None, _CLIENT_AUTH))}", "client_auth_type"
        )
        return ClientAuth.REQUIRED
    if name in _UNVERIFIED and client_ca is None:
        section.note(
            f"client_auth_type {name} lets in certificates that nobody has verified, which is not served here; "
            "use RequireAndVerifyClientCert, or name the clients' certificates in client_ca_file",
            "client_auth_type",
        )
    if client_ca is not None and name in {"", "NoClientCert"}:
        section.note(f"{client_ca.key} is set, but no client_auth_type asks for client certificates", client_ca.key)
    return auth


def _allowed_sans(section: Section, auth: ClientAuth) -> frozenset[str] | None:
    entries = section.entries("client_allowed_sans")
    if entries is None:
        return None
    if auth is not ClientAuth.REQUIRED:
        section.note("client_allowed_sans needs client_auth_type RequireAndVerifyClientCert", "client_allowed_sans")
    if not entries:
        section.note("client_allowed_sans is empty and would let nobody in", "client_allowed_sans")
    return frozenset(entry.text for entry in entries)


def _versions(section: Section) -> tuple[bool, bool]:
    """Return whether TLS 1.2 and TLS 1.3 are allowed. Older ones never are (RFC 8996), whatever min_version says."""
    lowest, highest = (_version(section, key, default) for key, default in (("min_version", "TLS12"), ("max_version", "TLS13")))
    if highest < lowest:
        section.note("max_version is below min_version", "max_version")
    elif highest < "TLS12":
        section.note("max_version must be TLS12 or TLS13: TLS 1.0 and 1.1 are not served (RFC 8996)", "max_version")
    return lowest <= "TLS12" <= highest, highest == "TLS13"


def _version(section: Section, key: str, default: str) -> str:
    version = section.text(key)
    if version is None or version in _TLS_VERSIONS:
        return version or default
    section.note(f"{key} {shown(version)} is unknown; use one of {', '.join(_TLS_VERSIONS)}", key)
    return default


def _ciphers(section: Section) -> tuple[str, ...] | None:
    """Return OpenSSL's names of the suites for TLS 1.2, in order; empty if only TLS 1.3 suites are listed."""
    entries = section.entries("cipher_suites")
    if not entries:
        return None
    for entry in entries:
        if entry.text not in CIPHER_SUITES:
            section.note_at(entry.line, f"cipher_suites: {shown(entry.text)} is no suite that Go counts as secure")
    names = (CIPHER_SUITES.get(entry.text) for entry in entries)
    return tuple(name for name in names if name is not None)


def _curve(section: Section) -> str | None:
    """Return the one curve to offer: Python's ssl takes one, or OpenSSL's whole list.

    P-256 if it is listed, since every TLS 1.3 client must know it (RFC 8446, 9.1); else the first.
    """
    entries = section.entries("curve_preferences")
    if not entries:
        return None
    for entry in entries:
        if entry.text not in CURVES:
            section.note_at(entry.line, f"curve_preferences: {shown(entry.text)} is unknown; use {', '.join(CURVES)}")
    known = [entry.text for entry in entries if entry.text in CURVES]
    return CURVES["CurveP256" if "CurveP256" in known else known[0]] if known else None


def _headers(section: Section) -> Mapping[str, str]:
    section.boolean("http2", default=True)  # read for its type only: HTTP/2 is not served, whatever it says
    headers = section.section("headers")
    values = headers.texts()
    for name, value in values.items():
        allowed = HEADERS.get(name)
        if allowed is None:
            headers.note(f"header {shown(name)} cannot be configured; allowed are {', '.join(HEADERS)}", name)
        elif allowed and value not in ("", *allowed):
            headers.note(f"{name} must be {' or '.join(allowed)}", name)
        elif not _HEADER_VALUE.fullmatch(value):
            headers.note(f"{name} holds characters that a header cannot carry", name)
    return MappingProxyType(values)


def _users(section: Section) -> Mapping[str, str]:
    users = section.texts()
    for name, password_hash in users.items():
        if not _BCRYPT.fullmatch(password_hash):
            section.note(f"basic_auth_users: the password of {shown(name)} is not a bcrypt hash", name)
    return MappingProxyType(users)


def _rate_limit(section: Section) -> RateLimit | None:
    written = section.text("interval")
    interval = 0.0 if written is None else parse_duration(written)
    burst = section.integer("burst", 0)
    if interval is None:
        section.note('rate_limit: interval must be a duration such as "1s" or "250ms"', "interval")
    if burst < 0:
        section.note("rate_limit: burst must not be negative", "burst")
    return RateLimit(interval, burst) if interval else None
