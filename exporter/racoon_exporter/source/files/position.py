"""Where reading stands in a file, and how the file is known again: by device, inode and content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from racoon_exporter.source.contract import whole_number
from racoon_exporter.source.files.fingerprint import NOTHING, Fingerprint
from racoon_exporter.source.files.marks import Mark, marks_from_json, marks_to_json

if TYPE_CHECKING:
    import os


class Identity(NamedTuple):
    """Device and inode: which file it is as long as it exists. Inodes are reused, so content has the last word."""

    device: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """Return that of the file with a status."""
        return cls(status.st_dev, status.st_ino)


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stands in one file, so that it can go on there after a stop and recognise the file again.

    `offset` is that of the first byte not given yet (bytes; for compressed files in the uncompressed text), `line` the
    number of lines before it, `size` the largest size the file was seen to have, and `skipping` says that the offset is
    inside a line that was too long and whose rest must be skipped. `ahead` tells the incomplete line that stood behind the
    offset, `past` which files were read before this one; None in a position that an older version wrote. `marks` are ends of
    lines before the offset.
    """

    device: int
    inode: int
    offset: int
    line: int
    size: int
    fingerprint: Fingerprint
    skipping: bool = False
    ahead: Fingerprint = NOTHING
    past: Past | None = None
    marks: tuple[Mark, ...] = ()

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
            "marks": marks_to_json(self.marks),
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
        offset, size, line = (whole_number(value, name) for name in ("offset", "size", "line"))
        if offset > size:
            raise ValueError("position: offset lies behind the end")
        fingerprint = Fingerprint.from_json(value.get("fingerprint"), offset)
        if line > offset:
            raise ValueError("position: more lines than bytes before the offset")
        return cls(
            device=whole_number(value, "device"),
            inode=whole_number(value, "inode"),
            offset=offset,
            line=line,
            size=size,
            fingerprint=fingerprint,
            skipping=skipping,
            ahead=Fingerprint.from_json(value.get("ahead", {"length": 0, "digest": ""}), whole=False),
            past=None if value.get("past") is None else Past.from_json(value["past"]),
            marks=marks_from_json(value.get("marks", []), offset, line),
        )


@dataclass(frozen=True, slots=True)
class Past:
    """What a log was before: where its former files were left, so that none is read twice under whatever name it returns.

    `since_ns` is when the last of them, or what stood beside the log before it was first read, was changed last: of what is
    older nothing is new. What is unread of a file that was left was counted as lost. `base` is the file that the path led to
    when the present one was begun, `found_in` other folders in which files of the log were found.
    """

    since_ns: int
    base: str
    left: tuple[Position, ...] = ()
    found_in: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as values that any JSON library can write."""
        left = [
            [each.device, each.inode, each.offset, each.line, each.fingerprint.length, each.fingerprint.digest]
            + ([each.size] if each.unread or each.marks else [])
            + ([marks_to_json(each.marks)] if each.marks else [])
            for each in self.left
        ]
        return {"since_ns": self.since_ns, "base": self.base, "left": left, "found_in": list(self.found_in)}

    @classmethod
    def from_json(cls, value: object) -> Past:
        """Read it back; raises ValueError for anything that `to_json` does not write."""
        match value:
            case {"since_ns": since_ns, "base": str(base), "left": list(left), **others}:
                found_in = others.get("found_in", [])  # which older versions did not know
                if not isinstance(found_in, list) or not all(isinstance(folder, str) for folder in found_in):
                    raise ValueError("position: found_in must be a list of folders")
                since_ns = whole_number({"since_ns": since_ns}, "since_ns")
                return cls(since_ns, base, tuple(_left(each) for each in left), tuple(found_in))
            case _:
                raise ValueError("position: past must have since_ns, base and left")


_MORE = ("size", "marks")
"""What a file that was left may have besides."""


def _left(value: object) -> Position:
    match value:
        case [device, inode, offset, line, length, digest, *more] if len(more) <= len(_MORE):
            named = {"device": device, "inode": inode, "offset": offset, "line": line, "size": offset, "skipping": False}
            named |= dict(zip(_MORE, more, strict=False))
            return Position.from_json(named | {"fingerprint": {"length": length, "digest": digest}})
        case _:
            raise ValueError("position: a file that was left must have six values, to eight")
