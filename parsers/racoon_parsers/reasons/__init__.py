"""Why a negotiation failed: the closed list, what decides it where the message alone does not, and what is said of it."""

from racoon_parsers.reasons.certificates import certificate_reason
from racoon_parsers.reasons.notifications import NOTIFICATIONS
from racoon_parsers.reasons.reason import (
    AUTHENTICATION,
    BRING_UP,
    FAILURE_REASONS,
    NEVER_UP,
    REASON_OF_CLASS,
    REASONS,
    UNKNOWN,
    Reason,
    Told,
    known,
    more_telling,
    told,
    zero_for_expected,
)
from racoon_parsers.reasons.verdict import phase_of, severity_and_reason

__all__ = [
    "AUTHENTICATION",
    "BRING_UP",
    "FAILURE_REASONS",
    "NEVER_UP",
    "NOTIFICATIONS",
    "REASONS",
    "REASON_OF_CLASS",
    "UNKNOWN",
    "Reason",
    "Told",
    "certificate_reason",
    "known",
    "more_telling",
    "phase_of",
    "severity_and_reason",
    "told",
    "zero_for_expected",
]
