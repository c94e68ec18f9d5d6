"""Checkpoints in a compacted topic, a transaction each.

The pieces of a checkpoint are the newest records of their keys; a reader finds the last one at the end of the partition,
and goes back further only where others have written since.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

from racoon_exporter.checkpoint import MOST_BYTES
from racoon_exporter.source.kafka.checkpoint_pieces import PIECE_BYTES, cut, joined
from racoon_exporter.source.kafka.checkpoints import CheckpointError, LostError, Place, mark
from racoon_exporter.source.kafka.damage import CHECKED, end_of_damage, tells_damage
from racoon_exporter.source.kafka.settings import KafkaOptions

_LOGGER: Final = logging.getLogger(__name__)
_SECONDS: Final = 5.0
"""How long the brokers may take for a step."""
_TRANSACTION_SECONDS: Final = 20
_TAIL: Final = 64
"""Records looked at first; sixteen times as many each time that no whole checkpoint was among them."""
_FURTHER: Final = 16
_ID, _PIECES = "checkpoint", "pieces"
_TOPIC: Final = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(3600 * 1000),
    "min.cleanable.dirty.ratio": "0.1",
}
_LEAST_PIECE: Final = 1024
_SMALLER: Final = 8
"""How much smaller pieces become each time that brokers find them too large."""
_NUMBER: Final = re.compile(r"[0-9]{1,6}")
"""Of a piece: more than the largest checkpoint has of the smallest pieces. Anybody may have written the record."""
_FENCED: Final = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})  # noqa: SLF001


@dataclass(slots=True)
class _Writer:
    """Who writes the checkpoints of a partition."""

    producer: Producer | None = None
    """None where the last one can be used no more."""
    ours: set[str] = field(default_factory=set)
    """Checkpoints that we have read or written: if the last one is another's, so is the partition."""
    pieces: int = 0
    """Pieces of the last one."""


@dataclass(slots=True)
class _Found:
    """Pieces of a checkpoint."""

    identifier: str
    number: int
    pieces: dict[int, bytes] = field(default_factory=dict)


class TopicCheckpoints:
    """Checkpoints in a topic."""

    shared = True

    def __init__(self, options: KafkaOptions, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is asked of a broker yet. Raises OSError for a password file that cannot be read."""
        self._topic = options.checkpoints
        self._group = options.group
        self._read = options.topics
        self._replicas = options.checkpoint_replicas
        self._client: dict[str, Any] = options.client()
        self._clock = clock
        self._writers: dict[Place, _Writer] = {}
        self._partitions = 1
        """Partitions of the topic, as many as it had when one was taken last."""
        self._piece_bytes = PIECE_BYTES
        self._knows_policy = False
        """Whether a look was taken how the topic is cleaned up."""
        self._reader: Consumer | None = None

    # taking

    def take(self, place: Place, most: int = MOST_BYTES) -> dict[str, Any] | None:
        """Fence whoever wrote the checkpoints of a partition before, and give the last one."""
        self.leave(place)
        writer = _Writer()
        found = self._fence(place, writer)
        self._writers[place] = writer
        return None if found is None else self._joined(place, found, most)

    def look(self, place: Place, most: int = MOST_BYTES) -> dict[str, Any] | None:
        """Give the last checkpoint, and leave whoever writes them alone."""
        try:
            found = self._last(place) if self._is_there() else None
        except KafkaException as error:
            self._let_go_of_reader()
            raise CheckpointError(f"the checkpoint of {place.name} cannot be read: {_words(error)}") from error
        return None if found is None else self._joined(place, found, most)

    def _joined(self, place: Place, found: _Found, most: int) -> dict[str, Any] | None:
        try:
            return joined([found.pieces[number] for number in range(found.number)], most)
        except ValueError as error:
            _LOGGER.warning("the checkpoint of %s in topic %s cannot be used: %s", place.name, self._topic, error)
            return None

    def _fence(self, place: Place, writer: _Writer) -> _Found | None:
        """Make a producer that fences all before it, then give the last checkpoint."""
        try:
            is_new = self._look_at_topic()
            producer = Producer(
                self._client
                | ({} if self._piece_bytes == PIECE_BYTES else {"batch.num.messages": 1})  # the limit is one of batches
                | {
                    "transactional.id": f"{self._group}/{place.topic}/{place.number}",
                    "transaction.timeout.ms": _TRANSACTION_SECONDS * 1000,
                },
                logger=_LOGGER,
            )
            producer.init_transactions(_SECONDS)
            found = None if is_new else self._last(place)  # it may take a moment until its brokers know of it
        except KafkaException as error:
            self._let_go_of_reader()
            raise CheckpointError(f"the checkpoint of {place.name} cannot be read: {_words(error)}") from error
        writer.producer = producer
        if found is not None:
            writer.ours.add(found.identifier)
            writer.pieces = found.number
        return found

    def _look_at_topic(self) -> bool:
        """See to it that the topic is there, for somebody may have deleted it; tell whether it was made just now."""
        if self._is_there():
            if not self._knows_policy:
                self._knows_policy = True
                self._look_at_policy()
            return False
        known = self._reading().list_topics(timeout=_SECONDS)
        read = (known.topics[topic].partitions for topic in self._read if topic in known.topics)
        self._partitions = self._made(max(map(len, read), default=1))
        return True

    def _look_at_policy(self) -> None:
        """Tell of a topic that somebody made and that forgets: checkpoints of quiet partitions would be gone some day."""
        asked = ConfigResource(ConfigResource.Type.TOPIC, self._topic)
        try:
            admin = AdminClient(self._client, logger=_LOGGER)
            policy = (
                admin.describe_configs([asked], request_timeout=_SECONDS)[asked].result(2 * _SECONDS)["cleanup.policy"].value
            )
        except (KafkaException, TimeoutError):
            return  # who may not ask is told nothing
        if policy != _TOPIC["cleanup.policy"]:
            _LOGGER.warning(
                "topic %s has cleanup.policy=%s: brokers will delete checkpoints that are still needed; it must be compact",
                self._topic,
                policy,
            )

    def _is_there(self) -> bool:
        """Look whether the topic is there, and how many partitions it has: somebody may have given it more."""
        topic = self._reading().list_topics(timeout=_SECONDS).topics.get(self._topic)
        if topic is None:
            return False
        if topic.error is not None:
            raise KafkaException(topic.error)
        self._partitions = len(topic.partitions)
        return True

    def _made(self, partitions: int) -> int:
        """Make the topic, with as many partitions as those that are read have; give their number."""
        admin = AdminClient(self._client, logger=_LOGGER)
        made = NewTopic(self._topic, num_partitions=max(1, partitions), replication_factor=self._replicas, config=_TOPIC)
        admin.create_topics([made], operation_timeout=_SECONDS)[self._topic].result(_SECONDS)
        _LOGGER.info("topic %s for checkpoints was made", self._topic)
        return made.num_partitions

    def _number(self, place: Place) -> int:
        """Tell which partition of the topic holds the checkpoints of a partition."""
        return place.number % self._partitions

    # reading

    def _last(self, place: Place) -> _Found | None:
        """Find the last checkpoint; in another partition, if the topic was given more since."""
        first = self._number(place)
        for number in (first, *(each for each in range(self._partitions) if each != first)):
            found = self._last_in(number, self._key(place))
            if found is not None:
                return found
        return None

    def _last_in(self, number: int, key: str) -> _Found | None:
        reader = self._reading()
        low, high = reader.get_watermark_offsets(TopicPartition(self._topic, number), timeout=_SECONDS)
        tail = _TAIL
        while low < high:
            start = max(low, high - tail)
            found = self._newest(reader, TopicPartition(self._topic, number, start), high, key)
            if found is not None or start == low:
                return found
            tail *= _FURTHER
        return None

    def _newest(self, reader: Consumer, place: TopicPartition, high: int, key: str) -> _Found | None:
        """Read from an offset to the end, and give the newest checkpoint of which all pieces were there."""
        reader.assign([place])
        newest: _Found | None = None
        coming: dict[str, _Found] = {}
        until = self._clock() + _SECONDS
        while self._clock() < until:
            message = reader.poll(0.2)
            if message is None:
                continue
            error, offset = message.error(), message.offset() or 0
            if error is None:
                place.offset = offset + 1
                newest = _piece(message, key, coming) or newest
            elif tells_damage(error):
                self._pass_over_damage(reader, place, high)
                until = self._clock() + _SECONDS
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise KafkaException(error)
            elif offset >= high:
                return newest
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001

    def _pass_over_damage(self, reader: Consumer, place: TopicPartition, high: int) -> None:
        """Read on behind a batch that cannot be read: an older checkpoint, or a younger one, will do."""
        damaged, place.offset = place.offset, end_of_damage(self._reader_settings, place, high)
        _LOGGER.error(
            "topic %s: %d records from offset %d on are damaged on the broker", self._topic, place.offset - damaged, damaged
        )
        reader.assign([place])

    def _reading(self) -> Consumer:
        if self._reader is None:
            self._reader = Consumer(self._reader_settings, logger=_LOGGER)
        return self._reader

    @property
    def _reader_settings(self) -> dict[str, Any]:
        return (
            self._client
            | CHECKED
            | {
                "group.id": f"{self._group}-checkpoints",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16384,
                "fetch.wait.max.ms": 20,
            }
        )

    def _key(self, place: Place) -> str:
        return f"{self._group}/{place.topic}/{place.number}"

    # writing

    def save(self, place: Place, content: dict[str, Any], marked: Collection[Place] = ()) -> None:
        """Write a checkpoint, and marks. Raises LostError where another instance has the partition."""
        writer = self._writers[place]
        producer = writer.producer or self._reopened(place, writer)
        pieces = cut(content, self._piece_bytes)
        identifier = uuid.uuid4().hex
        writer.ours.add(identifier)
        try:
            producer.begin_transaction()
            self._write(producer, place, pieces, identifier, writer.pieces)
            for other in marked:
                self._write(producer, other, cut(mark(place)), identifier)
            producer.commit_transaction(_SECONDS)
        except (KafkaException, BufferError) as error:
            self._failed(place, writer, error)
        writer.ours = {identifier}
        writer.pieces = len(pieces)

    def _write(self, producer: Producer, place: Place, pieces: list[bytes], identifier: str, before: int = 0) -> None:
        """Write the pieces of a checkpoint; those that the one before had more of are gone."""
        for number in range(max(len(pieces), before)):
            producer.produce(
                self._topic,
                key=f"{self._key(place)}/{number}",
                value=pieces[number] if number < len(pieces) else None,
                partition=self._number(place),
                headers=[(_ID, identifier.encode()), (_PIECES, str(len(pieces)).encode())],
            )

    def _failed(self, place: Place, writer: _Writer, error: KafkaException | BufferError) -> None:
        """Undo what was begun; if that fails too, the producer is of no more use."""
        producer, writer.producer = writer.producer, None
        code = error.args[0].code() if isinstance(error, KafkaException) else None
        if code == KafkaError.MSG_SIZE_TOO_LARGE and self._piece_bytes > _LEAST_PIECE:
            self._piece_bytes //= _SMALLER
            _LOGGER.warning(
                "topic %s takes no records as large as a checkpoint's: they are cut to %d bytes", self._topic, self._piece_bytes
            )
        if code in _FENCED:
            raise LostError(f"{place.name} is another instance's") from error
        with contextlib.suppress(KafkaException):
            if producer is not None:
                producer.abort_transaction(_SECONDS)
        raise CheckpointError(f"the checkpoint of {place.name} cannot be written: {_words(error)}") from error

    def _reopened(self, place: Place, writer: _Writer) -> Producer:
        """Fence anew after trouble. What another has written meanwhile makes the partition another's."""
        ours = set(writer.ours)
        found = self._fence(place, writer)
        if found is not None and found.identifier not in ours:
            writer.producer = None
            raise LostError(f"{place.name} was another instance's meanwhile")
        if found is None and ours:
            _LOGGER.warning("the checkpoint of %s is gone from topic %s: it is written anew", place.name, self._topic)
            writer.pieces = 0
        assert writer.producer is not None
        return writer.producer

    def leave(self, place: Place) -> None:
        """Let go of a partition's producer."""
        self._writers.pop(place, None)

    def close(self) -> None:
        """Let go of all clients."""
        self._writers.clear()
        self._let_go_of_reader()

    def _let_go_of_reader(self) -> None:
        """Ask with a new one the next time: one that was told of no broker, as by one that just starts, comes back late."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _piece(message: Message, key: str, coming: dict[str, _Found]) -> _Found | None:
    """Take a record of the topic; give the checkpoint that it completes."""
    name, _, place = (message.key() or b"").decode("utf-8", "replace").rpartition("/")
    value = message.value()
    headers = dict(message.headers() or ())
    if name != key or not _NUMBER.fullmatch(place) or not isinstance(value, bytes):
        return None
    identifier, number = (_text(headers.get(each)) for each in (_ID, _PIECES))
    if not _NUMBER.fullmatch(number) or int(place) >= int(number):
        return None
    found = coming.setdefault(identifier, _Found(identifier, int(number)))
    found.pieces[int(place)] = value
    return coming.pop(identifier) if len(found.pieces) == found.number else None


def _text(header: str | bytes | None) -> str:
    return header.decode("ascii", "replace") if isinstance(header, bytes) else header or ""


def _words(error: KafkaException | BufferError) -> str:
    return error.args[0].str() if isinstance(error, KafkaException) else str(error)
