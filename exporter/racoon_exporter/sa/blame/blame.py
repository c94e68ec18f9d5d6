"""The parts of blame together, and how a verdict is executed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.blame.packet import Packet
from racoon_exporter.sa.blame.refusals import Refusals
from racoon_exporter.sa.blame.rules import TimeOut
from racoon_exporter.sa.blame.teardown import Teardowns
from racoon_exporter.sa.blame.timeouts import TimeOuts, Verdict
from racoon_exporter.sa.model import UNATTRIBUTED, Negotiation
from racoon_exporter.sa.negotiations import Negotiations
from racoon_exporter.sa.peers import Peers
from racoon_exporter.sa.shared_bounds import Share, whole
from racoon_exporter.sa.timers import Timers


class Blame:
    """Whose failures are told, and why, by the lines of one racoon."""

    __slots__ = ("_gateway", "_negotiations", "_peers", "packet", "refusals", "teardowns", "timeouts")

    def __init__(
        self,
        gateway: str,
        negotiations: Negotiations,
        peers: Peers,
        timers: Timers,
        archive: Archive,
        share: Share = whole,
    ) -> None:
        self.refusals = Refusals(gateway, negotiations, archive, share)
        self.packet = Packet(negotiations, peers, self.refusals)
        self.timeouts = TimeOuts(negotiations, timers)
        self.teardowns = Teardowns(share)
        self._gateway = gateway
        self._negotiations = negotiations
        self._peers = peers

    # time-outs

    def timed_out(self, timeout: TimeOut, address: str | None = None) -> None:
        """Take `phase1 negotiation failed due to …`: it names the cookies, which no line before did, and in places the peer."""
        peer = address or self._peers.of_cookies(timeout.cookies)
        self._execute(self.timeouts.heard(timeout, peer, self.packet.context, self), timeout.at)

    def came_up(self, now: float | None) -> None:
        """A phase 1 came up: it is none of those that timed out."""
        if self.timeouts.waiting:
            self._execute(self.timeouts.claims(self.packet.context), now)

    def due(self, at: float | None, now: float | None) -> None:
        """Give up on the time-outs of a moment."""
        self._execute(self.timeouts.give_up(at, self.packet.context), now)

    def awaits(self, at: float | None, when: float) -> bool:
        """Whether a time-out of a moment waits until then."""
        return self.timeouts.awaits(at, when)

    def _execute(self, verdicts: Iterable[Verdict], now: float | None) -> None:
        """Fail what timed out, at the time when it did; of what nobody knows a failure is left."""
        for verdict in verdicts:
            timeout, negotiation = verdict.timeout, verdict.negotiation
            if negotiation is None:
                peer = verdict.peer or UNATTRIBUTED
                negotiation = Negotiation(1, self._gateway, None, peer, None, None, None, timeout.cookies)
                self._negotiations.begin(negotiation, timeout.at)
            else:
                self.timeouts.learn(verdict)
                negotiation.cookies = timeout.cookies
            self._negotiations.fail(negotiation, timeout.reason, timeout.at, now=now)

    def settle(self, now: float | None) -> None:
        """Decide what waits for a next line, as none will come."""
        self.packet.decide(now)
        for at in {timeout.at for timeout in self.timeouts.waiting}:
            self.due(at, now)

    # keeping

    def to_json(self, negotiations: list[Negotiation], places: Places) -> dict[str, Any]:
        """Give everything, for a checkpoint."""
        return {
            **self.packet.to_json(negotiations),
            **self.refusals.to_json(places),
            **self.timeouts.to_json(),
            **self.teardowns.to_json(),
        }

    def restore(self, given: dict[str, Any], negotiations: list[Negotiation]) -> None:
        """Go on from what `to_json` gave."""
        self.packet.restore(given, negotiations)
        self.refusals.restore(given)
        self.timeouts.restore(given, self)
        self.teardowns.restore(given)
