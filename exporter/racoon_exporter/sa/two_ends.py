"""Two ends, one story: what one gateway's log calls silence, the other end's log may explain.

Racoon tells a peer nothing when it refuses a phase 1, and what it tells of phase 2 may be unreadable. Where the logs of both
ends are read, a failure without a cause takes the one that the other end names for the same negotiation: of equal cookies where
both print them, else between the same two addresses, in the other role, at the same time. Which log is read first does not
matter.

A failure counts once. While the other end may still name the cause, for a minute, it is not counted yet.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.current_reason import note_failure
from racoon_exporter.sa.model import UNATTRIBUTED, Negotiation, from_json, to_json
from racoon_parsers.reasons import REASONS, known

if TYPE_CHECKING:
    from racoon_exporter.sa.racoon import Racoon

TOLD_WITHIN: Final = 60.0
"""Seconds for which a failure waits to be counted under the cause that the other end names."""
CLOCK_SKEW: Final = 10.0
"""Seconds by which the clocks of two gateways may differ."""
_RETRIES: Final = 120.0
"""Seconds of retries before a time-out whose beginning no line told."""
_MOST_KEPT: Final = 32
"""Failures kept of a racoon with a peer in a phase."""
_MOST_PEERS: Final = 256
_MOST_OWNERS: Final = 64
"""Racoons that say an address is theirs and are asked: where more do, it is none that tells of a peer."""
_MOST_COMPARED: Final = 512
"""Failures that are compared with one: who writes the log makes as many as he likes, and each line must stay cheap."""
_MOST_LOOKED_UP: Final = 4096
"""Racoons and addresses of which it is looked up whether there are such failures."""

Kept = OrderedDict[tuple[int, str], deque[Negotiation]]
"""Failures by phase and peer, the newest last."""


@dataclass(slots=True, eq=False)
class Failures:
    """The failures of one racoon that another end's log may explain, or be explained by."""

    racoon: Racoon
    named: Kept = field(default_factory=OrderedDict)
    """Those whose cause its log names."""
    silent: Kept = field(default_factory=OrderedDict)
    """Those without a cause that no other end has told yet."""
    uncounted: dict[int, Negotiation] = field(default_factory=dict)
    """Those that wait to be counted under their true reason."""

    def wait(self, negotiation: Negotiation) -> None:
        """Look again at one that another end may still explain, when its time to be told is over."""
        since = self.racoon.now if negotiation.ended is None else negotiation.ended
        if since is not None:
            self.racoon.timers.at(since + TOLD_WITHIN, self, negotiation)

    def due(self, what: Negotiation, now: float) -> None:
        """Count one whose time to be told is over, unless the other end's log is yet to be read (`caught_up`)."""
        if not self.racoon.two_ends.catching_up:
            give_up(self.racoon, what, now)

    def awaits(self, what: Negotiation, when: float) -> bool:
        """Whether one waits to be counted."""
        del when
        return id(what) in self.uncounted

    def keep(self, negotiation: Negotiation) -> list[Negotiation]:
        """Keep a failure, and give those that are kept no longer."""
        silent = _is_silent(negotiation)
        kept = self.silent if silent else self.named
        ends = negotiation.phase, negotiation.peer
        of_peer = kept.setdefault(ends, deque())
        of_peer.append(negotiation)
        kept.move_to_end(ends)
        if silent:
            self.racoon.two_ends.fell_silent_about(negotiation.peer, self.racoon)
        gone = [of_peer.popleft()] if len(of_peer) > _MOST_KEPT else []
        most = self.racoon.bounds.share(_MOST_PEERS)
        while len(kept) > most:
            (_, address), negotiations = kept.popitem(last=False)
            gone += negotiations
            if silent and not self.is_silent_about(address):
                self.racoon.two_ends.forget_silence(address, self.racoon)
        return gone

    def is_silent_about(self, address: str) -> bool:
        """Whether failures with a peer may be kept whose cause another end may still tell."""
        return any((phase, address) in self.silent for phase in (1, 2))

    def all_silent(self) -> Iterator[Negotiation]:
        """Give those whose cause another end may still tell."""
        for negotiations in self.silent.values():
            yield from negotiations

    # keeping

    def to_json(self, places: Places) -> list[Any]:
        """Give the place in the archive of each, and whether it is counted.

        What is not counted yet and no longer in the archive stands for itself.
        """
        every = [one for kept in (self.named, self.silent) for negotiations in kept.values() for one in negotiations]
        kept = {id(one): one for one in every if id(one) in places}
        return [
            [places.get(key, to_json(negotiation)), key not in self.uncounted]
            for key, negotiation in (kept | self.uncounted).items()
        ]

    def restore(self, given: list[Any], archive: Archive) -> None:
        """Go on from what `to_json` gave."""
        for written, counted in given:
            negotiation = archive.negotiations[written] if isinstance(written, int) else from_json(Negotiation, written)
            if negotiation.told_by is None:
                self.keep(negotiation)
            if not counted:
                self.uncounted[id(negotiation)] = negotiation
                self.wait(negotiation)


class TwoEnds:
    """Which racoon has which address, and so which failures of two racoons speak of the same negotiation."""

    def __init__(self) -> None:
        self.catching_up = False
        """Whether logs are read that were written before: the other end's may come later, however long its time has passed."""
        self._owners: dict[str, list[Racoon]] = {}
        """By address: the racoons that said it is theirs."""
        self._silent_about: dict[str, dict[Racoon, None]] = {}
        """By address: the racoons that failed with it without a cause. Most addresses of a racoon's own are nobody's peer."""
        self._racoons: list[Racoon] = []

    def join(self, racoon: Racoon) -> TwoEnds:
        """Let a racoon take part."""
        self._racoons.append(racoon)
        return self

    def own(self, racoon: Racoon, address: str) -> None:
        """Take note of an address of a racoon's own."""
        racoon.peers.own(address)
        self._owners.setdefault(address, []).append(racoon)

    def learn_owner(self, racoon: Racoon) -> None:
        """Take note of all addresses of a racoon that comes from a checkpoint."""
        for address in racoon.peers.locals:
            self._owners.setdefault(address, []).append(racoon)

    def make_anew(self, racoons: Iterable[Racoon]) -> None:
        """Know these racoons and no others."""
        self._racoons = list(racoons)
        self._owners.clear()
        self._silent_about.clear()
        for racoon in self._racoons:
            self.learn_owner(racoon)
            for _, address in racoon.failures.silent:
                self.fell_silent_about(address, racoon)

    def fell_silent_about(self, address: str, racoon: Racoon) -> None:
        """Take note that a racoon keeps failures with a peer whose cause is not told."""
        self._silent_about.setdefault(address, {})[racoon] = None

    def forget_silence(self, address: str, racoon: Racoon) -> None:
        """Take note that it keeps none any more."""
        about = self._silent_about.get(address, {})
        about.pop(racoon, None)
        if not about:
            self._silent_about.pop(address, None)

    def leave(self, racoon: Racoon) -> None:
        """Forget a racoon, and count what it still owes."""
        for negotiation in list(racoon.failures.uncounted.values()):
            give_up(racoon, negotiation, racoon.now)
        self._racoons.remove(racoon)
        for _, address in racoon.failures.silent:
            self.forget_silence(address, racoon)
        for address in racoon.peers.locals:
            self._owners[address].remove(racoon)
            if not self._owners[address]:
                del self._owners[address]

    def failed(self, racoon: Racoon, negotiation: Negotiation, now: float | None) -> None:
        """Take a failure: count it, tell it to the other end, or wait for what that tells."""
        if _is_silent(negotiation):
            self._fell_silent(racoon, negotiation, now)
            return
        reason = known(negotiation.reason)
        racoon.peers.count_failure(negotiation.phase, negotiation.peer, reason, negotiation.ended, now)
        if REASONS[reason].kind == "cause" and self._may_be_told(racoon, negotiation):
            racoon.failures.keep(negotiation)
            for other, silent in list(self._silences(racoon, negotiation)):
                _tell(other, silent, racoon, negotiation)

    def _fell_silent(self, racoon: Racoon, negotiation: Negotiation, now: float | None) -> None:
        told = self._cause(racoon, negotiation)
        reason, at = known(negotiation.reason), negotiation.ended
        hopeless = now is None or negotiation.peer == UNATTRIBUTED or not self._may_be_told(racoon, negotiation)
        if told is None and hopeless:
            racoon.peers.count_failure(negotiation.phase, negotiation.peer, reason, at, now)
            return
        racoon.peers.note_failure(negotiation.phase, negotiation.peer, reason, at, now)
        for gone in racoon.failures.keep(negotiation):
            give_up(racoon, gone, now)
        racoon.failures.uncounted[id(negotiation)] = negotiation
        if told is not None:
            _tell(racoon, negotiation, *told)
        elif not self.catching_up:
            racoon.failures.wait(negotiation)

    def _may_be_told(self, racoon: Racoon, negotiation: Negotiation) -> bool:
        """Whether another end's log is read, or may yet be: strangers have none, and are many."""
        if negotiation.peer == UNATTRIBUTED:
            return len(self._racoons) > 1 or self.catching_up
        return self.catching_up or self._has_other_end(racoon, negotiation)

    def _has_other_end(self, racoon: Racoon, negotiation: Negotiation) -> bool:
        return any(owner is not racoon for owner in self._owners.get(negotiation.peer, ()))

    def caught_up(self) -> None:
        """All logs are read to their ends: what is old, and what nobody could tell, is counted."""
        if not self.catching_up:
            return
        self.catching_up = False
        for racoon in self._racoons:
            for negotiation in list(racoon.failures.uncounted.values()):
                now = racoon.now
                passed = now is None or negotiation.ended is None or now - negotiation.ended >= TOLD_WITHIN
                if passed or not self._has_other_end(racoon, negotiation):
                    give_up(racoon, negotiation, now)
                else:
                    racoon.failures.wait(negotiation)

    def settle(self) -> None:
        """Count what still waits, as no line will come."""
        for racoon in self._racoons:
            for negotiation in list(racoon.failures.uncounted.values()):
                give_up(racoon, negotiation, racoon.now)

    # who speaks of the same

    def _cause(self, racoon: Racoon, silent: Negotiation) -> tuple[Racoon, Negotiation] | None:
        """Give the most telling failure that the other end names for this one."""
        ours = racoon.peers.locals
        named_of_us = (
            (owner, named)
            for owner in self._owners.get(silent.peer, ())[:_MOST_OWNERS]
            if owner is not racoon
            for phase in _phases(silent)
            for address in (*sorted(peer for of, peer in owner.failures.named if of == phase and peer in ours), UNATTRIBUTED)
            for named in owner.failures.named.get((phase, address), ())
        )
        found = [one for one in islice(named_of_us, _MOST_COMPARED) if _same(racoon, silent, one[1])]
        return min(found, key=lambda one: _credit(one[1]), default=None)

    def _silences(self, racoon: Racoon, named: Negotiation) -> Iterator[tuple[Racoon, Negotiation]]:
        """Give the failures without a cause that this one explains."""
        silent_about_us = (
            (other, silent)
            for other, address in islice(self._about_us(racoon, named.peer), _MOST_LOOKED_UP)
            if other is not racoon
            for phase in sorted({named.phase, 2})
            for silent in other.failures.silent.get((phase, address), ())
        )
        for other, silent in islice(silent_about_us, _MOST_COMPARED):
            if named.phase in _phases(silent) and _same(other, silent, named):
                yield other, silent

    def _about_us(self, racoon: Racoon, peer: str) -> Iterator[tuple[Racoon, str]]:
        """Give who keeps failures without a cause with an address of ours: of a peer, if it is known whose it would be."""
        ours = racoon.peers.locals
        if peer == UNATTRIBUTED:
            for address in sorted(islice(ours & self._silent_about.keys(), _MOST_COMPARED)):
                for other in self._silent_about[address]:
                    yield other, address
        for owner in self._owners.get(peer, ())[:_MOST_OWNERS]:
            for address in {address: None for _, address in owner.failures.silent if address in ours}:
                yield owner, address


def give_up(racoon: Racoon, negotiation: Negotiation, now: float | None) -> None:
    """Count a failure under the reason it has, if it is not counted yet."""
    if racoon.failures.uncounted.pop(id(negotiation), None) is not None:
        racoon.peers.add_failure(negotiation.phase, negotiation.peer, known(negotiation.reason), now)
        racoon.changed()


def _tell(racoon: Racoon, silent: Negotiation, other: Racoon, named: Negotiation) -> None:
    """Let a failure without a cause take that of the other end, for the peer as well if it is still its last."""
    racoon.failures.silent[silent.phase, silent.peer].remove(silent)
    silent.reason, silent.told_by = named.reason, other.gateway or other.stream or other.ident
    racoon.archive.changed()
    racoon.changed()
    peer = racoon.peers.entry(silent.peer, racoon.now)
    last = peer.phase1_last_failure if silent.phase == 1 else peer.phase2_last_failure
    if last == silent.ended:
        note_failure(peer, silent.phase, silent.ended, known(silent.reason), silent.told_by)
    give_up(racoon, silent, racoon.now)


def _is_silent(negotiation: Negotiation) -> bool:
    return REASONS[known(negotiation.reason)].kind == "silence"


def _credit(named: Negotiation) -> tuple[bool, int]:
    """Order causes: those tied to their peer first, then the most telling."""
    return named.peer == UNATTRIBUTED, REASONS[known(named.reason)].rank


def _phases(silent: Negotiation) -> tuple[int, ...]:
    """Give the phases in which the other end may name the cause: it answers a phase 2 so whose phase 1 it has refused."""
    return (2, 1) if (silent.phase, silent.reason) == (2, "peer_refused") else (silent.phase,)


def _same(racoon: Racoon, silent: Negotiation, named: Negotiation) -> bool:
    """Whether a failure without a cause, a racoon's, and one that another racoon names are the same negotiation."""
    if silent.phase != named.phase:
        return named.cookies is not None and racoon.peers.of_cookies(named.cookies) == silent.peer
    if silent.cookies is not None and named.cookies is not None:
        return silent.cookies == named.cookies
    if silent.role is not None and silent.role == named.role:
        return False
    if named.peer not in (UNATTRIBUTED, silent.local) and named.peer not in racoon.peers.locals:
        return False
    return _at_once(silent, named, 0.0 if named.peer == UNATTRIBUTED else CLOCK_SKEW)


def _at_once(silent: Negotiation, named: Negotiation, skew: float) -> bool:
    """Whether two negotiations were under way at the same time; those without a time are not."""
    if silent.ended is None or named.ended is None:
        return False
    begun = silent.begun if silent.begun is not None else silent.ended - _RETRIES
    named_begun = named.begun if named.begun is not None else named.ended
    return named_begun <= silent.ended + skew and named.ended >= begun - skew
