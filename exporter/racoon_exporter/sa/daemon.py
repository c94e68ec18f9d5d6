"""What each event of the daemon itself does: start, end, and the events that speak of a peer in passing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from racoon_exporter.sa import evidence
from racoon_exporter.sa.model import UNATTRIBUTED, DaemonRun, IsakmpSa
from racoon_exporter.sa.phase1 import address_of
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.sa.tables import NEGOTIATION, NOT_EVIDENCE, move
from racoon_parsers.events import (
    AdminCommand,
    CertificateProblem,
    DaemonListening,
    DaemonSignalled,
    DaemonStarted,
    DaemonStopped,
    DeadPeerDetected,
    Event,
    InitialContactReceived,
    NatDetected,
    NatTraversal,
    NoConfig,
    NotificationReceived,
    Remark,
    XauthLoginFailed,
    XauthLoginSucceeded,
)
from racoon_parsers.reader import Record
from racoon_parsers.reasons import NOTIFICATIONS, phase_of, severity_and_reason

_VERSION: Final = re.compile(r"\d+(?:\.\d+)*\S*")
_FIRST_LOCAL_TO_PEER: Final = (0, 8)
"""The first version whose established lines print local->peer for both directions."""
_DEADLY: Final = frozenset({2, 15})
"""SIGINT and SIGTERM; SIGHUP reloads, and prints nothing."""
_XAUTH_WAIT: Final = 120.0
"""Seconds after phase 1 within which an XAuth login is answered."""


def started(racoon: Racoon, record: Record, event: DaemonStarted) -> None:
    """A line of racoon's start. The version banner is the one that every start has."""
    if event.openssl is not None and racoon.run is not None:
        racoon.run.openssl = event.openssl
    if event.version is None:
        return
    if racoon.run is not None or _was_heard(racoon):
        crashed(racoon)
    version = _VERSION.search(event.version)
    racoon.run_listens = False
    racoon.stopped = False
    racoon.run = DaemonRun(racoon.gateway, record.time, version=version[0] if version else event.version)
    racoon.true_arrows = _true_arrows(racoon.run.version or "")
    racoon.counters["daemon_starts",] += 1


def _true_arrows(version: str) -> bool | None:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return None if numbers is None else (int(numbers[1]), int(numbers[2])) < _FIRST_LOCAL_TO_PEER


def _was_heard(racoon: Racoon) -> bool:
    """Whether a racoon ran of whose start no line tells: the log began later, or was rotated since."""
    return not racoon.stopped and bool(racoon.peers or racoon.open or racoon.waiting)


def crashed(racoon: Racoon) -> None:
    """An end without a farewell: the daemon is gone, the kernel's SAs are not.

    They carry traffic until they expire, and the new daemon prints their expiry (seen on 0.9.1).
    """
    racoon.counters["daemon_crashes",] += 1
    _end_run(racoon, "crash")
    for sas in racoon.ipsec.values():
        for sa in sas:
            sa.orphan = True
            racoon.bound_ipsec(sa)


def _end_run(racoon: Racoon, end: str) -> None:
    run, racoon.run = racoon.run or DaemonRun(racoon.gateway, None), None
    run.stopped, run.end = racoon.now, end
    racoon.archive.add(racoon.archive.daemon, run)
    racoon.stopped = True
    for isakmp in list(racoon.isakmp.values()):
        racoon.end_isakmp(isakmp, "daemon_ended", "restart")
    racoon.presumed_isakmp.clear()
    for table in (racoon.open, racoon.waiting):
        for negotiation in [one for negotiations in table.values() for one in negotiations]:
            racoon.finish(negotiation, "daemon_ended")
    racoon.halves.clear()
    racoon.clues.floating.clear()
    racoon.clues.context = None
    racoon.clues.xauth_asked = False
    racoon.clues.signalled = False


def signalled(racoon: Racoon, _record: Record, event: DaemonSignalled) -> None:
    """SIGTERM and SIGINT: racoon flushes the kernel's SAs at once; its last line comes up to seconds later.

    Deletes for many SAs take time, and the daemon stays until they are sent (`session.c: check_sigreq()`).
    """
    if event.signal in _DEADLY:
        racoon.clues.signalled = True
        _flush(racoon)


def _flush(racoon: Racoon) -> None:
    for isakmp in list(racoon.isakmp.values()):
        racoon.end_isakmp(isakmp, "daemon_ended", "restart")
    for sa in [one for sas in racoon.ipsec.values() for one in sas]:
        racoon.end_ipsec(sa, "daemon_ended", "restart")


def stopped(racoon: Racoon, record: Record, _event: DaemonStopped) -> None:
    """racoon ends and flushes the kernel's SAs, without a line for any of them.

    With privilege separation its other half says so, too. If that is all that is said, the half that negotiates crashed.
    """
    message = record.message
    if racoon.stopped or message is None or message.severity == "error":
        return
    if "other_half" in message.marks and not racoon.clues.signalled:
        crashed(racoon)
        return
    _flush(racoon)
    _end_run(racoon, "shutdown")


def listening(racoon: Racoon, _record: Record, event: DaemonListening) -> None:
    """racoon listens on a local address."""
    if event.local is not None:
        racoon.locals.add(event.local.address)
        racoon.run_listens = True
        racoon.stopped = False


def configuration_failed(racoon: Racoon, record: Record, _event: Event) -> None:
    """racoon.conf is wrong. A daemon that only starts ends with that."""
    message = record.message
    if message is None or message.severity in NOT_EVIDENCE:
        return
    racoon.counters["config_errors",] += 1
    starting = racoon.run is not None and not racoon.run_listens
    if starting and message.severity == "critical":
        _end_run(racoon, "shutdown")


def dead_peer(racoon: Racoon, record: Record, event: DeadPeerDetected) -> None:
    """A peer no longer answers; the teardown follows."""
    address = address_of(record, None) or racoon.peer_of_cookies.get(event.cookies or "") or UNATTRIBUTED
    racoon.count(address, "dead_peers")
    if event.cookies is not None:
        racoon.explain_teardown(event.cookies, "dead_peer")


def admin_command(racoon: Racoon, record: Record, event: AdminCommand) -> None:
    """A command over the control socket that takes SAs down says so first."""
    if event.peer is not None and record.message is not None and "teardown" in record.message.marks:
        racoon.explain_teardown(event.peer.address, "deleted_locally")


def initial_contact(racoon: Racoon, record: Record, _event: InitialContactReceived) -> None:
    """The peer holds no older SAs; what is purged now goes for that."""
    address = address_of(record, None)
    if address is not None:
        racoon.clues.initial_contact = (record.time, address)


def nat_detected(racoon: Racoon, _record: Record, event: NatDetected) -> None:
    """NAT or none on the way to the peer that negotiates."""
    peers = {negotiation.peer for negotiation in racoon.unfinished(1)}
    if len(peers) == 1 and event.nat is not None:
        racoon.peer(peers.pop()).nat = event.nat


def nat_traversal(racoon: Racoon, record: Record, event: NatTraversal) -> None:
    """Keepalives are sent, and ports move, only where there is NAT."""
    if event.peer is not None and event.local is not None and record.message is not None:
        address = event.peer.address
        if address in racoon.peers and "nat" not in record.message.marks:
            racoon.peers[address].nat = True


def notification(racoon: Racoon, record: Record, event: NotificationReceived) -> None:
    """The peer sent a notification."""
    message = record.message
    if message is None:
        return
    severity, reason = severity_and_reason(message, event)
    count: tuple[str, ...] = ()
    if event.notification is not None:
        count = ("notifications", event.notification if event.notification in NOTIFICATIONS else "other")
    why = None if severity in NOT_EVIDENCE else reason
    address = address_of(record, None)
    if why is not None or count:
        evidence.add(racoon, address, evidence.Evidence(record.time, why, phase_of(message, event), count))


def certificate(racoon: Racoon, record: Record, event: CertificateProblem) -> None:
    """A certificate or CRL was not found good. Code 3 is tolerated: counted, no evidence."""
    message = record.message
    if message is None:
        return
    severity, reason = severity_and_reason(message, event)
    count: tuple[str, ...] = ()
    if event.code is not None:
        count = ("certificate_problems", str(event.code), reason or "unknown")
    why = reason if severity in {"error", "critical"} else None
    address = address_of(record, None)
    if address is not None:
        evidence.land(racoon, address)
    evidence.add(racoon, address, evidence.Evidence(record.time, why, 1, count))


def no_config(racoon: Racoon, record: Record, event: NoConfig) -> None:
    """No remote or sainfo section fits."""
    message = record.message
    if message is None:
        return
    severity, reason = severity_and_reason(message, event)
    if reason is None or severity in NOT_EVIDENCE:
        return
    address = address_of(record, event.peer)
    phase = int(message.marks.get("phase", "1"))
    refusal = message.stage == "refusal"
    if refusal and event.peer is not None:
        evidence.refuse(racoon, event.peer.address, phase, reason, "initiator")
    else:
        evidence.add(racoon, address, evidence.Evidence(record.time, reason, phase, refusal=refusal))


def xauth_asked(racoon: Racoon, _record: Record, _event: Remark) -> None:
    """The server asks for a login just before it prints that phase 1 is up."""
    racoon.clues.xauth_asked = True


def xauth_succeeded(racoon: Racoon, _record: Record, _event: XauthLoginSucceeded) -> None:
    """A user is logged in."""
    racoon.counters["xauth_logins", "success"] += 1
    sa = _awaiting_login(racoon)
    if sa is not None:
        sa.xauth = False


def xauth_failed(racoon: Racoon, _record: Record, _event: XauthLoginFailed) -> None:
    """A login is refused: both sides drop the ISAKMP SA without a line, and the negotiation failed after all."""
    racoon.counters["xauth_logins", "failure"] += 1
    sa = _awaiting_login(racoon)
    if sa is None:
        racoon.count_failure(1, UNATTRIBUTED, "xauth_failed")
        return
    sa.xauth = False
    racoon.end_isakmp(sa, "login_refused", "deleted_locally")
    racoon.count_failure(1, sa.peer, "xauth_failed")
    for negotiation in reversed(racoon.archive.negotiations):
        if negotiation.cookies == sa.cookies:
            move(NEGOTIATION, negotiation, "login_refused")
            negotiation.reason, negotiation.ended = "xauth_failed", racoon.now
            racoon.archive.changed()
            break


def may_await_login(racoon: Racoon) -> Iterator[IsakmpSa]:
    """Give the ISAKMP SAs that a login line may still be about: a refused login makes their negotiation a failure."""
    for sa in racoon.isakmp.values():
        if sa.xauth or evidence.close_in_time(sa.established, racoon.now, _XAUTH_WAIT):
            yield sa


def _awaiting_login(racoon: Racoon) -> IsakmpSa | None:
    """Choose the ISAKMP SA a login line is about: the only one that asked for it lately, or at all, else the only new one."""
    new = [sa for sa in racoon.isakmp.values() if evidence.close_in_time(sa.established, racoon.now, _XAUTH_WAIT)]
    asked = [sa for sa in racoon.isakmp.values() if sa.xauth]
    candidates = [sa for sa in new if sa.xauth] or asked or new
    return candidates[-1] if len({sa.peer for sa in candidates}) == 1 else None
