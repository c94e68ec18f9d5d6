"""How far a partition was read, and what was counted of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from racoon_exporter.source.contract import MOST_COUNTED, SourceCounts, SourceStatus, StartAt, count_in, whole_number
from racoon_exporter.source.kafka.checkpoints import Place
from racoon_exporter.source.kafka.damage import end_of_damage
from racoon_exporter.source.kafka.records import REASONS, Lines, Record
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.reporting import LiveCounts

_LOGGER: Final = logging.getLogger(__name__)
_BROKER_SECONDS: Final = 5.0
_MOST_PARTITIONS: Final = 10_000
"""Of a topic; brokers hold some thousands of all topics together."""
AT_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001  the client's own codes begin with an underscore


@dataclass(slots=True, eq=False)
class Reading:
    """A partition as it is read. `next` is the offset of the record to be read next."""

    place: Place
    lines: Lines
    next: int = -1
    high: int = 0
    """Offset behind the last record that the brokers have told of."""
    counts: LiveCounts = field(default_factory=LiveCounts)
    keyless: int = 0
    """Records that have no key."""
    late: int = 0
    """Records that came when younger ones of their gateway had been counted."""
    topic_id: str | None = None
    """What tells the topic from one of its name that was made after it; None where brokers do not tell."""

    @classmethod
    def of(cls, place: Place, options: KafkaOptions) -> Self:
        """Give one of which nothing was read, of records as the options have them."""
        return cls(place, Lines(options.keys, options.naming))

    def status(self, *, up: bool, error: str | None) -> SourceStatus:
        """How it is doing."""
        return SourceStatus(
            self.place.name,
            up,
            0,
            SourceCounts(**self.counts.to_json()),
            error,
            max(0, self.high - self.next) if up and self.next >= 0 else None,
            dict(self.lines.passed_over),
            kept=True,
            keyless=self.keyless,
            late=self.late,
        )

    def look(self, consumer: Consumer) -> None:
        """Take note of how far the brokers are."""
        with contextlib.suppress(KafkaException):
            _, high = consumer.get_watermark_offsets(TopicPartition(*self.place), cached=True)
            self.high = max(self.high, high)  # below 0 before the first answer

    def at_end(self, offset: int) -> None:
        """Take note that the partition ends there: marks of transactions have offsets, too."""
        self.next = max(self.next, offset)
        self.high = max(self.high, self.next)

    @property
    def is_at_end(self) -> bool:
        """Whether all was read that the brokers have told of."""
        return self.next >= self.high

    def is_of_another(self, topic_id: str | None) -> bool:
        """Whether what was read is of another topic than the one of this name that is there now."""
        return topic_id is not None and self.topic_id not in (None, topic_id)

    def pass_over_damage(self, settings: Mapping[str, Any]) -> None:
        """Go on behind a batch that cannot be read. Raises KafkaException."""
        first = self.next
        consumer = Consumer(dict(settings), logger=_LOGGER)
        try:
            _, high = watermarks(consumer, self.place)
        finally:
            consumer.close()
        self.next = end_of_damage(settings, TopicPartition(*self.place, first), high)
        lost = self.next - first
        if not lost:
            return  # it was told twice
        self.lines.passed_over["damaged"] = self.lines.passed_over.get("damaged", 0) + lost
        _LOGGER.error(
            "%s: %d records from offset %d on are damaged on the broker, and passed over", self.place.name, lost, first
        )

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give what is kept of it."""
        return {
            "next": self.next,
            "counts": self.counts.to_json(),
            "passed_over": {reason: min(number, MOST_COUNTED) for reason, number in self.lines.passed_over.items()},
            "keyless": min(self.keyless, MOST_COUNTED),
            "late": min(self.late, MOST_COUNTED),
            "topic_id": self.topic_id,
        }

    def take_up(self, kept: dict[str, Any], low: int, high: int) -> bool:
        """Go on from what `to_json` gave; tells whether the topic was made anew since, and is read from its beginning.

        Raises KeyError, TypeError, ValueError or AttributeError for anything else.
        """
        counts, passed_over = SourceCounts.from_json(kept["counts"]), kept["passed_over"]
        self.counts = LiveCounts(**counts.to_json())
        self.lines.passed_over = {reason: count_in(passed_over, reason) for reason in REASONS if reason in passed_over}
        newer = {"keyless": 0, "late": 0} | kept  # older versions did not count them
        self.keyless, self.late = (count_in(newer, name) for name in ("keyless", "late"))
        self.next, self.high = whole_number(kept, "next"), high
        before = kept.get("topic_id")
        if before is not None and not isinstance(before, str):
            raise ValueError("the id of a topic is text")
        known = None not in (before, self.topic_id)
        if before != self.topic_id if known else self.next > high:
            _LOGGER.warning("%s: the topic was made anew, and is read anew", self.place.name)
            self.counts.rotations += 1
            self.next = low
            return True
        if self.next < low:
            _LOGGER.warning("%s: %d records are gone that were never read", self.place.name, low - self.next)
            self.counts.dropped += low - self.next
            self.next = low
        elif self.next > high:
            _LOGGER.warning("%s: its brokers have lost %d records that were read", self.place.name, self.next - high)
            self.next = high
        return False

    def begin(self, offset: int, high: int) -> None:
        """Begin at an offset, with nothing counted."""
        self.next, self.high = offset, high
        self.counts, self.lines.passed_over, self.keyless, self.late = LiveCounts(), {}, 0, 0


def number_of_partitions(kept: Mapping[str, Any]) -> int:
    """Tell how many partitions the topic had at a checkpoint; what each of them knew is looked for. Raises ValueError."""
    return whole_number(kept, "of", _MOST_PARTITIONS)


def watermarks(consumer: Consumer, place: Place) -> tuple[int, int]:
    """Give where a partition begins and ends. Raises KafkaException."""
    return consumer.get_watermark_offsets(TopicPartition(*place), timeout=_BROKER_SECONDS)


def first_offset(consumer: Consumer, place: Place, low: int, high: int, start_at: StartAt) -> int:
    """Tell where to begin a partition of which nothing is known. Raises KafkaException."""
    (committed,) = consumer.committed([TopicPartition(*place)], timeout=_BROKER_SECONDS)
    if committed.offset >= 0:
        _LOGGER.warning(
            "%s was read before, and its checkpoint is gone: it is read again from what the topic still holds", place.name
        )
        return low
    return low if start_at == "beginning" else high


def partitions_of(consumer: Consumer, topic: str) -> int:
    """Tell how many partitions a topic has. Raises KafkaException."""
    found = consumer.list_topics(topic, timeout=_BROKER_SECONDS).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return len(found.partitions)


def record_of(message: Message) -> Record:
    """Give what Kafka tells of a record."""
    kind, milliseconds = message.timestamp()
    time = None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000
    return Record(_bytes(message.key()), _bytes(message.value()), time)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode("utf-8") if isinstance(value, str) else value
