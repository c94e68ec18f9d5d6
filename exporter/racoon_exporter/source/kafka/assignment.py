"""What an instance was assigned of a topic and has a state of its own: opened, written as one checkpoint, given back."""

from __future__ import annotations

import contextlib
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from racoon_exporter import checkpoint
from racoon_exporter.source.contract import Keeper, StartAt
from racoon_exporter.source.kafka.brokers import Brokers
from racoon_exporter.source.kafka.checkpoints import CheckpointError, Checkpoints, LostError, Place
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger(__name__)
RETRY_SECONDS: Final = 2.0
_NUMBER: Final = re.compile(r"\d+")
_SHOWN: Final = 200
"""Characters of what is wrong with a checkpoint: its own values may be as long as anything."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What all that an instance was assigned shares: settings, who keeps the state, where checkpoints stand."""

    options: KafkaOptions
    keeper: Keeper
    checkpoints: Checkpoints
    start_at: StartAt
    checkpoint_seconds: float
    clock: Callable[[], float]
    commit: Callable[[list[TopicPartition]], None]
    """Tells the group how far somebody is."""
    brokers: Brokers
    """Tell what a topic is."""


class Assignment(ABC):
    """A partition, or all partitions of a topic as one."""

    def __init__(self, place: Place, membership: Membership) -> None:
        self.place = place
        self.membership = membership
        self.error: str | None = None
        self._begin()

    def _begin(self) -> None:
        """Know nothing."""
        self.open = False
        """Whether it is read: its checkpoint was."""
        self.ended = False
        """Whether all was given that stands in it."""
        self.told_ended = False
        self.dirty = False
        self.due = 0.0
        """When to try to open it, or to write a checkpoint of it."""
        self.took = 0.0
        self.saved = 0.0

    @abstractmethod
    def positions(self) -> list[TopicPartition]:
        """Give the offsets up to which all is in the state."""

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """Give what is kept beside the state."""

    @abstractmethod
    def marked(self) -> Collection[Place]:
        """Give the places that are marked in each checkpoint as being held by this."""

    @abstractmethod
    def take_up(self) -> dict[str, Any] | None:
        """Become who writes its checkpoints, go on from the last one, and give the state in it; None for nothing.

        Raises CheckpointError, KafkaException, and whatever a checkpoint raises that cannot be used.
        """

    @abstractmethod
    def begin_anew(self) -> None:
        """Go on from the beginning, as the checkpoint cannot be used."""

    @abstractmethod
    def start(self) -> None:
        """Read from there on. Raises KafkaException."""

    @abstractmethod
    def stop(self) -> None:
        """Read no more, for now or for good."""

    # keeping

    def is_due(self, now: float) -> bool:
        """Whether it is to be opened, or a checkpoint of it to be written."""
        if now < self.due:
            return False
        if not self.open or self.dirty:
            return True
        spared = checkpoint.pause(self.membership.checkpoint_seconds, self.took, only_time_passed=True)
        return now >= self.saved + spared and self.membership.keeper.aged(self.place.name)

    def tell_ended(self) -> None:
        """Tell whoever keeps the state whether all was given."""
        if self.open and self.ended != self.told_ended:
            self.told_ended = self.ended
            self.membership.keeper.at_end(self.place.name, reached=self.ended)

    def work(self) -> None:
        """Do what is due. Trouble is told, and it is tried again later."""
        if self.open:
            self.save()
        else:
            self._open()

    def save(self) -> None:
        """Write a checkpoint."""
        clock, keeper = self.membership.clock, self.membership.keeper
        begun = clock()
        content = self.content() | {"state": keeper.content(self.place.name)}
        positions = self.positions()
        try:
            self.membership.checkpoints.save(self.place, content, self.marked())
        except LostError as error:
            self._tell(str(error))
            self._hold_back()
        except CheckpointError as error:
            self._tell(str(error))
            self.due = clock() + max(RETRY_SECONDS, clock() - begun)  # other work has its turn, too
        else:
            self.error = None
            self.dirty = False
            keeper.saved(succeeded=True)
            self.saved = clock()
            self.took = self.saved - begun
            self.due = self.saved + checkpoint.pause(self.membership.checkpoint_seconds, self.took)
            self.membership.commit(positions)

    def give_back(self, *, untaken: bool) -> None:
        """Write what another goes on from, and hold it no more. With blocks `untaken` the state is behind the offsets."""
        if self.open and not untaken and (self.dirty or self.membership.keeper.aged(self.place.name)):
            self.save()
        self.drop()

    def drop(self) -> None:
        """Hold it no more."""
        self.membership.checkpoints.leave(self.place)
        self.membership.keeper.end(self.place.name)

    def reopen(self) -> None:
        """Write a checkpoint, and go on from it anew: the topic is not what it was. All blocks must be taken."""
        self.save()
        if self.error is None:  # else what is known would be lost
            self._hold_back()
            self.due = self.membership.clock()

    def begin_again(self) -> None:
        """Be opened anew after it was given back: it was not there for a while."""
        self._begin()

    def _hold_back(self) -> None:
        """Read no more until the checkpoint is read again: another instance has written it."""
        with contextlib.suppress(KafkaException):
            self.stop()
        self.drop()
        self._begin()
        self.due = self.membership.clock() + RETRY_SECONDS

    def _open(self) -> None:
        self.due = self.membership.clock() + RETRY_SECONDS
        try:
            self._go_on()
        except CheckpointError as error:
            self._tell(str(error))
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:  # noqa: SLF001  it is not being fetched yet
                self._tell(f"{self.place.name}: {error.args[0].str()}")
            else:
                self.due = self.membership.clock()

    def _go_on(self) -> None:
        keeper, name = self.membership.keeper, self.place.name
        state: dict[str, Any] | None = None
        try:
            state = self.take_up()
            keeper.begin(name, state)
        except (CheckpointError, KafkaException):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is: a checkpoint that cannot be used stops nothing
            _LOGGER.error("the checkpoint of %s cannot be used (%s): it is read anew", name, visible(repr(error))[:_SHOWN])  # noqa: TRY400
            state = None
            self.begin_anew()
            keeper.begin(name, None)
        try:
            self.start()
        except KafkaException:
            keeper.end(name)
            raise
        self.open, self.error = True, None
        self.saved = self.membership.clock()
        self.dirty |= state is None  # so that others find that it was begun
        self.due = self.saved if self.dirty else self.saved + self.membership.checkpoint_seconds

    def _tell(self, text: str) -> None:
        self.membership.keeper.saved(succeeded=False)
        if self.error is None or _NUMBER.sub("", text) != _NUMBER.sub("", self.error):  # brokers count what they refuse
            _LOGGER.error("%s", text)
        self.error = text
