"""The values a racoon.conf is read into.

Defaults are racoon's own (remoteconf.c: newrmconf(), localconf.c: setdefault()).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Rekey = Literal["on", "off", "force"]
NatTraversal = Literal["on", "off", "force"]
GeneratePolicy = Literal["on", "off", "unique", "require"]

ISAKMP_PORT = 500
NATT_PORT = 4500


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that was not understood, and so not used. `line` counts from 1; `message` holds no secret."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address as written (scope included) and a UDP port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Identifier:
    """An ISAKMP identity. `kind` is racoon's word (address, fqdn, user_fqdn, keyid, asn1dn); no value: the default."""

    kind: str
    value: str | None = None
    qualifier: str | None = None  # keyid only: `tag` the value itself, `file` the file that holds it


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """File names of `certificate_type`, relative to `path certificate`. The key is a name only; nothing reads it."""

    kind: Literal["x509", "plain_rsa"]
    certificate: str | None
    key: str


@dataclass(frozen=True, slots=True)
class Script:
    """A hook script and when racoon runs it."""

    file: str
    when: Literal["phase1_up", "phase1_down", "phase1_dead"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One phase 1 proposal. `lifetime` in seconds, None when the section's holds; `key_length` in bits."""

    encryption: str | None = None
    key_length: int | None = None
    hash: str | None = None
    authentication_method: str | None = None
    dh_group: str | None = None
    lifetime: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteSection:
    """A `remote` section, with what it inherits already filled in.

    The section is selected by `name` (in quotes), by `address` and `port`, or is `anonymous`; exactly one of the three.
    `friendly_name` is the text of a comment `# name: …` before or at the head of the section.
    """

    path: str
    line: int
    name: str | None = None
    address: str | None = None
    port: int = ISAKMP_PORT
    anonymous: bool = False
    friendly_name: str | None = None
    inherits: str | None = None
    remote_address: Endpoint | None = None
    exchange_modes: tuple[str, ...] = ()
    lifetime: int | None = None
    proposals: tuple[Proposal, ...] = ()
    proposal_check: str | None = None
    dpd: bool = True
    dpd_delay: int = 0
    dpd_retry: int = 5
    dpd_maxfail: int = 5
    rekey: Rekey = "on"
    passive: bool = False
    nat_traversal: NatTraversal = "off"
    generate_policy: GeneratePolicy = "off"
    certificate_type: CertificateFiles | None = None
    ca_type: str | None = None
    peers_certfile: str | None = None
    verify_cert: bool = True
    verify_identifier: bool = False
    my_identifier: Identifier | None = None
    peers_identifiers: tuple[Identifier, ...] = ()
    initial_contact: bool = True
    mode_cfg: bool = False
    ph1id: int = 0
    scripts: tuple[Script, ...] = ()

    @property
    def peer(self) -> str | None:
        """The address this section is for, its own or `remote_address`; None for any (anonymous, or a template)."""
        if self.address is None and self.remote_address is not None:
            return self.remote_address.address
        return self.address

    @property
    def phase1_lifetime(self) -> int | None:
        """The longest phase 1 lifetime this section may propose, in seconds; None when none is written."""
        lifetimes = [proposal.lifetime or self.lifetime for proposal in self.proposals] or [self.lifetime]
        return max((seconds for seconds in lifetimes if seconds is not None), default=None)


@dataclass(frozen=True, slots=True)
class SainfoId:
    """One end a `sainfo` section is for.

    `kind` is `anonymous`, `clientaddr` or an identifier type. For `address` and `subnet` the value is an address with
    `/prefix` or `-last address` where written, `port` is None for any, and `protocol` is the upper layer's name or
    number (None or `any` for any).
    """

    kind: str
    value: str | None = None
    port: int | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class SainfoSection:
    """A `sainfo` section: phase 2 parameters. `lifetime` in seconds; algorithms as written, such as `aes 256`."""

    path: str
    line: int
    source: SainfoId = SainfoId("anonymous")
    destination: SainfoId = SainfoId("anonymous")
    from_identifier: Identifier | None = None
    group: str | None = None
    lifetime: int | None = None
    pfs_group: str | None = None
    remoteid: int = 0
    encryption_algorithms: tuple[str, ...] = ()
    authentication_algorithms: tuple[str, ...] = ()
    compression_algorithms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listen:
    """Where racoon listens; no `isakmp` means every address. `adminsock` is a path, None when disabled or left out."""

    isakmp: tuple[Endpoint, ...] = ()
    isakmp_natt: tuple[Endpoint, ...] = ()
    adminsock: str | None = None
    strict_address: bool = False


@dataclass(frozen=True, slots=True)
class Timers:
    """The `timer` section: counts and seconds, with racoon's defaults (localconf.h)."""

    counter: int = 5
    interval: int = 10
    persend: int = 1
    phase1: int = 15
    phase2: int = 10
    natt_keepalive: int = 20


def _no_paths() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RacoonConf:
    """All that was read, and what was not understood.

    `paths` by racoon's word: include, pre_shared_key, certificate, script and others. `files` are all files read.
    """

    path: str
    paths: Mapping[str, str] = field(default_factory=_no_paths)
    remotes: tuple[RemoteSection, ...] = ()
    sainfos: tuple[SainfoSection, ...] = ()
    listen: Listen = Listen()
    timers: Timers = Timers()
    log_level: str | None = None
    files: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def certificate_path(self, name: str) -> str:
        """Return where racoon looks for a certificate: under `path certificate` unless absolute (getpathname())."""
        return posixpath.join(self.paths.get("certificate", ""), name)
