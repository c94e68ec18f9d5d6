"""All inputs of the exporter as one: files and globs for now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from racoon_exporter.source.base import DEFAULT_LIMIT, Block, Position, SourceStatus, StartAt
from racoon_exporter.source.glob import SourceSet
from racoon_exporter.watch import Watcher


class Inputs:
    """Reads several inputs in turn."""

    def __init__(self, paths: Sequence[str], *, start_at: StartAt = "beginning", backfill: bool = False) -> None:
        self._files = SourceSet(paths, start_at=start_at, backfill=backfill)
        self._watcher = Watcher(paths)
        self.finished = False

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next block of whichever input has one."""
        return self._files.read(limit)

    def positions(self) -> dict[str, object]:
        """Where each input stands, as JSON values."""
        return {name: position.to_json() for name, position in self._files.positions().items()}

    def resume(self, positions: Mapping[str, object]) -> None:
        """Go on from positions."""
        self._files.resume({name: Position.from_json(position) for name, position in positions.items()})

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How the inputs are doing."""
        return self._files.statuses()

    def wait(self, timeout: float) -> bool:
        """Wait until something may be there."""
        return self._watcher.wait(timeout)

    def wake(self) -> None:
        """End a wait."""
        self._watcher.wake()

    def close(self) -> None:
        """Let go of everything."""
        self._watcher.close()
        self._files.close()
