"""Reads certificates and CRLs with the library cryptography (extra `certificates`), and keeps dates and hashes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from racoon_exporter.witness.certificates import Kind
from racoon_exporter.witness.name_hash import name_hash, old_name_hash

_PEM: Final = b"-----BEGIN"
_ENCRYPTED: Final = b"ENCRYPTED"


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
    except (UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ValueError("not supported") from error


def _certificate(data: bytes) -> Read:
    certificate = x509.load_pem_x509_certificate(data) if _PEM in data else x509.load_der_x509_certificate(data)
    hashes = frozenset({name_hash(certificate.subject), old_name_hash(certificate.subject)})
    hash_ = name_hash(certificate.subject)
    return Read(
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
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
    hashes = frozenset({name_hash(crl.issuer), old_name_hash(crl.issuer)})
    ends = crl.next_update_utc
    return Read(crl.last_update_utc.timestamp(), ends.timestamp() if ends else None, name_hash(crl.issuer), hashes)


def fits(data: bytes, certificate: Read) -> bool | None:
    """Whether a private key belongs to a certificate; None where it is encrypted, or in a form that cannot be read."""
    if _ENCRYPTED in data:
        return None
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == certificate.public_key
