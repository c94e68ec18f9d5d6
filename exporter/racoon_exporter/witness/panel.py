"""What all witnesses together have said: asked in their threads, laid beside the log's belief, ready to be shown.

The reader of the log never waits for a witness: what is compared was copied under its lock, and what follows is handed to it
as a short list.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from racoon_exporter.sa.findings import Believed, Findings, UnloggedIpsec, UnloggedIsakmp
from racoon_exporter.sa.model import OTHER, Phase, Time
from racoon_exporter.sa.schema import typed
from racoon_exporter.witness.certificates import Certificates
from racoon_exporter.witness.compare import Comparison
from racoon_exporter.witness.contract import FilesLook, KernelLook, Look, RacoonLook, Witness
from racoon_exporter.witness.crypto import Crypto, of_phase1, of_sa
from racoon_exporter.witness.inventory import Inventory
from racoon_exporter.witness.own_end import Ends, local_ends
from racoon_exporter.witness.policies import PolicyCounts, policy_counts
from racoon_exporter.witness.poller import INTERVAL, Poller, WitnessStatus
from racoon_exporter.witness.traffic import Owner, Traffic
from racoon_parsers.admin_socket import Event, Phase1
from racoon_parsers.kernel import KernelSa

KINDS: Final = ("vanished", "unlogged", "direction")
"""How log and witness may disagree."""
_MOST_EVENTS: Final = 200


class _PanelShape(TypedDict):
    """`WitnessPanel.to_json`."""

    traffic: dict[str, Any]
    disagreements: list[tuple[str, str, Annotated[int, Meta(ge=0)]]]
    inventory: list[tuple[str, str, Phase, str, str, str, str, str, Time, Time]]


Believes = Callable[[str | None], Believed | None]
"""Gives what the log believes of a gateway's racoon; None while nothing can be compared."""


@dataclass(slots=True)
class Shown:
    """What is shown of witnesses: one copy, nothing of which changes."""

    statuses: tuple[WitnessStatus, ...] = ()
    traffic: dict[Owner, dict[str, int]] = field(default_factory=dict)
    expiry: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """By gateway, peer and phase: hard expiry of the youngest SA."""
    crypto: dict[tuple[str, str], frozenset[Crypto]] = field(default_factory=dict)
    """By gateway and peer: how it is spoken to now."""
    policies: dict[tuple[str, str], PolicyCounts] = field(default_factory=dict)
    certificates: dict[str, Certificates] = field(default_factory=dict)
    """By gateway."""
    configured: dict[str, tuple[tuple[str, Crypto], ...]] = field(default_factory=dict)
    """By gateway: what racoon.conf proposes, by address."""
    phase1: dict[str, tuple[Phase1, ...]] = field(default_factory=dict)
    """By gateway: what racoon itself has."""
    events: tuple[tuple[str, Event], ...] = ()
    """The last that racoon told, with its gateway."""
    disagreements: dict[tuple[str, str], int] = field(default_factory=dict)
    """By witness and kind."""
    inventory: Inventory = field(default_factory=Inventory)


class WitnessPanel:
    """Asks witnesses, and keeps what follows."""

    def __init__(
        self,
        witnesses: Iterable[Witness] = (),
        *,
        believes: Believes = lambda _gateway: None,
        report: Callable[[Findings], None] = lambda _findings: None,
        interval: float = INTERVAL,
    ) -> None:
        """Make a panel that asks nobody yet. `believes` and `report` are the log's side, and hold its lock themselves."""
        self.believes = believes
        self.report = report
        self._lock = threading.Lock()
        self._pollers = [Poller(witness, self.heard, interval=interval) for witness in witnesses]
        self._ipsec: dict[str, Comparison[tuple[str, int]]] = {}
        self._isakmp: dict[str, Comparison[str]] = {}
        self._traffic = Traffic()
        self._counts: Counter[tuple[str, str]] = Counter(
            {(poller.status.name, kind): 0 for poller in self._pollers for kind in KINDS if poller.status.name != "files"}
        )
        self._shown = Shown()
        self._crypto: dict[tuple[str, int], dict[str, set[Crypto]]] = {}
        """By gateway and phase: how each peer is spoken to now."""
        self._groups: dict[tuple[str, str], str] = {}
        """By gateway and peer: the group behind the keys of phase 2, which only racoon knows."""

    # life

    def start(self) -> None:
        """Begin to ask."""
        for poller in self._pollers:
            poller.start()

    def stop(self) -> None:
        """Ask no more."""
        for poller in self._pollers:
            poller.stop()

    # hearing

    def heard(self, witness: Witness, look: Look) -> None:
        """Take what a witness said, in its thread."""
        if isinstance(look, FilesLook):
            with self._lock:
                self._shown.certificates[witness.gateway or ""] = look.certificates
                self._shown.configured[witness.gateway or ""] = look.configured
            return
        believed = self.believes(witness.gateway)
        if believed is None:
            self._forget(witness.gateway)
        elif isinstance(look, KernelLook):
            self._heard_kernel(look, believed)
        else:
            self._heard_racoon(look, believed)

    def _forget(self, gateway: str | None) -> None:
        """The log is not followed to its end: two looks in a row begin anew."""
        with self._lock:
            for table in (self._ipsec, self._isakmp):
                for name, comparison in table.items():
                    if gateway in (None, name):
                        comparison.forget()

    def _heard_kernel(self, look: KernelLook, believed: Believed) -> None:
        if not look.new:
            return
        gateway = believed.gateway
        policies = look.policies or ()
        ends = Ends(gateway, believed.locals | local_ends(policies), believed.peers.__contains__, OTHER)
        usable = [sa for sa in look.sas if sa.state in {"mature", "dying"}]
        owners = {sa.key: owner for sa in usable if (owner := ends.owner(sa)) is not None}
        traffic = self._traffic.after(gateway, look.sas, lambda sa: owners.get(sa.key), complete=look.complete)
        expiry, crypto = self._phase2(gateway, usable, owners)
        policed = None
        if look.policies is not None:
            policed = policy_counts(policies, look.sas, lambda address: address if address in believed.peers else OTHER)
        with self._lock:  # for the exchange only: a table may have 100,000 SAs, and a scrape does not wait for them
            self._traffic = traffic
            self._note(gateway, 2, expiry, crypto, look.taken)
            if policed is not None:
                self._replace(self._shown.policies, gateway, policed)
        self._compare_kernel(usable, owners, look, believed)

    def _phase2(
        self, gateway: str, usable: list[KernelSa], owners: dict[Any, Owner]
    ) -> tuple[dict[str, float], dict[str, set[Crypto]]]:
        """Give expiry and algorithms by peer. The youngest SA of a peer is the one that lives longest."""
        expiry: dict[str, float] = {}
        crypto: dict[str, set[Crypto]] = {}
        for sa in usable:
            owner = owners.get(sa.key)
            if owner is None or owner.peer == OTHER:
                continue
            if sa.hard_expiry is not None:
                expiry[owner.peer] = max(expiry.get(owner.peer, 0.0), sa.hard_expiry)
            crypto.setdefault(owner.peer, set()).add(of_sa(sa, self._groups.get((gateway, owner.peer), "")))
        return expiry, crypto

    def _note(self, gateway: str, phase: int, expiry: dict[str, float], crypto: dict[str, set[Crypto]], taken: float) -> None:
        """Replace what is known of a phase at a gateway."""
        shown = self._shown
        kept = {key: when for key, when in shown.expiry.items() if (key[0], key[2]) != (gateway, phase)}
        shown.expiry = kept | {(gateway, peer, phase): when for peer, when in expiry.items()}
        self._crypto[gateway, phase] = crypto
        peers = {peer for known in (self._crypto.get((gateway, one), {}) for one in (1, 2)) for peer in known}
        spoken = {
            peer: frozenset().union(*(self._crypto.get((gateway, one), {}).get(peer, frozenset()) for one in (1, 2)))
            for peer in peers
        }
        self._replace(shown.crypto, gateway, spoken)
        for peer, used in crypto.items():
            shown.inventory.saw(gateway, peer, used, taken)

    @staticmethod
    def _replace(table: dict[tuple[str, str], Any], gateway: str, values: dict[str, Any]) -> None:
        for key in [key for key in table if key[0] == gateway]:
            del table[key]
        table.update({(gateway, peer): value for peer, value in values.items()})

    def _compare_kernel(self, usable: list[KernelSa], owners: dict[Any, Owner], look: KernelLook, believed: Believed) -> None:
        """Compare SAs by protocol and SPI: what the log has of their ends may be wrong, and that is a finding."""
        seen = {(sa.protocol, sa.spi): sa for sa in usable if sa.protocol != "ipcomp"}
        comparison = self._ipsec.setdefault(believed.gateway, Comparison())
        differences = comparison.look(believed.ipsec, seen, look.taken, complete=look.complete)
        unlogged = [
            UnloggedIpsec(
                sa.protocol, sa.mode or None, sa.source, sa.destination, sa.spi, owner.peer, owner.direction, sa.added
            )
            for key in differences.unlogged
            if (sa := seen.get(key)) is not None and (owner := owners.get(sa.key)) is not None and owner.peer != OTHER
        ]
        turned = [
            (key, owner.direction)
            for key, direction in believed.ipsec.items()
            if (sa := seen.get(key)) is not None and (owner := owners.get(sa.key)) is not None and direction != owner.direction
        ]
        findings = Findings(believed.gateway, dict(differences.vanished), tuple(unlogged), tuple(turned))
        self._count("kernel", len(differences.vanished), len(unlogged), len(turned))
        if findings:
            self.report(findings)

    def _heard_racoon(self, look: RacoonLook, believed: Believed) -> None:
        gateway = believed.gateway
        up = {sa.cookies: sa for sa in look.phase1 if sa.up}
        with self._lock:
            self._note_racoon(gateway, look, up, believed)
        comparison = self._isakmp.setdefault(gateway, Comparison())
        differences = comparison.look(believed.isakmp, up, look.taken)
        unlogged = tuple(
            UnloggedIsakmp(
                cookies,
                sa.local.address if sa.local else None,
                sa.remote.address,
                sa.role or None,
                sa.exchange or None,
                sa.created,
            )
            for cookies in differences.unlogged
            if (sa := up.get(cookies)) is not None and sa.remote is not None and sa.remote.address in believed.peers
        )
        findings = Findings(gateway, vanished_isakmp=dict(differences.vanished), unlogged_isakmp=unlogged)
        self._count("racoon", len(differences.vanished), len(unlogged), 0)
        if findings:
            self.report(findings)

    def _note_racoon(self, gateway: str, look: RacoonLook, up: dict[str, Phase1], believed: Believed) -> None:
        shown = self._shown
        shown.phase1[gateway] = look.phase1
        shown.events = (*shown.events, *((gateway, event) for event in look.events))[-_MOST_EVENTS:]
        expiry: dict[str, float] = {}
        crypto: dict[str, set[Crypto]] = {}
        for sa in up.values():
            peer = sa.remote.address if sa.remote else ""
            if peer not in believed.peers:
                continue
            if sa.expires is not None:
                expiry[peer] = max(expiry.get(peer, 0.0), sa.expires)
            if sa.exchange or sa.encryption:
                crypto.setdefault(peer, set()).add(of_phase1(sa))
        self._note(gateway, 1, expiry, crypto, look.taken)
        self._note_groups(gateway, look, up)

    def _note_groups(self, gateway: str, look: RacoonLook, up: dict[str, Phase1]) -> None:
        self._groups = {key: group for key, group in self._groups.items() if key[0] != gateway}
        for phase2 in look.phase2:
            sa = up.get(phase2.cookies)
            if sa is not None and sa.remote is not None and phase2.group:
                self._groups[gateway, sa.remote.address] = str(phase2.group)

    def _count(self, witness: str, vanished: int, unlogged: int, direction: int) -> None:
        with self._lock:
            for kind, count in zip(KINDS, (vanished, unlogged, direction), strict=True):
                self._counts[witness, kind] += count

    # showing

    def shown(self) -> Shown:
        """Give a copy of everything."""
        with self._lock:
            known = self._shown
            return Shown(
                tuple(poller.status for poller in self._pollers),
                {owner: dict(counts) for owner, counts in self._traffic.totals.items()},
                dict(known.expiry),
                dict(known.crypto),
                dict(known.policies),
                dict(known.certificates),
                dict(known.configured),
                dict(known.phase1),
                known.events,
                dict(self._counts),
                known.inventory.copy(),
            )

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give what must outlive this process: counts, and when each peer was last spoken to."""
        with self._lock:
            traffic, counts, inventory = self._traffic, dict(self._counts), self._shown.inventory.to_json()
        return {
            "version": 1,
            "traffic": traffic.to_json(),
            "disagreements": [[*key, count] for key, count in counts.items()],
            "inventory": inventory,
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave. Raises KeyError, TypeError or ValueError on anything else; nothing is then taken."""
        kept = typed(given, _PanelShape)
        traffic = Traffic.from_json(given["traffic"])
        inventory = Inventory.from_json(given["inventory"])
        counts = {(name, kind): count for name, kind, count in kept["disagreements"] if kind in KINDS}
        with self._lock:
            self._traffic = traffic
            self._counts.update(counts)
            self._shown.inventory = inventory
