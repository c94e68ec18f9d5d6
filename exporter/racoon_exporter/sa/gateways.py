"""Which gateways have a state of their own, and by which spelling of their names.

Whoever may write the log names any host: beyond the limit, gateways are counted under one name. Those that the configuration
names always have a place. Names of hosts have no case (RFC 4343); of several spellings the configuration's holds, else the
first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from racoon_exporter.sa.configured import Known
from racoon_exporter.sa.counts import MOST
from racoon_exporter.sa.model import OTHER

Key = tuple[str, str, str]
"""Gateway, name and stream of a racoon; no stream where lines name a host."""
Place = tuple[str, str]
"""Gateway and stream: what racoons of several names share."""

MOST_NAMES: Final = 16
"""Names of daemons at one gateway; at all of them one more for each gateway that is let in."""
_MOST_SPELT: Final = 4096
_MOST_FOLDED: Final = 4096
_LENGTH_OF_ONE: Final = 64
"""Characters of a name that takes one place (Linux' HOST_NAME_MAX): longer ones take several, as all series bear them."""


class Gateways:
    """The gateways that have a place."""

    def __init__(self, known: Known) -> None:
        self.folded = 0
        """How many gateways were counted under one name as there was no place."""
        self._folded: set[str] = set()
        self._limit = known.limits.gateways
        self.taken_elsewhere: Callable[[Gateways], int] = lambda _ours: 0
        """How many places others have taken that share the limit."""
        self._configured: dict[str, str] = {}
        self._spelling: dict[str, str] = {}
        self._spelt: dict[str, str] = {}
        """By spelling as a line has it: the one in use."""
        self._racoons: Counter[Place] = Counter()
        self._keys: dict[str, dict[Key, None]] = {}
        """Of racoons, by gateway, in the order in which they were first heard."""
        self._names = 0
        """Names of daemons beside the first of each place."""
        self._unnamed = 0
        """Places that the configuration does not name."""
        self.learn(known)

    @property
    def unnamed(self) -> int:
        """How many places were taken by what the configuration does not name."""
        return self._unnamed

    def learn(self, known: Known) -> None:
        """Take what a changed configuration says. A gateway that has a place keeps its spelling, as series have it."""
        self._limit = known.limits.gateways
        self._configured = {name.casefold(): name for name in known.gateways}
        self._spelt.clear()
        self._unnamed = sum(_weight(place) for place in self._racoons if not self.is_configured(place))

    def spelled(self, gateway: str) -> str:
        """Give the spelling of a gateway's name that is in use."""
        spelling = self._spelt.get(gateway)
        if spelling is None:
            folded = gateway.casefold()
            spelling = self._spelling.get(folded) or self._configured.get(folded) or gateway
            if len(self._spelt) >= _MOST_SPELT:
                self._spelt.clear()
            self._spelt[gateway] = spelling
        return spelling

    def shown(self, gateway: str, stream: str) -> str:
        """Give the name under which a line of a gateway is counted: that in use, or the one of all that have no place."""
        spelled = self.spelled(gateway)
        return spelled if self.has_room((spelled, "", "" if gateway else stream)) else OTHER

    def is_configured(self, place: Place) -> bool:
        """Whether the configuration names a gateway, or it stands for all that have no place."""
        return place[0] == OTHER or place[0].casefold() in self._configured

    def has_room(self, key: Key) -> bool:
        """Whether a racoon has a place, or may take one that is free."""
        place = _place(key)
        if place in self._racoons or self.is_configured(place):
            return True
        most = self._limit - min(_weight(place), self._limit)
        return self._limit > 0 and self._unnamed <= most and self._unnamed + self.taken_elsewhere(self) <= most

    def has_name_free(self, key: Key) -> bool:
        """Whether one more name of a daemon is kept apart at its gateway."""
        names = self._racoons[_place(key)]
        return names == 0 or (names < MOST_NAMES and self._names < self._limit)

    def enter(self, key: Key) -> None:
        """Take a place."""
        place = _place(key)
        if place not in self._racoons:
            self._spelling.setdefault(place[0].casefold(), place[0])
            self._spelt.clear()
            self._unnamed += 0 if self.is_configured(place) else _weight(place)
        else:
            self._names += 1
        self._racoons[place] += 1
        self._keys.setdefault(key[0], {})[key] = None

    def keys_of(self, gateway: str) -> Collection[Key]:
        """Give the keys of the racoons of a gateway, the one that was heard first in front."""
        return self._keys.get(gateway, ())

    def leave(self, keys: Iterable[Key]) -> None:
        """Give places away."""
        for key in keys:
            place = _place(key)
            self._keys[key[0]].pop(key, None)
            if not self._keys[key[0]]:
                del self._keys[key[0]]
            self._racoons[place] -= 1
            if not self._racoons[place]:
                del self._racoons[place]
                self._spelling.pop(place[0].casefold(), None)
                self._unnamed -= 0 if self.is_configured(place) else _weight(place)
            else:
                self._names -= 1
        self._spelt.clear()

    def fold(self, key: Key) -> None:
        """Count a gateway that had no place, once."""
        name = " ".join(_place(key))
        if len(self._folded) < _MOST_FOLDED and name not in self._folded:
            self._folded.add(name)
            self.folded += 1

    def to_json(self) -> dict[str, Any]:
        """Give what does not follow from the racoons, for a checkpoint."""
        return {"number": min(self.folded, MOST), "names": sorted(self._folded)}

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self.folded = int(given["number"])
        self._folded = set(given["names"])


def _place(key: Key) -> Place:
    return key[0], key[2]


def _weight(place: Place) -> int:
    """Give how many places a gateway takes."""
    return 1 + len(place[0]) // (_LENGTH_OF_ONE + 1)


__all__ = ["MOST_NAMES", "Gateways", "Key"]
