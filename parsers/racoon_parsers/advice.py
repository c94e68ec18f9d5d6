"""What to do about a message: by its event class where that decides, else by its reason and phase."""

from __future__ import annotations

from typing import Final

from racoon_parsers.reasons import told

BY_EVENT: Final[dict[str, str]] = {
    "dpd_dead": told("dead_peer").advice,
    "daemon_shutdown": "All SAs are gone. If nobody stopped racoon, look for the reason in the lines before.",
    "ipsec_sa_expired": "Nothing: the first line is the soft expiry (renewal is due), the second the end of the SA.",
    "phase1_expired": "Nothing, if its lifetime was over; else the peer deleted it.",
    "retransmit": "Nothing, if single; bursts mean packet loss or a peer that does not like our answer.",
    "unexpected_packet": "Nothing from strangers; from a configured peer look at its version and configuration.",
}

NOTHING: Final = "Nothing."


def advice(event: str, reason: str | None, severity: str, phase: int | None = None) -> str:
    """Say what a person should do about a message that may speak of a phase."""
    if event in BY_EVENT:
        return BY_EVENT[event]
    if severity in {"info", "notice"}:
        return NOTHING
    return told(reason, phase).advice
