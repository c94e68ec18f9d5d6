"""All partitions of a topic as one stream with one state, in the order of time: for records that are not keyed by gateway.

One instance reads it, with a consumer of its own: the one to which the group gives the first partition. The others stand by.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from racoon_exporter.source.contract import Block, SourceStatus, whole_number
from racoon_exporter.source.kafka.assignment import Assignment, Membership
from racoon_exporter.source.kafka.brokers import Question
from racoon_exporter.source.kafka.checkpoints import WHOLE, Place, is_mark
from racoon_exporter.source.kafka.damage import tells_damage
from racoon_exporter.source.kafka.merge import Merge, Waiting
from racoon_exporter.source.kafka.reading import (
    AT_END,
    Reading,
    first_offset,
    number_of_partitions,
    partitions_of,
    record_of,
    watermarks,
)
from racoon_exporter.source.kafka.records import origin_of

_LOGGER: Final = logging.getLogger(__name__)
_VERSION: Final = 1
GROWTH_SECONDS: Final = 10.0
"""How often a look is taken whether the topic was given more partitions."""


class WholeTopic(Assignment):
    """Read by a consumer of its own."""

    def __init__(self, topic: str, membership: Membership, settings: Mapping[str, Any]) -> None:
        """Nothing is read yet."""
        self._settings = dict(settings)
        self._consumer: Consumer | None = None
        super().__init__(Place(topic, WHOLE), membership)

    def _begin(self) -> None:
        super()._begin()
        self._readings: dict[int, Reading] = {}
        self._again: dict[int, tuple[int, frozenset[int]]] = {}
        """By partition: up to which offset records were read before, and which of these are yet to be given."""
        self._origins: dict[int, tuple[str, float]] = {}
        """By partition: gateway and time of the last line that told them."""
        self._merge = Merge(())
        self._caught_up = math.inf
        """When all partitions had been read to their ends for the first time."""
        self._paused: frozenset[int] = frozenset()
        self._silent: frozenset[int] = frozenset()
        self._growth = Question(self.topic, self.membership.brokers, GROWTH_SECONDS)
        """Whether there are more partitions, or it is another topic."""
        self._is_of_another = False
        """Whether the topic was made anew: what waits of the old one is given, then the new one is read."""
        self._told: KafkaError | None = None
        """What the brokers said last where a record was awaited."""
        self._refused: KafkaError | None = None
        """Why no look could be taken whether there are more partitions."""

    @property
    def topic(self) -> str:
        """The topic."""
        return self.place.topic

    @property
    def trouble(self) -> KafkaError | None:
        """What the brokers refuse now."""
        return self._told or self._refused

    @property
    def of(self) -> int:
        """Partitions of the topic that are read."""
        return len(self._readings)

    @property
    def statuses(self) -> Iterator[SourceStatus]:
        """How its partitions are doing."""
        readings = list(self._readings.values())
        if not readings:
            yield SourceStatus(self.place.name, up=False, error=self.error, kept=True)
        for reading in readings:
            yield reading.status(up=self.open, error=self.error)

    # reading

    def poll(self, limit: int, records: int) -> list[Block]:
        """Take what has come, and give the lines whose turn it is."""
        if not self.open or self._consumer is None:
            return []
        now = self.membership.clock()
        for message in self._consumer.consume(records, timeout=0):
            self._take(message, now)
        for number, reading in self._readings.items():
            reading.look(self._consumer)
            if reading.is_at_end:
                self._merge.at_end(number, now)
        self._hold_those_ahead()
        lines = self._merge.given(now)
        for number, late in self._merge.take_late().items():
            self._readings[number].late += late
        self._tell_of_silent()
        self.dirty |= bool(lines)
        if self._merge.ended and self._caught_up == math.inf:
            self._caught_up = now
        self.ended = self._merge.ended and self._merge.waits_since() > self._caught_up
        self._look_for_more(now)
        if self._is_of_another and not lines and self._merge.waits_since() == math.inf:
            self.reopen()
        return list(self._blocks(lines, limit))

    def _take(self, message: Message, now: float) -> None:
        number, offset, error = message.partition() or 0, message.offset() or 0, message.error()
        reading = self._readings[number]
        if error is not None and tells_damage(error):
            self._pass_over_damage(reading)
            return
        if error is not None:
            self._told = None if error.code() == AT_END else error
            if self._told is None:
                reading.at_end(offset)
                self._merge.at_end(number, now)
            return
        if offset < reading.next:  # it is no record of what was read so far: look what it is of
            self._growth.hurry()
        if offset < reading.next or self._is_of_another:
            return
        self._told = None
        reading.next = offset + 1
        record = record_of(message)
        until, waiting = self._again.get(number, (0, frozenset()))
        if offset < until and offset not in waiting:
            self._merge.pass_over(number, record.time or 0.0)
            return
        self.dirty = True
        reading.keyless += record.key is None and offset >= until
        data = reading.lines.of(record)
        if not data:
            self._merge.pass_over(number, record.time or 0.0)
            return
        gateway, time = origin_of(data)
        before = self._origins.get(number, ("", None))
        gateway, time = gateway or before[0], time if time is not None else before[1]
        if time is None:
            time = record.time or 0.0
        self._origins[number] = gateway, time
        self._merge.take(Waiting(number, offset, gateway, time, record.time or 0.0, data), now)

    def _pass_over_damage(self, reading: Reading) -> None:
        assert self._consumer is not None
        with contextlib.suppress(KafkaException):  # the brokers are away: it is told again once they are there
            reading.pass_over_damage(self._settings)
            self.dirty = True
            self._consumer.seek(_position(reading))

    def _blocks(self, lines: list[Waiting], limit: int) -> Iterator[Block]:
        """Give lines as blocks of about the size that was asked for, numbered by all that were given of the topic."""
        held: list[bytes] = []
        size, first = 0, self._next_line
        for line in lines:
            counts = self._readings[line.partition].counts
            counts.lines += line.data.count(b"\n")
            counts.bytes += len(line.data)
            held.append(line.data)
            size += len(line.data)
            if size >= limit:
                yield Block(self.place.name, b"".join(held), first, None)
                held, size, first = [], 0, self._next_line
        if held:
            yield Block(self.place.name, b"".join(held), first, None)

    @property
    def _next_line(self) -> int:
        return 1 + sum(reading.counts.lines for reading in self._readings.values())

    def _tell_of_silent(self) -> None:
        """Tell once of partitions that are not waited for."""
        silent = frozenset(self._merge.silent)
        for number in sorted(silent - self._silent):
            _LOGGER.warning(
                "%s gives nothing, though it is not read to its end: the others are not kept waiting for it, and its lines may "
                "be counted late",
                self._readings[number].place.name,
            )
        self._silent = silent

    def _hold_those_ahead(self) -> None:
        """Read those partitions on that others wait for."""
        assert self._consumer is not None
        ahead = frozenset(self._merge.ahead())
        if ahead != self._paused:
            self._consumer.resume([TopicPartition(self.topic, number) for number in self._paused - ahead])
            self._consumer.pause([TopicPartition(self.topic, number) for number in ahead - self._paused])
            self._paused = ahead

    def _look_for_more(self, now: float) -> None:
        """Read partitions, too, that the topic was given since."""
        assert self._consumer is not None
        try:
            described = self._growth.answer(now)
            if described is None:
                return
            of, topic_id = described
            self._is_of_another |= of < self.of or any(each.is_of_another(topic_id) for each in self._readings.values())
            more = {} if self._is_of_another else {number: self._reading(number, topic_id) for number in range(self.of, of)}
            for reading in more.values():
                reading.begin(*watermarks(self._consumer, reading.place))
            if more:
                self._consumer.incremental_assign([_position(reading) for reading in more.values()])
                self._readings |= more
                for number in more:
                    self._merge.add(number)
                _LOGGER.info("topic %s was given %d more partitions, which are read as well", self.topic, len(more))
                self.dirty = True
        except KafkaException as error:
            self._refused = error.args[0]
        else:
            self._refused = None

    # Assignment

    def positions(self) -> list[TopicPartition]:
        """Give for each partition the offset of the first record that is not in the state."""
        return [TopicPartition(self.topic, number, self._first(number)) for number in self._readings]

    def _first(self, number: int) -> int:
        return min([self._readings[number].next, *self._merge.waiting(number)[:1]])

    def content(self) -> dict[str, Any]:
        """Give what is kept beside the state: offsets, and which of those before them still wait."""
        return {"version": _VERSION, "partitions": [self._kept(number) for number in self._readings]}

    def _kept(self, number: int) -> dict[str, Any]:
        """Give up to where a partition was read, ever, and the offsets before it that are not in the state.

        Those are the ones that wait, and those not read again yet.
        """
        reading = self._readings[number]
        until, again = self._again.get(number, (0, frozenset()))
        if reading.next >= until:
            self._again.pop(number, None)
        unread = [offset for offset in again if reading.next <= offset]
        return {
            **reading.to_json(),
            "next": max(reading.next, until),
            "waiting": sorted([*self._merge.waiting(number), *unread]),
        }

    def marked(self) -> Collection[Place]:
        """Mark each partition: whoever is given one alone finds that it is read as a part of this."""
        return [reading.place for reading in self._readings.values()]

    def take_up(self) -> dict[str, Any] | None:
        """Go on at the offsets that the checkpoint names; without one, from those of the partitions."""
        consumer = self._made()
        of = partitions_of(consumer, self.topic)
        topic_id = self.membership.brokers.describe(self.topic).topic_id
        self._readings = {number: self._reading(number, topic_id) for number in range(of)}
        self._merge = Merge(range(of))
        self._again = {}
        most = self.membership.keeper.most_bytes
        kept = self.membership.checkpoints.take(self.place, most)
        if kept is None:
            return self._take_up_partitions(consumer, most)
        if kept["version"] != _VERSION:
            raise ValueError(f"it is of another version ({kept['version']})")
        for number, reading in self._readings.items():
            low, high = watermarks(consumer, reading.place)
            if number < len(kept["partitions"]):
                self._take_up_reading(reading, kept["partitions"][number], low, high)
            else:
                reading.begin(low, high)
        state: dict[str, Any] = kept["state"]
        return state

    def _take_up_reading(self, reading: Reading, kept: dict[str, Any], low: int, high: int) -> None:
        """Go back to the first record that waited, and know which of those behind it were counted."""
        until = whole_number(kept, "next")
        waiting = frozenset(whole_number({"waiting": offset}, "waiting", until) for offset in kept["waiting"])
        is_anew = reading.take_up(kept, low, high)
        self.dirty |= is_anew
        gone = sum(is_anew or offset < low or offset >= high for offset in waiting)
        if gone:
            _LOGGER.warning("%s: %d records are gone that were read and not counted", reading.place.name, gone)
            reading.counts.dropped += gone
        left = frozenset(offset for offset in waiting if low <= offset < high)
        if left and not is_anew:
            reading.next = min(left)
            self._again[reading.place.number] = until, left

    def _take_up_partitions(self, consumer: Consumer, most: int) -> dict[str, Any] | None:
        """Go on from what each partition knows by itself, if any does."""
        states, before = [], 0
        for reading in self._readings.values():
            kept = self.membership.checkpoints.take(reading.place, most)
            low, high = watermarks(consumer, reading.place)
            if kept is None or is_mark(kept):
                reading.begin(first_offset(consumer, reading.place, low, high, self.membership.start_at), high)
            else:
                reading.take_up(kept, low, high)
                states.append(kept["state"])
                before = max(before, number_of_partitions(kept))
            self.membership.checkpoints.leave(reading.place)
        for number in range(self.of, before):  # it was made anew with fewer
            kept = self.membership.checkpoints.look(Place(self.topic, number), most)
            states += [] if kept is None or is_mark(kept) else [kept["state"]]
        if not states:
            return None
        _LOGGER.warning(
            "topic %s is read in the order of time from now on: what its partitions know of gateways is put together",
            self.topic,
        )
        return self.membership.keeper.unite(self.place.name, states)

    def begin_anew(self) -> None:
        """Begin with the first records that there are."""
        consumer = self._made()
        self._again = {}
        for reading in self._readings.values():
            reading.begin(*watermarks(consumer, reading.place))

    def start(self) -> None:
        """Fetch all partitions."""
        positions = [_position(reading) for reading in self._readings.values()]
        self._made().assign(positions)
        self._made().resume(positions)  # one that was held back before it was let go of would stay so

    def stop(self) -> None:
        """Fetch none."""
        if self._consumer is not None:
            self._consumer.unassign()

    def close(self) -> None:
        """Let go of the consumer."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _made(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(self._settings, logger=_LOGGER)
        return self._consumer

    def _reading(self, number: int, topic_id: str | None) -> Reading:
        reading = Reading.of(Place(self.topic, number), self.membership.options)
        reading.topic_id = topic_id
        return reading


def _position(reading: Reading) -> TopicPartition:
    return TopicPartition(*reading.place, reading.next)
