"""Cutting bytes into whole lines agrees with splitting them one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.files.lines import MAX_LINE, bounded_lines, leading_nuls, whole_lines, without_holes

TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\0", b"\r", b"\xff"])).map(b"".join)


@given(raw=TEXT, limit=st.integers(0, 40))
def test_whole_lines_end_in_a_newline_and_exceed_the_limit_only_by_one_line(raw: bytes, limit: int) -> None:
    end = whole_lines(raw, limit)
    assert end == 0 or raw[end - 1 : end] == b"\n"
    assert (end == 0) == (b"\n" not in raw)
    assert end <= limit or raw.count(b"\n", 0, end) == 1


@given(st.lists(st.integers(0, 3).map(lambda k: (0, 5, MAX_LINE, MAX_LINE + 1)[k]), max_size=6))
def test_lines_before_the_first_overlong_one_are_kept(lengths: list[int]) -> None:
    raw = b"".join(b"x" * length + b"\n" for length in lengths)
    kept = 0
    for length in lengths:
        if length > MAX_LINE:
            break
        kept += length + 1
    assert bounded_lines(raw, len(raw)) == kept


@given(TEXT)
def test_holes_are_the_nuls_at_the_beginning_of_lines_only(raw: bytes) -> None:
    data = raw[leading_nuls(raw) :]
    assert without_holes(data) == b"\n".join(line.lstrip(b"\0") for line in data.split(b"\n"))
    assert not data.startswith(b"\0")
