"""Lines of partitions in the order of their gateways' clocks: what waits, what for, and that no wait is for ever."""

import gc
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.kafka import merge
from racoon_exporter.source.kafka.merge import SILENT_SECONDS, SLACK_SECONDS, WAIT_SECONDS, Merge, Waiting


def line(
    partition: int, offset: int, time: float, *, recorded: float | None = None, gateway: str = "gw", data: bytes = b"x\n"
) -> Waiting:
    return Waiting(partition, offset, gateway, time, time if recorded is None else recorded, data)


def places(lines: list[Waiting]) -> list[tuple[int, int]]:
    return [(each.partition, each.offset) for each in lines]


def all_at_end(merged: Merge, now: float, partitions: int = 2) -> None:
    for number in range(partitions):
        merged.at_end(number, now)


def test_a_line_waits_until_all_partitions_are_at_their_ends_and_shippers_had_their_time() -> None:
    merged = Merge(range(2))
    merged.take(line(0, 0, 100.0), 10.0)
    merged.at_end(0, 10.0)
    assert merged.given(10.0 + WAIT_SECONDS) == []
    merged.at_end(1, 10.0 + WAIT_SECONDS)
    assert places(merged.given(10.0 + WAIT_SECONDS)) == [(0, 0)]


def test_a_line_that_was_read_late_goes_before_younger_ones_that_wait() -> None:
    merged = Merge(range(2))
    merged.take(line(0, 0, 102.0), 10.0)
    merged.take(line(1, 0, 101.0), 12.0)
    merged.take(line(1, 1, 103.0), 12.0)
    all_at_end(merged, 12.0)
    assert places(merged.given(10.0 + WAIT_SECONDS)) == [(1, 0), (0, 0)]
    assert places(merged.given(12.0 + WAIT_SECONDS)) == [(1, 1)]


def test_clocks_of_gateways_are_not_compared() -> None:
    merged = Merge(range(2))
    for offset, (gateway, time) in enumerate([("ahead", 400.0), ("behind", 100.0), ("ahead", 401.0), ("behind", 101.0)]):
        merged.take(line(offset % 2, offset, time, gateway=gateway), 10.0 + offset)
    all_at_end(merged, 20.0)
    assert places(merged.given(10.0 + WAIT_SECONDS)) == [(0, 0)]
    assert places(merged.given(20.0)) == [(1, 1), (0, 2), (1, 3)]


def test_in_a_backlog_a_line_waits_until_the_other_partitions_were_read_well_past_it() -> None:
    merged = Merge(range(2))
    for offset in range(0, 2000, 100):
        merged.take(line(0, offset, float(offset)), 1.0)
    assert merged.given(1.0) == []
    merged.take(line(1, 0, 50.0), 1.0)
    assert merged.given(1.0) == []
    for offset in range(1, 5):
        merged.take(line(1, offset, 1000.0), 1.0)
    assert places(merged.given(1.0)) == [(0, 0), (1, 0), (0, 100), (0, 200), (0, 300)]  # half of 0 was read up to 900
    assert merged.waiting(1) == [1, 2, 3, 4]


def test_one_record_of_a_wild_clock_does_not_tell_how_far_a_partition_was_read() -> None:
    merged = Merge(range(2))
    merged.take(line(0, 0, 0.0), 1.0)
    for offset, time in enumerate([0.0, 1.0, 1e9, 2.0]):
        merged.take(line(1, offset, time, gateway="other"), 1.0)
    assert merged.given(1.0) == []


def test_a_partition_that_says_nothing_is_waited_for_no_longer_than_a_while() -> None:
    merged = Merge(range(2))
    merged.take(line(0, 0, 100.0), 0.0)
    now = 0.0
    while not (given_lines := merged.given(now)):
        merged.at_end(0, now)
        now += 0.5
    assert places(given_lines) == [(0, 0)]
    assert SILENT_SECONDS <= now < SILENT_SECONDS + 2
    assert merged.silent == [1]
    assert not merged.ended
    merged.pass_over(1, 100.0)
    assert merged.silent == []


def test_time_in_which_nobody_looked_is_no_silence_of_a_partition() -> None:
    merged = Merge(range(2))
    merged.take(line(0, 0, 100.0), 0.0)
    merged.at_end(0, 0.0)
    assert merged.given(0.0) == merged.given(3600.0) == []


def test_what_waits_has_a_bound_and_goes_in_the_order_of_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "MOST_LINES", 3)
    merged = Merge(range(2))
    for offset, time in enumerate([3.0, 1.0, 2.0, 5.0, 4.0]):
        merged.take(line(0, offset, time, gateway=str(offset)), 1.0)
    assert places(merged.given(1.0)) == [(0, 1), (0, 2)]
    monkeypatch.setattr(merge, "MOST_BYTES", 5)
    assert places(merged.given(1.0)) == [(0, 0)]


def test_what_was_given_is_let_go_of_though_a_line_of_a_wild_clock_stands_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "MOST_BYTES", 100_000)
    merged = Merge(range(2))
    merged.take(line(0, 0, 1e10, gateway="wild"), 1.0)
    for offset in range(1, 1000):
        merged.take(line(0, offset, float(offset), data=b"x" * 10_000), 1.0)
        merged.given(1.0)
    assert merged.waiting(0)[0] == 0
    held = [each for each in gc.get_objects() if isinstance(each, Waiting)]
    assert sum(len(each.data) for each in held) < 3 * 100_000


def test_lines_of_one_gateway_that_come_the_youngest_first_take_no_longer_than_others() -> None:
    """Each is compared with a few of those that wait, not with all."""
    compared = 0

    class Counted(Waiting):
        def is_after(self, other: Waiting) -> bool:
            nonlocal compared
            compared += 1
            return super().is_after(other)

    merged = Merge(range(2))
    for offset in range(1000):
        merged.take(Counted(0, offset, "gw", -float(offset), 0.0, b"x\n"), 1.0)
    assert compared <= 1000 * 10


def test_a_partition_is_read_no_further_while_others_are_behind_and_then_again() -> None:
    merged = Merge(range(3))
    merged.at_end(2, 1.0)
    for offset in range(2500):
        merged.take(line(0, offset, float(offset)), 1.0)
    assert merged.ahead() == {0}
    merged.take(line(1, 0, 9000.0), 1.0)
    assert merged.ahead() == set()
    for offset in range(1, 2500):
        merged.take(line(1, offset, 9000.0 + offset), 1.0)
    assert merged.ahead() == {1}
    merged.at_end(0, 2.0)
    assert merged.ahead() == set()


def test_a_year_that_ends_without_being_named_and_a_clock_that_is_set_are_taken_as_they_come() -> None:
    december, january, now = 947_000_000.0 + 365 * 86400, 947_000_000.0, 50.0
    merged = Merge(range(2))
    merged.take(line(0, 0, december, recorded=1.0), now)
    merged.take(line(1, 0, january, recorded=2.0), now)
    merged.take(line(1, 1, january + 1, recorded=3.0), now)
    all_at_end(merged, now)
    assert places(merged.given(now + WAIT_SECONDS)) == [(0, 0), (1, 0), (1, 1)]
    assert not merged.take_late()


def test_lines_that_come_after_younger_ones_are_counted() -> None:
    merged = Merge(range(2))
    for number, time in enumerate([100.0, 90.0, 101.0]):
        merged.take(line(number % 2, number, time), 100.0 * number)
        all_at_end(merged, 100.0 * number + WAIT_SECONDS)
        assert len(merged.given(100.0 * number + WAIT_SECONDS)) == 1
    assert merged.take_late() == {1: 1}
    assert not merged.take_late()


TOLD = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", "c"]), st.integers(0, 50), st.integers(0, 5)), max_size=60
)


@given(TOLD)
def test_each_line_is_given_once_and_what_was_read_by_then_in_the_order_of_its_gateway(
    told: list[tuple[int, str, int, int]],
) -> None:
    merged = Merge(range(3))
    offsets: dict[int, int] = defaultdict(int)
    for partition, gateway, time, recorded in told:
        merged.take(line(partition, offsets[partition], float(time), recorded=float(recorded), gateway=gateway), 1.0)
        offsets[partition] += 1
    waiting = {partition: merged.waiting(partition) for partition in range(3)}
    assert waiting == {partition: list(range(offsets[partition])) for partition in range(3)}
    all_at_end(merged, 1.0, 3)
    out = merged.given(1.0 + WAIT_SECONDS)
    assert sorted(places(out)) == [(partition, offset) for partition in range(3) for offset in waiting[partition]]
    for gateway in "abc":
        keys = [(each.time, each.recorded) for each in out if each.gateway == gateway]
        assert keys == sorted(keys)
    assert not any(merged.waiting(partition) for partition in range(3))
    assert merged.given(1e9) == []


@given(TOLD, st.lists(st.integers(0, 3), max_size=60))
def test_whenever_somebody_asks_no_line_is_lost_or_given_twice(told: list[tuple[int, str, int, int]], asked: list[int]) -> None:
    merged = Merge(range(3))
    out: list[Waiting] = []
    offsets: dict[int, int] = defaultdict(int)
    now = 0.0
    for (partition, gateway, time, recorded), what in zip(told, [*asked, *[0] * len(told)], strict=False):
        at = float(recorded) * SLACK_SECONDS
        merged.take(line(partition, offsets[partition], float(time), recorded=at, gateway=gateway), now)
        offsets[partition] += 1
        now += what * WAIT_SECONDS / 2
        if what == 3:
            merged.at_end(partition, now)
        if what:
            merged.ahead()
            out += merged.given(now)
    all_at_end(merged, now, 3)
    out += merged.given(now + WAIT_SECONDS)
    assert sorted(places(out)) == [(partition, offset) for partition in range(3) for offset in range(offsets[partition])]
