"""Reads certificates and CRLs with the library cryptography (extra `certificates`), and keeps dates and hashes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from racoon_exporter.witness.certificates import Kind
from racoon_exporter.witness.name_hash import name_hash, old_name_hash

_PEM: Final = b"-----BEGIN"
_ENCRYPTED: Final = b"ENCRYPTED"
_LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""99991231235959Z: an end that is not known (RFC 5280, 4.1.2.5); east of Greenwich it is in a year nobody can write."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA, by the hashes of its name: `hash` of today's OpenSSL, `hashes` of any."""

    hash: str
    hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Read:
    """What is kept of a certificate or CRL."""

    begins: float
    """Not before, or last update."""
    ends: float | None
    """Not after, or next update."""
    hash: str
    """Hash of a certificate's subject, or of a CRL's issuer."""
    subject_hashes: frozenset[str]
    """That hash as any OpenSSL has it."""
    authority: Authority | None = None
    """The CA that it is, where it is one."""
    public_key: bytes = b""
    """Of a certificate of ours."""


def read(data: bytes, kind: Kind) -> Read:
    """Read a file. Raises ValueError for what is no certificate, or no CRL."""
    try:
        return _crl(data) if kind == "crl" else _certificate(data)
    except (UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError("not supported") from error


def _certificate(data: bytes) -> Read:
    certificate = x509.load_pem_x509_certificate(data) if _PEM in data else x509.load_der_x509_certificate(data)
    hash_ = name_hash(certificate.subject)
    hashes = frozenset({hash_, old_name_hash(certificate.subject)})
    return Read(
        _seconds(certificate.not_valid_before_utc),
        _seconds(certificate.not_valid_after_utc),
        hash_,
        hashes,
        Authority(hash_, hashes) if _is_authority(certificate) else None,
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign others: by its constraints, or, of old, as it signed itself."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.subject == certificate.issuer


def _crl(data: bytes) -> Read:
    crl = x509.load_pem_x509_crl(data) if _PEM in data else x509.load_der_x509_crl(data)
    hash_ = name_hash(crl.issuer)
    ends = crl.next_update_utc
    return Read(
        _seconds(crl.last_update_utc),
        _seconds(ends) if ends else None,
        hash_,
        frozenset({hash_, old_name_hash(crl.issuer)}),
    )


def _seconds(moment: datetime) -> float:
    return min(moment, _LATEST).timestamp()


def fits(data: bytes, certificate: Read) -> bool | None:
    """Whether a private key belongs to a certificate; None where it is encrypted, or in a form that cannot be read."""
    if _ENCRYPTED in data:
        return None
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == certificate.public_key
