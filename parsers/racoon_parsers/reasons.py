"""Why a negotiation failed: the closed list, and what decides it where the message alone does not."""

from __future__ import annotations

from typing import Final

from racoon_parsers.events import CertificateProblem, Event, NotificationReceived, Phase1Failed
from racoon_parsers.message import Message

FAILURE_REASONS: Final = (
    "no_response",
    "timeout",
    "proposal_mismatch",
    "no_config",
    "psk_missing",
    "psk_mismatch",
    "signature_invalid",
    "id_mismatch",
    "certificate_expired",
    "certificate_not_yet_valid",
    "certificate_revoked",
    "certificate_invalid",
    "crl_expired",
    "crl_missing",
    "xauth_failed",
    "no_policy",
    "no_phase1",
    "dead_peer",
    "malformed_packet",
    "kernel_error",
    "send_error",
    "peer_notify",
    "local_config",
    "unknown",
)
"""Every value of a `reason` label."""

REASON_OF_CLASS: Final[dict[str, str]] = {
    "timeout": "timeout",
    "send_error": "send_error",
    "psk_missing": "psk_missing",
    "psk_mismatch": "psk_mismatch",
    "hash_mismatch": "psk_mismatch",
    "sig_invalid": "signature_invalid",
    "proposal_mismatch": "proposal_mismatch",
    "id_mismatch": "id_mismatch",
    "cert_invalid": "certificate_invalid",
    "cert_expired": "certificate_expired",
    "cert_missing": "certificate_invalid",
    "crl_missing": "crl_missing",
    "dpd_timeout": "dead_peer",
    "no_policy": "no_policy",
    "no_config": "no_config",
    "no_phase1": "no_phase1",
    "malformed_packet": "malformed_packet",
    "kernel_error": "kernel_error",
    "xauth_failed": "xauth_failed",
    "aaa_unreachable": "xauth_failed",
    "throttled": "xauth_failed",
    "pool_exhausted": "local_config",
    "local_config": "local_config",
    "address_conflict": "local_config",
    "network": "send_error",
    "peer_notify": "peer_notify",
    "unsupported": "unknown",
    "resource": "unknown",
    "internal": "unknown",
}
"""The catalogue's finer reason classes as reasons. `replaced` and `by_code` are none of their own."""

_CERTIFICATE_REASONS: Final[dict[int, str]] = {
    3: "crl_missing",
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    11: "crl_expired",
    12: "crl_expired",
    15: "crl_expired",
    16: "crl_expired",
    17: "unknown",
    23: "certificate_revoked",
    33: "crl_missing",
    35: "crl_missing",
    36: "crl_missing",
    44: "crl_missing",
    54: "crl_missing",
    62: "id_mismatch",
    63: "id_mismatch",
    64: "id_mismatch",
}
"""OpenSSL's `X509_V_ERR_*` numbers (`x509_vfy.h`). Texts differ between releases, numbers do not."""


def certificate_reason(code: int | None) -> str:
    """Give the reason of an OpenSSL verification error number."""
    return _CERTIFICATE_REASONS.get(code or 0, "certificate_invalid")


_TOLERATED_CERTIFICATE_ERROR: Final = 3
"""`unable to get certificate CRL`: all that racoon tolerates in a peer (`crypto_openssl.c: cb_check_cert_remote`)."""

_INFORMATION: Final = ("info", None)
_PROPOSAL: Final = ("error", "proposal_mismatch")
_CERTIFICATE: Final = ("error", "certificate_invalid")
_LOST_SA: Final = ("warning", "no_phase1")
_MALFORMED: Final = ("error", "malformed_packet")
_OTHER: Final = ("warning", "peer_notify")

NOTIFICATIONS: Final[dict[str, tuple[str, str | None]]] = {
    "CONNECTED": _INFORMATION,
    "REPLAY-STATUS": _INFORMATION,
    "RESPONDER-LIFETIME": _INFORMATION,
    "NOTIFY-SA-LIFETIME": _INFORMATION,
    "HEARTBEAT": _INFORMATION,
    "INITIAL-CONTACT": _INFORMATION,
    "R-U-THERE": _INFORMATION,
    "R-U-THERE-ACK": _INFORMATION,
    "NO-PROPOSAL-CHOSEN": _PROPOSAL,
    "BAD-PROPOSAL-SYNTAX": _PROPOSAL,
    "ATTRIBUTES-NOT-SUPPORTED": _PROPOSAL,
    "INVALID-TRANSFORM-ID": _PROPOSAL,
    "INVALID-PROTOCOL-ID": _PROPOSAL,
    "DOI-NOT-SUPPORTED": _PROPOSAL,
    "SITUATION-NOT-SUPPORTED": _PROPOSAL,
    "AUTHENTICATION-FAILED": ("error", "psk_mismatch"),
    "INVALID-HASH-INFORMATION": ("error", "psk_mismatch"),
    "INVALID-SIGNATURE": ("error", "signature_invalid"),
    "INVALID-ID-INFORMATION": ("error", "id_mismatch"),
    "INVALID-CERT-ENCODING": _CERTIFICATE,
    "INVALID-CERTIFICATE": _CERTIFICATE,
    "BAD-CERT-REQUEST-SYNTAX": _CERTIFICATE,
    "INVALID-CERT-AUTHORITY": _CERTIFICATE,
    "CERTIFICATE-UNAVAILABLE": _CERTIFICATE,
    "INVALID-COOKIE": _LOST_SA,
    "INVALID-SPI": _LOST_SA,
    "INVALID-PAYLOAD-TYPE": _MALFORMED,
    "PAYLOAD-MALFORMED": _MALFORMED,
    "INVALID-FLAGS": _MALFORMED,
    "INVALID-MESSAGE-ID": _MALFORMED,
    "INVALID-KEY-INFORMATION": _MALFORMED,
    "UNEQUAL-PAYLOAD-LENGTHS": _MALFORMED,
    "INVALID-MAJOR-VERSION": _MALFORMED,
    "INVALID-MINOR-VERSION": _MALFORMED,
    "INVALID-EXCHANGE-TYPE": _OTHER,
    "UNSUPPORTED-EXCHANGE-TYPE": _OTHER,
    "ADDRESS-NOTIFICATION": _OTHER,
    "RETRY-LIMIT-REACHED": _OTHER,
}
"""Notification types of RFC 2408 section 3.14.1, RFC 2407 section 4.6.3 and RFC 3706: severity and reason of each."""

_NO_ANSWER: Final = ":0000000000000000"


def severity_and_reason(message: Message, event: Event) -> tuple[str, str | None]:
    """Give the operator's severity and the failure reason of a message, from its values where they decide."""
    if isinstance(event, CertificateProblem) and event.code is not None:
        severity = "warning" if event.code == _TOLERATED_CERTIFICATE_ERROR else "error"
        return severity, certificate_reason(event.code)
    reason = REASON_OF_CLASS.get(message.reason)
    if isinstance(event, NotificationReceived) and message.severity == "error":
        by_number = _OTHER if (event.notification or "").isdecimal() else (message.severity, reason)
        return NOTIFICATIONS.get(event.notification or "", by_number)
    if isinstance(event, Phase1Failed) and reason == "timeout" and (event.cookies or "").endswith(_NO_ANSWER):
        reason = "no_response"
    return message.severity, reason
