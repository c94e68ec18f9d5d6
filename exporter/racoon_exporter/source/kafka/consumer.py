"""The topics that a consumer group shares.

A partition that is given is held back until its checkpoint is read; then it is read from the place that stands in it. A
partition that is taken away is written before another has it. So each line counts once, wherever it is counted: what was
counted after a checkpoint that nobody wrote is counted again by whoever goes on from the one before.

Where the records of a topic are not keyed by gateway, whoever is given its first partition reads all of them as one
(`whole_topic`), and for the others of the group there is nothing to do.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, Keeper, SourceStatus, StartAt, WithoutPositions
from racoon_exporter.source.kafka.assignment import RETRY_SECONDS, Assignment, Membership
from racoon_exporter.source.kafka.brokers import Brokers, Question
from racoon_exporter.source.kafka.checkpoints import Checkpoints, Place
from racoon_exporter.source.kafka.damage import CHECKED, tells_damage
from racoon_exporter.source.kafka.partition import Partition
from racoon_exporter.source.kafka.reading import AT_END
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kafka.topic import Topic
from racoon_exporter.source.reporting import Trouble

_LOGGER: Final = logging.getLogger(__name__)
_RECORD_BYTES: Final = 128
"""What a record is taken to be long, to ask for about as many as a block holds."""
_LAG_SECONDS: Final = 1.0
_LONG_SECONDS: Final = 1.0
"""What takes longer may have waited for brokers that are away."""
_PASSING: Final = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})  # noqa: SLF001
_AWAY: Final = _PASSING | {KafkaError._TIMED_OUT}  # noqa: SLF001


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
        brokers = Brokers(options)
        self._membership = Membership(options, keeper, checkpoints, start_at, checkpoint_seconds, clock, self._commit, brokers)
        self._clock = clock
        self._blocks: deque[Block] = deque()
        self._trouble = Trouble()
        self._joined = False
        self._closed = False
        self._lag_due = 0.0
        self._silence: Question | None = None
        """Where brokers kept us waiting: what they are asked before they may again."""
        self._settings = self._of_all()
        self._topics = {name: Topic(name, self._membership, self._settings) for name in options.topics}
        try:
            self._consumer = Consumer(self._settings | self._of_member(), logger=_LOGGER)
            self._consumer.subscribe(
                list(options.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
        except KafkaException as error:
            raise ValueError(f"{options.name}: {error.args[0].str()}") from error

    def _of_all(self) -> dict[str, Any]:
        """Give the settings of everyone who reads."""
        return (
            self._options.client()
            | CHECKED
            | {
                "group.id": self._options.group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest" if self._membership.start_at == "beginning" else "latest",
                "topic.metadata.refresh.interval.ms": 10_000,
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 16_384,
                "error_cb": self._failed,
            }
        )

    def _of_member(self) -> dict[str, Any]:
        return {
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": self._options.session_seconds * 1000,
            "heartbeat.interval.ms": self._options.session_seconds * 250,
        }

    # Source

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next lines of a partition."""
        if not self._blocks and not self._closed:
            self._look_after_all()
            self._poll(limit)
        return self._blocks.popleft() if self._blocks else None

    def arrived(self) -> bool:
        """Whether something came, or is to be done though nothing did."""
        if not self._blocks and not self._closed:
            self._poll(DEFAULT_LIMIT)
        if self._silence is not None and not self._silence.is_answered:
            return bool(self._blocks)
        now = self._clock()
        return bool(self._blocks) or any(
            each.ended != each.told_ended if each.open else now >= each.due for each in self._assignments()
        )

    def reads(self, name: str) -> bool:
        """Whether this is the source's name, or that of a partition it may have."""
        return name == self._options.name or name.startswith(tuple(f"kafka:{topic}/" for topic in self._options.topics))

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How the group membership is doing, and each partition."""
        topics = list(self._topics.values())
        errors = (self._trouble.error, *(error for topic in topics for error in (topic.trouble.error, topic.error)))
        error = next((error for error in errors if error), None)
        up = self._joined and error is None
        own = SourceStatus(
            self._options.name,
            up,
            error=error,
            kept=True,
            standing_by=self._joined and any(topic.stands_by for topic in topics),
            torn_gateways=sum(topic.torn for topic in topics),
            remark="; ".join(remark for topic in topics if (remark := topic.remark(joined=self._joined))) or None,
        )
        return (own, *(status for topic in topics for status in topic.statuses()))

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
        heard = True
        for each in self._assignments():
            if heard:
                self._give_back(each)
                heard = each.error is None
            else:  # brokers that are away keep us waiting for each, and whoever goes on reads again from the last checkpoint
                each.drop()
        for topic in self._topics.values():
            topic.close()
            topic.partitions.clear()
        self._consumer.close()
        self._membership.checkpoints.close()

    # membership

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Hold partitions that were given, and read none before its checkpoint is."""
        self._joined = True
        for each in given:
            place = Place(each.topic, each.partition)
            self._topics[each.topic].assign(Partition(place, self._membership, self._consumer, self._settings))
        consumer.incremental_assign(given)
        consumer.pause(given)

    def _revoked(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """Write what another will go on from, then let go."""
        for each in taken:
            topic = self._topics[each.topic]
            partition = topic.withdraw(each.partition)
            if partition is not None:
                self._give_back(partition)
            if each.partition == 0:
                if topic.whole is not None:
                    self._give_back(topic.whole)
                topic.close()
        if not self._closed:
            consumer.incremental_unassign(taken)

    def _lost(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """Forget partitions that another may have already."""
        for each in taken:
            topic = self._topics[each.topic]
            partition = topic.withdraw(each.partition)
            if partition is not None:
                partition.drop()
            if each.partition == 0:
                if topic.whole is not None:
                    topic.whole.drop()
                topic.close()
        if not self._closed:
            consumer.incremental_unassign(taken)

    def _give_back(self, assignment: Assignment) -> None:
        assignment.give_back(untaken=any(block.source == assignment.place.name for block in self._blocks))

    def _assignments(self) -> list[Assignment]:
        return [each for topic in self._topics.values() for each in topic.assignments]

    def _partition(self, message: Message) -> Partition | None:
        """Give the partition that a record is of; None if it is not ours any more."""
        topic = self._topics.get(message.topic() or "")
        return None if topic is None else topic.partitions.get(message.partition() or 0)

    def _look_after_all(self) -> None:
        """Do what brokers may keep waiting, unless they are away: other sources are to be read meanwhile."""
        for each in self._assignments():
            each.tell_ended()
        if self._are_silent():
            return
        begun = self._clock()
        self._look_after_topics(begun)
        self._look_after_assignments()
        if self._clock() - begun >= _LONG_SECONDS:
            self._silence = Question(self._options.topics[0], self._membership.brokers, RETRY_SECONDS)
            self._are_silent()

    def _are_silent(self) -> bool:
        """Whether the brokers have not answered since they kept us waiting; whatever they answer, they are there."""
        if self._silence is None:
            return False
        try:
            silent = self._silence.answer(self._clock()) is None
        except KafkaException as error:
            silent = error.args[0].code() in _AWAY
        if not silent:
            self._silence = None
        return silent

    def _look_after_topics(self, now: float) -> None:
        for topic in self._topics.values():
            if (trial := topic.trial) is not None:
                topic.go_on_trying(trial, DEFAULT_LIMIT // _RECORD_BYTES)
                self._note(trial.trouble, topic, reads=trial.at_end)
            topic.look_after(now)

    # reading

    def _poll(self, limit: int) -> None:
        """Take what has come, as blocks of lines."""
        waiting: dict[Partition, list[bytes]] = {}
        records = max(1, limit // _RECORD_BYTES)
        for message in self._consumer.consume(records, timeout=0):
            partition = self._partition(message)
            error = message.error()
            if error is not None:
                self._take_error(error, message, partition)
            elif partition is not None:
                waiting.setdefault(partition, []).append(self._take(message, partition))
        for partition, lines in waiting.items():
            self._give(partition, b"".join(lines), limit)
        for topic in self._topics.values():
            if topic.whole is not None:
                blocks = topic.whole.poll(limit, records)
                self._blocks.extend(blocks)
                self._note(topic.whole.trouble, topic, reads=topic.whole.ended or bool(blocks))
        if self._clock() >= self._lag_due:
            self._lag_due = self._clock() + _LAG_SECONDS
            for topic in self._topics.values():
                for partition in topic.partitions.values():
                    partition.look()

    def _take(self, message: Message, partition: Partition) -> bytes:
        topic = self._topics[partition.place.topic]
        self._reads_again(topic)
        if message.key() is None and partition.of > 1 and self._options.naming == "key":
            topic.tell_of_keyless()
        return partition.take(message)

    def _give(self, partition: Partition, data: bytes, limit: int) -> None:
        """Give lines in blocks of about the size that was asked for."""
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + limit) + 1 or data.find(b"\n", start) + 1
            block = partition.reading.counts.block(partition.place.name, data[start:end])
            if block is not None:
                self._blocks.append(block)
            start = end

    # trouble

    def _failed(self, error: KafkaError) -> None:
        """Take note of what librdkafka says of all."""
        if error.code() != KafkaError._TRANSPORT or not self._joined:  # noqa: SLF001  one broker of several
            self._trouble.set(f"{self._options.name}: {error.str()}")

    def _take_error(self, error: KafkaError, message: Message, partition: Partition | None) -> None:
        """Take note of what stands in place of a record: that a partition ends there, or of trouble with one or with all."""
        topic = self._topics.get(message.topic() or "")
        if partition is not None and tells_damage(error):
            with contextlib.suppress(KafkaException):  # the brokers are away: it is told again once they are there
                partition.pass_over_damage()
        elif error.code() != AT_END:
            self._note(error, topic, reads=False)
        elif topic is not None:
            self._reads_again(topic)
            if partition is not None:
                partition.note_end(message.offset() or 0)

    def _note(self, error: KafkaError | None, topic: Topic | None, *, reads: bool) -> None:
        """Take note of trouble with a topic or with all, or that there is none where something was read."""
        if error is not None and error.code() not in _PASSING:
            trouble = self._trouble if topic is None else topic.trouble
            trouble.set(f"{self._options.name if topic is None else f'kafka:{topic.name}'}: {error.str()}")
        elif error is None and reads and topic is not None:
            self._reads_again(topic)

    def _reads_again(self, topic: Topic) -> None:
        """Take note that records of a topic come: what was told of it, and of the brokers, is over."""
        for trouble in (topic.trouble, self._trouble):
            trouble.over(f"kafka:{topic.name}: reading again")

    # checkpoints

    def _look_after_assignments(self) -> None:
        """Open what was assigned or write a checkpoint, one at a time."""
        now = self._clock()
        due = next((each for each in self._assignments() if each.is_due(now)), None)
        if due is not None:
            due.work()

    def _commit(self, positions: list[TopicPartition]) -> None:
        """Tell the group how far we are, for those who look at its lag. The checkpoint decides, not this."""
        with contextlib.suppress(KafkaException):
            self._consumer.commit(offsets=positions, asynchronous=True)
