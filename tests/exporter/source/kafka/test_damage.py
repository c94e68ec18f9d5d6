"""Where damage ends, by asking for offsets."""

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.kafka.damage import first_readable

BATCHES = st.lists(st.tuples(st.integers(1, 5_000), st.booleans()), min_size=1, max_size=8)


@given(BATCHES, st.integers(0, 10_000))
def test_reading_goes_on_with_a_batch_that_can_be_read_and_asks_for_few(batches: list[tuple[int, bool]], start: int) -> None:
    readable = [good for size, good in batches for _ in range(size)]
    high = len(readable)
    asked = 0

    def is_readable(offset: int) -> bool:
        nonlocal asked
        asked += 1
        return readable[offset]

    found = first_readable(is_readable, start, high)
    if start >= high or readable[start]:
        assert found == start
    else:
        assert start < found <= high
        assert not readable[found - 1]
        assert found == high or readable[found]
    assert asked <= 2 * high.bit_length() + 2


def test_one_damaged_batch_costs_no_more_than_its_records() -> None:
    for size in (1, 2, 3, 10, 999, 1000):
        assert first_readable(lambda offset, size=size: not 50 <= offset < 50 + size, 50, 10_000) == 50 + size  # type: ignore[misc]
