"""The ISAKMP SAs of a racoon, and how long they live."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from racoon_exporter.sa.counts import MOST
from racoon_exporter.sa.model import OTHER, IsakmpSa, Peer, Phase1End
from racoon_exporter.sa.sa_table import GRACE, SaTable, latest_end
from racoon_exporter.sa.tables import ISAKMP, IsakmpEvent
from racoon_exporter.sa.timers import NEVER

_PROOFS: Final = 2
"""ISAKMP SAs that must have lived for a time before it ends others: a peer's delete may come after any time."""
_LIFETIME_STEP: Final = 30.0
"""Seconds; lifetimes are whole multiples of half a minute wherever people choose them."""
_TOLERANCE: Final = 2.0
"""Seconds by which two equal lifetimes may differ."""
_WHOLE_SECONDS: Final = 1.0
"""Seconds by which a time is wrong that has whole seconds."""
_MOST_ASKED: Final = 256
"""SAs that a login line is compared with, the last ones: more than there may be of one peer."""


def _slack(lifetime: float) -> float:
    return _TOLERANCE + lifetime / 100


class IsakmpSas(SaTable[IsakmpSa, IsakmpEvent]):
    """ISAKMP SAs. Their lifetime is configured, or learned from those that ended before."""

    __slots__ = ("_asked",)

    kind = IsakmpSa
    table = ISAKMP
    metric = "phase1_ended"
    taken_over = "expired"
    most_of_peer = 128  # behind one address may be many roaming users
    most = 16_384

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._asked: dict[str, IsakmpSa] = {}
        """By cookies: those whose login was asked for, the last ones."""

    def ask_login(self, sa: IsakmpSa) -> None:
        """Note that an SA waits for its login."""
        self._asked[sa.cookies] = sa
        while len(self._asked) > _MOST_ASKED:
            del self._asked[next(iter(self._asked))]

    def asked(self) -> Iterator[IsakmpSa]:
        """Give those alive that wait for their login."""
        return (sa for sa in self._asked.values() if sa.xauth and sa.ended is None and self.named.get(sa.cookies) is sa)

    def newest(self) -> list[IsakmpSa]:
        """Give some of those that came last, oldest first: more than there may be of one peer."""
        return list(islice(reversed(self.named.values()), _MOST_ASKED))[::-1]

    def ends_by_time(self, sa: IsakmpSa) -> float:
        """Tell when an ISAKMP SA whose end nobody logs is taken to have ended; infinity for never.

        A teardown says no more where the kernel holds no IPsec SA (`isakmp.c: purge_remote()`).
        """
        if sa.purging is not None:
            return sa.purging + GRACE
        if sa.established is None or sa.lifetime is None or not self._is_proven(sa):
            return NEVER
        return latest_end(sa.established, sa.lifetime)

    def end_by_time(self, sa: IsakmpSa, now: float) -> None:
        """End an SA that is torn down or whose lifetime is over, and of which no line says so."""
        if sa.purging is not None:
            self.end(sa, "silence", sa.purging_cause, sa.purging, now)
        else:
            self.presume_ended(sa, "lifetime", "expired", (sa.established or 0.0) + (sa.lifetime or 0.0), now)

    def find(self, cookies: str | None, now: float | None) -> IsakmpSa | None:
        """Give the SA of these cookies, if it is alive. A line about one that was taken to be over proves that it is."""
        if cookies is None:
            return None
        sa = self.oldest(cookies) or self.revive(cookies, "heard_of", now)
        if sa is None or sa.established is None or sa.lifetime is None or now is None:
            return sa
        if now - sa.established > sa.lifetime + _slack(sa.lifetime) and not self._is_configured(sa):
            _doubt(self._peers.entry(sa.peer, now), sa)
        return sa

    def changed(self, peer: Peer, address: str, at: float | None) -> None:
        """Note when phase 1 with a peer comes up or goes down."""
        up = address in self.of_peer
        if up != peer.phase1_up and peer.address == address:
            peer.phase1_up, peer.phase1_since = up, at

    # lifetimes

    def _is_configured(self, sa: IsakmpSa) -> bool:
        """Whether its lifetime is what the configuration says, not what was learned."""
        expected = self._peers.knowledge.expected(sa.peer)
        return expected is not None and expected.phase1_lifetime is not None

    def _is_proven(self, sa: IsakmpSa) -> bool:
        """Whether its lifetime is known well enough to end it."""
        peer = self._peers.get(sa.peer) or self._peers.get(OTHER)
        return self._is_configured(sa) or (peer is not None and peer.phase1_proofs >= _PROOFS)

    def why_expired(self, sa: IsakmpSa, now: float | None) -> Phase1End:
        """Tell an expiry from a delete of the peer, by the SA's age, and learn from it. racoon prints the same for both."""
        if sa.established is None or now is None:
            return "expired"
        age = now - sa.established
        peer = self._peers.entry(sa.peer, now)
        if sa.lifetime is None:
            return "expired" if _learn(peer, age) else "deleted_by_peer"
        if abs(age - sa.lifetime) <= _slack(sa.lifetime):
            self._prove(peer)
            return "expired"
        return "expired" if age > sa.lifetime else "deleted_by_peer"

    def _prove(self, peer: Peer) -> None:
        """One more lived as long as was learned; from the second on that ends SAs, those that are there already as well."""
        peer.phase1_proofs = min(peer.phase1_proofs + 1, MOST)
        if peer.phase1_proofs == _PROOFS:
            for sa in self.of_peer.get(peer.address, ()):
                self.schedule_end(sa)

    def restore(self, given: dict[str, Any]) -> list[IsakmpSa]:
        """Go on from what `to_json` gave."""
        alive = super().restore(given)
        for sa in alive:
            self.schedule_end(sa)
            if sa.xauth:
                self.ask_login(sa)
            if (peer := self._peers.get(sa.peer)) is not None:
                self.changed(peer, sa.peer, sa.established)  # older versions did not note it
        return alive


def _learn(peer: Peer, age: float) -> bool:
    """Take an age for the lifetime if somebody would choose it, or if the SA before lived as long; tell whether it was."""
    if age < 0:
        return False  # the clock was set back
    whole = round(age / _LIFETIME_STEP) * _LIFETIME_STEP
    last, peer.phase1_age = peer.phase1_age, age
    if whole > 0 and abs(age - whole) <= _WHOLE_SECONDS:
        peer.phase1_lifetime, peer.phase1_proofs = whole, 1
    elif last is not None and abs(age - last) <= _TOLERANCE:
        peer.phase1_lifetime, peer.phase1_proofs = age, 1
    else:
        return False
    return True


def _doubt(peer: Peer, sa: IsakmpSa) -> None:
    """An SA lived longer than was learned. What was proven may still be true, as clocks step; one guess was wrong."""
    if peer.phase1_proofs < _PROOFS:
        peer.phase1_lifetime = sa.lifetime = None
    peer.phase1_proofs = 0
