"""What brokers tell besides records: how many partitions a topic has, whether it is the one it was, who has them."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Final, NamedTuple, TypeVar

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AdminClient, TopicDescription  # type: ignore[attr-defined]

from racoon_exporter.source.kafka.settings import KafkaOptions

T = TypeVar("T")
_SECONDS: Final = 5.0
_NONE: Final = str(Uuid(0, 0))
"""What brokers give that know of no such thing."""


class Description(NamedTuple):
    """What a topic is."""

    partitions: int
    topic_id: str | None
    """What tells it from others of its name, which were made after it was deleted; None where brokers do not tell."""


class Brokers:
    """Asks the brokers."""

    def __init__(self, options: KafkaOptions) -> None:
        """Nothing is asked yet. Raises OSError for a password file that cannot be read."""
        self._settings: dict[str, Any] = options.client() | {"log_level": 0}
        self._admin: AdminClient | None = None

    def ask(self, topic: str) -> Future[TopicDescription]:
        """Ask what a topic is. Waits for nothing."""
        return self._asking().describe_topics(TopicCollection([topic]), request_timeout=_SECONDS)[topic]

    def describe(self, topic: str) -> Description:
        """Tell what a topic is, once it is answered. Raises KafkaException."""
        return _description(_awaited(self.ask(topic)))

    def of_others(self, topic: str, group: str, member: str) -> frozenset[int]:
        """Tell which partitions of a topic a group has given to others than a member.

        Raises KafkaException, also while that changes.
        """
        found = _awaited(self._asking().describe_consumer_groups([group], request_timeout=_SECONDS)[group])
        if found.state != ConsumerGroupState.STABLE:
            raise KafkaException(KafkaError(KafkaError.REBALANCE_IN_PROGRESS))
        others = (each.assignment for each in found.members if each.member_id != member)
        return frozenset(each.partition for had in others for each in had.topic_partitions if each.topic == topic)

    def _asking(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient(self._settings)
        return self._admin


class Question:
    """Asks now and then what a topic is, and goes on meanwhile: brokers that are away answer late, or never."""

    def __init__(self, topic: str, brokers: Brokers, seconds: float) -> None:
        """It is asked every so many seconds."""
        self._topic = topic
        self._brokers = brokers
        self._seconds = seconds
        self._due = 0.0
        self._asked: Future[TopicDescription] | None = None

    def hurry(self) -> None:
        """Ask again as soon as may be: what was asked before is not the last word."""
        self._due = 0.0

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer that was not given yet."""
        return self._asked is not None and self._asked.done()

    def answer(self, now: float) -> Description | None:
        """Give an answer that has come; None for none. Raises KafkaException for one that tells of trouble."""
        if self._asked is None:
            if now < self._due:
                return None
            self._due = now + self._seconds
            self._asked = self._brokers.ask(self._topic)
        asked = self._asked
        if not asked.done():
            return None
        self._asked = None
        return _description(asked.result())


def _awaited(asked: Future[T]) -> T:
    try:
        return asked.result(2 * _SECONDS)
    except TimeoutError as error:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error  # noqa: SLF001


def _description(found: TopicDescription) -> Description:
    topic_id = str(found.topic_id)
    return Description(len(found.partitions), None if topic_id == _NONE else topic_id)


__all__ = ["Brokers", "Description", "Question"]
