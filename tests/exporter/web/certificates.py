"""A certification authority for tests, made with the openssl command (3.0 or later)."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-sha256")


@dataclass(frozen=True, slots=True)
class Certificate:
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    directory: Path

    @classmethod
    def create(cls, directory: Path) -> Authority:
        authority = cls(directory)
        _openssl(
            "req", "-x509", *_NEW_KEY, "-keyout", authority.key, "-out", authority.certificate, "-subj", "/CN=test CA",
            "-addext", "keyUsage=critical,keyCertSign",  # from Python 3.13 on the clients verify strictly
        )  # fmt: skip
        return authority

    @property
    def certificate(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def key(self) -> Path:
        return self.directory / "ca.key"

    def issue(self, name: str, sans: str = "DNS:localhost,IP:127.0.0.1,IP:::1") -> Certificate:
        issued = Certificate(self.directory / f"{name}.crt", self.directory / f"{name}.key")
        _openssl(
            "req", "-x509", "-CA", self.certificate, "-CAkey", self.key, *_NEW_KEY,
            "-keyout", issued.key, "-out", issued.certificate, "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={sans}", "-addext", "basicConstraints=CA:FALSE",
        )  # fmt: skip
        return issued

    def client_context(self, identity: Certificate | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.certificate))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context


def encrypt_key(key: Path, encrypted: Path) -> None:
    _openssl("pkcs8", "-topk8", "-in", key, "-out", encrypted, "-passout", "pass:secret")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)
