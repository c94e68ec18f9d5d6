"""What is counted: the first part of a counter's key. Each has a row in `metrics.METRICS`; a test compares them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar, get_args

Key = TypeVar("Key", bound=tuple[str, ...])

PeerCount = Literal[
    "phase1_negotiations",
    "phase1_established",
    "phase1_failures",
    "phase1_ended",
    "phase2_negotiations",
    "phase2_established",
    "phase2_failures",
    "phase2_flaps",
    "ipsec_sa_ended",
    "dead_peers",
    "certificate_problems",
    "notifications",
]
"""Counted for a peer."""
RacoonCount = Literal[
    "gateway_failures",
    "gateway_flaps",
    "xauth_logins",
    "kernel_errors",
    "config_errors",
    "daemon_starts",
    "daemon_crashes",
    "folded_peers",
    "dropped_sas",
]
"""Counted for a racoon, of no peer."""

MOST: Final = 2**62
"""Counters and numbers of lines stay far below; one that an edited state file brought there is written as just this, for a file
with more would not be believed."""

LABELS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("phase1_negotiations", "certificate_problems", "gateway_failures"), 2),
    **dict.fromkeys(("phase1_established", "phase1_failures", "phase1_ended"), 1),
    **dict.fromkeys(("phase2_negotiations", "phase2_established", "phase2_failures"), 1),
    **dict.fromkeys(("ipsec_sa_ended", "notifications", "xauth_logins"), 1),
    **dict.fromkeys(("phase2_flaps", "dead_peers", "gateway_flaps"), 0),
    **dict.fromkeys(("kernel_errors", "config_errors", "daemon_starts", "daemon_crashes", "folded_peers", "dropped_sas"), 0),
}
"""How many labels each has, without the peer."""
PEER_COUNTS: Final[frozenset[str]] = frozenset(get_args(PeerCount))
RACOON_COUNTS: Final[frozenset[str]] = frozenset(get_args(RacoonCount))


def counters_to_json(counters: Mapping[Key, int]) -> list[list[Any]]:
    """Give counters as a state file has them."""
    return [[*key, min(count, MOST)] for key, count in counters.items()]


def counters_from_json(given: list[list[Any]]) -> Counter[tuple[str, ...]]:
    """Read counters as a state file has them. Those that this version does not count are left out: no metric shows them.

    Raises TypeError or ValueError where there are no counters.
    """
    counters: Counter[tuple[str, ...]] = Counter()
    for name, *labels, number in given:
        count = int(number)
        if name in PEER_COUNTS or name in RACOON_COUNTS:
            counters[name, *(str(label) for label in labels)] = count
    return counters
