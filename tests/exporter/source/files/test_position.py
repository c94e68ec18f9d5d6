"""A position survives the checkpoint; a damaged one is refused with words, not with a crash."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source import Fingerprint, Past, Position

LEFT = Position(device=1, inode=1, offset=9, line=2, size=9, fingerprint=Fingerprint.of(b"abcdefgh\n"))
GOOD: dict[str, object] = Position(
    device=1,
    inode=2,
    offset=3,
    line=1,
    size=9,
    fingerprint=Fingerprint.of(b"ab\n"),
    ahead=Fingerprint.of(b"half a li"),
    past=Past(since_ns=7, base="/var/log/racoon.log", left=(LEFT,)),
).to_json()

TAILS = st.binary(max_size=2000)
COUNTS = st.integers(min_value=0, max_value=2**63 - 1)


@given(device=COUNTS, inode=COUNTS, behind=st.integers(0, 2**62), tail=TAILS, skipping=st.booleans())
def test_a_position_reads_back_from_json_as_it_was(
    device: int, inode: int, behind: int, tail: bytes, *, skipping: bool
) -> None:
    size = len(tail) + behind
    position = Position(device, inode, len(tail), tail.count(b"\n"), size, Fingerprint.of(tail), skipping)
    assert Position.from_json(json.loads(json.dumps(position.to_json()))) == position


def test_more_lines_than_bytes_before_the_offset_are_refused() -> None:
    with pytest.raises(ValueError, match="more lines than bytes"):
        Position.from_json(GOOD | {"line": 4})


@pytest.mark.parametrize("key", sorted(GOOD))
@pytest.mark.parametrize("value", [None, -1, 2**63, 1.5, "7", [], {}], ids=repr)
def test_a_wrong_value_is_refused(key: str, value: object) -> None:
    if (key, value) in [("past", None), ("marks", [])]:
        return  # an older version wrote it, or nothing was read of the file
    with pytest.raises(ValueError, match="position: "):
        Position.from_json(GOOD | {key: value})


def test_a_position_reads_back_with_what_was_before() -> None:
    position = Position.from_json(GOOD)
    assert position.past is not None
    assert position.past.left == (LEFT,)
    assert position.to_json() == GOOD


def test_a_position_of_an_older_version_knows_of_nothing_before() -> None:
    older = Position.from_json({key: value for key, value in GOOD.items() if key not in {"ahead", "marks", "past"}})
    assert older.past is None
    assert older.ahead == Fingerprint.of(b"")
    assert older.marks == ()


@pytest.mark.parametrize(
    "past",
    [
        {"since_ns": 1, "base": ""},
        {"since_ns": -1, "base": "", "left": []},
        {"since_ns": 1, "base": 7, "left": []},
        {"since_ns": 1, "base": "", "left": [[1, 2, 3]]},
        {"since_ns": 1, "base": "", "left": [[1, 2, 3, 4, 5, "x"]]},
        {"since_ns": 1, "base": "", "left": [7]},
    ],
    ids=repr,
)
def test_a_past_that_none_could_have_is_refused(past: object) -> None:
    with pytest.raises(ValueError, match="position: "):
        Position.from_json(GOOD | {"past": past})


@pytest.mark.parametrize("key", sorted(GOOD.keys() - {"ahead", "marks", "past"}))
def test_a_missing_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="position: "):
        Position.from_json({each: value for each, value in GOOD.items() if each != key})


@pytest.mark.parametrize(
    "fingerprint",
    [
        {"length": 4, "digest": "0" * 32},
        {"length": 3, "digest": "0" * 31},
        {"length": 3, "digest": "G" * 32},
        {"length": 3, "digest": 7},
        {"length": 0, "digest": "0" * 32},
        {"length": 3},
    ],
    ids=repr,
)
def test_a_fingerprint_that_none_could_take_is_refused(fingerprint: object) -> None:
    with pytest.raises(ValueError, match="position: fingerprint"):
        Position.from_json(GOOD | {"fingerprint": fingerprint})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists) | st.dictionaries(st.text(), COUNTS))
def test_what_is_no_position_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="position: "):
        Position.from_json(value)


@given(before=TAILS, after=TAILS)
def test_a_fingerprint_fits_only_what_it_was_taken_of(before: bytes, after: bytes) -> None:
    span = before[-1024:]
    assert Fingerprint.of(before).fits(span)
    assert Fingerprint.of(before).fits(after[-1024:]) == (span == after[-1024:])
