"""When a certificate is valid: read from its DER (RFC 5280, 4.1), since Python's ssl tells it of peers only."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from typing import Final, NamedTuple

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION: Final = 0xA0
_TIMES: Final = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
"""UTCTime and GeneralizedTime; years of two digits are of this century up to 68."""


class Dates(NamedTuple):
    """When a certificate is valid, in seconds since the epoch."""

    begins: float
    ends: float


def dates(pem: str) -> Dates | None:
    """Tell the dates of the first certificate in a text; None where there is none, or it is not one."""
    found = _PEM.search(pem)
    try:
        return None if found is None else _validity(ssl.PEM_cert_to_DER_cert(found[0]))
    except (ValueError, IndexError):
        return None


def _validity(der: bytes) -> Dates:
    """Walk to the validity: behind version, serial number, signature and issuer."""
    _, certificate = _element(der)[:2]
    _, signed = _element(certificate)[:2]
    tag, _, rest = _element(signed)
    if tag == _VERSION:
        _, _, rest = _element(rest)
    for _ in range(2):
        _, _, rest = _element(rest)
    _, validity, _ = _element(rest)
    first, begins, rest = _element(validity)
    second, ends, _ = _element(rest)
    return Dates(_time(first, begins), _time(second, ends))


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Give the tag, the content and what follows of the first element. Raises IndexError where there is none."""
    tag, size, begins = data[0], data[1], 2
    if size & 0x80:
        begins += size & 0x7F
        size = int.from_bytes(data[2:begins], "big")
    return tag, data[begins : begins + size], data[begins + size :]


def _time(tag: int, content: bytes) -> float:
    return datetime.strptime(content.decode("ascii"), _TIMES.get(tag, "")).replace(tzinfo=UTC).timestamp()
