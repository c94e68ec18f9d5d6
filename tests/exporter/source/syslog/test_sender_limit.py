"""A sender may send a burst, and then so many messages a second."""

from __future__ import annotations

from racoon_exporter.source.reporting import SUBJECTS_KEPT
from racoon_exporter.source.syslog.sender_limit import Buckets, SenderLimit


def taken(buckets: Buckets, sender: str, now: float, tries: int) -> int:
    return sum(buckets.take(sender, now) for _ in range(tries))


def test_a_burst_and_then_the_rate() -> None:
    buckets = Buckets(SenderLimit(rate=10, burst=20))
    assert taken(buckets, "a", 0.0, 30) == 20
    assert taken(buckets, "a", 0.5, 30) == 5
    assert taken(buckets, "a", 100.0, 30) == 20


def test_each_sender_has_its_own() -> None:
    buckets = Buckets(SenderLimit(rate=1, burst=2))
    assert taken(buckets, "a", 0.0, 3) == 2
    assert taken(buckets, "b", 0.0, 3) == 2


def test_a_busy_sender_is_not_forgotten_for_forged_ones() -> None:
    buckets = Buckets(SenderLimit(rate=1, burst=2))
    assert taken(buckets, "busy", 0.0, 3) == 2
    for number in range(3 * SUBJECTS_KEPT):
        assert buckets.take(f"forged {number}", 0.0)
        assert not buckets.take("busy", 0.0)
