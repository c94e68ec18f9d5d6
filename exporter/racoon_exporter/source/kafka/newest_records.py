"""The newest records of a topic, looked at by somebody who is no member of its group: how they are keyed."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from racoon_exporter.source.kafka.checkpoints import Place
from racoon_exporter.source.kafka.damage import CHECKED, tells_damage
from racoon_exporter.source.kafka.keys import Keys
from racoon_exporter.source.kafka.reading import AT_END, Reading, partitions_of, record_of, watermarks
from racoon_exporter.source.kafka.records import origin_of
from racoon_exporter.source.kafka.settings import KafkaOptions

_RECORDS: Final = 1_000
_SECONDS: Final = 10.0
"""How long may be looked; what was seen by then has to do."""


class TopicError(Exception):
    """A topic that cannot be read, in the words of its brokers."""


class Seen(NamedTuple):
    """What the newest records tell."""

    partitions: int
    keys: Keys
    passed_over: Counter[str]


def look(topic: str, options: KafkaOptions) -> Seen:
    """Look at the newest records of a topic. Raises TopicError."""
    try:
        consumer = Consumer(
            options.client()
            | CHECKED
            | {
                "group.id": options.group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        try:
            return _look(consumer, topic, options)
        finally:
            consumer.close()
    except KafkaException as error:
        raise TopicError(error.args[0].str()) from error
    except OSError as error:
        raise TopicError(str(error)) from error


def _look(consumer: Consumer, topic: str, options: KafkaOptions) -> Seen:
    of, keys = partitions_of(consumer, topic), Keys()
    readings = {number: Reading.of(Place(topic, number), options) for number in range(of)}
    for reading in readings.values():
        low, high = watermarks(consumer, reading.place)
        reading.begin(max(low, high - max(1, _RECORDS // of)), high)
    left = {number for number, reading in readings.items() if not reading.is_at_end}
    consumer.assign([TopicPartition(*readings[number].place, readings[number].next) for number in left])
    until = time.monotonic() + _SECONDS
    while left and time.monotonic() < until:
        for message in consumer.consume(_RECORDS, timeout=0.2):
            error, number = message.error(), message.partition() or 0
            if error is not None and error.code() != AT_END and not tells_damage(error):
                raise KafkaException(error)
            if error is not None:
                left.discard(number)
                continue
            reading, record = readings[number], record_of(message)
            reading.next = (message.offset() or 0) + 1
            if reading.is_at_end:
                left.discard(number)
            if data := reading.lines.of(record):
                keys.note(number, origin_of(data)[0], keyed=record.key is not None)
    passed_over = sum((Counter(reading.lines.passed_over) for reading in readings.values()), Counter[str]())
    return Seen(of, keys, passed_over)


__all__ = ["Seen", "TopicError", "look"]
