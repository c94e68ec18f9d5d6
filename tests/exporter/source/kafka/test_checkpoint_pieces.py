"""A checkpoint is cut into pieces that a broker takes, and put together again or refused."""

import random
import zlib

import pytest

from racoon_exporter.source.kafka.checkpoint_pieces import PIECE_BYTES, cut, joined

LARGE = {"text": random.Random(7).randbytes(3_000_000).hex()}


@pytest.mark.parametrize("content", [{}, {"a": [1, 2.5, None, "ü"]}, LARGE], ids=["empty", "small", "large"])
def test_what_is_cut_is_put_together_again(content: dict[str, object]) -> None:
    pieces = cut(content)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    assert joined(pieces) == content


def test_what_is_no_checkpoint_is_refused() -> None:
    pieces = cut(LARGE)
    assert len(pieces) > 2
    for damaged in (pieces[:-1], pieces[1:], [*pieces[:-1], b"x" * 10], [b"junk"], []):
        with pytest.raises(ValueError, match=r"damaged|cut off"):
            joined(damaged)


def test_nesting_without_end_is_refused_and_ends_no_reader() -> None:
    with pytest.raises(ValueError, match="nested without end"):
        joined([zlib.compress(b'{"state":' + b"[" * 100_000 + b"]" * 100_000 + b"}")])


def test_what_would_fill_the_memory_is_refused() -> None:
    bomb = cut({"text": "x" * (65 * 1024 * 1024)})
    assert sum(map(len, bomb)) < 1_000_000
    with pytest.raises(ValueError, match="too large"):
        joined(bomb)
    assert joined(bomb, 66 * 1024 * 1024)
