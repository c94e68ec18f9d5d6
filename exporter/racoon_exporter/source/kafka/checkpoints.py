"""Checkpoints of partitions: what is kept of each, and where.

Whoever takes a partition is its only writer from then on. In a topic that is what transactions are for: the new writer's
producer fences those before it, whose unfinished checkpoints are undone, and only then is the last one read. In files it
is a matter of there being one instance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from racoon_exporter import checkpoint

_PARTITION: Final = "partition"
"""The key of a checkpoint in its file, which has a version of its own beside it."""


class Place(NamedTuple):
    """A partition."""

    topic: str
    number: int

    @property
    def name(self) -> str:
        """The stream of its lines."""
        return f"kafka:{self.topic}/{self.number}"


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

    def save(self, place: Place, content: dict[str, Any]) -> None:
        """Write a checkpoint: all of it, or nothing. Raises CheckpointError."""

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

    def _path(self, place: Place) -> Path | None:
        return None if self._directory is None else self._directory / quote(f"{self._group}-{place.topic}-{place.number}", "")

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

    def save(self, place: Place, content: dict[str, Any]) -> None:
        """Replace the file of a partition."""
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
