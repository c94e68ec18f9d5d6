"""What each event class does to a racoon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from racoon_exporter.sa import daemon, phase1, phase2
from racoon_exporter.sa.arrow import Arrow, arrow_of
from racoon_exporter.sa.blame import Evidence
from racoon_exporter.sa.heard import NOT_EVIDENCE, Heard
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.sa.tables import EVIDENCE
from racoon_parsers.stems import Number, Stem

Handler = Callable[[Racoon, Heard[Any]], None]


def _evidence(racoon: Racoon, heard: Heard[Any]) -> None:
    """Take a line that may tell why a negotiation fails."""
    reason = heard.blames
    if reason is not None and "ike" not in heard.message.marks:  # a peer that may speak IKEv2 is none of ours
        racoon.blame.packet.add(heard.address, Evidence(racoon.now, reason, EVIDENCE[heard.message.event]), racoon.now)


def _kernel_error(racoon: Racoon, heard: Heard[Any]) -> None:
    """The kernel refused what it was asked for."""
    if heard.message.severity not in NOT_EVIDENCE:
        racoon.counters["kernel_errors",] += 1
        _evidence(racoon, heard)


HANDLERS: Final[Mapping[str, Handler]] = dict.fromkeys(EVIDENCE, _evidence) | {
    "phase1_start": phase1.started,
    "phase1_mode": phase1.mode,
    "phase1_established": phase1.established,
    "phase1_rekey": phase1.rekeying,
    "phase1_expired": phase1.expired,
    "phase1_purge": phase1.purging,
    "phase1_purged": phase1.purged,
    "phase1_deleted": phase1.purged,
    "phase1_failed": phase1.failed,
    "phase2_queued": phase2.queued,
    "phase2_start": phase2.started,
    "phase2_failed": phase2.failed,
    "phase2_expired": phase2.record_expired,
    "phase2_rekey": phase2.rekey_failed,
    "ipsec_sa_established": phase2.established,
    "ipsec_sa_expired": phase2.expired,
    "ipsec_sa_purged": phase2.purged,
    "ipsec_sa_deleted": phase2.deleted,
    "dpd_dead": daemon.dead_peer,
    "initial_contact": daemon.initial_contact,
    "admin_command": daemon.admin_command,
    "nat_detection": daemon.nat_detected,
    "natt_info": daemon.nat_traversal,
    "notify_received": daemon.notification,
    "cert_error": daemon.certificate,
    "no_config": daemon.no_config,
    "xauth_start": daemon.xauth_asked,
    "xauth_login_ok": daemon.xauth_succeeded,
    "xauth_login_failed": daemon.xauth_failed,
    "kernel_error": _kernel_error,
    "config_error": daemon.configuration_failed,
    "daemon_start": daemon.started,
    "daemon_listen": daemon.listening,
    "daemon_shutdown": daemon.stopped,
    "daemon_signal": daemon.signalled,
}
"""What each event class does. A class that is not here changes nothing but the count of its messages."""

CLOSING_PACKET: Final = frozenset(
    {
        "phase1_established",
        "phase1_failed",
        "phase2_failed",
        "auth_failed",
        "cert_error",
        "id_mismatch",
        "proposal_mismatch",
        "malformed_packet",
        "unexpected_packet",
        "no_config",
        "notify_received",
    }
)
"""Classes whose line, if it has an address, closes the packet whose lines without address stand before it."""

OF_SPI: Final[Mapping[str, Callable[[Racoon, Arrow, int | None], None]]] = {
    "ipsec_sa_established": phase2.sa_established,
    "ipsec_sa_expired": phase2.sa_expired,
}
"""The classes that half of all lines are of. Of lines that differ in their SPI only, all else is read and taken apart once."""

Said = tuple[Callable[..., None], Any]
"""A message that is said again and again: what to do with its racoon, and what was said; a number that differs comes third."""


def take(racoon: Racoon, heard: Heard[Any]) -> None:
    """Let a message do what its class does; first what stands before it without an address goes to the peer that it names."""
    event = heard.message.event
    if racoon.blame.packet.floating and event in CLOSING_PACKET and heard.address is not None:
        racoon.blame.packet.land(heard.address, racoon.now)
    HANDLERS[event](racoon, heard)


def said_of(stem: Stem, *, numbered: bool) -> Said | None:
    """Tell what the messages of a stem do, which may differ in a number; None where they change nothing."""
    event = stem.message.event
    if event not in HANDLERS:
        return None
    if not numbered:
        heard: Heard[Any] = Heard(stem.message, stem.event(None), stem.tag)
        return (take if event in CLOSING_PACKET else HANDLERS[event]), heard
    arrow = arrow_of(stem.event(None)) if event in OF_SPI else None
    return (_with_number, stem) if arrow is None else (OF_SPI[event], arrow)


def _with_number(racoon: Racoon, stem: Stem, number: Number) -> None:
    take(racoon, Heard(stem.message, stem.event(number), stem.tag))
