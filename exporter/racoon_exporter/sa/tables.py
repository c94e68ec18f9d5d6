"""The state tables: what each event does to an SA, and which reason tells most.

`docs/sa-states.md` is drawn from these.
"""

from __future__ import annotations

from typing import Final

NEGOTIATION_TRANSITIONS: Final[dict[str, dict[str, str]]] = {
    "waiting": {
        "phase2_start": "negotiating",
        "phase2_failed": "failed",
        "phase2_expired": "failed",
        "phase2_rekey": "failed",
        "daemon_shutdown": "abandoned",
    },
    "negotiating": {
        "phase1_established": "established",
        "ipsec_sa_established": "established",
        "phase1_failed": "failed",
        "phase2_failed": "failed",
        "daemon_shutdown": "abandoned",
    },
    "established": {
        "xauth_login_failed": "failed",
    },
}
"""State of a negotiation, event class: the next state. A phase 2 waits until there is a phase 1."""

ISAKMP_TRANSITIONS: Final[dict[str, dict[str, str]]] = {
    "established": {
        "phase1_rekey": "dying",
        "phase1_purge": "purging",
        "phase1_expired": "ended",
        "phase1_deleted": "ended",
        "xauth_login_failed": "ended",
        "daemon_signal": "ended",
        "daemon_shutdown": "ended",
        "daemon_start": "ended",
    },
    "dying": {
        "phase1_purge": "purging",
        "phase1_expired": "ended",
        "phase1_deleted": "ended",
        "daemon_signal": "ended",
        "daemon_shutdown": "ended",
        "daemon_start": "ended",
    },
    "purging": {
        "phase1_purged": "ended",
        "phase1_expired": "ended",
        "phase1_deleted": "ended",
        "daemon_signal": "ended",
        "daemon_shutdown": "ended",
        "daemon_start": "ended",
    },
}
"""State of an ISAKMP SA, event class: the next state. A pair that is not here changes nothing."""

IPSEC_TRANSITIONS: Final[dict[str, dict[str, str]]] = {
    "mature": {
        "ipsec_sa_expired": "dying",
        "ipsec_sa_purged": "ended",
        "ipsec_sa_deleted": "ended",
        "daemon_signal": "ended",
        "daemon_shutdown": "ended",
    },
    "dying": {
        "ipsec_sa_expired": "ended",
        "ipsec_sa_purged": "ended",
        "ipsec_sa_deleted": "ended",
        "daemon_signal": "ended",
        "daemon_shutdown": "ended",
    },
}
"""State of an IPsec SA, event class: the next state. The first expiry is the soft one, the second the end (RFC 2367 §2.3.3)."""

ALIVE: Final = frozenset({"mature", "dying", "established", "purging"})
"""States in which an SA exists."""

MOST_TELLING: Final = (
    "certificate_revoked",
    "certificate_expired",
    "certificate_not_yet_valid",
    "crl_expired",
    "psk_missing",
    "signature_invalid",
    "id_mismatch",
    "psk_mismatch",
    "crl_missing",
    "certificate_invalid",
    "xauth_failed",
    "no_policy",
    "no_config",
    "proposal_mismatch",
    "local_config",
    "kernel_error",
    "send_error",
    "dead_peer",
    "malformed_packet",
    "peer_notify",
    "no_phase1",
    "no_response",
    "timeout",
    "unknown",
)
"""Reasons, the most telling first: of a negotiation's evidence the foremost is its reason."""

_RANKS: Final = {reason: rank for rank, reason in enumerate(MOST_TELLING)}


def more_telling(one: str | None, other: str | None) -> str | None:
    """Give the more telling of two reasons; None is no reason."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=_RANKS.__getitem__)


EVIDENCE: Final[dict[str, int | None]] = {
    "auth_failed": 1,
    "cert_error": 1,
    "id_mismatch": 1,
    "no_config": None,
    "no_policy": 2,
    "proposal_mismatch": None,
    "malformed_packet": None,
    "unexpected_packet": None,
    "notify_received": None,
    "xauth_error": 1,
    "kernel_error": 2,
    "crypto_error": None,
    "negotiation_error": None,
}
"""Event classes that may tell why a negotiation fails, with the phase they speak of where it is always the same."""

NOT_EVIDENCE: Final = frozenset({"info", "notice"})
"""Severities that no failure follows from."""
