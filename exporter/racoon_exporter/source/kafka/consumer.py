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
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, Keeper, SourceStatus, StartAt, WithoutPositions
from racoon_exporter.source.kafka.checkpoints import CheckpointError, Checkpoints, Place, is_mark
from racoon_exporter.source.kafka.damage import CHECKED, tells_damage
from racoon_exporter.source.kafka.held import RETRY_SECONDS, Around, Held
from racoon_exporter.source.kafka.keys import Trial
from racoon_exporter.source.kafka.partition import Partition
from racoon_exporter.source.kafka.reading import AT_END
from racoon_exporter.source.kafka.settings import KafkaOptions, Order
from racoon_exporter.source.kafka.whole_topic import WholeTopic
from racoon_exporter.source.reporting import Trouble

_LOGGER: Final = logging.getLogger(__name__)
_RECORD_BYTES: Final = 128
"""What a record is taken to be long, to ask for about as many as a block holds."""
_LAG_SECONDS: Final = 1.0
_PASSING: Final = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})  # noqa: SLF001


class _Topic:
    """A topic of which the group gave us partitions."""

    def __init__(self, name: str, order: Order | None) -> None:
        self.name = name
        self.order = order
        """How it is read; None while that is not known."""
        self.due = 0.0
        """When to look again how it is read."""
        self.trial: Trial | None = None
        self.whole: WholeTopic | None = None
        self.error: str | None = None
        """Why it cannot be found out how it is read."""
        self.trouble = Trouble()
        self.told_keyless = False

    def close(self) -> None:
        """Let go of the consumers of its own."""
        for each in (self.trial, self.whole):
            if each is not None:
                each.close()
        self.trial = self.whole = None


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
        self._around = Around(options, keeper, checkpoints, start_at, checkpoint_seconds, clock, self._commit)
        self._clock = clock
        self._partitions: dict[Place, Partition] = {}
        self._topics = {name: _Topic(name, options.order) for name in options.topics}
        self._blocks: deque[Block] = deque()
        self._trouble = Trouble()
        self._joined = False
        self._closed = False
        self._lag_due = 0.0
        self._settings = self._of_all()
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
                "auto.offset.reset": "earliest" if self._around.start_at == "beginning" else "latest",
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
            self._look_after_topics()
            self._look_after_held()
            self._poll(limit)
        return self._blocks.popleft() if self._blocks else None

    def arrived(self) -> bool:
        """Whether something came, or is to be done though nothing did."""
        if not self._blocks and not self._closed:
            self._poll(DEFAULT_LIMIT)
        now = self._clock()
        return bool(self._blocks) or any(
            held.ended != held.told_ended if held.open else now >= held.due for held in self._held()
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
            standing_by=any(self._stands_by(topic) for topic in topics),
            torn_gateways=sum(self._around.keeper.torn(f"kafka:{topic.name}/") for topic in topics),
            remark="; ".join(remark for topic in topics if (remark := self._remark(topic))) or None,
        )
        return (own, *(status for topic in topics for status in self._statuses_of(topic)))

    def _statuses_of(self, topic: _Topic) -> Iterator[SourceStatus]:
        whole, trial = topic.whole, topic.trial
        if whole is not None:
            yield from whole.statuses
        elif topic.order != "time":
            for partition in self._partitions_of(topic.name):
                status = partition.status
                if trial is not None and trial.at_end:  # nothing is read, for there is nothing
                    status = SourceStatus(status.name, up=True, error=status.error, lag_records=0, kept=True)
                yield status

    def _stands_by(self, topic: _Topic) -> bool:
        return self._joined and topic.order == "time" and topic.whole is None

    def _remark(self, topic: _Topic) -> str | None:
        """Say what is good to know of how a topic is read."""
        held, whole = len(self._partitions_of(topic.name)), topic.whole
        if self._stands_by(topic):
            return f"{topic.name} is read by one instance of the group in the order of time; this one stands by"
        if whole is not None and whole.open:
            others = f": {whole.of - held} of {whole.of} partitions are of instances that stand by" if held < whole.of else ""
            return (
                f"the records of {topic.name} are not keyed by gateway: one instance reads all partitions in the order of time"
                f"{others}"
            )
        torn = self._around.keeper.torn(f"kafka:{topic.name}/")
        if torn:
            gateways = "1 gateway" if torn == 1 else f"{torn} gateways"
            return (
                f"the lines of {gateways} come through several partitions of {topic.name}, each of which knows a part: "
                "key the records by gateway, or have them read by one instance with `order: time`"
            )
        return None

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
        for held in self._held():
            if heard:
                self._give_back(held)
                heard = held.error is None
            else:  # brokers that are away keep us waiting for each, and whoever goes on reads again from the last checkpoint
                held.drop()
        for topic in self._topics.values():
            topic.close()
        self._partitions.clear()
        self._consumer.close()
        self._around.checkpoints.close()

    # membership

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Hold partitions that were given, and read none before its checkpoint is."""
        self._joined = True
        for each in given:
            place = Place(each.topic, each.partition)
            self._partitions[place] = Partition(place, self._around, self._consumer, self._settings)
            self._topics[each.topic].due = 0.0
        consumer.incremental_assign(given)
        consumer.pause(given)

    def _revoked(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """Write what another will go on from, then let go."""
        for place in (Place(each.topic, each.partition) for each in taken):
            partition = self._partitions.pop(place, None)
            if partition is not None:
                self._give_back(partition)
            if place.number == 0:
                self._give_topic_back(self._topics[place.topic])
        if not self._closed:
            consumer.incremental_unassign(taken)

    def _lost(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """Forget partitions that another may have already."""
        for place in (Place(each.topic, each.partition) for each in taken):
            partition = self._partitions.pop(place, None)
            if partition is not None:
                partition.drop()
            topic = self._topics[place.topic]
            if place.number == 0:
                if topic.whole is not None:
                    topic.whole.drop()
                topic.close()
        if not self._closed:
            consumer.incremental_unassign(taken)

    def _give_back(self, held: Held) -> None:
        held.give_back(untaken=any(block.source == held.place.name for block in self._blocks))

    def _give_topic_back(self, topic: _Topic) -> None:
        if topic.whole is not None:
            self._give_back(topic.whole)
        topic.close()

    def _held(self) -> list[Held]:
        """Give what is held and has, or is to have, a state of its own."""
        by_partition = {topic.name for topic in self._topics.values() if topic.order == "partition"}
        wholes = [topic.whole for topic in self._topics.values() if topic.whole is not None]
        return [*(partition for place, partition in self._partitions.items() if place.topic in by_partition), *wholes]

    def _partitions_of(self, topic: str) -> list[Partition]:
        return [partition for place, partition in list(self._partitions.items()) if place.topic == topic]

    # how topics are read

    def _look_after_topics(self) -> None:
        now = self._clock()
        for topic in self._topics.values():
            if topic.trial is not None:
                self._go_on_trying(topic, topic.trial)
            if topic.order is None and topic.trial is None and now >= topic.due and self._partitions_of(topic.name):
                topic.due = now + RETRY_SECONDS
                self._find_order(topic)
            if topic.order == "partition" and any(each.is_read_with_others for each in self._partitions_of(topic.name)):
                topic.order = self._options.order or "time"
            if topic.order == "time" and topic.whole is None and Place(topic.name, 0) in self._partitions:
                topic.whole = WholeTopic(topic.name, self._around, self._settings)

    def _find_order(self, topic: _Topic) -> None:
        """Find out how a topic is read: as its checkpoints say, or as its first records do if there are none."""
        checkpoints, most = self._around.checkpoints, self._around.keeper.most_bytes
        first = Place(topic.name, 0)
        ours = min(partition.place for partition in self._partitions_of(topic.name))
        try:
            kept = checkpoints.look(ours, most) or (None if ours == first else checkpoints.look(first, most))
            if kept is not None:
                topic.order = "time" if is_mark(kept) else "partition"
            elif ours == first:
                topic.trial = Trial(topic.name, self._around, self._settings)
            topic.error = None
        except (CheckpointError, KafkaException) as error:
            words = f"{topic.name}: {error.args[0].str()}" if isinstance(error, KafkaException) else str(error)
            if words != topic.error:
                _LOGGER.error("%s", words)  # noqa: TRY400  no fault of ours
            topic.error = words
            self._around.keeper.saved(succeeded=False)

    def _go_on_trying(self, topic: _Topic, trial: Trial) -> None:
        topic.order = trial.poll(DEFAULT_LIMIT // _RECORD_BYTES)
        self._note(trial.trouble, topic, reads=trial.at_end)
        if topic.order is not None:
            trial.close()
            topic.trial = None
            if topic.order == "time":
                _LOGGER.warning(
                    "records of topic %s are not keyed by gateway: one instance of the group reads all partitions, in the "
                    "order of time; with keys, several would share the work",
                    topic.name,
                )

    # reading

    def _poll(self, limit: int) -> None:
        """Take what has come, as blocks of lines."""
        waiting: dict[Partition, list[bytes]] = {}
        records = max(1, limit // _RECORD_BYTES)
        for message in self._consumer.consume(records, timeout=0):
            partition = self._partitions.get(Place(message.topic() or "", message.partition() or 0))
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
            for partition in self._partitions.values():
                partition.look()

    def _take(self, message: Message, partition: Partition) -> bytes:
        self._reads_again(self._topics[partition.place.topic])
        if message.key() is None and partition.of > 1 and self._options.naming == "key":
            self._tell_of_keyless(self._topics[partition.place.topic])
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

    def _tell_of_keyless(self, topic: _Topic) -> None:
        if not topic.told_keyless:
            topic.told_keyless = True
            _LOGGER.warning(
                "records of topic %s have no key: the lines of a gateway may come through several partitions, "
                "out of order and to several instances; key them by gateway, or say `order: time`",
                topic.name,
            )

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

    def _note(self, error: KafkaError | None, topic: _Topic | None, *, reads: bool) -> None:
        """Take note of trouble with a topic or with all, or that there is none where something was read."""
        if error is not None and error.code() not in _PASSING:
            trouble = self._trouble if topic is None else topic.trouble
            trouble.set(f"{self._options.name if topic is None else f'kafka:{topic.name}'}: {error.str()}")
        elif error is None and reads and topic is not None:
            self._reads_again(topic)

    def _reads_again(self, topic: _Topic) -> None:
        """Take note that records of a topic come: what was told of it, and of the brokers, is over."""
        for trouble in (topic.trouble, self._trouble):
            trouble.over(f"kafka:{topic.name}: reading again")

    # checkpoints

    def _look_after_held(self) -> None:
        """Tell what was read to its end, and open what is held or write a checkpoint, one at a time."""
        now = self._clock()
        every = self._held()
        for held in every:
            held.tell_ended()
        due = next((held for held in every if held.is_due(now)), None)
        if due is not None:
            due.work()

    def _commit(self, positions: list[TopicPartition]) -> None:
        """Tell the group how far we are, for those who look at its lag. The checkpoint decides, not this."""
        with contextlib.suppress(KafkaException):
            self._consumer.commit(offsets=positions, asynchronous=True)
