"""The exporter's side: its loop, inputs and state file as `serve` has them, turned by hand and killed at will."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import cast

from racoon_exporter.engine import Engine
from racoon_exporter.sa import Knowledge
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source import SYSTEM, Block, SourceStatus
from racoon_exporter.source.files.position import Position
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import Surroundings, paths
from racoon_exporter.source.paths import Paths
from racoon_exporter.source.watch import Watcher

WHOLE = 256 * 1024


def open_as_a_user(path: str) -> int:
    """Open as somebody for whom modes hold; root, as whom tests may run, opens everything."""
    if not Path(path).stat().st_mode & 0o444:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return SYSTEM.open(path)


class Unwatched:
    """Tells of no change: the exporter is made to look by hand."""

    def __init__(self, _paths: Iterable[str]) -> None:
        self._closed = threading.Event()

    def wait(self, _timeout: float) -> bool:
        self._closed.wait()
        return False

    def wake(self) -> None:
        self._closed.set()

    close = wake


def unwatched(paths: Iterable[str]) -> Watcher:
    return cast("Watcher", Unwatched(paths))


class ObservedInputs(Inputs):
    """Notes each block on its way to the engine."""

    limit = WHOLE

    def __init__(self, path: Path) -> None:
        super().__init__(paths(str(path)), Surroundings(system=replace(SYSTEM, open=open_as_a_user)), watcher=unwatched)
        self.given: list[Block] = []

    def read(self, limit: int = WHOLE) -> Block | None:
        block = super().read(min(limit, self.limit))
        if block is not None:
            self.given.append(block)
        return block


class Exporter:
    """One process of it, from start to end."""

    def __init__(self, log: Path, state_file: Path) -> None:
        self.inputs = ObservedInputs(log)
        self.follower = Follower(
            Engine(UTC),
            self.inputs,
            state_file=state_file,
            checkpoint_seconds=float("inf"),
            monotonic=lambda: 0.0,
            wall=lambda: 0.0,
        )
        self.follower.restore()

    def step(self, limit: int = WHOLE) -> bool:
        self.inputs.limit = limit
        return self.follower.step()

    def hup(self) -> None:
        self.follower.learn(Knowledge())

    def save(self) -> None:
        self.follower.save()

    def taken(self) -> list[Block]:
        """Return the blocks that were read since this was asked last."""
        taken, self.inputs.given = self.inputs.given, []
        return taken

    def end(self) -> None:
        self.inputs.close()

    @property
    def status(self) -> SourceStatus:
        return self.follower.statuses()[0]

    @property
    def reading(self) -> tuple[int, int] | None:
        """Device and inode of the file that is open, if there is one, something of it was read, and nothing is wrong."""
        (paths,) = self.inputs._sources
        sources = [source for files in cast("Paths", paths)._files for source in files.sources]
        if self.status.error is not None or not any(source.is_open for source in sources):
            return None
        position = Position.from_json(next(iter(self.inputs.positions().values())))
        return position.identity if position.offset or position.ahead.length or position.size else None
