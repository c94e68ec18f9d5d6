"""Which end of `A->B` is ours, while no line has told: guessed, and mended once a line tells.

A log may begin in mid-life, with the lines of an SA pair. 0.5 to 0.7 and their descendants print the true arrow and the inbound
SA first, so the peer stands on the left; 0.8 and later print local->peer twice. So the pair itself tells: two established lines
of one second with opposite arrows are old style. Until then a line is taken for new style.

What was made of a guess is kept, and turned round when an address proves to be our own: no gateway is its own peer.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.model import IpsecSa
from racoon_exporter.sa.shared_bounds import Share, whole

_MOST_KEPT: Final = 1024


class Guessed(NamedTuple):
    """An SA whose ends were guessed, and its arrow as printed."""

    sa: IpsecSa
    source: str
    destination: str


@dataclass(slots=True, eq=False)
class Guesses:
    """What one racoon's lines left open."""

    share: Share = whole
    local_of: dict[frozenset[str], str] = field(default_factory=dict)
    """By pair of addresses: the one taken for ours."""
    sas: list[Guessed] = field(default_factory=list)
    _newest: OrderedDict[tuple[str, str, str], IpsecSa] = field(default_factory=OrderedDict)
    """By protocol and arrow as printed: the SA noted last."""
    _remote: set[str] = field(default_factory=set)
    """Addresses that are taken for a peer's."""

    def local(self, source: str, destination: str) -> str:
        """Give the end of a pair that is taken for ours; the first time that is the left one."""
        pair = frozenset((source, destination))
        local = self.local_of.get(pair)
        if local is None:
            if len(self.local_of) >= self.share(_MOST_KEPT):
                self._take({})
            local = self.local_of[pair] = source
            self._remote |= pair - {local}
        return local

    def _take(self, local_of: dict[frozenset[str], str]) -> None:
        self.local_of = local_of
        self._remote = {address for pair, local in local_of.items() for address in pair if address != local}

    def note(self, sa: IpsecSa, source: str, destination: str) -> None:
        """Keep an SA of guessed ends."""
        if frozenset((source, destination)) in self.local_of:
            self._keep(Guessed(sa, source, destination))

    def _keep(self, one: Guessed) -> None:
        self.sas.append(one)
        most = self.share(_MOST_KEPT)
        del self.sas[:-most]
        self._newest[one.sa.protocol, one.source, one.destination] = one.sa
        while len(self._newest) > most:
            self._newest.popitem(last=False)

    def newest(self, protocol: str, source: str, destination: str) -> IpsecSa | None:
        """Give the SA noted last whose line printed this arrow."""
        return self._newest.get((protocol, source, destination))

    def take_wrong(self, local: str) -> list[Guessed]:
        """An address is ours: give what was made of the guess that it is a peer's, and keep nothing more of it."""
        wrong = [one for one in self.sas if one.sa.peer == local]
        self._take({pair: known for pair, known in self.local_of.items() if local not in pair})
        self.sas = [one for one in self.sas if local not in one[1:]]
        self._newest = OrderedDict((arrow, sa) for arrow, sa in self._newest.items() if local not in arrow[1:])
        return wrong

    def is_peer(self, address: str) -> bool:
        """Whether an address is a peer by a guess only."""
        return address in self._remote

    # keeping

    def to_json(self, alive: list[IpsecSa], places: Places) -> dict[str, Any]:
        """Give what is open, for a checkpoint: SAs by their place, archived ones counting down from -1."""
        where = {id(sa): place for place, sa in enumerate(alive)} | {
            id(one.sa): ~places[id(one.sa)] for one in self.sas if id(one.sa) in places
        }
        return {
            "local_of": [[*sorted(pair), local] for pair, local in self.local_of.items()],
            "sas": [[where[id(one.sa)], one.source, one.destination] for one in self.sas if id(one.sa) in where],
        }

    def restore(self, given: dict[str, Any] | None, alive: list[IpsecSa], archive: Archive) -> None:
        """Go on from what `to_json` gave."""
        if given is None:
            return
        self._take({frozenset(pair): local for *pair, local in given["local_of"]})
        for place, source, destination in given["sas"]:
            self._keep(Guessed(alive[place] if place >= 0 else archive.ipsec[~place], source, destination))
