"""A certificate authority for tests: certificates, keys and CRLs, in the layout that racoon reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)


def name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab  Network"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authority:
    """A CA with its key."""

    common: str = "Lab CA"
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    def certificate(
        self, common: str, key: ec.EllipticCurvePrivateKey, *, days: int = 30, ca: bool = False, ends: datetime | None = None
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(name(self.common))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=400))
            .not_valid_after(ends or NOW + timedelta(days=days))
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def own(self) -> bytes:
        return self.certificate(self.common, self.key, ca=True)

    def crl(self, *, days: int = 7) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(name(self.common))
        builder = builder.last_update(NOW - timedelta(days=30)).next_update(NOW + timedelta(days=days))
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def with_an_extension_twice() -> bytes:
    """A certificate that no builder makes: two extensions, of which the second is renamed to the first."""
    key, first, second = new_key(), "1.2.3.4.5", "1.2.3.4.6"
    builder = x509.CertificateBuilder().subject_name(name("gw")).issuer_name(name("gw")).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=3))
    for oid in (first, second):
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00")
        builder = builder.add_extension(extension, critical=False)
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return der.replace(bytes.fromhex("2a030406"), bytes.fromhex("2a030405"))


CONF = """path certificate "{directory}";
remote 192.0.2.2 {{
    exchange_mode main;
    certificate_type x509 "gw.crt" "gw.key";
    ca_type x509 "ca.crt";
    proposal {{ authentication_method rsasig; dh_group 2; }}
}}
"""


def installed(directory: Path, authority: Authority, *, days: int = 30) -> Path:
    """Write racoon.conf, CA, certificate and key; give racoon.conf."""
    key = new_key()
    (directory / "ca.crt").write_bytes(authority.own())
    (directory / "gw.crt").write_bytes(authority.certificate("gw", key, days=days))
    (directory / "gw.key").write_bytes(key_bytes(key))
    (directory / "gw.key").chmod(0o600)
    conf = directory / "racoon.conf"
    conf.write_text(CONF.format(directory=directory))
    return conf
