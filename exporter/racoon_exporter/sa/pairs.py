"""The two IPsec SAs of a quick mode: which line tells of which, and which negotiation they come from.

racoon prints an `IPsec-SA established` line for each SA (`pfkey.c: pk_recvupdate()` and `pk_recvadd()`): the inbound one first.
"""

from __future__ import annotations

from typing import Any, Final

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.blame import close_in_time
from racoon_exporter.sa.model import IpsecSa, Negotiation
from racoon_exporter.sa.negotiations import Negotiations
from racoon_exporter.sa.shared_bounds import Share, whole

_HALF_OPEN: Final = 30.0
"""Seconds the outbound half of a pair may come after the inbound one; a half that never comes spoils no later pair."""
_NO_SOONER: Final = 2.0
"""Seconds after the inbound half from which on a negotiation that begins tells that the outbound one never came."""
_ONE_BUNDLE: Final = 2.0
"""Seconds between the SAs of several protocols that one quick mode makes."""
_QUICK_MODE: Final = 5.0
"""Seconds within which a quick mode comes to its end, unless packets are lost."""

_MOST_PEERS: Final = 4096
"""Peers of whose pairs one half is kept."""

Half = tuple[IpsecSa, Negotiation | None]
"""An inbound SA whose outbound one has not come yet, and its negotiation."""
_NONE: Final[dict[str, Half]] = {}


class Pairs:
    """Pairs of which one SA is there."""

    __slots__ = ("_halves", "_negotiations", "_share")

    def __init__(self, negotiations: Negotiations, share: Share = whole) -> None:
        self._halves: dict[str, dict[str, Half]] = {}
        """By peer and protocol, the peer first that has waited longest."""
        self._negotiations = negotiations
        self._share = share

    def awaits_outbound(self, address: str, protocol: str, now: float | None) -> bool:
        """Whether the next SA of a peer may be the outbound half of a pair.

        That may still come while the kernel has not refused it and no later pair is on its way.
        """
        halves = self._halves.get(address)
        half = None if halves is None else halves.get(protocol)
        if half is None:
            return False
        inbound, negotiation = half
        if negotiation is not None and negotiation.evidence == "kernel_error":
            return False
        if close_in_time(inbound.established, now, _NO_SOONER):
            return True
        later = any(not one.half and one is not negotiation for one in self._negotiations.of_peer(address, 2))
        return not later and close_in_time(inbound.established, now, _HALF_OPEN)

    def begin(self, sa: IpsecSa, now: float | None) -> None:
        """Take the inbound SA of a pair. If another still waits for its outbound one, that will not come any more."""
        halves = self._halves.pop(sa.peer, None)
        if halves is None:
            halves = {}
            self._make_room()
        elif (half := halves.pop(sa.protocol, None)) is not None and half[1] is not None and half[1].ended is None:
            self._negotiations.abandon(half[1], "half_left", now, now)
        self._halves[sa.peer] = halves
        negotiation = self._negotiation_of(sa, now)
        if negotiation is not None:
            negotiation.half = True
        halves[sa.protocol] = (sa, negotiation)

    def _make_room(self) -> None:
        """Forget the peers that have waited longest, where too many wait: whoever writes lines makes as many as he likes."""
        most = self._share(_MOST_PEERS)
        while len(self._halves) >= most:
            del self._halves[next(iter(self._halves))]

    def complete(self, sa: IpsecSa, now: float | None) -> Negotiation | None:
        """Take the outbound SA of a pair, and give the negotiation that made it, if one is known.

        An inbound SA of which none is known may be the rest of an earlier pair, whose lines came in the other order.
        """
        halves = self._halves.get(sa.peer)
        if halves is None or (half := halves.pop(sa.protocol, None)) is None:
            return self._negotiation_of(sa, now)
        if not halves:
            del self._halves[sa.peer]
        return half[1] or self._negotiation_of(sa, now)

    def _negotiation_of(self, sa: IpsecSa, now: float | None) -> Negotiation | None:
        """Choose the negotiation an SA comes from: that of the bundle it belongs to, else the oldest that lacks its SAs.

        Quick mode takes no longer than its few packets, and one that was refused waits for nothing but its end. Lines about
        proposals that do not match stand before a success, too: then it follows at once.
        """
        for protocol, (other, negotiation) in self._halves.get(sa.peer, _NONE).items():
            if protocol != sa.protocol and close_in_time(other.established, sa.established, _ONE_BUNDLE):
                return negotiation
        candidates = self._negotiations.without_sas(sa.peer)
        if len(candidates) <= 1:
            return candidates[0] if candidates else None
        recent = [one for one in candidates if close_in_time(one.begun, now, _QUICK_MODE)]
        for likely in (_unblamed(recent), recent, _unblamed(candidates), candidates):
            if likely:
                return likely[0]
        return None

    def forget_peer(self, address: str) -> None:
        """No half of a peer comes any more: it is none."""
        self._halves.pop(address, None)

    def forget(self) -> None:
        """The daemon ended: no half comes any more."""
        self._halves.clear()

    # keeping

    def to_json(self, sas: list[IpsecSa], negotiations: list[Negotiation], places: Places) -> list[list[Any]]:
        """Give everything, for a checkpoint: SAs and negotiations by their place, archived ones counting down from -1.

        An SA may end before its outbound half comes, and another pair of its bundle may have ended a half's negotiation.
        """
        alive = {id(one): place for records in (sas, negotiations) for place, one in enumerate(records)}

        def place_of(one: IpsecSa | Negotiation | None) -> int | None:
            archived = places.get(id(one))
            return alive.get(id(one)) if archived is None else ~archived

        return [
            [peer, protocol, place, place_of(negotiation)]
            for peer, halves in self._halves.items()
            for protocol, (sa, negotiation) in halves.items()
            if (place := place_of(sa)) is not None
        ]

    def restore(self, given: list[list[Any]], sas: list[IpsecSa], negotiations: list[Negotiation], archive: Archive) -> None:
        """Go on from what `to_json` gave."""
        for peer, protocol, place_of_sa, place in given:
            sa = sas[place_of_sa] if place_of_sa >= 0 else archive.ipsec[~place_of_sa]
            negotiation = None
            if place is not None:
                negotiation = negotiations[place] if place >= 0 else archive.negotiations[~place]
            self._halves.setdefault(peer, {})[protocol] = (sa, negotiation)


def _unblamed(negotiations: list[Negotiation]) -> list[Negotiation]:
    return [negotiation for negotiation in negotiations if negotiation.evidence is None]
