"""Whether records are keyed by gateway, told by some of them."""

from collections.abc import Iterable

import pytest

from racoon_exporter.source.kafka.keys import Keys

Told = Iterable[tuple[int, str, bool]]
"""Partition, gateway, and whether there is a key."""


def fleet(partitions_of_each: int, *, keyed: bool = True) -> Told:
    """Ten gateways, whose lines come through so many partitions each; a partition is read after the other."""
    for partition in range(4):
        for gateway in range(10):
            if (partition - gateway) % 4 < partitions_of_each:
                yield from [(partition, f"gw-{gateway}", keyed)] * 5


@pytest.mark.parametrize(
    ("told", "order"),
    [
        pytest.param(fleet(1), "partition", id="keyed by gateway"),
        pytest.param(fleet(1, keyed=False), "time", id="without keys, though each gateway has its partition"),
        pytest.param(fleet(2), "time", id="two shippers that choose partitions in two ways"),
        pytest.param(fleet(4), "time", id="keyed by something else"),
        pytest.param([*fleet(1), *[(1, "", False)] * 5], "partition", id="a few records of strangers"),
        pytest.param([(0, "", True)] * 20, "partition", id="no line names a gateway"),
    ],
)
def test_the_order_that_records_ask_for(told: Told, order: str) -> None:
    keys = Keys()
    for partition, gateway, keyed in told:
        keys.note(partition, gateway, keyed=keyed)
    assert keys.order == order
