"""What every source of log lines gives and promises, whatever it reads from."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, Protocol, runtime_checkable

DEFAULT_LIMIT = 256 * 1024
"""Bytes asked of one read: large enough that the cost per call does not show, small enough to stay in the CPU's cache."""

_LARGEST: Final = 2**63 - 1
"""off_t; device and inode numbers beyond it do not occur."""

MOST_COUNTED: Final = 2**62
"""Counts stay far below; one that an edited state file brought there is written as just this, to be believed again."""

logger = logging.getLogger(__name__)

StartAt = Literal["beginning", "end"]
"""Where a log without a checkpoint is begun."""


def newlines(data: bytes) -> int:
    """Count the newlines: leaving them out takes a third of the time that `bytes.count` does, which looks at each byte."""
    return len(data) - len(data.replace(b"\n", b""))


def lines_of(data: bytes) -> int:
    """Count the lines, the last of which may have no newline."""
    return newlines(data) + (not data.endswith(b"\n"))


@dataclass(frozen=True, slots=True)
class Block:
    r"""A run of whole lines.

    `source` is the name of the source (the path as the user gave it, the matched path for a glob). Each line of `data`
    ends in `\n`; with `final` the last one does not and never will, because its file was replaced or is finished.
    `first_line` is the number, from 1, of the first line within its file. `position` is where the source stands after
    the block: a checkpoint that holds it together with what the lines said counts each line once; what
    it is made of is the source's affair. None for what has no such place (a pipe, a socket), or tells it by `positions` only.
    """

    source: str
    data: bytes
    first_line: int
    position: object | None
    final: bool = False


@dataclass(slots=True)
class SourceCounts:
    """What a source has given and lost.

    `lines`, `bytes`: given. `rotations`: times the file was found replaced or truncated. `lost_bytes`: never given (truncated
    away unread, holes of NULs, lines that were too long). `too_long`: lines skipped for their length. `dropped`: messages
    that were thrown away because too many came at once, by the kernel or here.
    """

    lines: int = 0
    bytes: int = 0
    rotations: int = 0
    lost_bytes: int = 0
    too_long: int = 0
    dropped: int = 0

    def __add__(self, other: SourceCounts) -> SourceCounts:
        """Return the counts of both."""
        return SourceCounts(**{name: value + getattr(other, name) for name, value in self.to_json().items()})

    def to_json(self) -> dict[str, int]:
        """Return the counts by name."""
        return {field.name: min(getattr(self, field.name), MOST_COUNTED) for field in fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SourceCounts:
        """Read them back; raises ValueError for what is no count. One that an older version did not know is 0."""
        given = {field.name: value.get(field.name, 0) for field in fields(cls)}
        return cls(**{name: count_in(given, name) for name in given})


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source is doing, as of the last time it was read.

    `up`: the log is there and readable. `lag_bytes`: written, not given yet. `error`: the present trouble in words, for
    people. `counts` are those since the source was made.
    """

    name: str
    up: bool
    lag_bytes: int = 0
    counts: SourceCounts = field(default_factory=SourceCounts)
    error: str | None = None
    lag_records: int | None = None
    """Records written and not given yet, where the log is a topic."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Records that held no line of a log, by reason."""
    kept: bool = False
    """Whether the source keeps its counts itself, over restarts too."""
    keyless: int = 0
    """Records that had no key, where the log is a topic."""
    late: int = 0
    """Records that came when younger ones of their gateway had been counted, where they are put in order."""
    standing_by: bool | None = None
    """Whether another instance reads what this one would read if that ended; None where there is no such thing."""
    torn_gateways: int = 0
    """Gateways whose lines come through several streams, each of which knows a part."""
    remark: str | None = None
    """What is good to know of how it is read, in words, for people."""


class Keeper(Protocol):
    """Who keeps what follows from streams that come and go with what is known of them, such as the partitions of a topic.

    The source calls it from `read`, when all blocks of the stream that it gave were taken.
    """

    @property
    def most_bytes(self) -> int:
        """How large what is kept of a stream may be, as JSON."""

    def begin(self, name: str, kept: Mapping[str, Any] | None) -> None:
        """Go on from what `content` gave, here or elsewhere; None for nothing. Raises ValueError for what is no such thing."""

    def unite(self, name: str, kept: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Put together what `content` gave of several streams for one of this name, as `begin` takes it.

        Raises ValueError for what is no such thing.
        """

    def torn(self, prefix: str) -> int:
        """Tell of how many gateways lines come through several streams whose names begin so: each knows a part."""

    def content(self, name: str) -> dict[str, Any]:
        """Give what is to be kept, as JSON values."""

    def aged(self, name: str) -> bool:
        """Whether time alone changed it since `content` was asked for."""

    def saved(self, *, succeeded: bool) -> None:
        """Take note that a content was written, or could not be."""

    def at_end(self, name: str, *, reached: bool) -> None:
        """Take note whether all was given that the stream holds."""

    def end(self, name: str) -> None:
        """Forget the stream: another has it now."""


@runtime_checkable
class Polled(Protocol):
    """A source that no descriptor tells of."""

    def arrived(self) -> bool:
        """Whether `read` has something to do. Never waits."""


class Source(Protocol):
    """Something that gives log lines: of one stream, or of several of a kind (the files of a pattern, say).

    One thread uses it, but for `statuses`, which any may ask. Each stream has a name, the value of the label `source`.
    """

    @property
    def finished(self) -> bool:
        """Whether it had an end and all before it was given."""

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next lines, about `limit` bytes; None when there is nothing now. Never waits, never raises OSError."""

    def reads(self, name: str) -> bool:
        """Whether a stream of this name is asked for, by itself or by a pattern."""

    def positions(self) -> dict[str, object]:
        """Where each stream stands after the last block given, as JSON values by name; only of those that have positions."""

    def check(self, positions: Mapping[str, object]) -> None:
        """Raise ValueError where one of its streams has no position among these, but something else; nothing is taken."""

    def restore(self, positions: Mapping[str, object]) -> None:
        """Go on from what `positions` gave; to be called before the first read. Raises what `check` does."""

    def statuses(self) -> tuple[SourceStatus, ...]:
        """Counters and present trouble, of each stream."""

    def descriptors(self) -> Iterable[int]:
        """Return the descriptors that become readable when `read` has something to do."""

    def watched(self) -> Iterable[str]:
        """Return the paths, or patterns, where changes mean that `read` has something to do."""

    def close(self) -> None:
        """Let go of what is open; may be called twice."""


class WithoutPositions:
    """What a source without positions is to those who keep them: what was read is gone, or its place is kept elsewhere."""

    def positions(self) -> dict[str, object]:
        """Return nothing."""
        return {}

    def check(self, positions: Mapping[str, object]) -> None:
        """Take anything: none is needed."""
        del positions

    def restore(self, positions: Mapping[str, object]) -> None:
        """Begin with what comes: nothing of it is told here."""
        del positions


class OneStream(WithoutPositions, ABC):
    """What a source of one stream is to those who read several: the plural of it, without positions."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The stream's name."""

    @abstractmethod
    def status(self) -> SourceStatus:
        """Counters and present trouble."""

    def reads(self, name: str) -> bool:
        """Whether this is the stream's name."""
        return name == self.name

    def statuses(self) -> tuple[SourceStatus, ...]:
        """Return the one status."""
        return (self.status(),)

    def watched(self) -> Iterable[str]:
        """Return nothing: descriptors tell."""
        return ()


def whole_number(value: Mapping[Any, object], key: str, most: int = _LARGEST) -> int:
    """Read a whole number out of what a file holds; raises ValueError, naming the key."""
    number = value.get(key)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
        raise ValueError(f"position: {key} must be a whole number from 0 to {most}")
    return number


def count_in(value: Mapping[Any, object], key: str) -> int:
    """Read a count out of what a file holds; raises ValueError, naming the key."""
    return whole_number(value, key, MOST_COUNTED)
