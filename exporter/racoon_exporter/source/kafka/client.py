"""Makes the source; imports what the extra `kafka` brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from racoon_exporter.source.contract import Keeper, StartAt
from racoon_exporter.source.kafka.checkpoints import Checkpoints, FileCheckpoints
from racoon_exporter.source.kafka.consumer import KafkaSource
from racoon_exporter.source.kafka.settings import STATE_FILE, KafkaOptions
from racoon_exporter.source.kafka.topic_checkpoints import TopicCheckpoints


def source(
    options: KafkaOptions,
    keeper: Keeper,
    directory: Path | None,
    *,
    start_at: StartAt,
    checkpoint_seconds: float,
    clock: Callable[[], float],
) -> KafkaSource:
    """Join the group of a configuration. Raises ValueError or OSError for settings that cannot be used."""
    checkpoints: Checkpoints = (
        FileCheckpoints(directory, options.group) if options.checkpoints == STATE_FILE else TopicCheckpoints(options, clock)
    )
    return KafkaSource(options, keeper, checkpoints, start_at=start_at, checkpoint_seconds=checkpoint_seconds, clock=clock)
