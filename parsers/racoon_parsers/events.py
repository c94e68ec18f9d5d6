"""What happened: one type for each event class that carries state or evidence.

Events are named tuples, not dataclasses: they are as immutable and as typed, and cost a third to make; a gateway with a
thousand peers makes a hundred thousand of them a second when a log is read again. Time, gateway and severity are not part of
an event; they belong to the `Record` (`record.py`) that carries it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from racoon_parsers.fields import Endpoint

Role = str
"""`initiator` or `responder`, as RFC 2409 names them, from the view of the daemon that wrote the line."""


class Phase1Started(NamedTuple):
    """A phase 1 negotiation begins; racoon prints no cookies here."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    role: Role | None = None
    exchange: str | None = None
    """Where the same line tells it; else `Phase1Mode` follows."""


class Phase1Mode(NamedTuple):
    """The exchange type of the negotiation whose start line stands just before."""

    exchange: str | None = None


class Phase1Established(NamedTuple):
    """An ISAKMP SA is up."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None
    role: Role | None = None


class Phase1Rekeying(NamedTuple):
    """A new phase 1 is due or tried while the old one still lives."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None


class Phase1Expired(NamedTuple):
    """An ISAKMP SA reached its lifetime, or the peer deleted it."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None


class Phase1Purging(NamedTuple):
    """The daemon begins to tear down an ISAKMP SA and its IPsec SAs."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None


class Phase1Purged(NamedTuple):
    """That teardown ends."""

    cookies: str | None = None
    protocol: str | None = None


class Phase1Deleted(NamedTuple):
    """An ISAKMP SA left the daemon's table."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None
    cookies_new: str | None = None


class Phase1Failed(NamedTuple):
    """A phase 1 negotiation, or a step of it, failed."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None
    role: Role | None = None
    status: int | None = None
    exchange: str | None = None


class Phase2Queued(NamedTuple):
    """Traffic wants an IPsec SA and waits for phase 1."""

    peer: Endpoint | None = None


class Phase2Started(NamedTuple):
    """A phase 2 negotiation begins."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    role: Role | None = None


class Phase2Failed(NamedTuple):
    """A phase 2 negotiation, or a step of it, failed."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    cookies: str | None = None
    message_id: str | None = None
    role: Role | None = None
    status: int | None = None
    protocol: str | None = None
    mode: str | None = None


class Phase2Expired(NamedTuple):
    """A phase 2 record timed out; no SPI is shown."""

    local: Endpoint | None = None
    peer: Endpoint | None = None


class Phase2Deleted(NamedTuple):
    """A phase 2 record was removed; no SPI is shown."""

    local: Endpoint | None = None
    peer: Endpoint | None = None


class Phase2RekeyFailed(NamedTuple):
    """Renewal of an IPsec SA could not be started."""

    peer: Endpoint | None = None


class IpsecSaEstablished(NamedTuple):
    """One IPsec SA was installed. 0.8 and later print local->peer for both directions."""

    protocol: str | None = None
    mode: str | None = None
    source: Endpoint | None = None
    destination: Endpoint | None = None
    spi: int | None = None
    role: Role | None = None


class IpsecSaExpired(NamedTuple):
    """Soft or hard lifetime of one IPsec SA; without SPI it is a larval SA."""

    protocol: str | None = None
    mode: str | None = None
    source: Endpoint | None = None
    destination: Endpoint | None = None
    spi: int | None = None


class IpsecSaPurged(NamedTuple):
    """The daemon removed IPsec SAs."""

    protocol: str | None = None
    mode: str | None = None
    source: Endpoint | None = None
    destination: Endpoint | None = None
    spi: int | None = None
    removed: int | None = None


class IpsecSaKept(NamedTuple):
    """An IPsec SA survives the teardown of its phase 1, under another one."""

    spi: int | None = None
    cookies: str | None = None


class IpsecSaDeleted(NamedTuple):
    """An IPsec SA was removed from the kernel by somebody else."""

    protocol: str | None = None
    mode: str | None = None
    source: Endpoint | None = None
    destination: Endpoint | None = None
    spi: int | None = None


class ProposalMismatch(NamedTuple):
    """Something offered and something configured differ."""

    mine: str | None = None
    theirs: str | None = None
    protocol: str | None = None
    my_proposal: int | None = None
    my_transform: int | None = None
    peer_proposal: int | None = None
    peer_transform: int | None = None


class AuthenticationFailed(NamedTuple):
    """A key, hash or signature is wrong or missing."""

    peer: Endpoint | None = None


class IdMismatch(NamedTuple):
    """An identity is not as expected."""

    peer: Endpoint | None = None
    id_type: str | None = None
    certificate_id_type: str | None = None


class CertificateProblem(NamedTuple):
    """A certificate or CRL was not found good. `error`, `code`, `depth` are OpenSSL's, `subject` is the peer's."""

    error: str | None = None
    code: int | None = None
    depth: int | None = None
    subject: str | None = None


class NoConfig(NamedTuple):
    """No remote or sainfo section fits."""

    peer: Endpoint | None = None


class NoPolicy(NamedTuple):
    """No security policy fits."""

    selector: str | None = None
    spid: int | None = None


class PolicyChanged(NamedTuple):
    """A generated policy was added, refreshed or removed."""

    selector: str | None = None


class PacketMalformed(NamedTuple):
    """A packet could not be read."""


class PacketUnexpected(NamedTuple):
    """A packet came at the wrong time."""

    peer: Endpoint | None = None
    exchange: str | None = None
    db_exchange: str | None = None
    exchange_no: int | None = None


class Retransmitted(NamedTuple):
    """Our packet or the peer's was sent again."""

    peer: Endpoint | None = None
    cookies: str | None = None
    message_id: str | None = None
    code: int | None = None


class NotificationReceived(NamedTuple):
    """The peer sent a notification (RFC 2408 section 3.14.1) or an informational message."""

    notification: str | None = None
    exchange: str | None = None
    text: str | None = None
    payload: str | None = None
    hexadecimal: str | None = None


class DeleteReceived(NamedTuple):
    """The peer sent a delete payload."""

    protocol: str | None = None


class InitialContactReceived(NamedTuple):
    """The peer announced INITIAL-CONTACT: it holds no older SAs."""


class DeadPeerDetected(NamedTuple):
    """The peer no longer answers R-U-THERE (RFC 3706)."""

    cookies: str | None = None


class NatDetected(NamedTuple):
    """Result of NAT detection (RFC 3947 section 3.2)."""

    nat: bool | None = None
    me: bool | None = None
    peer_behind: bool | None = None


class NatTraversal(NamedTuple):
    """NAT-T hashing, version, port change or keepalive list."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    addr: Endpoint | None = None
    db_addr: Endpoint | None = None
    algorithm: int | None = None
    note: str | None = None
    payload_number: int | None = None
    verdict: str | None = None
    natt_version: str | None = None
    in_use: int | None = None


class LifetimeAdjusted(NamedTuple):
    """A lifetime other than the configured one is used."""

    seconds: str | None = None
    kbytes: int | None = None
    mine: str | None = None
    theirs: str | None = None


class XauthLoginSucceeded(NamedTuple):
    """A user of extended authentication is logged in."""

    user: str | None = None


class XauthLoginFailed(NamedTuple):
    """A user of extended authentication is refused; racoon drops the phase 1 without a line."""

    user: str | None = None


class XauthMessage(NamedTuple):
    """Text that the peer's XAuth server sent."""

    text: str | None = None


class DaemonStarted(NamedTuple):
    """A line of racoon's start; `version` only in its banner."""

    version: str | None = None
    url: str | None = None
    openssl: str | None = None
    pid: int | None = None


class DaemonStopped(NamedTuple):
    """racoon ends."""

    pid: int | None = None


class DaemonListening(NamedTuple):
    """racoon listens on a local address."""

    local: Endpoint | None = None
    fd: int | None = None


class DaemonSignalled(NamedTuple):
    """racoon was sent a signal."""

    signal: int | None = None


class PrivilegeSeparated(NamedTuple):
    """A process of a privilege-separated racoon tells its number."""

    pid: int | None = None


class ConfigProblem(NamedTuple):
    """racoon.conf is wrong at a line."""

    path: str | None = None
    line: int | None = None
    token: str | None = None


class AdminCommand(NamedTuple):
    """A command came over the control socket."""

    local: Endpoint | None = None
    peer: Endpoint | None = None
    removed: int | None = None
    user: str | None = None


class KernelError(NamedTuple):
    """PF_KEY said no."""

    pfkey_type: str | None = None
    protocol: str | None = None
    error: str | None = None


class Mention(NamedTuple):
    """Any other message that names the ends it speaks of."""

    local: Endpoint | None = None
    peer: Endpoint | None = None


class Remark(NamedTuple):
    """Any other message: its row says all there is to say."""


Event = (
    Phase1Started
    | Phase1Mode
    | Phase1Established
    | Phase1Rekeying
    | Phase1Expired
    | Phase1Purging
    | Phase1Purged
    | Phase1Deleted
    | Phase1Failed
    | Phase2Queued
    | Phase2Started
    | Phase2Failed
    | Phase2Expired
    | Phase2Deleted
    | Phase2RekeyFailed
    | IpsecSaEstablished
    | IpsecSaExpired
    | IpsecSaPurged
    | IpsecSaKept
    | IpsecSaDeleted
    | ProposalMismatch
    | AuthenticationFailed
    | IdMismatch
    | CertificateProblem
    | NoConfig
    | NoPolicy
    | PolicyChanged
    | PacketMalformed
    | PacketUnexpected
    | Retransmitted
    | NotificationReceived
    | DeleteReceived
    | InitialContactReceived
    | DeadPeerDetected
    | NatDetected
    | NatTraversal
    | LifetimeAdjusted
    | XauthLoginSucceeded
    | XauthLoginFailed
    | XauthMessage
    | DaemonStarted
    | DaemonStopped
    | DaemonListening
    | DaemonSignalled
    | PrivilegeSeparated
    | ConfigProblem
    | AdminCommand
    | KernelError
    | Mention
    | Remark
)

REMARK: Final = Remark()

EVENT_TYPES: Final[dict[str, type[Event]]] = {
    "phase1_start": Phase1Started,
    "phase1_mode": Phase1Mode,
    "phase1_established": Phase1Established,
    "phase1_rekey": Phase1Rekeying,
    "phase1_expired": Phase1Expired,
    "phase1_purge": Phase1Purging,
    "phase1_purged": Phase1Purged,
    "phase1_deleted": Phase1Deleted,
    "phase1_failed": Phase1Failed,
    "phase2_queued": Phase2Queued,
    "phase2_start": Phase2Started,
    "phase2_failed": Phase2Failed,
    "phase2_expired": Phase2Expired,
    "phase2_deleted": Phase2Deleted,
    "phase2_rekey": Phase2RekeyFailed,
    "ipsec_sa_established": IpsecSaEstablished,
    "ipsec_sa_expired": IpsecSaExpired,
    "ipsec_sa_purged": IpsecSaPurged,
    "ipsec_sa_kept": IpsecSaKept,
    "ipsec_sa_deleted": IpsecSaDeleted,
    "proposal_mismatch": ProposalMismatch,
    "auth_failed": AuthenticationFailed,
    "id_mismatch": IdMismatch,
    "cert_error": CertificateProblem,
    "no_config": NoConfig,
    "no_policy": NoPolicy,
    "policy_change": PolicyChanged,
    "malformed_packet": PacketMalformed,
    "unexpected_packet": PacketUnexpected,
    "retransmit": Retransmitted,
    "notify_received": NotificationReceived,
    "delete_received": DeleteReceived,
    "initial_contact": InitialContactReceived,
    "dpd_dead": DeadPeerDetected,
    "nat_detection": NatDetected,
    "natt_info": NatTraversal,
    "lifetime_adjust": LifetimeAdjusted,
    "xauth_login_ok": XauthLoginSucceeded,
    "xauth_login_failed": XauthLoginFailed,
    "xauth_message": XauthMessage,
    "daemon_start": DaemonStarted,
    "daemon_shutdown": DaemonStopped,
    "daemon_listen": DaemonListening,
    "daemon_signal": DaemonSignalled,
    "privsep_info": PrivilegeSeparated,
    "config_error": ConfigProblem,
    "admin_command": AdminCommand,
    "kernel_error": KernelError,
}
"""The type of each event class; a class that is not here has `Remark`."""
