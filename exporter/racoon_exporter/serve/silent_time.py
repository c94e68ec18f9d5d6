"""How the time of racoons goes on while their logs are silent: as fast as ours, counted from each one's last line.

Of thousands of racoons only those are looked at that a line came from, or of which something is due. Pure: times are given.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping

from racoon_exporter.sa.gateways import Key
from racoon_exporter.sa.racoon import Racoon
from racoon_parsers.clock import LATEST

Racoons = Mapping[Key, Racoon]
ReadAt = dict[Key, tuple[float, float]]


class SilentTime:
    """When each racoon's last line was written and read, and when something of it is due next."""

    def __init__(self, read_at: ReadAt, racoons: Racoons) -> None:
        """Go on from what was known before."""
        self.read_at = read_at
        """By racoon: time of its last line, and when that was read on the monotonic clock."""
        self._stopped: set[Key] = set()
        """Racoons whose time stands still until their next line, as it raised to let it pass."""
        self._due: dict[Key, float] = {}
        """By racoon: the earliest of its entries in the queue."""
        self._queue: list[tuple[float, Key]] = []
        self.look_at(racoons.items())

    def note(self, heard: Iterable[Key], racoons: Racoons, now: float) -> None:
        """Take note of lines that were read just now."""
        for key in heard:
            racoon = racoons.get(key)
            if racoon is None:
                continue
            known = self.read_at.get(key)
            if racoon.now is not None and (known is None or known[0] != racoon.now):
                self.read_at[key] = (racoon.now, now)
                self._stopped.discard(key)
            self._plan(key, racoon)
        if len(self.read_at) > len(racoons):
            self.read_at = {key: times for key, times in self.read_at.items() if key in racoons}

    def look_anew(self, racoons: Racoons) -> None:
        """Work out anew when something is due, as that may have changed for all."""
        self._due.clear()
        self._queue.clear()
        self.look_at(racoons.items())

    def look_at(self, racoons: Iterable[tuple[Key, Racoon]]) -> None:
        """Work out when something of these is due."""
        for key, racoon in racoons:
            self._plan(key, racoon)

    def stop(self, key: Key) -> None:
        """Let the time of a racoon stand still until its next line."""
        self._stopped.add(key)

    def due(self, racoons: Racoons, now: float) -> Iterator[tuple[Key, Racoon, float]]:
        """Give the racoons of which something is due, and the time that it is for them; their time is to pass until then."""
        while self._queue and self._queue[0][0] <= now:
            when, key = heapq.heappop(self._queue)
            if self._due.get(key) != when:
                continue  # an earlier entry of it stood before this one
            del self._due[key]
            racoon, times = racoons.get(key), self.read_at.get(key)
            if racoon is None or times is None or key in self._stopped:
                continue
            until = min(times[0] + now - times[1], LATEST)  # what ends later could be written nowhere
            if racoon.next_look <= until:
                yield key, racoon, until
            self._plan(key, racoon, after=now)

    def _plan(self, key: Key, racoon: Racoon, *, after: float = -math.inf) -> None:
        """Enter a racoon into the queue, unless it is to be looked at before anyway. What is due `after` a look stays due."""
        times, next_look = self.read_at.get(key), racoon.next_look
        if times is None or next_look == math.inf:
            return
        when = max(times[1] + next_look - times[0], math.nextafter(after, math.inf))
        if when < self._due.get(key, math.inf):
            self._due[key] = when
            heapq.heappush(self._queue, (when, key))
