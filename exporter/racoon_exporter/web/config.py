"""What a web configuration file says, as values; `config_file` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ClientAuth(Enum):
    """What is asked of a client's certificate (Go's crypto/tls ClientAuthType, as far as it is served)."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


@dataclass(frozen=True, slots=True)
class Pem:
    """PEM data from a file, or written into the configuration itself.

    ``key`` is the key of the configuration that names it, ``line`` its line.
    """

    key: str
    line: int | None
    path: Path | None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """The section tls_server_config.

    ``ciphers`` are OpenSSL's names for TLS 1.2, None where all defaults hold. ``curve`` is OpenSSL's name of the one
    curve offered, None for the default list. ``client_allowed_sans`` is None where every verified client is let in.
    """

    certificate: Pem
    key: Pem
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca: Pem | None = None
    client_allowed_sans: frozenset[str] | None = None
    allow_tls12: bool = True
    allow_tls13: bool = True
    ciphers: tuple[str, ...] | None = None
    prefer_server_ciphers: bool = True
    curve: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket: one request each ``interval`` seconds, ``burst`` at once."""

    interval: float
    burst: int


@dataclass(frozen=True, slots=True)
class WebConfig:
    """A whole web configuration file. ``users`` maps names to bcrypt hashes; ``headers`` a blank value means: leave out."""

    tls: TlsConfig | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate_limit: RateLimit | None = None
