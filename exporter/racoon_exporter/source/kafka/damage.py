"""Batches that were damaged on the disk of a broker: no client can read them, and librdkafka comes by none of them.

Whoever asks for an offset is given the batch that holds it, so asking for later ones finds where the damage ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

CHECKED: Final = {"check.crcs": True}
"""What a consumer is told: without it, librdkafka asks for some kinds of damaged batches for ever, and says nothing."""
_DAMAGED: Final = frozenset({KafkaError._BAD_MSG, KafkaError._BAD_COMPRESSION})  # noqa: SLF001
_SECONDS: Final = 5.0
_LOGGER: Final = logging.getLogger(__name__)


def tells_damage(error: KafkaError) -> bool:
    """Whether this says that a batch cannot be read."""
    return error.code() in _DAMAGED


def end_of_damage(settings: Mapping[str, Any], damaged: TopicPartition, high: int) -> int:
    """Give the first offset from a damaged one on that can be read, or the end. Raises KafkaException.

    Each question has a consumer of its own, with these settings: what it reads in a damaged batch sends librdkafka to offsets
    that there are not, and from there back to the beginning, also while the next question is asked.
    """

    def is_readable(offset: int) -> bool:
        with closing(Consumer(dict(settings), logger=_LOGGER)) as consumer:
            return _is_readable(consumer, damaged, offset)

    return first_readable(is_readable, damaged.offset, high)


def first_readable(is_readable: Callable[[int], bool], start: int, high: int) -> int:
    """Find where damage ends, with few questions: twice as far each time, then halfway between. `high` is not asked for."""
    if start >= high or is_readable(start):
        return start
    bad, step = start, 1
    while bad + step < high and not is_readable(bad + step):
        bad, step = bad + step, 2 * step
    good = min(bad + step, high)
    while good - bad > 1:
        middle = (bad + good) // 2
        if is_readable(middle):
            good = middle
        else:
            bad = middle
    return good


def _is_readable(consumer: Consumer, place: TopicPartition, offset: int) -> bool:
    consumer.assign([TopicPartition(place.topic, place.partition, offset)])
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        message = consumer.poll(0.2)
        error = None if message is None else message.error()
        if message is None or (error is not None and message.topic() != place.topic):
            continue  # what is said of all brokers may pass
        if error is not None and tells_damage(error):
            return False
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            raise KafkaException(error)
        if (message.offset() or 0) >= offset:  # librdkafka may have begun anew by itself behind the damage
            return True
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001


__all__ = ["CHECKED", "end_of_damage", "first_readable", "tells_damage"]
