"""The partitions of topics that a consumer group gives us.

A partition that is given is held back until its checkpoint is read; then it is read from the place that stands in it. A
partition that is taken away is written before another has it. So each line counts once, wherever it is counted: what was
counted after a checkpoint that nobody wrote is counted again by whoever goes on from the one before.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from racoon_exporter import checkpoint
from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, Keeper, SourceCounts, SourceStatus, StartAt, WithoutPositions
from racoon_exporter.source.kafka.checkpoints import CheckpointError, Checkpoints, LostError, Place
from racoon_exporter.source.kafka.records import Lines, Record
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.reporting import LiveCounts, Trouble

_LOGGER: Final = logging.getLogger(__name__)
_RECORD_BYTES: Final = 128
"""What a record is taken to be long, to ask for about as many as a block holds."""
_RETRY_SECONDS: Final = 2.0
_LAG_SECONDS: Final = 1.0
_BROKER_SECONDS: Final = 5.0
_VERSION: Final = 1
_AT_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001  the client's own codes begin with an underscore
_PASSING: Final = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})  # noqa: SLF001


@dataclass(slots=True, eq=False)
class _Partition:
    """A partition that the group gave us."""

    place: Place
    lines: Lines
    next: int = -1
    """Offset of the record to be read next."""
    open: bool = False
    """Whether it is read: its checkpoint was."""
    counts: LiveCounts = field(default_factory=LiveCounts)
    ended: bool = False
    """Whether all was read that stands in it."""
    told_ended: bool = False
    dirty: bool = False
    due: float = 0.0
    """When to try to open it, or to write a checkpoint of it."""
    took: float = 0.0
    saved: float = 0.0
    of: int = 0
    """Partitions of its topic."""
    high: int = 0
    error: str | None = None

    @property
    def status(self) -> SourceStatus:
        """How it is doing."""
        counts = SourceCounts(**self.counts.to_json())
        lag = max(0, self.high - self.next) if self.open else None
        passed = dict(self.lines.passed_over)
        return SourceStatus(self.place.name, self.open, 0, counts, self.error, lag, passed, kept=True)


class KafkaSource(WithoutPositions):
    """The topics of one configuration; each partition has its place in its checkpoint. Implements `Source` and `Polled`."""

    finished = False

    def __init__(
        self,
        options: KafkaOptions,
        keeper: Keeper,
        checkpoints: Checkpoints,
        *,
        start_at: StartAt = "beginning",
        checkpoint_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the group. Raises ValueError for settings that librdkafka refuses, OSError for a password file."""
        self._options = options
        self._keeper = keeper
        self._checkpoints = checkpoints
        self._start_at = start_at
        self._checkpoint_seconds = checkpoint_seconds
        self._clock = clock
        self._partitions: dict[Place, _Partition] = {}
        self._blocks: deque[Block] = deque()
        self._trouble = Trouble()
        self._joined = False
        self._closed = False
        self._lag_due = 0.0
        self._keyless: set[str] = set()
        try:
            self._consumer = Consumer(self._settings(), logger=_LOGGER)
            self._consumer.subscribe(
                list(options.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
        except KafkaException as error:
            raise ValueError(f"{options.name}: {error.args[0].str()}") from error

    def _settings(self) -> dict[str, Any]:
        return self._options.client() | {
            "group.id": self._options.group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest" if self._start_at == "beginning" else "latest",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": self._options.session_seconds * 1000,
            "heartbeat.interval.ms": self._options.session_seconds * 250,
            "topic.metadata.refresh.interval.ms": 10_000,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,
            "error_cb": self._failed,
        }

    # Source

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next lines of a partition."""
        if not self._blocks and not self._closed:
            self._look_after_partitions()
            self._poll(limit)
        return self._blocks.popleft() if self._blocks else None

    def arrived(self) -> bool:
        """Whether something came."""
        if not self._blocks and not self._closed:
            self._poll(DEFAULT_LIMIT)
        return bool(self._blocks) or any(self._wants_reading(each) for each in self._partitions.values())

    def _wants_reading(self, partition: _Partition) -> bool:
        """Whether `read` has something to do for a partition, though nothing came."""
        return partition.ended != partition.told_ended if partition.open else self._clock() >= partition.due

    def reads(self, name: str) -> bool:
        """Whether this is the source's name, or that of a partition it may have."""
        return name == self._options.name or name.startswith(tuple(f"kafka:{topic}/" for topic in self._options.topics))

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How the group membership is doing, and each partition."""
        up = self._joined and self._trouble.error is None
        own = SourceStatus(self._options.name, up, error=self._trouble.error, kept=True)
        return (own, *(partition.status for partition in tuple(self._partitions.values())))

    def descriptors(self) -> Iterable[int]:
        """Return none: librdkafka has threads of its own."""
        return ()

    def watched(self) -> Iterable[str]:
        """Return nothing: there are no files."""
        return ()

    def close(self) -> None:
        """Write the checkpoints, and leave the group."""
        if self._closed:
            return
        self._closed = True
        for place in list(self._partitions):
            self._give_back(place)
        self._consumer.close()
        self._checkpoints.close()

    # membership

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Hold partitions that were given, and read none before its checkpoint is."""
        self._joined = True
        for each in given:
            place = Place(each.topic, each.partition)
            self._partitions[place] = _Partition(place, Lines(self._options.keys, self._options.naming))
        consumer.incremental_assign(given)
        consumer.pause(given)

    def _revoked(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """Write what another will go on from, then let go."""
        for each in taken:
            self._give_back(Place(each.topic, each.partition))
        if not self._closed:
            consumer.incremental_unassign(taken)

    def _lost(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """Forget partitions that another may have already."""
        for each in taken:
            place = Place(each.topic, each.partition)
            if self._partitions.pop(place, None) is not None:
                self._drop(place)
        if not self._closed:
            consumer.incremental_unassign(taken)

    def _give_back(self, place: Place) -> None:
        partition = self._partitions.pop(place, None)
        if partition is None:
            return
        untaken = any(block.source == place.name for block in self._blocks)  # behind the offset, and not in the state
        if partition.open and not untaken and (partition.dirty or self._keeper.aged(place.name)):
            self._save(partition)
        self._drop(place)

    def _drop(self, place: Place) -> None:
        self._checkpoints.leave(place)
        self._keeper.end(place.name)

    # reading

    def _poll(self, limit: int) -> None:
        """Take what has come, as blocks of lines."""
        waiting: dict[_Partition, list[bytes]] = {}
        for message in self._consumer.consume(max(1, limit // _RECORD_BYTES), timeout=0):
            partition = self._partitions.get(Place(message.topic() or "", message.partition() or 0))
            error = message.error()
            if error is not None:
                self._note(error, partition)
            elif partition is not None and partition.open and (message.offset() or 0) >= partition.next:
                self._take(message, partition, waiting.setdefault(partition, []))
        for partition, lines in waiting.items():
            self._give(partition, b"".join(lines), limit)
        if self._clock() >= self._lag_due:
            self._look_at_lag()

    def _take(self, message: Message, partition: _Partition, lines: list[bytes]) -> None:
        kind, milliseconds = message.timestamp()
        key = message.key()
        time = None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000
        lines.append(partition.lines.of(Record(_bytes(key), _bytes(message.value()), time)))
        partition.next = (message.offset() or 0) + 1
        partition.ended = False
        partition.dirty = True
        if key is None and partition.of > 1 and self._options.naming == "key":
            self._tell_of_keyless(partition.place.topic)

    def _give(self, partition: _Partition, data: bytes, limit: int) -> None:
        """Give lines in blocks of about the size that was asked for."""
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + limit) + 1 or data.find(b"\n", start) + 1
            block = partition.counts.block(partition.place.name, data[start:end])
            if block is not None:
                self._blocks.append(block)
            start = end

    def _tell_of_keyless(self, topic: str) -> None:
        if topic not in self._keyless:
            self._keyless.add(topic)
            _LOGGER.warning(
                "records of topic %s have no key: the lines of a gateway may come through several partitions, "
                "out of order and to several instances; key them by gateway",
                topic,
            )

    def _look_at_lag(self) -> None:
        self._lag_due = self._clock() + _LAG_SECONDS
        for place, partition in self._partitions.items():
            if partition.open:
                with contextlib.suppress(KafkaException):
                    _, partition.high = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)

    # trouble

    def _failed(self, error: KafkaError) -> None:
        """Take note of what librdkafka says of all."""
        if error.code() != KafkaError._TRANSPORT or not self._joined:  # noqa: SLF001  one broker of several
            self._trouble.set(f"{self._options.name}: {error.str()}")

    def _note(self, error: KafkaError, partition: _Partition | None) -> None:
        if error.code() == _AT_END:
            self._trouble.over(f"{self._options.name}: reading again")
            if partition is not None and partition.open:
                partition.ended = True
        elif error.code() not in _PASSING:
            self._trouble.set(f"{self._options.name}: {error.str()}")

    # checkpoints

    def _look_after_partitions(self) -> None:
        """Tell what was read to its end, and open a partition or write a checkpoint, one at a time."""
        now = self._clock()
        for partition in list(self._partitions.values()):
            if partition.ended != partition.told_ended and partition.open:
                partition.told_ended = partition.ended
                self._keeper.at_end(partition.place.name, reached=partition.ended)
        due = next((each for each in self._partitions.values() if now >= each.due and self._has_work(each, now)), None)
        if due is None:
            return
        if due.open:
            self._save(due)
        else:
            self._open(due)

    def _has_work(self, partition: _Partition, now: float) -> bool:
        if not partition.open or partition.dirty:
            return True
        spared = checkpoint.pause(self._checkpoint_seconds, partition.took, only_time_passed=True)
        return now >= partition.saved + spared and self._keeper.aged(partition.place.name)

    def _save(self, partition: _Partition) -> None:
        """Write a checkpoint; trouble is told, and it is tried again later."""
        begun = self._clock()
        content = {
            "version": _VERSION,
            "next": partition.next,
            "of": partition.of,
            "counts": partition.counts.to_json(),
            "passed_over": partition.lines.passed_over,
            "state": self._keeper.content(partition.place.name),
        }
        try:
            self._checkpoints.save(partition.place, content)
        except LostError as error:
            self._told(partition, str(error))
            self._hold_back(partition)
        except CheckpointError as error:
            self._told(partition, str(error))
            partition.due = self._clock() + max(_RETRY_SECONDS, self._clock() - begun)  # other work has its turn, too
        else:
            partition.error = None
            partition.dirty = False
            self._keeper.saved(succeeded=True)
            partition.saved = self._clock()
            partition.took = partition.saved - begun
            partition.due = partition.saved + checkpoint.pause(self._checkpoint_seconds, partition.took)
            self._commit(partition)

    def _told(self, partition: _Partition, text: str) -> None:
        self._keeper.saved(succeeded=False)
        if text != partition.error:
            _LOGGER.error("%s", text)
        partition.error = text

    def _hold_back(self, partition: _Partition) -> None:
        """Read a partition no more until its checkpoint is read again: another instance has written it."""
        with contextlib.suppress(KafkaException):
            self._consumer.pause([TopicPartition(*partition.place)])
        self._drop(partition.place)
        fresh = _Partition(partition.place, Lines(self._options.keys, self._options.naming), error=partition.error)
        fresh.due = self._clock() + _RETRY_SECONDS
        if partition.place in self._partitions:
            self._partitions[partition.place] = fresh

    def _commit(self, partition: _Partition) -> None:
        """Tell the group how far we are, for those who look at its lag. The checkpoint decides, not this."""
        with contextlib.suppress(KafkaException):
            self._consumer.commit(offsets=[TopicPartition(*partition.place, partition.next)], asynchronous=True)

    # opening

    def _open(self, partition: _Partition) -> None:
        """Read the checkpoint of a partition, and go on from it; trouble is told, and it is tried again later."""
        partition.due = self._clock() + _RETRY_SECONDS
        try:
            kept = self._checkpoints.take(partition.place, self._keeper.most_bytes)
            self._go_on(partition, kept)
        except CheckpointError as error:
            self._told(partition, str(error))
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:  # noqa: SLF001  it is not being fetched yet
                self._told(partition, f"{partition.place.name}: {error.args[0].str()}")
            partition.due = self._clock()

    def _go_on(self, partition: _Partition, kept: dict[str, Any] | None) -> None:
        place = partition.place
        low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=_BROKER_SECONDS)
        topic = self._consumer.list_topics(place.topic, timeout=_BROKER_SECONDS).topics[place.topic]
        partition.of, partition.high = len(topic.partitions), high
        try:
            if kept is None:
                state, partition.next = None, self._begin(place, low, high)
            else:
                state = self._take_up(partition, kept, low, high)
            self._consumer.seek(TopicPartition(*place, partition.next))
            self._keeper.begin(place.name, state)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            _LOGGER.error("the checkpoint of %s cannot be used (%s): it is read anew", place.name, error)  # noqa: TRY400
            partition.counts, partition.lines.passed_over, partition.next = LiveCounts(), {}, low
            self._consumer.seek(TopicPartition(*place, low))
            self._keeper.begin(place.name, None)
        self._consumer.resume([TopicPartition(*place)])
        partition.open, partition.error = True, None
        partition.saved = self._clock()
        partition.due = partition.saved + self._checkpoint_seconds

    def _take_up(self, partition: _Partition, kept: dict[str, Any], low: int, high: int) -> dict[str, Any]:
        """Take what a checkpoint says of a partition, and give the state in it."""
        name = partition.place.name
        if kept["version"] != _VERSION:
            raise ValueError(f"it is of another version ({kept['version']})")
        partition.counts = LiveCounts(**SourceCounts.from_json(kept["counts"]).to_json())
        partition.lines.passed_over = {str(reason): int(number) for reason, number in kept["passed_over"].items()}
        partition.next = int(kept["next"])
        if kept["of"] != partition.of:
            _LOGGER.warning(
                "topic %s has %d partitions and had %s: gateways whose lines now come through another one begin anew there",
                partition.place.topic,
                partition.of,
                kept["of"],
            )
        if partition.next < low:
            _LOGGER.warning("%s: %d records are gone that were never read", name, low - partition.next)
            partition.counts.dropped += low - partition.next
            partition.next = low
        elif partition.next > high:
            _LOGGER.warning("%s ends before the place that was read last: the topic was made anew, and is read anew", name)
            partition.counts.rotations += 1
            partition.next = low
        state: dict[str, Any] = kept["state"]
        return state

    def _begin(self, place: Place, low: int, high: int) -> int:
        """Tell where to begin a partition of which nothing is known."""
        (committed,) = self._consumer.committed([TopicPartition(*place)], timeout=_BROKER_SECONDS)
        if committed.offset >= 0:
            _LOGGER.warning(
                "%s was read before, and its checkpoint is gone: it is read again from what the topic still holds", place.name
            )
            return low
        return low if self._start_at == "beginning" else high


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode("utf-8") if isinstance(value, str) else value
