"""A flood of negotiations from addresses that nobody knows, through `serve` as a process: memory stays, configured peers too.

STRANGERS says how many addresses; `make torture` takes a million, with ten lines each.
"""

import ipaddress
import os
from collections.abc import Iterator

import pytest

from tests.torture.flooded import Flooded, flooded  # noqa: F401  a fixture

STRANGERS = int(os.environ.get("STRANGERS", "40000"))
CONFIGURED = 'racoon_phase1_established_total{peer="198.51.100.7",role="unknown"}'
BOUND = 80 * 1024
"""Resident memory in KiB, at its highest."""
GROWTH = 12 * 1024
"""What resident memory may grow, in KiB, once all that is kept has been filled: slack for checkpoints, which come and go.

With a million strangers 13 bytes kept for each would show.
"""

pytestmark = [pytest.mark.torture, pytest.mark.timeout(7200)]


def head_of(number: int) -> str:
    """Return the time of a stranger's lines: all within the hour after which an idle one, and its series, give way."""
    seconds = number // 400
    return f"2026-11-24 {8 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}: "


def negotiation(number: int) -> str:
    """Return what racoon writes of one stranger's attempt, ten lines."""
    stranger = ipaddress.IPv4Address("64.0.0.0") + number
    head = head_of(number)
    lines = (
        f"INFO: respond new phase 1 negotiation: 192.0.2.1[500]<=>{stranger}[500]",
        "INFO: begin Identity Protection mode.",
        f"[{stranger}] INFO: received Vendor ID: {number:x}",
        f"[{stranger}] INFO: received broken Microsoft ID: FRAGMENTATION",
        "WARNING: trns_id mismatched: my:AES peer:3DES",
        "ERROR: rejected enctype: DB(prop#1:trns#1):Peer(prop#1:trns#1) = AES-CBC:3DES-CBC",
        "ERROR: no suitable proposal found.",
        f"[{stranger}] ERROR: failed to get valid proposal.",
        f"[{stranger}] ERROR: failed to pre-process ph1 packet (side: 1, status 1).",
        f"[{stranger}] ERROR: phase1 negotiation failed.",
    )
    return "".join(f"{head}{line}\n" for line in lines)


def established(after: int) -> str:
    """Return what racoon writes when the configured peer comes up after so many strangers."""
    cookies = f"{after:016x}:9b9127e3b6956065"
    return f"{head_of(after)}INFO: ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:{cookies}\n"


def flood(numbers: range, last: str) -> Iterator[bytes]:
    for first in range(numbers.start, numbers.stop, 100):
        yield "".join(map(negotiation, range(first, min(first + 100, numbers.stop)))).encode()
    yield last.encode()


def test_strangers_cost_neither_memory_nor_configured_peers(flooded: Flooded) -> None:  # noqa: F811
    full = max(STRANGERS // 10, 12_000)  # by then the rings of past negotiations are full
    flooded.take(flood(range(full), established(full)), f"{CONFIGURED} 1.0")
    early = flooded.memory("VmRSS")
    metrics = flooded.take(flood(range(full, STRANGERS), established(STRANGERS)), f"{CONFIGURED} 2.0")
    late = flooded.memory("VmRSS")
    print(f"{STRANGERS} strangers: {early} KiB after {full}, {late} KiB at the end, peak {flooded.memory('VmHWM')} KiB")
    failures = [line for line in metrics.splitlines() if line.startswith("racoon_phase1_failures_total{")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in failures) == STRANGERS
    assert 'racoon_phase1_up{peer="198.51.100.7"} 1.0' in metrics
    assert metrics.count("racoon_phase1_up{") <= 102  # the configured peer, 100 strangers, `other`
    assert flooded.memory("VmHWM") <= BOUND
    assert late - early <= GROWTH
