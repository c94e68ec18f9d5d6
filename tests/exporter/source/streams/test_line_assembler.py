"""Pieces of a stream become the same lines, however they are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.contract import SourceCounts
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.streams.line_assembler import Assembler

LINES = st.lists(
    st.one_of(
        st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")),
        st.integers(MAX_LINE - 1, MAX_LINE + 2).map(lambda length: b"x" * length),
    ),
    max_size=6,
)


@given(LINES, st.binary(max_size=5).map(lambda rest: rest.replace(b"\n", b"")), st.data())
def test_cuts_change_nothing(lines: list[bytes], rest: bytes, data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines) + rest
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    tally = SourceCounts()
    assembler = Assembler(tally)
    given_ = b"".join(assembler.add(stream[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True))
    short = [line for line in lines if len(line) <= MAX_LINE]
    assert given_ == b"".join(line + b"\n" for line in short)
    assert assembler.rest() == rest
    assert tally.too_long == len(lines) - len(short)
    assert len(given_) + tally.lost_bytes + len(rest) == len(stream)


def test_an_endless_line_is_not_kept() -> None:
    tally = SourceCounts()
    assembler = Assembler(tally)
    for _ in range(100):
        assert assembler.add(b"x" * 4096) == b""
        assert assembler.held <= MAX_LINE
    assert assembler.add(b"end\nnext\n") == b"next\n"
    assert (tally.too_long, tally.lost_bytes) == (1, 100 * 4096 + 4)


def test_after_the_rest_a_line_begins_anew() -> None:
    assembler = Assembler(SourceCounts())
    assembler.add(b"torn")
    assert assembler.rest() == b"torn"
    assert assembler.add(b"whole\n") == b"whole\n"


def test_a_skipped_line_ends_with_its_stream() -> None:
    assembler = Assembler(SourceCounts())
    assembler.add(b"x" * (MAX_LINE + 1))
    assert assembler.rest() == b""
    assert assembler.add(b"whole\n") == b"whole\n"
