"""Witness `files`: the certificates, keys and CRLs that racoon.conf names, read again when they change.

Needs the extra `certificates` (the library cryptography). Of a private key only its permissions and whether it fits its
certificate are looked at; nothing of it is kept.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from racoon_exporter.expected_peers import normal_address, read_racoon_conf
from racoon_exporter.witness.certificates import Certificate, Certificates, Crl, Fault, Kind
from racoon_exporter.witness.contract import FilesLook, WitnessError
from racoon_exporter.witness.crypto import Crypto, of_proposal

if TYPE_CHECKING:
    from racoon_exporter.witness.x509 import Authority, Read
    from racoon_parsers.racoon_conf import RacoonConf

MOST_BYTES: Final = 1024 * 1024
"""Bytes of the largest certificate file that is read; a CRL may be larger."""
MOST_CRL_BYTES: Final = 64 * 1024 * 1024
MOST_FILES: Final = 2000
"""Files of the certificate directory that are looked at."""
_HASHED: Final = re.compile(r"(?P<hash>[0-9a-f]{8})\.(?P<crl>r?)(?P<number>\d{1,3})$")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(slots=True)
class _Gathered:
    """What was found so far."""

    certificates: dict[str, Certificate] = field(default_factory=dict)
    crls: list[Crl] = field(default_factory=list)
    crl_hashes: set[str] = field(default_factory=set)
    """Hashes of issuers for which a CRL stands where racoon looks for it."""
    authorities: dict[str, Authority] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class CertificateFiles:
    """The files behind a racoon.conf."""

    name = "files"

    def __init__(self, racoon_conf: Path, *, gateway: str | None = None) -> None:
        """Name the configuration. Raises ValueError where the library that reads certificates is not installed."""
        self.gateway = gateway
        self._conf = racoon_conf
        try:
            from racoon_exporter.witness import x509  # noqa: PLC0415 - the extra is asked for where it is used
        except ModuleNotFoundError as error:
            raise ValueError(
                "witness files needs the extra `certificates`: pip install 'racoon-exporter[certificates]'"
            ) from error
        self._x509 = x509
        self._read: dict[Path, tuple[object, Read]] = {}
        """By file: its size and times, and what stood in it."""

    def look(self) -> FilesLook:
        """Read racoon.conf, and what changed of the files it names."""
        try:
            conf = read_racoon_conf(self._conf)
        except OSError as error:
            raise WitnessError(f"{self._conf}: {error.strerror or error}") from error
        gathered = _Gathered()
        for path, kind in _named(conf):
            self._take(path, kind, gathered)
        for certificate, key in _pairs(conf):
            self._check_key(certificate, key, gathered)
        directory = conf.paths.get("certificate")
        if directory:
            self._take_directory(Path(directory), gathered)
        self._forget()
        return FilesLook(time.time(), _concluded(gathered, directory), tuple(_configured(conf)))

    def close(self) -> None:
        """Nothing is held open."""

    def _forget(self) -> None:
        """Drop what was read of files beyond a bound: they are read again when they are asked for."""
        if len(self._read) > 2 * MOST_FILES:
            self._read.clear()

    def _content(self, path: Path, kind: Kind, gathered: _Gathered) -> Read | None:
        """Give what stands in a file, read anew if it changed."""
        try:
            status = path.stat()
            version = status.st_mtime_ns, status.st_size, status.st_ino, kind
            known = self._read.get(path)
            if known is not None and known[0] == version:
                return known[1]
            read = self._x509.read(_bytes(path, status, kind), kind)
        except OSError as error:
            gathered.faults.append(Fault(str(path), error.strerror or str(error)))
            return None
        except ValueError:
            gathered.faults.append(Fault(str(path), "no CRL" if kind == "crl" else "no certificate"))
            return None
        self._read[path] = version, read
        return read

    def _take(self, path: Path, kind: Kind, gathered: _Gathered) -> None:
        """Take a certificate that racoon.conf names."""
        read = self._content(path, kind, gathered)
        if read is None or str(path) in gathered.certificates:
            return
        gathered.certificates[str(path)] = Certificate(str(path), kind, read.begins, read.ends or 0.0)
        if read.authority is not None:
            gathered.authorities[read.authority.hash] = read.authority

    def _take_directory(self, directory: Path, gathered: _Gathered) -> None:
        """Take what stands under hashes in `path certificate`: CAs as `<hash>.0`, CRLs as `<hash>.r0`."""
        try:
            names = sorted(entry.name for entry in directory.iterdir())
        except OSError as error:
            gathered.faults.append(Fault(str(directory), error.strerror or str(error)))
            return
        for name in names[:MOST_FILES]:
            match = _HASHED.fullmatch(name)
            if match is None:
                continue
            if match["crl"]:
                self._take_crl(directory / name, match["hash"], gathered)
            else:
                self._take_authority(directory / name, match["hash"], gathered)
        if len(names) > MOST_FILES:
            gathered.faults.append(Fault(str(directory), f"only the first {MOST_FILES} files were looked at"))

    def _take_authority(self, path: Path, hash_: str, gathered: _Gathered) -> None:
        self._take(path, "ca", gathered)
        read = self._content(path, "ca", gathered) if str(path) in gathered.certificates else None
        if read is not None and hash_ not in read.subject_hashes:
            gathered.faults.append(Fault(str(path), f"never found: racoon looks for this CA as {min(read.subject_hashes)}.0"))

    def _take_crl(self, path: Path, hash_: str, gathered: _Gathered) -> None:
        read = self._content(path, "crl", gathered)
        if read is None:
            return
        expected = ""
        if hash_ in read.subject_hashes:
            gathered.crl_hashes.update(read.subject_hashes)
        else:
            expected = f"{read.hash}.r0"
            gathered.faults.append(Fault(str(path), f"of another issuer: racoon looks for this CRL as {expected}"))
        gathered.crls.append(Crl(str(path), read.begins, read.ends, expected))

    def _check_key(self, certificate: Path, key: Path, gathered: _Gathered) -> None:
        """Look at a private key: who may read it, and whether it fits. One that we may not read is as it should be."""
        try:
            status = key.stat()
            if status.st_mode & _OTHERS:
                mode = stat.S_IMODE(status.st_mode)
                gathered.faults.append(Fault(str(key), f"the private key is open to others (mode {mode:04o})"))
            data = _bytes(key, status, "certificate")
        except PermissionError:
            return
        except OSError as error:
            gathered.faults.append(Fault(str(key), error.strerror or str(error)))
            return
        read = self._content(certificate, "certificate", gathered) if str(certificate) in gathered.certificates else None
        if read is not None and self._x509.fits(data, read) is False:
            gathered.faults.append(Fault(str(key), f"the private key does not belong to {certificate.name}"))


def _bytes(path: Path, status: os.stat_result, kind: Kind) -> bytes:
    """Read a file of a size that can be one. Raises OSError."""
    limit = MOST_CRL_BYTES if kind == "crl" else MOST_BYTES
    if not stat.S_ISREG(status.st_mode):
        raise OSError(None, "not a regular file")
    if status.st_size > limit:
        raise OSError(None, f"larger than {limit} bytes")
    return path.read_bytes()


def _named(conf: RacoonConf) -> Iterator[tuple[Path, Kind]]:
    """Give the certificate files that sections name, and what they are for."""
    for section in conf.remotes:
        if section.certificate_type is not None and section.certificate_type.certificate:
            yield Path(conf.certificate_path(section.certificate_type.certificate)), "certificate"
        if section.ca_type:
            yield Path(conf.certificate_path(section.ca_type)), "ca"
        if section.peers_certfile:
            yield Path(conf.certificate_path(section.peers_certfile)), "peer"


def _configured(conf: RacoonConf) -> Iterator[tuple[str, Crypto]]:
    """Give what each remote section with an address proposes, in each of its exchange modes."""
    for section in conf.remotes:
        if section.peer is not None:
            for exchange in section.exchange_modes:
                for proposal in section.proposals:
                    yield normal_address(section.peer), of_proposal(exchange, proposal)


def _pairs(conf: RacoonConf) -> Iterator[tuple[Path, Path]]:
    """Give each certificate of ours with its key, once."""
    pairs = {
        (files.certificate, files.key)
        for section in conf.remotes
        if (files := section.certificate_type) is not None and files.kind == "x509" and files.certificate and files.key
    }
    for certificate, key in sorted(pairs):
        yield Path(conf.certificate_path(certificate)), Path(conf.certificate_path(key))


def _concluded(gathered: _Gathered, directory: str | None) -> Certificates:
    missing = [
        str(Path(directory or "", f"{authority.hash}.r0"))
        for authority in gathered.authorities.values()
        if not gathered.crl_hashes & authority.hashes
    ]
    return Certificates(
        tuple(gathered.certificates.values()), tuple(gathered.crls), tuple(sorted(missing)), tuple(gathered.faults)
    )
