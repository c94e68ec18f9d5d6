"""A partition that the group gave us, with a state of its own."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, Message, TopicPartition

from racoon_exporter.source.contract import SourceStatus, StartAt
from racoon_exporter.source.kafka.assignment import Assignment, Membership
from racoon_exporter.source.kafka.checkpoints import CheckpointError, Place, is_mark, is_mark_of_whole
from racoon_exporter.source.kafka.reading import (
    Reading,
    first_offset,
    number_of_partitions,
    partitions_of,
    record_of,
    watermarks,
)

_LOGGER: Final = logging.getLogger(__name__)
_VERSION: Final = 1
_LAST: Final = "last"
"""Whether a checkpoint is the last one of a partition that is there no more: another goes on from it."""


class Partition(Assignment):
    """Read by the consumer of the group."""

    def __init__(self, place: Place, membership: Membership, consumer: Consumer, settings: Mapping[str, Any]) -> None:
        """Nothing is read yet."""
        self._consumer = consumer
        self._settings = settings
        self.is_read_with_others = False
        """Whether its checkpoint says that all partitions of its topic are read as one."""
        super().__init__(place, membership)

    def _begin(self) -> None:
        super()._begin()
        self.reading = Reading.of(self.place, self.membership.options)
        self.of = 0
        """Partitions of its topic."""
        self.came_anew = False
        """Whether a record came of a place that was read before."""
        self._is_gone = False
        """Whether its topic has it no more."""
        self._adopted: list[Place] = []
        """Partitions that are there no more, whose states went into this one and are not marked yet."""

    @property
    def status(self) -> SourceStatus:
        """How it is doing."""
        return self.reading.status(up=self.open, error=self.error)

    def take(self, message: Message) -> bytes:
        """Give the lines of a record; nothing of one that was read before."""
        if not self.open:
            return b""
        if (message.offset() or 0) < self.reading.next:
            self.came_anew = True
            return b""
        self.reading.next = (message.offset() or 0) + 1
        self.reading.keyless += message.key() is None
        self.ended = False
        self.dirty = True
        return self.reading.lines.of(record_of(message))

    def note_end(self, offset: int) -> None:
        """Take note that all was given that stands there."""
        if self.open:
            self.reading.at_end(offset)
            self.ended = True

    def pass_over_damage(self) -> None:
        """Go on behind a batch that cannot be read. Raises KafkaException; it is told of again then."""
        if self.open:
            self.reading.pass_over_damage(self._settings)
            self.dirty = True
            self._consumer.seek(TopicPartition(*self.place, self.reading.next))

    def look(self) -> None:
        """Take note of how far the brokers are: where lines come without a pause, nothing else tells that the end is there."""
        if self.open:
            self.reading.look(self._consumer)
            self.ended |= self.reading.is_at_end

    # Assignment

    def positions(self) -> list[TopicPartition]:
        """Give the one offset."""
        return [TopicPartition(*self.place, self.reading.next)]

    def content(self) -> dict[str, Any]:
        """Give what is kept beside the state."""
        return {"version": _VERSION, "of": self.of, **self.reading.to_json(), _LAST: self._is_gone}

    def marked(self) -> Collection[Place]:
        """Mark those whose state stands in this one now; once, for they may come back with a state of their own."""
        return self._adopted

    def save(self) -> None:
        """Write a checkpoint."""
        super().save()
        if self.error is None:
            self._adopted = []

    def take_up(self) -> dict[str, Any] | None:
        """Go on at the offset that the checkpoint names."""
        kept = self.membership.checkpoints.take(self.place, self.membership.keeper.most_bytes)
        low, high = watermarks(self._consumer, self.place)
        self.of = partitions_of(self._consumer, self.place.topic)
        self.reading.topic_id = self.membership.brokers.describe(self.place.topic).topic_id
        self.is_read_with_others = kept is not None and is_mark_of_whole(kept, self.place.topic)
        if self.is_read_with_others and self.membership.options.order is None:
            raise CheckpointError(f"{self.place.name} is read together with the other partitions of its topic")
        if self.is_read_with_others:
            _LOGGER.warning(
                "%s was read in the order of time, together with the other partitions of its topic: what was known of its "
                "gateways is set aside, and it begins anew",
                self.place.name,
            )
            kept = None
        elif kept is not None and is_mark(kept):  # it was not there for a while
            self.begin_anew()
            return None
        if kept is None:
            self.reading.begin(first_offset(self._consumer, self.place, low, high, self._start_at()), high)
            return None
        if kept["version"] != _VERSION:
            raise ValueError(f"it is of another version ({kept['version']})")
        before = number_of_partitions(kept)
        gone = [
            self.place._replace(number=number) for number in range(self.of, before) if number % self.of == self.place.number
        ]
        if gone:
            self._wait_for_others_to_write(gone)
        self.dirty = self.reading.take_up(kept, low, high) or before != self.of
        if before != self.of:
            self._tell_of_number(before)
        state: dict[str, Any] = kept["state"]
        return self._with_those_gone(state, gone)

    def _tell_of_number(self, before: int) -> None:
        _LOGGER.warning(
            "topic %s has %d partitions and had %s: gateways whose lines now come through another one begin anew there",
            self.place.topic,
            self.of,
            before,
        )

    def _with_those_gone(self, state: dict[str, Any], gone: Iterable[Place]) -> dict[str, Any]:
        """Put to a state what partitions knew that are there no more; each goes to one of those that are."""
        states, self._adopted = [state], []
        for place in gone:
            kept = self.membership.checkpoints.take(place, self.membership.keeper.most_bytes)
            self.membership.checkpoints.leave(place)
            if kept is not None and not is_mark(kept):
                states.append(kept["state"])
                self._adopted.append(place)
        if not self._adopted:
            return state
        names = ", ".join(place.name for place in self._adopted)
        _LOGGER.warning("%s is there no more: what was known of its gateways goes on in %s", names, self.place.name)
        return self.membership.keeper.unite(self.place.name, states)

    def _wait_for_others_to_write(self, gone: Iterable[Place]) -> None:
        """Raise CheckpointError while others may yet write what they know of partitions that are there no more."""
        options, checkpoints, most = self.membership.options, self.membership.checkpoints, self.membership.keeper.most_bytes
        theirs = self.membership.brokers.of_others(self.place.topic, options.group, self._consumer.memberid() or "")
        for place in gone:
            kept = checkpoints.look(place, most) if place.number in theirs else None
            if kept is not None and not is_mark(kept) and not kept.get(_LAST):
                raise CheckpointError(
                    f"{self.place.name} waits until {place.name}, which is there no more, is written by who has it"
                )

    def end(self) -> None:
        """Write what another goes on from, and hold it no more: its topic is without it."""
        self._is_gone = self.dirty = True
        self.give_back(untaken=False)

    def note_number(self, of: int) -> None:
        """Take note of how many partitions there are now, where there are more than there were."""
        if self.open and of > self.of:
            before, self.of = self.of, of
            self._tell_of_number(before)
            self.dirty = True

    def _start_at(self) -> StartAt:
        """Tell where to begin it; a partition that its topic was given later from its beginning, as its lines are new."""
        if self.membership.start_at == "end" and self.place.number:
            known = self.membership.checkpoints.look(self.place._replace(number=0), self.membership.keeper.most_bytes)
            return "end" if known is None else "beginning"
        return self.membership.start_at

    def begin_anew(self) -> None:
        """Begin with the first record that there is."""
        self._adopted = []
        self.reading.begin(*watermarks(self._consumer, self.place))

    def start(self) -> None:
        """Have the consumer of the group fetch it."""
        self._consumer.seek(TopicPartition(*self.place, self.reading.next))
        self._consumer.resume([TopicPartition(*self.place)])

    def stop(self) -> None:
        """Have it fetched no more."""
        self._consumer.pause([TopicPartition(*self.place)])
