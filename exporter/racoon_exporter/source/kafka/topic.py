"""A topic of which the group gave us partitions: how it is read, each by itself or all as one stream, and how it is doing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

from confluent_kafka import KafkaException

from racoon_exporter.source.contract import SourceStatus
from racoon_exporter.source.kafka.assignment import RETRY_SECONDS, Assignment, Membership
from racoon_exporter.source.kafka.brokers import Question
from racoon_exporter.source.kafka.checkpoints import CheckpointError, Place, is_mark_of_whole
from racoon_exporter.source.kafka.keys import Trial
from racoon_exporter.source.kafka.partition import Partition
from racoon_exporter.source.kafka.settings import Order
from racoon_exporter.source.kafka.whole_topic import GROWTH_SECONDS, WholeTopic
from racoon_exporter.source.reporting import Trouble

_LOGGER: Final = logging.getLogger(__name__)


class Topic:
    """Knows its partitions that are ours. Of a topic that nobody has read yet the first records tell how to read it."""

    def __init__(self, name: str, membership: Membership, settings: Mapping[str, Any]) -> None:
        """Nothing of it is ours yet. `settings` are those of a consumer that is no member of the group."""
        self.name = name
        self.partitions: dict[int, Partition] = {}
        self.trial: Trial | None = None
        """While its first records are looked at."""
        self.whole: WholeTopic | None = None
        """While all of its partitions are read here as one."""
        self.trouble = Trouble()
        """What the brokers refuse of it."""
        self.error: str | None = None
        """Why it cannot be found out how it is read."""
        self._membership = membership
        self._settings = settings
        self._order: Order | None = membership.options.order
        """How it is read; None while that is not known."""
        self._due = 0.0
        """When to look again how it is read."""
        self._told_keyless = False
        self._identity = Question(name, membership.brokers, GROWTH_SECONDS)
        """Whether it is the topic it was."""
        self._vanished: dict[int, Partition] = {}
        """What is ours and it has no more: it is taken from us some day, or comes back before."""

    # what of it is ours

    def assign(self, partition: Partition) -> None:
        """Have one of its partitions."""
        self.partitions[partition.place.number] = partition
        self._due = 0.0

    def withdraw(self, number: int) -> Partition | None:
        """Have one of its partitions no more, and give it; None for one that is not there."""
        self._vanished.pop(number, None)
        return self.partitions.pop(number, None)

    @property
    def assignments(self) -> list[Assignment]:
        """What of it has, or is to have, a state of its own."""
        by_itself = list(self.partitions.values()) if self._order == "partition" else []
        return [*by_itself, *([self.whole] if self.whole is not None else [])]

    def close(self) -> None:
        """Let go of the consumers of its own."""
        for each in (self.trial, self.whole):
            if each is not None:
                each.close()
        self.trial = self.whole = None

    # how it is read

    def look_after(self, now: float) -> None:
        """Find out how it is read, as long as that is not known, and begin to read it so."""
        if self._order is None and self.trial is None and now >= self._due and self.partitions:
            self._due = now + RETRY_SECONDS
            self._find_order()
        if self._order == "partition" and any(each.is_read_with_others for each in self.partitions.values()):
            self._order = self._membership.options.order or "time"
        if self._order == "time" and self.whole is None and 0 in self.partitions:
            self.whole = WholeTopic(self.name, self._membership, self._settings)
        if self._order == "partition":
            self._look_at_identity(now)

    def _look_at_identity(self, now: float) -> None:
        """Look whether it is the topic it was: now and then, and where a record comes that came before."""
        opened = [partition for partition in self.partitions.values() if partition.open]
        for partition in opened:
            if partition.came_anew:
                partition.came_anew = False
                self._identity.hurry()
        if opened or self._vanished:
            try:
                described = self._identity.answer(now)
            except KafkaException as error:
                # Those who read it tell of such trouble, and of when it is over.
                _LOGGER.debug("topic %s may have been made anew: %s", self.name, error.args[0].str())
                return
            if described is not None:
                self._identify(opened, *described)

    def _identify(self, opened: list[Partition], of: int, topic_id: str | None) -> None:
        """Go on from checkpoints where it was made anew, or has fewer partitions; take note of more. All blocks are taken."""
        for partition in sorted(opened, key=lambda each: each.place, reverse=True):  # those first that are there no more
            if partition.place.number >= of:
                partition.end()
                self._vanished[partition.place.number] = self.partitions.pop(partition.place.number)
            elif partition.reading.is_of_another(topic_id) or of < partition.of:
                partition.reopen()
            else:
                partition.note_number(of)
        for number in [number for number in self._vanished if number < of]:
            self.partitions[number] = self._vanished.pop(number)
            self.partitions[number].begin_again()

    def _find_order(self) -> None:
        """Read it as its checkpoints say, or as its first records do if there are none."""
        checkpoints, most = self._membership.checkpoints, self._membership.keeper.most_bytes
        first = Place(self.name, 0)
        ours = min(partition.place for partition in self.partitions.values())
        try:
            kept = checkpoints.look(ours, most) or (None if ours == first else checkpoints.look(first, most))
            if kept is not None:
                self._order = "time" if is_mark_of_whole(kept, self.name) else "partition"
            elif ours == first:
                self.trial = Trial(self.name, self._membership, self._settings)
            self.error = None
        except (CheckpointError, KafkaException) as error:
            words = f"{self.name}: {error.args[0].str()}" if isinstance(error, KafkaException) else str(error)
            if words != self.error:
                _LOGGER.error("%s", words)  # noqa: TRY400  no fault of ours
            self.error = words
            self._membership.keeper.saved(succeeded=False)

    def go_on_trying(self, trial: Trial, records: int) -> None:
        """Look at so many more of its first records, until they tell how it is read."""
        self._order = trial.poll(records)
        if self._order is not None:
            trial.close()
            self.trial = None
            if self._order == "time":
                _LOGGER.warning(
                    "records of topic %s are not keyed by gateway: one instance of the group reads all partitions, in the "
                    "order of time; with keys, several would share the work",
                    self.name,
                )

    def tell_of_keyless(self) -> None:
        """Say once that records come without a key."""
        if not self._told_keyless:
            self._told_keyless = True
            _LOGGER.warning(
                "records of topic %s have no key: the lines of a gateway may come through several partitions, "
                "out of order and to several instances; key them by gateway, or say `order: time`",
                self.name,
            )

    # how it is doing

    @property
    def torn(self) -> int:
        """Gateways whose lines come through several of its partitions."""
        return self._membership.keeper.torn(f"kafka:{self.name}/")

    @property
    def stands_by(self) -> bool:
        """Whether another instance of the group reads it, in the order of time."""
        return self._order == "time" and self.whole is None

    def statuses(self) -> Iterator[SourceStatus]:
        """How its partitions are doing that are read here."""
        whole, trial = self.whole, self.trial
        if whole is not None:
            yield from whole.statuses
        elif self._order != "time":
            for partition in list(self.partitions.values()):
                status = partition.status
                if trial is not None and trial.at_end:  # nothing is read, for there is nothing
                    status = SourceStatus(status.name, up=True, error=status.error, lag_records=0, kept=True)
                yield status

    def remark(self, *, joined: bool) -> str | None:
        """Say what is good to know of how it is read by a group that we have `joined`."""
        ours, whole = len(self.partitions), self.whole
        if joined and self.stands_by:
            return f"{self.name} is read by one instance of the group in the order of time; this one stands by"
        if whole is not None and whole.open:
            others = f": {whole.of - ours} of {whole.of} partitions are of instances that stand by" if ours < whole.of else ""
            return (
                f"the records of {self.name} are not keyed by gateway: one instance reads all partitions in the order of time"
                f"{others}"
            )
        torn = self.torn
        if torn:
            gateways = "1 gateway" if torn == 1 else f"{torn} gateways"
            return (
                f"the lines of {gateways} come through several partitions of {self.name}, each of which knows a part: "
                "key the records by gateway, or have them read by one instance with `order: time`"
            )
        return None
