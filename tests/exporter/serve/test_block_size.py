"""A block is as large as may be read before somebody who wants to look has his turn."""

from itertools import pairwise

from racoon_exporter.serve.block_size import LEAST_BYTES, MOST_BYTES, TURN_SECONDS, BlockSize


def sizes(seconds_of_byte: float, blocks: int, block_size: BlockSize) -> list[int]:
    """Read some blocks of lines that cost so much, and tell how large they were."""
    read = []
    for _ in range(blocks):
        read.append(block_size.bytes)
        block_size.note(block_size.bytes, block_size.bytes * seconds_of_byte)
    return read


def test_usual_lines_are_read_in_large_blocks() -> None:
    assert sizes(TURN_SECONDS / MOST_BYTES, 5, BlockSize()) == [MOST_BYTES] * 5


def test_after_one_block_of_dear_lines_the_next_takes_a_turn() -> None:
    first, *others = sizes(TURN_SECONDS / 5000, 5, BlockSize())
    assert first == MOST_BYTES
    assert all(4990 <= each <= 5000 for each in others)


def test_no_line_is_so_dear_that_nothing_is_read() -> None:
    assert sizes(1.0, 3, BlockSize())[1:] == [LEAST_BYTES] * 2


def test_blocks_grow_step_by_step_once_lines_are_cheap_again() -> None:
    block_size = BlockSize()
    sizes(1.0, 2, block_size)
    grown = sizes(0.0, 8, block_size)
    assert grown[0] == LEAST_BYTES
    assert all(after == min(2 * before, MOST_BYTES) for before, after in pairwise(grown))
    assert grown[-1] == MOST_BYTES


def test_a_block_that_took_no_time_tells_nothing_bad() -> None:
    block_size = BlockSize()
    block_size.note(10, 0.0)
    assert block_size.bytes == MOST_BYTES
