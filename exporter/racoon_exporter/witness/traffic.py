"""Traffic of each peer, summed over SAs that come and go. Pure.

A kernel counts for each SA, and forgets with it. What is kept here never falls: not at a rekey, not when this exporter starts
anew, not when an SA is replaced under its SPI. What an SA carried between the last look at it and its end is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from racoon_parsers.kernel import KernelSa

DIRECTIONS: Final = ("in", "out")
KINDS: Final = ("replay", "replay_window", "integrity")
"""Why an incoming packet was dropped."""
_COUNTS: Final = ("bytes", "packets", *KINDS)
_NOTHING: Final = (0,) * len(_COUNTS)


class Owner(NamedTuple):
    """Whose SA it is."""

    gateway: str
    peer: str
    """Address, or a collective peer."""
    direction: str
    """`in` or `out`."""


_Key = tuple[str, str, str, int]
"""Gateway, protocol, destination, SPI."""


class Traffic:
    """What went through, by gateway, peer and direction, as of one look. A look makes a new one; none ever changes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.totals: dict[Owner, Counter[str]] = {}
        """By owner: bytes, packets, and packets dropped by kind."""
        self._last: dict[_Key, tuple[int, ...]] = {}
        """By SA: its counts at the last look."""

    def after(
        self, gateway: str, sas: tuple[KernelSa, ...], owner_of: Callable[[KernelSa], Owner | None], *, complete: bool
    ) -> Traffic:
        """Give what it is after a look at a gateway's SAs. What is missing from a complete look is gone, its counts stay."""
        later = Traffic()
        later.totals = {owner: counts.copy() for owner, counts in self.totals.items()}
        later._last = {key: counts for key, counts in self._last.items() if not complete or key[0] != gateway}
        for sa in sas:
            owner = owner_of(sa)
            if owner is None or sa.state == "larval":
                continue
            key = (gateway, *sa.key)
            now = (sa.bytes, sa.packets, sa.replay, sa.replay_window, sa.integrity)
            _add(later.totals, owner, now, self._last.get(key))
            later._last[key] = now
        return later

    def to_json(self) -> dict[str, Any]:
        """Give what must outlive this process."""
        return {
            "totals": [[*owner, [counts[name] for name in _COUNTS]] for owner, counts in self.totals.items()],
            "last": [[*key, list(counts)] for key, counts in self._last.items()],
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Traffic:
        """Go on from what `to_json` gave. Raises KeyError, TypeError or ValueError on anything else."""
        traffic = cls()
        for gateway, peer, direction, counts in given["totals"]:
            if direction not in DIRECTIONS:
                raise ValueError("a direction that is none")
            traffic.totals[Owner(str(gateway), str(peer), direction)] = Counter(
                dict(zip(_COUNTS, _naturals(counts), strict=True))
            )
        for gateway, protocol, destination, spi, counts in given["last"]:
            traffic._last[str(gateway), str(protocol), str(destination), int(spi)] = _naturals(counts)
        return traffic


def _add(totals: dict[Owner, Counter[str]], owner: Owner, now: tuple[int, ...], before: tuple[int, ...] | None) -> None:
    """Add what is new. Counts that fell are those of another SA under the same SPI."""
    if before is None or any(count < earlier for count, earlier in zip(now, before, strict=True)):
        before = _NOTHING
    total = totals.setdefault(owner, Counter(dict.fromkeys(_COUNTS, 0)))
    for name, count, earlier in zip(_COUNTS, now, before, strict=True):
        total[name] += count - earlier


def _naturals(given: Any) -> tuple[int, ...]:
    counts = tuple(given)
    if len(counts) != len(_COUNTS) or not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("counts that are none")
    return counts
