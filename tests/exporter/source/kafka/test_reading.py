"""How a partition goes on from its checkpoint: where it was, or anew where its topic is another one."""

from typing import Any

import pytest

from racoon_exporter.source.kafka.checkpoints import Place
from racoon_exporter.source.kafka.reading import Reading, number_of_partitions
from racoon_exporter.source.kafka.records import Lines

KEPT: dict[str, Any] = Reading(Place("racoon", 0), Lines(), next=100).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"next": -1},
        {"next": "100"},
        {"next": 2**63},
        {"next": 7.5},
        {"keyless": -3},
        {"late": True},
        {"late": 2**62 + 1},
        {"passed_over": {"tombstone": -3}},
        {"passed_over": {"tombstone": 0.5}},
        {"passed_over": 7},
        {"counts": {"lines": -1}},
        {"topic_id": 7},
    ],
    ids=repr,
)
def test_what_is_no_count_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Reading(Place("racoon", 0), Lines()).take_up(KEPT | change, 0, 120)


def test_a_reason_that_none_has_makes_no_series() -> None:
    reading = Reading(Place("racoon", 0), Lines())
    reading.take_up(KEPT | {"passed_over": {"x" * 70_000: 1, "not_json": 2}}, 0, 120)
    assert reading.status(up=True, error=None).passed_over == {"not_json": 2}


@pytest.mark.parametrize("of", [2**62, 10_001, -1, "3", None, 2.0], ids=repr)
def test_partitions_without_number_are_not_looked_for(of: object) -> None:
    """Each that is there no more is asked for at the brokers, and may take seconds."""
    with pytest.raises(ValueError, match="of must be a whole number"):
        number_of_partitions({"of": of})


@pytest.mark.parametrize(
    ("kept_id", "topic_id", "low", "high", "next_offset", "anew", "dropped"),
    [
        pytest.param("a", "a", 50, 120, 100, False, 0, id="as it was"),
        pytest.param("a", "a", 110, 120, 110, False, 10, id="records are gone that were never read"),
        pytest.param("a", "a", 0, 90, 90, False, 0, id="brokers have lost what was read"),
        pytest.param("a", "b", 0, 120, 0, True, 0, id="another topic that holds more"),
        pytest.param("a", "b", 0, 9, 0, True, 0, id="another topic that holds less"),
        pytest.param("a", "b", 7, 9, 7, True, 0, id="another topic whose first records are gone"),
        pytest.param(None, "b", 0, 120, 100, False, 0, id="kept by an older version"),
        pytest.param(None, "b", 0, 9, 0, True, 0, id="kept by an older version, of a longer topic"),
        pytest.param("a", None, 0, 120, 100, False, 0, id="brokers that tell no id"),
        pytest.param("a", None, 0, 9, 0, True, 0, id="brokers that tell no id, of a shorter topic"),
    ],
)
def test_where_a_partition_goes_on(
    kept_id: str | None,
    topic_id: str | None,
    low: int,
    high: int,
    next_offset: int,
    anew: bool,  # noqa: FBT001  a table
    dropped: int,
) -> None:
    reading = Reading(Place("racoon", 0), Lines(), topic_id=topic_id)
    assert reading.take_up(KEPT | {"topic_id": kept_id}, low, high) is anew
    assert reading.next == next_offset
    assert (reading.counts.dropped, reading.counts.rotations) == (dropped, int(anew))
    assert reading.to_json()["topic_id"] == topic_id
