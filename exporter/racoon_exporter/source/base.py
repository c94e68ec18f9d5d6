"""What every source of log lines gives and promises, whatever it reads from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, Protocol

DEFAULT_LIMIT = 256 * 1024
"""Bytes asked of one read: large enough that the cost per call does not show, small enough to stay in the CPU's cache."""

FINGERPRINT_SPAN = 1024
"""At most so many bytes before the offset are remembered to know a file by its content."""

_DIGEST_BYTES = 16
_LARGEST = 2**63 - 1  # off_t; device and inode numbers beyond it do not occur

StartAt = Literal["beginning", "end"]
"""Where a log without a checkpoint is begun."""


class Identity(NamedTuple):
    """Device and inode: which file it is as long as it exists. Inodes are reused, so content has the last word."""

    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What stood right before an offset: the number of bytes looked at and a hash over them, never the bytes themselves.

    A debug log holds key material, and the checkpoint must not.
    """

    length: int
    digest: str

    @classmethod
    def of(cls, tail: bytes) -> Fingerprint:
        """Return the fingerprint of what stands before an offset; without any bytes it is empty and fits anything."""
        span = tail[-FINGERPRINT_SPAN:]
        return cls(len(span), blake2b(span, digest_size=_DIGEST_BYTES).hexdigest() if span else "")

    def fits(self, tail: bytes) -> bool:
        """Whether `tail`, read back from before the offset, is what was there when the fingerprint was taken."""
        return len(tail) == self.length and Fingerprint.of(tail) == self


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stands in one file, so that it can go on there after a stop and recognise the file again.

    `offset` is that of the first byte not given yet (bytes; for compressed files in the uncompressed text), `line` the
    number of lines before it, `size` the largest size the file was seen to have, and `skipping` says that the offset is
    inside a line that was too long and whose rest must be skipped. `ahead` tells the incomplete line that stood behind the
    offset, `past` which files were read before this one; None in a position that an older version wrote.
    """

    device: int
    inode: int
    offset: int
    line: int
    size: int
    fingerprint: Fingerprint
    skipping: bool = False
    ahead: Fingerprint = Fingerprint(0, "")
    past: Past | None = None

    @property
    def identity(self) -> Identity:
        """Device and inode of the file."""
        return Identity(self.device, self.inode)

    @property
    def unread(self) -> int:
        """Bytes known to have stood behind the offset."""
        return max(0, self.size - self.offset)

    def to_json(self) -> dict[str, object]:
        """Return the position as values that any JSON library can write; `from_json` reads it back."""
        return {
            "device": self.device,
            "inode": self.inode,
            "offset": self.offset,
            "line": self.line,
            "size": self.size,
            "fingerprint": {"length": self.fingerprint.length, "digest": self.fingerprint.digest},
            "skipping": self.skipping,
            "ahead": {"length": self.ahead.length, "digest": self.ahead.digest},
            "past": None if self.past is None else self.past.to_json(),
        }

    @classmethod
    def from_json(cls, value: object) -> Position:
        """Read a position back; raises ValueError, naming the key, for anything that `to_json` does not write."""
        if not isinstance(value, dict):
            raise ValueError(f"position: expected an object, not {type(value).__name__}")  # noqa: TRY004 - what a file holds is a value
        skipping = value.get("skipping")
        if not isinstance(skipping, bool):
            raise ValueError("position: skipping must be true or false")  # noqa: TRY004 - what a file holds is a value
        offset = _count(value, "offset")
        return cls(
            device=_count(value, "device"),
            inode=_count(value, "inode"),
            offset=offset,
            line=_count(value, "line"),
            size=_count(value, "size"),
            fingerprint=_fingerprint(value.get("fingerprint"), offset),
            skipping=skipping,
            ahead=_fingerprint(value.get("ahead", {"length": 0, "digest": ""})),
            past=None if value.get("past") is None else Past.from_json(value["past"]),
        )


@dataclass(frozen=True, slots=True)
class Past:
    """What a log was before: where its former files were left, so that none is read twice under whatever name it returns.

    `since_ns` is when the last of them, or what stood beside the log before it was first read, was changed last: of what is
    older nothing is new. `base` is the file that the path led to when the present one was begun.
    """

    since_ns: int
    base: str
    left: tuple[Position, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as values that any JSON library can write."""
        left = [
            [each.device, each.inode, each.offset, each.line, each.fingerprint.length, each.fingerprint.digest]
            for each in self.left
        ]
        return {"since_ns": self.since_ns, "base": self.base, "left": left}

    @classmethod
    def from_json(cls, value: object) -> Past:
        """Read it back; raises ValueError for anything that `to_json` does not write."""
        match value:
            case {"since_ns": since_ns, "base": str(base), "left": list(left)}:
                return cls(_count({"since_ns": since_ns}, "since_ns"), base, tuple(_left(each) for each in left))
            case _:
                raise ValueError("position: past must have since_ns, base and left")


def _left(value: object) -> Position:
    match value:
        case [device, inode, offset, line, length, digest]:
            named = {"device": device, "inode": inode, "offset": offset, "line": line, "size": offset, "skipping": False}
            return Position.from_json(named | {"fingerprint": {"length": length, "digest": digest}})
        case _:
            raise ValueError("position: a file that was left must have six values")


def _count(value: Mapping[Any, object], key: str) -> int:
    number = value.get(key)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _LARGEST:
        raise ValueError(f"position: {key} must be a whole number from 0 to {_LARGEST}")
    return number


def _fingerprint(value: object, most: int = FINGERPRINT_SPAN) -> Fingerprint:
    if not isinstance(value, dict):
        raise ValueError("position: fingerprint must be an object")  # noqa: TRY004 - what a file holds is a value
    length, digest = _count(value, "length"), value.get("digest")
    if length > min(most, FINGERPRINT_SPAN):
        raise ValueError("position: fingerprint is longer than what stands there")
    if not isinstance(digest, str) or len(digest) != (2 * _DIGEST_BYTES if length else 0):
        raise ValueError("position: fingerprint has no valid digest")
    if digest.strip("0123456789abcdef"):
        raise ValueError("position: fingerprint has no valid digest")
    return Fingerprint(length, digest)


@dataclass(frozen=True, slots=True)
class Block:
    r"""A run of whole lines.

    `source` is the name of the source (the path as the user gave it, the matched path for a glob). Each line of `data`
    ends in `\n`; with `final` the last one does not and never will, because its file was replaced or is finished.
    `first_line` is the number, from 1, of the first line within its file. `position` is where the source stands after
    the block: a checkpoint that holds it together with what the lines said counts each line once; None for what has no
    such place (a pipe, a socket) or one of another kind (the journal: see `Inputs.positions`).
    """

    source: str
    data: bytes
    first_line: int
    position: Position | None
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
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SourceCounts:
        """Read them back; raises ValueError for what is no count. One that an older version did not know is 0."""
        return cls(**{field.name: _count({field.name: value.get(field.name, 0)}, field.name) for field in fields(cls)})


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


class Source(Protocol):
    """Something that gives log lines. Not thread-safe, except for `status`, which any thread may ask."""

    @property
    def name(self) -> str:
        """The value of the label `source` in the metrics about this source."""

    def read(self, limit: int = DEFAULT_LIMIT) -> Block | None:
        """Return the next lines, about `limit` bytes; None when there is nothing new right now. Never raises OSError."""

    def position(self) -> Position | None:
        """Where the source stands after the last block given; None before it has found its log."""

    def resume(self, position: Position) -> None:
        """Go on from a checkpoint; to be called before the first read."""

    def status(self) -> SourceStatus:
        """Counters and present trouble."""

    def close(self) -> None:
        """Let go of what is open; may be called twice."""
