"""What tells a topic from another of its name: one that was deleted and made anew begins with its first record."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AdminClient

from racoon_exporter.source.kafka.settings import KafkaOptions

_SECONDS: Final = 5.0
_NONE: Final = str(Uuid(0, 0))
"""What brokers give that know of no such thing."""


class TopicIds:
    """Asks the brokers."""

    def __init__(self, options: KafkaOptions) -> None:
        """Nothing is asked yet."""
        self._options = options
        self._admin: AdminClient | None = None

    def id_of(self, topic: str) -> str | None:
        """Give what a topic is told by; None where its brokers do not tell. Raises KafkaException."""
        if self._admin is None:
            settings: dict[str, Any] = self._options.client() | {"log_level": 0}
            self._admin = AdminClient(settings)
        asked = self._admin.describe_topics(TopicCollection([topic]), request_timeout=_SECONDS)
        try:
            found = str(asked[topic].result(2 * _SECONDS).topic_id)
        except TimeoutError as error:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error  # noqa: SLF001
        return None if found == _NONE else found


__all__ = ["TopicIds"]
