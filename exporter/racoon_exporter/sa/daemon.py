"""What each event of the daemon itself does: start, end, and the events that speak of a peer in passing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from racoon_exporter.sa.blame import Evidence, close_in_time
from racoon_exporter.sa.heard import NOT_EVIDENCE, Heard
from racoon_exporter.sa.model import UNATTRIBUTED, IsakmpSa
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.sa.tables import NEGOTIATION, move
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
from racoon_parsers.reasons import NOTIFICATIONS, phase_of

_DEADLY: Final = frozenset({2, 15})
"""SIGINT and SIGTERM; SIGHUP reloads, and prints nothing."""
_OPENSSL_CODES: Final = range(1, 200)
"""`X509_V_ERR_*` (`x509_vfy.h`) as far as they go, and room for more; whoever writes lines writes any number."""
_XAUTH_WAIT: Final = 120.0
"""Seconds after phase 1 within which an XAuth login is answered."""


def started(racoon: Racoon, heard: Heard[DaemonStarted]) -> None:
    """A line of racoon's start. The version banner is the one that every start has."""
    event = heard.event
    if event.openssl is not None and racoon.life.run is not None:
        racoon.life.run.openssl = event.openssl
    reboot = heard.message.marks.get("reboot")
    if reboot is not None:
        _rebooted(racoon, orderly=reboot == "orderly")
    if event.version is None:
        return
    if racoon.life.run is not None or _was_heard(racoon):
        crashed(racoon)
    racoon.life.begin(racoon.gateway, racoon.now, event.version)
    racoon.counters["daemon_starts",] += 1


def _rebooted(racoon: Racoon, *, orderly: bool) -> None:
    """The whole system started: nothing of before is left, in the daemon or in the kernel."""
    if racoon.life.run is not None or _was_heard(racoon):
        racoon.counters["daemon_crashes",] += not orderly
        _flush(racoon)
        _end_run(racoon, "shutdown" if orderly else "crash")
    racoon.life.begin_anew(racoon.gateway, racoon.now)
    racoon.counters["daemon_starts",] += 1


def _was_heard(racoon: Racoon) -> bool:
    """Whether a racoon ran of whose start no line tells: the log began later, or was rotated since."""
    return not racoon.life.stopped and bool(racoon.peers or racoon.negotiations)


def crashed(racoon: Racoon) -> None:
    """An end without a farewell: the daemon is gone, the kernel's SAs are not.

    They carry traffic until they expire, and the new daemon prints their expiry (seen on 0.9.1).
    """
    racoon.counters["daemon_crashes",] += 1
    _end_run(racoon, "crash")
    racoon.ipsec.leave_to_kernel()


def _end_run(racoon: Racoon, end: str) -> None:
    racoon.archive.add(racoon.archive.daemon, racoon.life.end(racoon.gateway, racoon.now, end))
    _end_isakmp_sas(racoon)
    racoon.isakmp.forget_presumed()
    for negotiation in list(racoon.negotiations):
        racoon.negotiations.finish(negotiation, "daemon_ended", racoon.now)
    racoon.pairs.forget()
    racoon.blame.packet.forget()


def _end_isakmp_sas(racoon: Racoon) -> None:
    for sa in list(racoon.isakmp):
        racoon.isakmp.end(sa, "daemon_ended", "restart", racoon.now, racoon.now)


def signalled(racoon: Racoon, heard: Heard[DaemonSignalled]) -> None:
    """SIGTERM and SIGINT: racoon flushes the kernel's SAs at once; its last line comes up to seconds later.

    Deletes for many SAs take time, and the daemon stays until they are sent (`session.c: check_sigreq()`).
    """
    event = heard.event
    if event.signal in _DEADLY:
        racoon.life.signalled = True
        _flush(racoon)


def _flush(racoon: Racoon) -> None:
    _end_isakmp_sas(racoon)
    for sa in list(racoon.ipsec):
        racoon.ipsec.end(sa, "daemon_ended", "restart", racoon.now, racoon.now)


def stopped(racoon: Racoon, heard: Heard[DaemonStopped]) -> None:
    """racoon ends and flushes the kernel's SAs, without a line for any of them.

    With privilege separation its other half says so, too. If that is all that is said, the half that negotiates crashed.
    """
    message = heard.message
    if racoon.life.stopped or message.severity == "error":
        return
    if "other_half" in message.marks and not racoon.life.signalled:
        crashed(racoon)
        return
    _flush(racoon)
    _end_run(racoon, "shutdown")


def listening(racoon: Racoon, heard: Heard[DaemonListening]) -> None:
    """racoon listens on a local address. That it says so again may be all that tells of a SIGHUP."""
    local = heard.event.local
    if local is not None:
        racoon.own(local.address)
        if racoon.life.listens_on(heard.message.template, str(local)):
            _forget_phase1(racoon)


def _forget_phase1(racoon: Racoon) -> None:
    """SIGHUP in 0.5 and 0.6: what is negotiated and every ISAKMP SA are forgotten, the kernel's SAs stay."""
    for negotiation in list(racoon.negotiations):
        racoon.negotiations.finish(negotiation, "daemon_ended", racoon.now)
    for sa in list(racoon.isakmp):
        racoon.isakmp.presume_ended(sa, "flushed", "deleted_locally", racoon.now, racoon.now)


def configuration_failed(racoon: Racoon, heard: Heard[Event]) -> None:
    """racoon.conf is wrong. A daemon that only starts ends with that."""
    severity = heard.message.severity
    if severity in NOT_EVIDENCE:
        return
    racoon.counters["config_errors",] += 1
    starting = racoon.life.run is not None and not racoon.life.listens
    if starting and severity == "critical":
        _end_run(racoon, "shutdown")


def dead_peer(racoon: Racoon, heard: Heard[DeadPeerDetected]) -> None:
    """A peer no longer answers; the teardown follows."""
    event = heard.event
    address = heard.sender or racoon.peers.of_cookies(event.cookies) or UNATTRIBUTED
    racoon.count(address, "dead_peers")
    if event.cookies is not None:
        racoon.blame.teardowns.explain(event.cookies, "dead_peer", racoon.now)


def admin_command(racoon: Racoon, heard: Heard[AdminCommand]) -> None:
    """A command over the control socket that takes SAs down says so first."""
    event = heard.event
    if event.peer is None or "teardown" not in heard.message.marks:
        return
    racoon.blame.teardowns.explain(event.peer.address, "deleted_locally", racoon.now)
    if heard.message.marks["teardown"] == "one":
        local = event.local.address if event.local else None
        ending = [sa for sa in racoon.isakmp.of_peer.get(event.peer.address, ()) if sa.local in (local, None)]
        for sa in ending[:1]:
            racoon.isakmp.end(sa, "flushed", "deleted_locally", racoon.now, racoon.now)


def initial_contact(racoon: Racoon, heard: Heard[InitialContactReceived]) -> None:
    """The peer holds no older SAs; what is purged now goes for that."""
    address = heard.sender
    if address is not None:
        racoon.blame.teardowns.contacted(address, racoon.now)


def nat_detected(racoon: Racoon, heard: Heard[NatDetected]) -> None:
    """NAT or none on the way to the peer that negotiates."""
    event = heard.event
    peer = racoon.negotiations.only_peer(1)
    if peer is not None and event.nat is not None:
        racoon.peer(peer).nat = event.nat


def nat_traversal(racoon: Racoon, heard: Heard[NatTraversal]) -> None:
    """Keepalives are sent, and ports move, only where there is NAT."""
    event = heard.event
    if event.peer is not None and event.local is not None:
        address = event.peer.address
        if address in racoon.peers and "nat" not in heard.message.marks:
            racoon.peers[address].nat = True


def notification(racoon: Racoon, heard: Heard[NotificationReceived]) -> None:
    """The peer sent a notification."""
    event = heard.event
    count: tuple[str, ...] = ()
    if event.notification is not None:
        count = ("notifications", event.notification if event.notification in NOTIFICATIONS else "other")
    why = heard.blames
    if why is not None or count:
        evidence = Evidence(racoon.now, why, phase_of(heard.message, event), count)
        racoon.blame.packet.add(heard.sender, evidence, racoon.now)


def certificate(racoon: Racoon, heard: Heard[CertificateProblem]) -> None:
    """A certificate or CRL was not found good. Code 3 is tolerated: counted, no evidence."""
    event = heard.event
    count: tuple[str, ...] = ()
    if event.code is not None:
        code = str(event.code) if event.code in _OPENSSL_CODES else "other"
        count = ("certificate_problems", code, heard.reason or "unknown")
    why = heard.reason if heard.severity in {"error", "critical"} else None
    address = heard.sender
    if address is not None:
        racoon.blame.packet.land(address, racoon.now)
    peer = racoon.peers.get(address or racoon.negotiations.only_peer(1) or "")
    if peer is not None:
        peer.authentication = peer.authentication or "signature"
    racoon.blame.packet.add(address, Evidence(racoon.now, why, 1, count), racoon.now)


def no_config(racoon: Racoon, heard: Heard[NoConfig]) -> None:
    """No remote or sainfo section fits."""
    event = heard.event
    message, reason = heard.message, heard.blames
    if reason is None:
        return
    phase = int(message.marks.get("phase", "1"))
    refusal = message.stage == "refusal"
    if refusal and event.peer is not None:
        racoon.refuse(event.peer.address, phase, reason, "initiator")
    else:
        racoon.blame.packet.add(heard.address, Evidence(racoon.now, reason, phase, refusal=refusal), racoon.now)


def xauth_asked(racoon: Racoon, _heard: Heard[Remark]) -> None:
    """The server asks for a login just before it prints that phase 1 is up."""
    racoon.blame.packet.login_asked = True


def xauth_succeeded(racoon: Racoon, _heard: Heard[XauthLoginSucceeded]) -> None:
    """A user is logged in."""
    racoon.counters["xauth_logins", "success"] += 1
    sa = _awaiting_login(racoon)
    if sa is not None:
        sa.xauth = False


def xauth_failed(racoon: Racoon, _heard: Heard[XauthLoginFailed]) -> None:
    """A login is refused: both sides drop the ISAKMP SA without a line, and the negotiation failed after all."""
    racoon.counters["xauth_logins", "failure"] += 1
    sa = _awaiting_login(racoon)
    if sa is None:
        racoon.peers.count_failure(1, UNATTRIBUTED, "xauth_failed", racoon.now, racoon.now)
        return
    sa.xauth = False
    racoon.isakmp.end(sa, "login_refused", "deleted_locally", racoon.now, racoon.now)
    racoon.peers.count_failure(1, sa.peer, "xauth_failed", racoon.now, racoon.now)
    for negotiation in reversed(racoon.archive.negotiations):
        ours = negotiation.gateway == sa.gateway and negotiation.peer == sa.peer  # the other end's has the same cookies
        if ours and negotiation.cookies == sa.cookies:
            move(NEGOTIATION, negotiation, "login_refused")
            negotiation.reason, negotiation.ended = "xauth_failed", racoon.now
            racoon.archive.changed()
            break


def may_await_login(racoon: Racoon) -> Iterator[IsakmpSa]:
    """Give the ISAKMP SAs that a login line may still be about: a refused login makes their negotiation a failure."""
    for sa in racoon.isakmp:
        if sa.xauth or close_in_time(sa.established, racoon.now, _XAUTH_WAIT):
            yield sa


def _awaiting_login(racoon: Racoon) -> IsakmpSa | None:
    """Choose the ISAKMP SA a login line is about: the only one that asked for it lately, or at all, else the only new one."""
    new = [sa for sa in racoon.isakmp.newest() if close_in_time(sa.established, racoon.now, _XAUTH_WAIT)]
    asked = list(racoon.isakmp.asked())
    candidates = [sa for sa in new if sa.xauth] or asked or new
    return candidates[-1] if len({sa.peer for sa in candidates}) == 1 else None
