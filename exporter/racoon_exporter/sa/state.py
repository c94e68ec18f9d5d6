"""The state of all racoons: `apply` a record, look at what is believed, keep it over a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from racoon_exporter.sa import daemon, evidence, phase1, phase2
from racoon_exporter.sa.checkpoint import racoon_from_json, racoon_to_json
from racoon_exporter.sa.model import HISTORY, OTHER, IpsecSa, IsakmpSa, Negotiation, from_json
from racoon_exporter.sa.racoon import NEGOTIATION_TTL, ORPHAN_LIFETIME, Archive, Knowledge, Racoon
from racoon_exporter.sa.tables import EVIDENCE, NOT_EVIDENCE
from racoon_parsers.events import Event
from racoon_parsers.reader import Record
from racoon_parsers.reasons import severity_and_reason

Handler = Callable[[Racoon, Record, Any], None]


def _evidence(racoon: Racoon, record: Record, event: Event) -> None:
    """Take a line that may tell why a negotiation fails."""
    message = record.message
    if message is None:
        return
    severity, reason = severity_and_reason(message, event)
    if reason is None or severity in NOT_EVIDENCE:
        return
    address = phase1.address_of(record, getattr(event, "peer", None))
    evidence.add(racoon, address, evidence.Evidence(record.time, reason, EVIDENCE[message.event]))


def _kernel_error(racoon: Racoon, record: Record, event: Event) -> None:
    if record.message is not None and record.message.severity not in NOT_EVIDENCE:
        racoon.counters["kernel_errors",] += 1
        _evidence(racoon, record, event)


HANDLERS: Final[dict[str, Handler]] = dict.fromkeys(EVIDENCE, _evidence) | {
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

_FOLDED: Final = (OTHER, "racoon", "")
_ADDRESSED: Final = frozenset(
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

MOST_RACOONS: Final = 1000
"""Beyond it, racoons of new hosts and names are one racoon of the gateway `other`: whoever may write the log names any host."""
IDLE_RACOON: Final = 86400.0
"""Seconds without a line after which a racoon's place may be given to another."""
_MOST_REPEATS: Final = 100
"""`last message repeated` is applied at most this often: more changes nothing."""


class SaState:
    """Everything believed, of every gateway and every racoon on it."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self.knowledge = knowledge or Knowledge()
        self.archive = Archive(self.knowledge.limits.history)
        self.racoons: dict[tuple[str, str, str], Racoon] = {}
        self._latest: Racoon | None = None
        """The racoon of the last record: most often that of the next."""
        self._full_until = float("-inf")
        """Before this time no racoon gives way to another."""

    def racoon(self, gateway: str, ident: str, stream: str, time: float | None = None) -> Racoon:
        """Give the racoon of a gateway that runs under a name. Where no line names a host, each stream is a racoon's own."""
        key = (gateway, ident, stream)
        racoon = self.racoons.get(key)
        if racoon is None:
            if not self._has_room(time):
                key = _FOLDED
            racoon = self.racoons[key] = self.racoons.get(key) or Racoon(*key, self.knowledge, self.archive)
        return racoon

    def _has_room(self, time: float | None) -> bool:
        """Tell whether there is room for a racoon; one that has been silent for long makes it."""
        if len(self.racoons) < MOST_RACOONS:
            return True
        if time is None or time < self._full_until:
            return False
        oldest = min(self.racoons, key=lambda key: self.racoons[key].now or 0.0)
        self._full_until = (self.racoons[oldest].now or 0.0) + IDLE_RACOON
        if time < self._full_until:
            return False
        del self.racoons[oldest]
        return True

    def apply(self, record: Record, stream: str = "") -> None:
        """Take a record of a stream. Never raises; what is unexpected is believed."""
        time, gateway, ident, _, _, _, message, text, _, times, event = record
        racoon = self._latest
        if racoon is None or racoon.ident != ident or racoon.gateway != gateway or racoon.stream != stream:
            racoon = self._latest = self.racoon(gateway, ident, stream, time)
        if time is not None and time != racoon.now:
            advance(racoon, time)
        if message is None:
            return
        handler = HANDLERS.get(message.event)
        if handler is None:
            return
        if event is None:
            event = message.read(text)
        if racoon.clues.floating and message.event in _ADDRESSED:
            address = phase1.address_of(record, getattr(event, "peer", None))
            if address is not None:
                evidence.land(racoon, address)
        handler(racoon, record, event)
        if times > 1:
            for _ in range(1, min(times, _MOST_REPEATS)):
                handler(racoon, record, event)

    def learn(self, knowledge: Knowledge) -> None:
        """Take what a changed configuration says."""
        self.knowledge = knowledge
        for racoon in self.racoons.values():
            racoon.learn(knowledge)

    def settle(self) -> None:
        """Decide what waits for a next line, as none will come."""
        for racoon in self.racoons.values():
            for evidence_left in racoon.clues.floating:
                evidence._settle_late(racoon, evidence_left)  # noqa: SLF001
            racoon.clues.floating = []
            for when in {end[0] for end in racoon.clues.ambiguous}:
                phase1.settle_ambiguous(racoon, when)

    # looking

    def isakmp_sas(self) -> Iterator[IsakmpSa]:
        """Give the ISAKMP SAs that are alive."""
        for racoon in self.racoons.values():
            yield from racoon.isakmp.values()

    def ipsec_sas(self) -> Iterator[IpsecSa]:
        """Give the IPsec SAs that are alive."""
        for racoon in self.racoons.values():
            for sas in racoon.ipsec.values():
                yield from sas

    def history(self) -> dict[str, list[Any]]:
        """Give all negotiations, SAs and daemons, ended and alive, in the order of their beginning."""
        archive = self.archive
        runs = [racoon.run for racoon in self.racoons.values() if racoon.run is not None]
        unfinished = [
            negotiation
            for racoon in self.racoons.values()
            for table in (racoon.open, racoon.waiting)
            for negotiations in table.values()
            for negotiation in negotiations
        ]
        return {
            "phase1": sorted([*archive.phase1, *self.isakmp_sas()], key=lambda sa: (sa.established or 0.0, sa.cookies)),
            "ipsec": sorted(
                [*archive.ipsec, *self.ipsec_sas()],
                key=lambda sa: (sa.established or 0.0, sa.peer, sa.direction != "in", sa.spi),
            ),
            "negotiations": sorted(
                [*archive.negotiations, *unfinished], key=lambda one: (one.begun or 0.0, one.phase, one.peer, one.ended or 0.0)
            ),
            "daemon": sorted([*archive.daemon, *runs], key=lambda run: (run.started or 0.0, run.gateway)),
        }

    def take_settled(self) -> dict[str, list[Any]]:
        """Take the ended records out of the archive that no later line can change any more.

        For archives that are read once: what is over leaves, so that memory does not grow with the log.
        """
        racoons = self.racoons.values()
        open_to_change = {id(record) for racoon in racoons for record in racoon.open_to_change()}
        awaited = {(racoon.gateway, sa.cookies) for racoon in racoons for sa in daemon.may_await_login(racoon)}
        settled: dict[str, list[Any]] = {}
        for name in HISTORY:
            held: list[Any] = []
            gone: list[Any] = []
            for record in getattr(self.archive, name):
                late = id(record) in open_to_change or (name == "negotiations" and (record.gateway, record.cookies) in awaited)
                (held if late else gone).append(record)
            setattr(self.archive, name, held)
            settled[name] = gone
        self.archive.changed()
        return settled

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give everything, for a checkpoint."""
        return {
            "archive": self.archive.to_json(),
            "racoons": [racoon_to_json(racoon) for racoon in self.racoons.values()],
        }

    @classmethod
    def from_json(cls, given: dict[str, Any], knowledge: Knowledge | None = None) -> SaState:
        """Make the state of what `to_json` gave. Raises KeyError, TypeError or ValueError on anything else."""
        state = cls(knowledge)
        for name, kind in HISTORY.items():
            setattr(state.archive, name, [from_json(kind, record) for record in given["archive"][name]])
        for item in given["racoons"]:
            racoon = racoon_from_json(item, state.knowledge, state.archive)
            racoon.learn(state.knowledge)
            state.racoons[racoon.gateway, racoon.ident, racoon.stream] = racoon
        return state


def advance(racoon: Racoon, now: float) -> None:
    """Let time pass for one racoon. Steps back are believed for what follows and end nothing."""
    before = racoon.now
    racoon.now = now
    if before is None or now <= before:
        return
    if racoon.clues.floating:
        evidence.expire(racoon)
    if racoon.next_timer > now:
        return
    for negotiation in racoon.forgotten(now):
        _give_up(racoon, negotiation)
    for kind, what in racoon.due(now):
        if kind == "ipsec":
            _presume_ipsec_ended(racoon, what, now)
        elif kind == "isakmp":
            _presume_isakmp_ended(racoon, what)
        else:
            phase1.settle_ambiguous(racoon, what)


def _give_up(racoon: Racoon, negotiation: Negotiation) -> None:
    """End a negotiation of which nothing more was heard, at the time when that was clear."""
    racoon.abandon(negotiation, "silence")
    if negotiation.touched is not None:
        negotiation.ended = negotiation.touched + NEGOTIATION_TTL


def _presume_ipsec_ended(racoon: Racoon, sa: IpsecSa, now: float) -> None:
    """End an SA whose lifetime has passed: it was flushed, or the line was lost."""
    if sa.ended is not None or sa.established is None:
        return
    lifetime = sa.lifetime or ORPHAN_LIFETIME
    if sa.established + lifetime > now:
        return
    racoon.presumed[sa.spi] = sa
    if len(racoon.presumed) > _MOST_PRESUMED:
        racoon.presumed.popitem(last=False)
    racoon.end_ipsec(sa, "lifetime", "lifetime", sa.established + lifetime)


def _presume_isakmp_ended(racoon: Racoon, sa: IsakmpSa) -> None:
    if sa.ended is None and sa.purging is not None:
        _, cause = racoon.clues.causes.get(sa.cookies, (None, "purged"))
        racoon.end_isakmp(sa, "silence", cause, sa.purging)
    elif sa.ended is None and sa.established is not None and sa.lifetime is not None and phase1.is_proven(racoon, sa):
        racoon.presume_isakmp_ended(sa, sa.lifetime)


_MOST_PRESUMED: Final = 1024
