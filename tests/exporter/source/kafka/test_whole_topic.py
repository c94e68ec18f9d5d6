"""All partitions of a topic as one stream: that each line counts once, whenever somebody goes on from a checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, KafkaException, TopicPartition, Uuid
from confluent_kafka.admin import TopicDescription  # type: ignore[attr-defined]

from racoon_exporter.source.kafka import merge, whole_topic
from racoon_exporter.source.kafka.assignment import RETRY_SECONDS, Membership
from racoon_exporter.source.kafka.brokers import Description
from racoon_exporter.source.kafka.checkpoints import WHOLE, FileCheckpoints, LostError, Place
from racoon_exporter.source.kafka.merge import WAIT_SECONDS
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kafka.whole_topic import GROWTH_SECONDS, WholeTopic


class Message:
    """A line of a gateway, by its clock at a second."""

    def __init__(self, partition: int, offset: int, gateway: str, second: int) -> None:
        self._partition, self._offset = partition, offset
        self._line = f"Jan 15 08:30:{second:02d} {gateway} {partition}/{offset}"

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def error(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, self._offset * 1000

    def key(self) -> None:
        return None

    def value(self) -> bytes:
        return self._line.encode()


class Broker:
    """A topic, by partition the gateways and seconds of its lines; the one who consumes it, and who tells what it is."""

    def __init__(self, *partitions: list[tuple[str, int]]) -> None:
        self.partitions = list(partitions)
        self.away: set[int] = set()
        """Partitions of which no broker knows."""
        self._paused: set[int] = set()
        self._next: dict[int, int] = {}

    def list_topics(self, topic: str, timeout: float) -> Any:
        del timeout
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=dict(enumerate(self.partitions)))})

    def ask(self, topic: str) -> Future[TopicDescription]:
        answered: Future[TopicDescription] = Future()
        answered.set_result(TopicDescription(topic, Uuid(0, 1), False, list[Any](self.partitions)))  # noqa: FBT003
        return answered

    def describe(self, _topic: str) -> Description:
        return Description(len(self.partitions), str(Uuid(0, 1)))

    def get_watermark_offsets(self, place: TopicPartition, **_asked: object) -> tuple[int, int]:
        if place.partition in self.away:
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
        return 0, len(self.partitions[place.partition])

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        del timeout
        return places

    def assign(self, places: list[TopicPartition]) -> None:
        self._next = {place.partition: place.offset for place in places}

    def incremental_assign(self, places: list[TopicPartition]) -> None:
        self._next |= {place.partition: place.offset for place in places}

    def unassign(self) -> None:
        """Forget where somebody is; who was paused stays so, as librdkafka has it."""
        self._next.clear()

    def pause(self, places: list[TopicPartition]) -> None:
        self._paused |= {place.partition for place in places}

    def resume(self, places: list[TopicPartition]) -> None:
        self._paused -= {place.partition for place in places}

    def consume(self, records: int, timeout: float) -> list[Message]:
        del timeout
        return list(islice(self._left(), records))

    def _left(self) -> Iterator[Message]:
        for number in self._next.keys() - self._paused:
            while self._next[number] < len(self.partitions[number]):
                offset = self._next[number]
                self._next[number] += 1
                yield Message(number, offset, *self.partitions[number][offset])


class Lines:
    """Keeps the lines that were given, as the state does which a checkpoint holds. A `Keeper`."""

    most_bytes = 1024 * 1024

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, _name: str, kept: dict[str, Any] | None) -> None:
        self.told = [] if kept is None else list(kept["told"])

    def content(self, _name: str) -> dict[str, Any]:
        return {"told": self.told}

    def saved(self, *, succeeded: bool) -> None:
        """Take no note."""

    def end(self, _name: str) -> None:
        self.told = []


class Reader:
    """An instance that reads the topic."""

    def __init__(self, broker: Broker, directory: Path, make: type[FileCheckpoints] = FileCheckpoints) -> None:
        self.now = 0.0
        self.lines = Lines()
        self.numbers: list[tuple[int, int]] = []
        """Of each block the number of its first line, and how many it has."""
        membership = Membership(
            KafkaOptions("broker:9092", ("racoon",)),
            self.lines,  # type: ignore[arg-type]
            make(directory, "group"),
            "beginning",
            10.0,
            lambda: self.now,
            lambda _positions: None,
            broker,  # type: ignore[arg-type]
        )
        self.topic = WholeTopic("racoon", membership, {"": broker})
        self.topic.work()

    def read(self, records: int, *, wait: float = 0.0) -> None:
        self.now += wait
        for block in self.topic.poll(1024, records):
            lines = block.data.decode().splitlines()
            self.lines.told += [line.split()[-1] for line in lines]
            self.numbers.append((block.first_line, len(lines)))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_topic, "Consumer", lambda settings, **_logger: settings[""])


@pytest.mark.parametrize("read_again", range(5))
def test_who_ends_while_records_are_read_again_has_none_counted_twice(read_again: int, tmp_path: Path) -> None:
    """The first line of b takes another along, which stands between two of a that wait."""
    broker = Broker([("b", 2)], [("a", 1), ("b", 1), ("a", 2)])
    reader = Reader(broker, tmp_path)
    reader.read(1)
    reader.read(3, wait=WAIT_SECONDS - 1)
    reader.read(0, wait=1)
    assert reader.lines.told == ["1/1", "0/0"]
    for records in (0, read_again):
        reader.topic.save()
        reader = Reader(broker, tmp_path)
        reader.read(records)
    reader.topic.save()
    reader = Reader(broker, tmp_path)
    reader.read(3)
    reader.read(0, wait=WAIT_SECONDS)
    assert reader.lines.told == ["1/1", "0/0", "1/0", "1/2"]


def test_partitions_that_were_added_are_read_though_no_broker_has_all_of_them_at_once(tmp_path: Path) -> None:
    broker = Broker([("a", 1)])
    reader = Reader(broker, tmp_path)
    reader.read(1)
    reader.read(1, wait=WAIT_SECONDS)
    broker.partitions += [[("b", 1)], [("c", 1)]]
    for away in ({2}, set[int]()):
        broker.away = away
        reader.read(10, wait=GROWTH_SECONDS)
        assert (reader.topic.trouble is not None) == bool(away)
    reader.read(10)
    reader.read(10, wait=WAIT_SECONDS)
    assert reader.lines.told == ["0/0", "1/0", "2/0"]


def test_lines_are_numbered_through_over_restarts_too_so_that_one_that_ends_the_process_is_found(tmp_path: Path) -> None:
    broker = Broker([("a", second) for second in range(60)], [("b", second) for second in range(2)])
    first = Reader(broker, tmp_path)
    first.read(100)
    first.read(100, wait=WAIT_SECONDS)
    (one, lines), (two, more) = first.numbers
    assert (one, two, lines + more) == (1, lines + 1, 62)
    first.topic.save()
    broker.partitions[1].append(("b", 3))
    again = Reader(broker, tmp_path)
    again.read(100)
    again.read(100, wait=WAIT_SECONDS)
    assert again.numbers == [(63, 1)]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (0, {"waiting": [-1]}),
        (0, {"waiting": [1.5]}),
        (0, {"waiting": [9]}),
        (1, {"next": "7"}),
        (1, {"counts": []}),
        (None, {"partitions": [7, 7]}),
        (None, {"state": {"told": 7}}),
        (None, {"state": {}}),
    ],
)
def test_a_checkpoint_that_is_none_is_told_and_all_is_read_anew(
    part: int | None, change: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker([("a", 1), ("a", 2)], [("b", 1)])
    reader = Reader(broker, tmp_path)
    reader.read(3)
    reader.read(0, wait=WAIT_SECONDS)
    reader.topic.save()
    place, checkpoints = Place("racoon", WHOLE), FileCheckpoints(tmp_path, "group")
    kept = checkpoints.take(place)
    assert kept is not None
    (kept if part is None else kept["partitions"][part]).update(change)
    checkpoints.save(place, kept)
    again = Reader(broker, tmp_path)
    again.read(3)
    again.read(0, wait=WAIT_SECONDS)
    assert sorted(again.lines.told) == ["0/0", "0/1", "1/0"]
    assert [status.counts.lines for status in again.topic.statuses] == [2, 1]
    assert "it is read anew" in caplog.text


def test_whatever_a_state_raises_it_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker([("a", 1)])
    reader = Reader(broker, tmp_path)
    reader.read(1)
    reader.read(0, wait=WAIT_SECONDS)
    reader.topic.save()
    begin = Lines.begin

    def raising(self: Lines, name: str, kept: dict[str, Any] | None) -> None:
        if kept is not None:
            raise RecursionError("nested without end")
        begin(self, name, kept)

    monkeypatch.setattr(Lines, "begin", raising)
    again = Reader(broker, tmp_path)
    again.read(1)
    again.read(0, wait=WAIT_SECONDS)
    assert again.lines.told == ["0/0"]


class Lost(FileCheckpoints):
    """Another instance writes."""

    def save(self, place: Place, content: dict[str, Any], marked: Collection[Place] = ()) -> None:
        del content, marked
        raise LostError(f"{place.name} is another instance's")


def test_a_partition_that_was_held_back_is_read_again_by_who_lost_the_topic_and_takes_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "_AHEAD", 2)
    broker = Broker([("a", second) for second in range(5)], [("b", second) for second in range(9)])
    reader = Reader(broker, tmp_path, Lost)
    reader.read(4)
    assert not reader.topic.ended
    reader.topic.save()
    reader.now += RETRY_SECONDS
    reader.topic.work()
    for _ in range(9):
        reader.read(20)
    reader.read(20, wait=WAIT_SECONDS)
    assert len(reader.lines.told) == 14
