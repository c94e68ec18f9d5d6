"""Checkpoints of partitions: what is kept of each, and where.

Whoever takes a partition is its only writer from then on. In a topic that is what transactions are for: the new writer's
producer fences those before it, whose unfinished checkpoints are undone, and only then is the last one read. In files it
is a matter of there being one instance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from racoon_exporter import checkpoint

_PARTITION: Final = "partition"
"""The key of a checkpoint in its file, which has a version of its own beside it."""


WHOLE: Final = -1
"""Stands for the number of a partition where all of a topic are read as one."""
_MARK: Final = "read_with"


class Place(NamedTuple):
    """A partition, or all of a topic as one."""

    topic: str
    number: int

    @property
    def name(self) -> str:
        """The stream of its lines."""
        return f"kafka:{self.topic}/{'all' if self.number == WHOLE else self.number}"


def mark(place: Place) -> dict[str, Any]:
    """Make what stands in place of a partition's checkpoint where that of another place holds its state."""
    return {_MARK: place.name}


def is_mark(content: Mapping[str, Any]) -> bool:
    """Whether this says that a partition's state is kept at another place."""
    return _MARK in content


def is_mark_of_whole(content: Mapping[str, Any], topic: str) -> bool:
    """Whether this says that a partition's state is kept with that of all others of its topic."""
    return content.get(_MARK) == Place(topic, WHOLE).name


class CheckpointError(Exception):
    """A checkpoint that cannot be written or read just now, in words for the operator."""


class LostError(CheckpointError):
    """The partition is another instance's."""


class Checkpoints(Protocol):
    """Where checkpoints are kept."""

    shared: bool
    """Whether other instances find them, too."""

    def take(self, place: Place, most: int = checkpoint.MOST_BYTES) -> dict[str, Any] | None:
        """Become the only writer of a partition, and give the last checkpoint; None without one. Raises CheckpointError.

        One of more than `most` bytes would fill the memory, and cannot be used.
        """

    def look(self, place: Place, most: int = checkpoint.MOST_BYTES) -> dict[str, Any] | None:
        """Give the last checkpoint of a partition, whoever writes it. Raises CheckpointError."""

    def save(self, place: Place, content: dict[str, Any], marked: Collection[Place] = ()) -> None:
        """Write a checkpoint, and marks in place of others: all of it, or nothing. Raises CheckpointError."""

    def leave(self, place: Place) -> None:
        """Write no more of a partition."""

    def close(self) -> None:
        """Let go of everything."""


class FileCheckpoints:
    """A file for each partition, beside the state file."""

    shared = False

    def __init__(self, directory: Path | None, group: str) -> None:
        """Without a directory nothing is kept."""
        self._directory = directory
        self._group = group
        self._marked: set[Place] = set()

    def _path(self, place: Place) -> Path | None:
        number = "all" if place.number == WHOLE else place.number
        return None if self._directory is None else self._directory / quote(f"{self._group}-{place.topic}-{number}", "")

    def take(self, place: Place, most: int = checkpoint.MOST_BYTES) -> dict[str, Any] | None:
        """Read the file of a partition. One that cannot be used is set aside, which is told; the next try finds none."""
        path = self._path(place)
        if path is None:
            return None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = checkpoint.read(path, most)
            return None if kept is None else _content(path, kept)
        except checkpoint.StateFileError as error:
            raise _set_aside(path, str(error)) from error
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error

    def look(self, place: Place, most: int = checkpoint.MOST_BYTES) -> dict[str, Any] | None:
        """Read the file of a partition."""
        return self.take(place, most)

    def save(self, place: Place, content: dict[str, Any], marked: Collection[Place] = ()) -> None:
        """Replace the file of a partition; the others' after it, for this one decides."""
        self._write(place, content)
        for other in marked:
            if other not in self._marked:
                self._write(other, mark(place))
                self._marked.add(other)

    def _write(self, place: Place, content: dict[str, Any]) -> None:
        path = self._path(place)
        if path is None:
            return
        try:
            checkpoint.write(path, {_PARTITION: content})
        except OSError as error:
            raise CheckpointError(f"cannot write {path}: {error.strerror or error}") from error

    def leave(self, place: Place) -> None:
        """Do nothing: a file is open no longer than it takes."""
        del place

    def close(self) -> None:
        """Do nothing."""


def _content(path: Path, kept: dict[str, Any]) -> dict[str, Any]:
    content = kept.get(_PARTITION)
    if not isinstance(content, dict):
        raise checkpoint.StateFileError(f"{path} holds no checkpoint of a partition")
    return content


def _set_aside(path: Path, why: str) -> CheckpointError:
    try:
        aside = checkpoint.set_aside(path)
    except OSError as error:
        return CheckpointError(f"{why}, and it cannot be moved away: {error.strerror or error}")
    return CheckpointError(f"{why}; it was moved to {aside}, the partition is read anew")
