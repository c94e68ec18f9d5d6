"""What several engines know, put together: as one that read all of it, where each gateway was known to one of them."""

from datetime import UTC
from typing import Any

from racoon_exporter.engine import Engine
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa.model import to_json
from racoon_exporter.serve.partitions import Partitions
from racoon_exporter.source import Block
from tests.exporter.reading import I2, P, sa, start, up

NAMES = ("kafka:racoon/0", "kafka:racoon/1")
ALL = "kafka:racoon/all"
TOLD = [start(), up(), sa(1), sa(2), start(), up(I2)]


def block(source: str, gateway: str, *lines: str, minute: int = 30) -> Block:
    text = "".join(f"2026-01-15T08:{minute}:{second:02d}Z {gateway} racoon: {line}\n" for second, line in enumerate(lines))
    return Block(source, text.encode(), 1, None)


class Instance:
    def __init__(self) -> None:
        self.own = Engine(UTC)
        self.partitions = Partitions(self.own, monotonic=lambda: 0.0, wall=lambda: 0.0)

    def begin(self, name: str, kept: dict[str, Any] | None = None, *fed: Block) -> None:
        self.partitions.begin(name, kept)
        partition = self.partitions.of(name)
        assert partition is not None
        for each in fed:
            partition.feed(each)

    @property
    def samples(self) -> dict[str, Any]:
        for name in (*NAMES, ALL):
            if self.partitions.of(name) is not None:
                self.partitions.at_end(name, reached=True)
        self.partitions.let_time_pass()
        samples, _ = collect(self.partitions.united_with(self.own, history=True), OwnState())
        return {name: values for name, values in samples.values.items() if not name.startswith("racoon_exporter_")}

    @property
    def history(self) -> dict[str, list[Any]]:
        told = self.partitions.united_with(self.own, history=True).state.history()
        return {table: [to_json(row) for row in rows] for table, rows in told.items()}


def united(first: Instance) -> Instance:
    kept = [first.partitions.content(name) for name in NAMES]
    second = Instance()
    second.begin(ALL, second.partitions.unite(ALL, kept))
    return second


def without_sources(samples: dict[str, Any]) -> dict[str, Any]:
    return {name: values for name, values in samples.items() if name != "racoon_log_messages"}


def test_gateways_that_were_known_to_one_each_are_as_they_were() -> None:
    first = Instance()
    for number, name in enumerate(NAMES):
        first.begin(name, None, block(name, f"gw-{number}", *TOLD, sa(1, event="expired", inbound=True)))
    second = united(first)
    assert without_sources(second.samples) == without_sources(first.samples)
    assert second.history == first.history
    total = {labels[1:]: number for labels, number in second.samples["racoon_log_messages"].items() if labels[0] == ALL}
    assert total == {
        labels[1:]: 2 * number for labels, number in first.samples["racoon_log_messages"].items() if labels[0] == NAMES[0]
    }


def test_of_a_gateway_that_was_known_in_parts_counters_add_up_and_all_sas_live() -> None:
    first = Instance()
    first.begin(NAMES[0], None, block(NAMES[0], "gw", start(), up(), sa(1, inbound=True), sa(2)))
    first.begin(NAMES[1], None, block(NAMES[1], "gw", start(), up(I2), sa(3, inbound=True), minute=31))
    before = first.samples
    second = united(first)
    after = second.samples
    counters = [name for name in before if name.endswith(("established", "negotiations", "flaps", "starts"))]
    assert {name: after[name] for name in counters} == {name: before[name] for name in counters}
    assert after["racoon_phase1_sas"] == {("gw", P): 2}
    assert after["racoon_phase2_up"] == {("gw", P): 1}
    assert len(second.history["ipsec"]) == 3
    partition = second.partitions.of(ALL)
    assert partition is not None
    assert [key[0] for key in partition.engine.state.racoons] == ["gw"]
    again = Instance()
    again.begin(ALL, second.partitions.content(ALL))
    assert again.samples == after


def test_a_record_that_waited_for_its_end_in_a_partition_is_complete_then() -> None:
    first = Instance()
    first.begin(NAMES[0], None, block(NAMES[0], "gw", up()))
    first.begin(NAMES[1])
    assert united(first).samples["racoon_phase1_established"] == {("gw", P, "unknown"): 1}
