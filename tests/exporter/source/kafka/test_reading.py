"""How a partition goes on from its checkpoint: where it was, or anew where its topic is another one."""

from typing import Any

import pytest

from racoon_exporter.source.kafka.checkpoints import Place
from racoon_exporter.source.kafka.reading import Reading
from racoon_exporter.source.kafka.records import Lines

KEPT: dict[str, Any] = Reading(Place("racoon", 0), Lines(), next=100).to_json()


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
