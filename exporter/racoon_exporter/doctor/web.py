"""The web configuration: TLS, passwords, and who may read its key. Opened as the service's user."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import SOON, Finding, Findings, error, ok, warning
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.web.certificate_validity import dates
from racoon_exporter.web.config import Pem, TlsConfig, WebConfig
from racoon_exporter.web.config_file import parse_web_config
from racoon_exporter.web.listen import split_address
from racoon_exporter.web.problems import ListenError
from racoon_exporter.web.tls import TlsError, server_context
from racoon_exporter.wording.words import count, duration

_LOOPBACK: Final = ("localhost", "127.", "::1")
_NO_SERVICE: Final = "The exporter does not start; one that runs keeps what it has."


def check_rights(setup: Setup) -> Findings:
    """Read the file, and open what it names, as the service's user."""
    path = setup.settings.web_config
    if path is None:
        yield from _exposure(WebConfig(), setup)
        return
    refusal = readable(path, setup.user)
    if refusal is not None:
        yield error("web", path, refusal.why, _NO_SERVICE, refusal.mend)
        return
    try:
        config, problems = parse_web_config(path.read_text(encoding="utf-8"), path.parent)
    except UnicodeDecodeError:
        yield error("web", path, "not UTF-8, or no text at all", _NO_SERVICE, f"file {shlex.quote(str(path))}")
        return
    for problem in problems:
        yield error("web", path, str(problem), _NO_SERVICE, f"racoon-exporter check-config {shlex.quote(str(path))}")
    if not problems:
        yield ok("web", path, f"understood; TLS {'on' if config.tls else 'off'}, {count(len(config.users), 'user')}")
        yield from _exposure(config, setup)
    if config.tls is not None:
        yield from _tls(config.tls, setup)


def _tls(config: TlsConfig, setup: Setup) -> Findings:
    refused = False
    for pem in (config.certificate, config.key, *((config.client_ca,) if config.client_ca else ())):
        refusal = None if pem.path is None else readable(pem.path, setup.user)
        if refusal is not None and pem.path is not None:
            refused = True
            yield error("certificate", pem.path, refusal.why, _NO_SERVICE, refusal.mend)
    if refused:
        return
    try:
        server_context(config)
    except TlsError as wrong:
        yield error(
            "certificate",
            config.certificate.path or "cert",
            str(wrong.problem),
            _NO_SERVICE,
            f"openssl x509 -noout -enddate -in {_place(config.certificate)}; openssl pkey -noout -in {_place(config.key)}",
        )
        return
    yield from _key_mode(config.key)
    yield from _dates(config.certificate, setup)


def _place(pem: Pem) -> str:
    return shlex.quote(str(pem.path or "FILE"))


def _key_mode(key: Pem) -> Findings:
    if key.path is None:
        return
    mode = key.path.stat().st_mode
    if mode & stat.S_IRWXO:
        yield warning(
            "certificate",
            key.path,
            f"the private key is open to everybody (mode {stat.S_IMODE(mode):04o})",
            "Whoever has an account here can pose as this exporter.",
            f"chmod o= {shlex.quote(str(key.path))}",
        )


def _dates(certificate: Pem, setup: Setup) -> Findings:
    text = certificate.text if certificate.path is None else certificate.path.read_text(encoding="ascii", errors="replace")
    found = dates(text)
    subject, now = certificate.path or "cert", setup.host.now()
    if found is None:
        yield ok("certificate", subject, "usable; its dates cannot be told")
    elif found.ends < now:
        yield _not_valid(subject, f"expired {duration(now - found.ends)} ago")
    elif found.begins > now:
        yield _not_valid(subject, f"valid only in {duration(found.begins - now)}")
    elif found.ends < now + SOON:
        yield warning(
            "certificate",
            subject,
            f"expires in {duration(found.ends - now)}",
            "From then on no Prometheus that checks it gets a scrape.",
            f"openssl x509 -noout -enddate -in {shlex.quote(str(subject))}    # and renew it; no restart is needed",
        )
    else:
        yield ok("certificate", subject, f"valid for another {duration(found.ends - now)}")


def _not_valid(subject: Path | str, what: str) -> Finding:
    return error(
        "certificate",
        subject,
        what,
        "No Prometheus that checks it gets a scrape: every alert of this gateway is silent.",
        f"openssl x509 -noout -dates -in {shlex.quote(str(subject))}    # and renew it; no restart is needed",
    )


def _exposure(config: WebConfig, setup: Setup) -> Findings:
    """Say what anybody may read who reaches the port."""
    addresses = () if setup.settings.systemd_socket else setup.settings.addresses
    wide = [address for address in addresses if _is_wide(address)]
    shut = bool(config.users) or (config.tls is not None and config.tls.client_auth.name == "REQUIRED")
    if not wide or (shut and config.tls is not None):
        return
    what = "passwords go over the network as they are" if config.users else "whoever reaches it may read which peers there are"
    yield warning(
        "web",
        ", ".join(wide),
        "open to others, without " + ("TLS" if shut else "passwords" if config.tls else "TLS and passwords"),
        f"A gateway stands on the open internet: {what}, and when they are down.",
        f"$EDITOR {setup.settings.web_config or '/etc/racoon-exporter/web.yml'}    # docs/web.md; or listen on localhost",
    )


def _is_wide(address: str) -> bool:
    try:
        host, _ = split_address(address)
    except ListenError:
        return False
    return not host.startswith(_LOOPBACK)
