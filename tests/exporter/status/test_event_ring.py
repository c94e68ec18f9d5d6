from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.status import EventRing
from racoon_parsers.reader import Record


def record(text: str = "x") -> Record:
    return Record(1.0, "", "racoon", "", "INFO", "", None, text, 1)


def filled(number: int, *, first: int = 1, records: int = 10) -> EventRing:
    ring = EventRing(first, records=records)
    for _ in range(number):
        ring.add(record(), "racoon.log")
    return ring


def test_an_empty_ring_gives_a_cursor_that_misses_nothing_that_comes() -> None:
    ring = EventRing(100)
    window = ring.since(None, 10)
    assert (window.entries, window.cursor, window.missed) == ((), 99, False)
    ring.add(record(), "racoon.log")
    window = ring.since(99, 10)
    assert ([entry.cursor for entry in window.entries], window.cursor, window.missed) == ([100], 100, False)


def test_without_a_cursor_the_oldest_come_first() -> None:
    assert [entry.cursor for entry in filled(15).since(None, 3).entries] == [6, 7, 8]


def test_the_newest_come_newest_first() -> None:
    assert [entry.cursor for entry in filled(15).newest(3)] == [15, 14, 13]


def test_a_cursor_whose_successors_are_gone_is_told_so() -> None:
    ring = filled(15)
    assert not ring.since(5, 100).missed
    assert ring.since(4, 100).missed
    assert not ring.since(15, 100).missed


def test_a_cursor_of_another_life_is_answered_from_the_oldest() -> None:
    window = filled(5, first=1000).since(5000, 100)
    assert window.missed
    assert [entry.cursor for entry in window.entries] == [1000, 1001, 1002, 1003, 1004]


def test_an_older_life_s_cursor_misses_what_lies_between() -> None:
    assert filled(5, first=1000).since(7, 100).missed


def test_long_texts_displace_records_and_not_memory() -> None:
    ring = EventRing(records=100, characters=1000)
    for _ in range(50):
        ring.add(record("y" * 300), "racoon.log")
    assert len(ring.newest(100)) == 3
    ring.add(record("z" * 5000), "racoon.log")
    assert ring.newest(100) == ()
    ring.add(record("y"), "racoon.log")
    assert [entry.cursor for entry in ring.newest(100)] == [52]


@given(st.integers(0, 40), st.integers(1, 7), st.integers(1, 10))
def test_paging_gives_each_record_that_is_kept_once_in_order(number: int, page: int, kept: int) -> None:
    ring = filled(number, records=kept)
    cursors: list[int] = []
    window = ring.since(None, page)
    while window.entries:
        cursors += [entry.cursor for entry in window.entries]
        window = ring.since(window.cursor, page)
        assert not window.missed
    assert cursors == list(range(max(0, number - kept) + 1, number + 1))
