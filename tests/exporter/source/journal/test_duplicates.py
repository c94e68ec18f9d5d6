"""racoon -F under systemd is in the journal twice, and is counted once; what it said twice is counted twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.journal.duplicates import MOST_WAITING, WINDOW_SECONDS, TransportDuplicates, without_doubled_time

STAMP = "2026-01-15 08:30:02: "
TEXT = f"{STAMP}INFO: caught signal 15"
Seen = tuple[str, str, float]


def given_of(*seen: Seen, doubles: TransportDuplicates | None = None) -> list[Seen]:
    """Return what is left after second copies were dropped, of (transport, text, seconds)."""
    doubles = TransportDuplicates() if doubles is None else doubles
    return [each for each in seen if not doubles.is_copy("gw racoon.service", each[0], each[1], each[2])]


@pytest.mark.parametrize("order", ["so sy", "sy so", "so so sy sy", "so sy so sy", "sy sy so so", "so sy sy so", "so sy sy"])
def test_copies_are_matched_one_to_one(order: str) -> None:
    transports = [{"so": "stdout", "sy": "syslog"}[word] for word in order.split()]
    left = given_of(*((transport, TEXT, 0.01 * at) for at, transport in enumerate(transports)))
    assert len(left) == max(transports.count("stdout"), transports.count("syslog"))


def test_one_transport_alone_loses_nothing() -> None:
    seen = [("syslog", TEXT, 0.0)] * 5 + [("stdout", f"{TEXT}6", 0.0)] * 5
    assert given_of(*seen) == seen


def test_other_transports_are_left_alone() -> None:
    seen = [("kernel", TEXT, 0.0), ("journal", TEXT, 0.0), ("", TEXT, 0.0), ("stdout", TEXT, 0.0)]
    assert given_of(*seen) == seen


@pytest.mark.parametrize(("apart", "left"), [(WINDOW_SECONDS, 1), (-WINDOW_SECONDS, 1), (WINDOW_SECONDS + 0.1, 2)])
def test_copies_are_near_in_time(apart: float, left: int) -> None:
    assert len(given_of(("stdout", TEXT, 100.0), ("syslog", TEXT, 100.0 + apart))) == left


def test_other_writers_are_no_copies() -> None:
    doubles = TransportDuplicates()
    assert not doubles.is_copy("gw 1", "stdout", TEXT, 0.0)
    assert not doubles.is_copy("gw 2", "syslog", TEXT, 0.0)


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        pytest.param(TEXT, STAMP + TEXT, 1, id="time doubled"),
        pytest.param(TEXT, "INFO: caught signal 15", 1, id="time in one only"),
        pytest.param(TEXT, TEXT.replace(":02", ":03"), 2, id="other time"),
        pytest.param(TEXT, TEXT.replace("15", "1"), 2, id="other text"),
        pytest.param("\udc80", "\udc80", 1, id="lone surrogate"),
    ],
)
def test_what_makes_a_copy(first: str, second: str, left: int) -> None:
    assert len(given_of(("stdout", first, 0.0), ("syslog", second, 0.0))) == left


def test_a_record_of_several_lines_is_several_by_standard_output() -> None:
    dump = f"{STAMP}DEBUG: \n8f1b2c3d a1b2c3d4\n\n"
    parts = [("stdout", f"{STAMP}DEBUG:", 0.0), ("stdout", "8f1b2c3d a1b2c3d4", 0.0)]
    whole: Seen = ("syslog", dump, 0.0)
    assert given_of(*parts, whole) == parts
    assert given_of(whole, *parts) == [whole]


def test_what_waits_is_bounded_in_number_and_time() -> None:
    doubles = TransportDuplicates()
    for number in range(2 * MOST_WAITING):
        assert not doubles.is_copy("gw 1", "syslog", f"{number}", 0.0)
    assert len(doubles) == MOST_WAITING
    assert not doubles.is_copy("gw 1", "stdout", "0", 0.0)
    assert doubles.is_copy("gw 1", "stdout", f"{2 * MOST_WAITING - 1}", 0.0)
    assert not doubles.is_copy("gw 1", "syslog", "later", WINDOW_SECONDS + 1)
    assert len(doubles) == 1


def test_a_restart_does_not_make_a_copy_an_original() -> None:
    before = TransportDuplicates()
    given_of(("stdout", TEXT, 1.0), ("stdout", "other", 1.0), ("syslog", "other", 1.0), doubles=before)
    after = TransportDuplicates()
    after.restore(json.loads(json.dumps(before.to_json())))
    assert len(after) == 1
    assert given_of(("syslog", TEXT, 1.5), ("syslog", "other", 1.5), doubles=after) == [("syslog", "other", 1.5)]


def test_the_checkpoint_holds_no_text() -> None:
    doubles = TransportDuplicates()
    given_of(("stdout", "DEBUG: psk: secret", 1.0), doubles=doubles)
    assert "secret" not in json.dumps(doubles.to_json())


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=30))
def test_any_mixture_leaves_the_larger_number(seen: list[tuple[str, bool]]) -> None:
    left = given_of(*(("stdout" if by_stdout else "syslog", text, 0.0) for text, by_stdout in seen))
    for text in "ab":
        by_stdout, by_syslog = seen.count((text, True)), seen.count((text, False))
        assert sum(each[1] == text for each in left) == max(by_stdout, by_syslog)


def test_a_doubled_time_is_reduced() -> None:
    assert without_doubled_time(STAMP + TEXT) == TEXT
    assert without_doubled_time(TEXT) == TEXT
    assert without_doubled_time("INFO: no time") == "INFO: no time"
