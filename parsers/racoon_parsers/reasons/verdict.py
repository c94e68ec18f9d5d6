"""A message's severity and failure reason, decided by what it says where the message alone does not tell."""

from __future__ import annotations

from typing import Final

from racoon_parsers.event_classes import EVENT_CLASSES
from racoon_parsers.events import CertificateProblem, Event, NotificationReceived, Phase1Failed
from racoon_parsers.message import Message
from racoon_parsers.reasons.certificates import certificate_reason
from racoon_parsers.reasons.notifications import NOTIFICATIONS, OTHER_NOTIFICATION
from racoon_parsers.reasons.reason import REASON_OF_CLASS

_TOLERATED_CERTIFICATE_ERROR: Final = 3
"""`unable to get certificate CRL`: all that racoon tolerates in a peer (`crypto_openssl.c: cb_check_cert_remote`)."""

_NO_ANSWER: Final = ":0000000000000000"

_PHASE_OF_EXCHANGE: Final = {"informational": 2, "unencrypted informational": 1}
"""A notification that phase 1 protects is about phase 2; one in the clear, about phase 1."""


def severity_and_reason(message: Message, event: Event) -> tuple[str, str | None]:
    """Give the operator's severity and the failure reason of a message, from its values where they decide."""
    if isinstance(event, CertificateProblem) and event.code is not None:
        severity = "warning" if event.code == _TOLERATED_CERTIFICATE_ERROR else "error"
        return severity, certificate_reason(event.code)
    reason = REASON_OF_CLASS.get(message.reason)
    if isinstance(event, NotificationReceived) and message.severity == "error":
        by_number = OTHER_NOTIFICATION if (event.notification or "").isdecimal() else (message.severity, reason)
        return NOTIFICATIONS.get(event.notification or "", by_number)
    if isinstance(event, Phase1Failed) and reason == "timeout" and (event.cookies or "").endswith(_NO_ANSWER):
        reason = "no_response"
    return message.severity, reason


def phase_of(message: Message, event: Event) -> int | None:
    """Give the phase a message speaks of; None where it does not tell."""
    mark = message.marks.get("phase")
    if mark is not None:
        return int(mark)
    if isinstance(event, NotificationReceived):
        return _PHASE_OF_EXCHANGE.get(event.exchange or "")
    return EVENT_CLASSES[message.event].phase
