"""The IPsec SAs of a racoon: their lifetimes, their directions, and whether phase 2 with a peer is up."""

from __future__ import annotations

from typing import Any, Final

from racoon_exporter.sa.model import DaemonRun, IpsecSa, Peer
from racoon_exporter.sa.sa_table import AT_LEAST, GRACE, SasOfPeer, SaTable, latest_end
from racoon_exporter.sa.tables import IPSEC, IpsecEvent
from racoon_exporter.sa.timers import NEVER

ORPHAN_LIFETIME: Final = 28800.0
"""Seconds: racoon's default lifetime, the bound of an IPsec SA that outlived its daemon, or what was learned of its peer."""
_SOFT_SHARE: Final = 0.8
"""racoon sets the soft limit at 80 % of the lifetime (`PFKEY_SOFT_LIFETIME_RATE`, `ipsec_doi.h`).

A soft expiry that has not come `GRACE` seconds after it is overdue.
"""
_NEARLY_ALL: Final = 0.97
"""Share of its lifetime from which on an SA's first expiry line can only be the hard one."""
_LONGER: Final = 1.1
"""How many times as long as known an SA must live for its soft expiry to tell: times have whole seconds."""

_CHOSEN: Final = (3600, 1800, 600, 300, 60, 30, 10)
"""Seconds; lifetimes are whole numbers of these wherever people choose them."""
_WHOLE_SECONDS: Final = 1.0
"""Seconds by which a time is wrong that has whole seconds."""
_SOON: Final = 2.0
"""Seconds that a look may come late: so much a lifetime is wrong that follows from whole seconds, and each look costs one."""


class IpsecSas(SaTable[IpsecSa, IpsecEvent]):
    """IPsec SAs, by SPI. A peer's phase 2 is up while it has one in each direction."""

    __slots__ = ()

    kind = IpsecSa
    table = IPSEC
    metric = "ipsec_sa_ended"
    taken_over = "lifetime"
    most_of_peer = 1024  # a pair for each network on either side, twice while they are renewed
    most = 32_768  # three pairs for each of five thousand peers

    def find(self, spi: int | None, protocol: str | None, address: str) -> IpsecSa | None:
        """Find an SA by SPI, protocol and peer; established lines may print its ends swapped."""
        found = self.named.get(spi)
        if found is not None and found.peer == address and found.protocol == protocol:
            return found
        alike = self._alike.get(spi)
        return None if alike is None else alike.get((address, protocol))

    def tell_apart(self, sa: IpsecSa) -> tuple[str, str]:
        """Give what tells SAs of one SPI apart."""
        return sa.peer, sa.protocol

    def believe_alive(self, spi: int, address: str, now: float | None) -> IpsecSa | None:
        """Bring an SA back of which a line speaks that was taken to be over: its lifetime was longer than thought."""
        sa = self.revive(spi, "heard_of", now, address)
        if sa is not None:
            sa.lifetime = _lifetime_of(sa)
            self.schedule_end(sa)
        return sa

    # lifetimes

    def _schedule(self, sa: IpsecSa, sas: SasOfPeer[IpsecSa]) -> None:
        """Set the times at which an SA should come to its soft expiry, and at which it is taken to have ended."""
        established, lifetime = sa.established, sa.lifetime
        if established is None:
            return
        if lifetime is None:
            self._look_at(sas, self.ends_by_time(sa))
            return
        if sa.dying is None and (overdue := established + lifetime * _SOFT_SHARE + GRACE) < sas.overdue:
            sas.overdue = overdue
        if established + lifetime * AT_LEAST < sas.look - _SOON:
            self._look_at(sas, self.ends_by_time(sa))

    def ends_by_time(self, sa: IpsecSa) -> float:
        """Tell when an SA whose end nobody logs is taken to have ended; infinity for never."""
        lifetime, established = sa.lifetime, sa.established
        if lifetime is None and (sa.orphan or sa.outlived):
            lifetime = ORPHAN_LIFETIME
        if lifetime is None or established is None:
            return NEVER
        return latest_end(established, lifetime)

    def end_by_time(self, sa: IpsecSa, now: float) -> None:
        """End an SA whose lifetime has passed: it was flushed, or the line was lost."""
        end = (sa.established or 0.0) + (sa.lifetime or ORPHAN_LIFETIME)
        self.presume_ended(sa, "lifetime", "lifetime", end, now)

    def expire(self, sa: IpsecSa, peer: Peer, at: float | None, run: DaemonRun | None) -> None:
        """Take an expiry line: the soft one first, then the hard one."""
        established = sa.established
        if established is None or at is None:
            self._expire_at_no_time(sa, at)
            return
        since = established
        if peer.unflushed is not None:
            begin, end = peer.unflushed
            if begin <= established <= end:
                since = begin
        peer.unflushed = since, at
        sas = self.of_peer[sa.peer]
        if at >= sas.overdue:
            self._take_guesses_back(sas, since, at)
        age, known, longest = at - established, sa.lifetime, peer.phase2_lifetime
        if sa.dying is not None:
            if longest is None or age > longest:
                self._learn_lifetime(sa, peer, age)
        elif not (_was_hard(sa, age, run) if known is None else age >= known * _NEARLY_ALL) and self._move(
            IPSEC, sa, "soft_expired"
        ):
            self._expire_softly(sa, sas, peer, at)
            return
        self.end(sa, "hard_expired", "expired", at, at, peer)

    def _expire_softly(self, sa: IpsecSa, sas: SasOfPeer[IpsecSa], peer: Peer, at: float) -> None:
        """Take the soft expiry: it tells the lifetime."""
        sa.dying = at
        established, lifetime = sa.established, _lifetime_of(sa)
        if established is None or lifetime is None:
            return
        sa.lifetime = lifetime
        if established + lifetime * AT_LEAST < sas.look - _SOON:  # as `_schedule` has it, for a fifth of all lines
            self._look_at(sas, self.ends_by_time(sa))
        longest = peer.phase2_lifetime
        if longest is not None and lifetime > longest * _LONGER and not sa.orphan:
            self._learn_lifetime(sa, peer, lifetime)

    def _expire_at_no_time(self, sa: IpsecSa, at: float | None) -> None:
        if self._move(IPSEC, sa, "soft_expired"):
            sa.dying = at
        else:
            self.end(sa, "hard_expired", "expired", at, at)

    def _take_guesses_back(self, sas: SasOfPeer[IpsecSa], since: float, now: float) -> None:
        """Take back what was guessed of SAs where another of their peer proves that nothing was flushed since a time.

        The peer may have pairs of several lifetimes. One whose soft expiry was due within a time without a flush, and did not
        come, lives longer than was learned from the others.
        """
        overdue = NEVER
        for other in sas:
            if other.dying is not None:
                continue  # so it is with the older half
            begun, lifetime = other.established, other.lifetime
            if lifetime is None or begun is None or other.orphan:
                continue
            soft = begun + lifetime * _SOFT_SHARE + GRACE
            if soft <= now and since <= begun:
                other.lifetime, other.outlived = None, True
                self._look_at(sas, self.ends_by_time(other))
            elif soft < overdue:
                overdue = soft
        sas.overdue = overdue

    def _learn_lifetime(self, sa: IpsecSa, peer: Peer, lifetime: float) -> None:
        """Remember how long this peer's SAs live. Only longer ones are believed: bytes may end an SA early."""
        if lifetime <= (peer.phase2_lifetime or 0.0):  # no longer, or none: a clock was set back, or the SA flushed at once
            return
        before, peer.phase2_lifetime = peer.phase2_lifetime, lifetime
        for other in self.of_peer.get(sa.peer, ()):
            if other is not sa and other.dying is None and other.lifetime == before:
                other.lifetime = lifetime
                self.schedule_end(other)

    # directions

    def correct_direction(self, sa: IpsecSa, direction: str, now: float | None) -> None:
        """Believe a line that prints the true direction over what the order of lines said, for both of a pair."""
        if sa.direction == direction:
            return
        at_once = [
            one
            for one in self.of_peer.get(sa.peer, ())
            if one.protocol == sa.protocol and one.established == sa.established and one is not sa
        ]
        if [one.direction for one in at_once] == [direction]:
            _turn(at_once[0], "out" if direction == "in" else "in")
        _turn(sa, direction)
        self.changed(self._peers.entry(sa.peer, now), sa.peer, now)

    def grown(self, peer: Peer, address: str, at: float | None) -> None:
        """Tell whether phase 2 with a peer is up with one SA more."""
        if not peer.phase2_up:
            self.changed(peer, address, at)

    def changed(self, peer: Peer, address: str, at: float | None) -> None:
        """Tell whether phase 2 with a peer is up after a change, and count a fall as a flap."""
        sas = self.of_peer.get(address)
        up = sas is not None and (sas[0].direction != sas[-1].direction or _both_ways(sas))
        if up == peer.phase2_up or peer.address != address:
            return
        if peer.phase2_up:
            self._peers.count_flap(peer)
        peer.phase2_up, peer.since = up, at

    # a crash

    def leave_to_kernel(self) -> None:
        """Their daemon is gone, the kernel's SAs are not: they carry traffic until they expire."""
        for sa in self.take_new():
            sa.orphan = True
            self.schedule_end(sa)

    def restore(self, given: dict[str, Any]) -> list[IpsecSa]:
        """Go on from what `to_json` gave."""
        alive = super().restore(given)
        for sa in alive:
            self.schedule_end(sa)
        return alive


def _lifetime_of(sa: IpsecSa) -> float | None:
    """Tell how long an SA lives by its soft expiry; None where none came, or at no later time than it began."""
    if sa.dying is None or sa.established is None or sa.dying <= sa.established:
        return None
    return (sa.dying - sa.established) / _SOFT_SHARE


def _both_ways(sas: SasOfPeer[IpsecSa]) -> bool:
    first = sas[0].direction
    return any(sa.direction != first for sa in sas)


def _was_hard(sa: IpsecSa, age: float, run: DaemonRun | None) -> bool:
    """Whether the first expiry of an SA whose lifetime is unknown is the end: the soft one came between two runs."""
    began = None if run is None else run.started
    if not sa.orphan or began is None or sa.established is None:
        return False
    if sa.established + age * _SOFT_SHARE > began + _WHOLE_SECONDS:
        return False
    return _roundness(age) > _roundness(age / _SOFT_SHARE)


def _roundness(seconds: float) -> int:
    """Give the largest of the units in which people choose lifetimes that a time is a whole number of."""
    return next((unit for unit in _CHOSEN if abs(seconds - round(seconds / unit) * unit) <= _WHOLE_SECONDS), 0)


def _turn(sa: IpsecSa, direction: str) -> None:
    sa.source, sa.destination = sa.destination, sa.source
    sa.direction = direction
