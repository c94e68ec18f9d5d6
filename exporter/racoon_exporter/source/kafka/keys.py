"""Whether the records of a topic are keyed by gateway: if they are, each partition can be read by itself."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from racoon_exporter.source.kafka.assignment import Membership
from racoon_exporter.source.kafka.checkpoints import Place
from racoon_exporter.source.kafka.damage import tells_damage
from racoon_exporter.source.kafka.reading import AT_END, Reading, first_offset, partitions_of, record_of, watermarks
from racoon_exporter.source.kafka.records import origin_of
from racoon_exporter.source.kafka.settings import Order

_LOGGER: Final = logging.getLogger(__name__)
_SAMPLE: Final = 1_000
_LEAST: Final = 50
"""Records that are looked at: of all partitions, and of each at least."""
_SHARE: Final = 10
"""A topic is taken to be without keys where more than one in so many lines tells so: a few strangers do not decide."""


@dataclass(slots=True)
class Keys:
    """What some records tell: those without a key, and those of a gateway that came through another partition before."""

    seen: int = 0
    """Records that hold a line."""
    torn: int = 0
    """Of these: records without a key, or of a gateway that came through another partition before."""
    _partition_of: dict[str, int] = field(default_factory=dict)
    """By gateway: the first partition that it came through."""

    def note(self, partition: int, gateway: str, *, keyed: bool) -> None:
        """Take note of a record that holds a line."""
        torn = not keyed or (gateway != "" and self._partition_of.setdefault(gateway, partition) != partition)
        self.seen += 1
        self.torn += torn

    @property
    def order(self) -> Order:
        """How a topic of such records is to be read."""
        return "time" if self.torn * _SHARE > self.seen else "partition"


class Trial:
    """The first records of a topic of which nothing is known, read to find out."""

    def __init__(self, topic: str, membership: Membership, settings: Mapping[str, Any]) -> None:
        """Read from where reading will begin. Raises KafkaException."""
        self.trouble: KafkaError | None = None
        self._settings = settings
        self._consumer = Consumer(dict(settings), logger=_LOGGER)
        self._readings: dict[int, Reading] = {}
        for number in range(partitions_of(self._consumer, topic)):
            place = Place(topic, number)
            low, high = watermarks(self._consumer, place)
            reading = self._readings[number] = Reading.of(place, membership.options)
            reading.begin(first_offset(self._consumer, place, low, high, membership.start_at), high)
        self._consumer.assign([TopicPartition(*each.place, each.next) for each in self._readings.values()])
        self._left = dict.fromkeys(self._readings, max(_LEAST, _SAMPLE // len(self._readings)))
        """How many records of each partition are still to be looked at."""
        self._keys = Keys()

    @property
    def is_single(self) -> bool:
        """Whether there is one partition, which is in order."""
        return len(self._readings) == 1

    @property
    def at_end(self) -> bool:
        """Whether all was read that there is."""
        return all(reading.is_at_end for reading in self._readings.values())

    def poll(self, records: int) -> Order | None:
        """Read on; give the order once it is found."""
        if self.is_single:
            return "partition"
        for message in self._consumer.consume(records, timeout=0):
            self._take(message, self._readings[message.partition() or 0])
        for reading in self._readings.values():
            reading.look(self._consumer)
        decided = self._keys.seen > 0 and all(
            not self._left[number] or reading.is_at_end for number, reading in self._readings.items()
        )
        return self._keys.order if decided else None

    def _take(self, message: Message, reading: Reading) -> None:
        error, offset, number = message.error(), message.offset() or 0, reading.place.number
        if error is not None and tells_damage(error):
            with contextlib.suppress(KafkaException):  # the brokers are away: it is told again once they are there
                reading.pass_over_damage(self._settings)
                self._consumer.seek(TopicPartition(*reading.place, reading.next))
            return
        if error is not None:
            self.trouble = None if error.code() == AT_END else error
            if self.trouble is None:
                reading.at_end(offset)
            return
        reading.next = offset + 1
        if not self._left[number]:
            return
        self._left[number] -= 1
        if not self._left[number]:
            self._consumer.pause([TopicPartition(*reading.place)])
        record = record_of(message)
        data = reading.lines.of(record)
        if data:
            gateway, _ = origin_of(data)
            self._keys.note(number, gateway, keyed=record.key is not None)

    def close(self) -> None:
        """Let go of the consumer."""
        self._consumer.close()


__all__ = ["Keys", "Trial"]
