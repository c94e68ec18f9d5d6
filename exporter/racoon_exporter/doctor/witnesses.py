"""Witnesses beside the log: asked once, as the service's user; and what the unit lets them."""

from __future__ import annotations

import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import SOON, Finding, Findings, error, ok, several, warning
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.doctor.unit_file import Unit
from racoon_exporter.expected_peers import read_racoon_conf
from racoon_exporter.witness.certificates import Certificates
from racoon_exporter.witness.contract import FilesLook, Witness, WitnessError
from racoon_exporter.witness.dumps import STALE_SECONDS
from racoon_exporter.witness.settings import KernelSettings, RacoonSettings, Text, WitnessSettings
from racoon_exporter.wording.words import duration

_SILENT: Final = (
    "The witness says nothing: traffic, algorithms, expiry and vanished SAs are not known. The log's answers stay right."
)
_NET_ADMIN: Final = "CAP_NET_ADMIN"
_NETLINK: Final = "cp examples/witness-kernel.conf /etc/systemd/system/racoon-exporter.service.d/ && systemctl daemon-reload"
_KEY: Final = re.compile(
    rb"^\s*(?:[EAC]: \S+\s+[0-9a-f]{8} [0-9a-f]{8}|(?:auth|enc|aead)\S* \S+ 0x[0-9a-f]{16,})", re.MULTILINE
)


def check_rights(setup: Setup) -> Findings:
    """Ask each, as the service's user; what a dump's age or a key in it tells is told before."""
    settings = setup.config.witnesses
    yield from _dumps(settings, setup)
    try:
        witnesses = list(settings.witnesses(setup.settings.local_zone))
    except ValueError as lacks:
        yield error(
            "witness", "files", str(lacks), "The exporter does not start.", "pip install 'racoon-exporter[certificates]'"
        )
        witnesses = list(_without_files(settings).witnesses(setup.settings.local_zone))
    for witness in witnesses:
        if witness.name == "kernel" and settings.kernel is not None and settings.kernel.state is None and _given(setup.unit):
            yield ok("witness", "kernel", f"the unit gives {_NET_ADMIN}")
        else:
            yield from _ask(witness, settings, setup)


def _without_files(settings: WitnessSettings) -> WitnessSettings:
    return WitnessSettings(settings.interval, settings.kernel, settings.racoon)


def _ask(witness: Witness, settings: WitnessSettings, setup: Setup) -> Findings:
    try:
        look = witness.look()
    except WitnessError as silent:
        yield _is_silent(witness, str(silent), settings, setup)
        return
    finally:
        witness.close()
    yield ok("witness", witness.name, f"answers {setup.user.name}")
    if isinstance(look, FilesLook):
        yield from of_certificates(look.certificates, setup.host.now())


def _is_silent(witness: Witness, why: str, settings: WitnessSettings, setup: Setup) -> Finding:
    user = setup.user.name
    mends = {
        "kernel": _kernel_mend(settings.kernel, user),
        "racoon": "" if settings.racoon is None else _racoon_mend(settings.racoon, user),
        "files": f"setfacl -m u:{user}:r {settings.files.racoon_config if settings.files else ''}",
    }
    return error("witness", witness.name, why, _SILENT, mends[witness.name])


def _racoon_mend(racoon: RacoonSettings, user: str) -> str:
    wanted = f'listen {{ adminsock "{racoon.socket}" "root" "{user}" 0660; }}'
    return f"ls -la {shlex.quote(str(racoon.socket))}; grep -n adminsock /etc/racoon/racoon.conf    # {wanted}"


def _kernel_mend(kernel: KernelSettings | None, user: str) -> str:
    if kernel is None or kernel.state is None:
        return f"{_NETLINK} && systemctl restart racoon-exporter"
    if kernel.state.file is not None:
        return (
            f"systemctl enable --now racoon-dump.timer; ls -la {kernel.state.file}; setfacl -m u:{user}:r {kernel.state.file}"
        )
    return f"runuser -u {user} -- {shlex.join(kernel.state.command)}"


def _given(unit: Unit | None) -> bool:
    return unit is not None and _NET_ADMIN in unit.words("AmbientCapabilities")


def _dumps(settings: WitnessSettings, setup: Setup) -> Findings:
    kernel = settings.kernel
    for text in (kernel.state, kernel.policy) if kernel is not None else ():
        if isinstance(text, Text) and text.file is not None and readable(text.file, setup.user) is None:
            yield from _dump(text.file, setup)


def _dump(file: Path, setup: Setup) -> Findings:
    status = file.stat()
    age = setup.host.now() - status.st_mtime
    if age <= STALE_SECONDS:
        yield ok("witness", file, f"written {duration(age)} ago")
    with file.open("rb") as dump:
        keys = _KEY.search(dump.read(1 << 20)) is not None
    if keys and status.st_mode & stat.S_IRWXO:
        yield warning(
            "witness",
            file,
            f"holds keys, and is open to everybody (mode {stat.S_IMODE(status.st_mode):04o})",
            "Whoever has an account here can read the traffic of every tunnel.",
            f"chmod o= {shlex.quote(str(file))}    # or write it as examples/racoon-dump.service does, without keys",
        )


def of_certificates(certificates: Certificates, now: float) -> Iterator[Finding]:
    """Say which of racoon's certificates and CRLs are over, or soon will be, and what is missing."""
    for certificate in certificates.certificates:
        if certificate.not_after < now:
            yield _over(
                certificate.file,
                f"expired {duration(now - certificate.not_after)} ago",
                "racoon refuses it, and so does the peer.",
            )
        elif certificate.not_before > now:
            yield _over(
                certificate.file, f"valid only in {duration(certificate.not_before - now)}", "The peer refuses it until then."
            )
        elif certificate.not_after < now + SOON:
            yield warning(
                "certificate",
                certificate.file,
                f"expires in {duration(certificate.not_after - now)}",
                "From then on phase 1 fails with every peer that checks it.",
                f"openssl x509 -noout -subject -enddate -in {shlex.quote(certificate.file)}    # and renew it",
            )
    for crl in certificates.crls:
        if crl.next_update is not None and crl.next_update < now:
            yield _over(
                crl.file,
                f"this CRL should have been renewed {duration(now - crl.next_update)} ago",
                "Phase 1 may fail with crl_expired.",
            )
    if certificates.missing_crls:
        yield ok("certificate", several(list(certificates.missing_crls)), "no CRL: racoon warns of it and goes on")
    for fault in certificates.faults:
        yield warning(
            "certificate",
            fault.file,
            fault.text,
            "What racoon needs of it is not there, or not safe.",
            f"ls -la {shlex.quote(fault.file)}",
        )


def _over(file: str, found: str, meaning: str) -> Finding:
    return error(
        "certificate", file, found, meaning, f"openssl x509 -noout -subject -dates -in {shlex.quote(file)}    # and renew it"
    )


def check_unit(setup: Setup) -> Findings:
    """Look whether the unit lets a witness by netlink: a capability that it does not pass on is worth nothing."""
    kernel, unit = setup.config.witnesses.kernel, setup.unit
    if kernel is None or kernel.state is not None or unit is None:
        return
    lacks = []
    if _NET_ADMIN not in unit.words("AmbientCapabilities"):
        lacks.append(f"AmbientCapabilities={_NET_ADMIN}")
    if ("Service", "CapabilityBoundingSet") in unit.values and _NET_ADMIN not in unit.words("CapabilityBoundingSet"):
        lacks.append(f"CapabilityBoundingSet={_NET_ADMIN}")
    if unit.is_on("PrivateUsers"):
        lacks.append("PrivateUsers=no")
    families = unit.words("RestrictAddressFamilies")
    if families and "AF_NETLINK" not in families:
        lacks.append("RestrictAddressFamilies=AF_NETLINK")
    if lacks:
        yield error(
            "witness",
            "kernel",
            f"the unit lacks {', '.join(lacks)}",
            _SILENT,
            f"{_NETLINK} && systemctl restart racoon-exporter",
        )


def check_racoon_certificates(setup: Setup) -> Findings:
    """Look at the certificates of racoon.conf where no witness does, if they can be read here."""
    from racoon_exporter.witness.files import CertificateFiles  # noqa: PLC0415  what it needs is an extra

    conf = setup.racoon_conf
    if conf is None or setup.config.witnesses.files is not None:
        return
    try:
        if not any(section.certificate_type for section in read_racoon_conf(conf).remotes):
            return
        look = CertificateFiles(conf).look()
    except (OSError, ValueError, WitnessError):
        return  # racoon.conf is looked at elsewhere; without the extra nobody can look
    yield from of_certificates(look.certificates, setup.host.now())
