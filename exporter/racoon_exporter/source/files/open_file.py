r"""One file of a log, read from an offset to its end as blocks of whole lines.

A log is a row of such generations: rotation begins the next. Nothing is kept in memory but what stood right before the
offset (to see that the file was not truncated and filled again) and the beginning of a line that is not complete yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from racoon_exporter.source.contract import DEFAULT_LIMIT, SourceCounts, lines_of, newlines
from racoon_exporter.source.files.fingerprint import FINGERPRINT_SPAN, Fingerprint
from racoon_exporter.source.files.lines import MAX_LINE, bounded_lines, leading_nuls, torn_at, whole_lines, without_holes
from racoon_exporter.source.files.marks import Mark, marked, thinned
from racoon_exporter.source.files.position import Identity, Position

if TYPE_CHECKING:
    from racoon_exporter.source.files.stored_bytes import Reader

SKIP_BUDGET = 256 * 1024 * 1024
"""Bytes of holes and overlong lines that one call skips at most, so that it comes back to its caller in good time."""

MOST_SEARCHED = 16 * 1024 * 1024
"""Bytes of a file that are searched for what was read at another place: logs are trimmed by who has little room."""


class ContentChangedError(Exception):
    """What stands before the offset is not what was read there: the file was truncated (and perhaps filled again)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines out of one generation, and the number of the first one in it."""

    data: bytes
    first_line: int


class OpenFile:
    """An open file with an offset, a line number and the bytes around them."""

    def __init__(self, reader: Reader, counts: SourceCounts) -> None:
        """Stand at the beginning of the file that `reader` has open; what is given and lost is added to `counts`."""
        self.reader = reader
        self.offset = 0
        self.line = 0
        self.skipping = False
        self.at_end = False
        """Whether the last `take` gave nothing because there was nothing, not because it had skipped enough."""
        self.goes_on_elsewhere = False
        """Whether what was read ends at another offset here than where it was read: the file lost lines at its beginning."""
        self._counts = counts
        self._marks: tuple[Mark, ...] = ()
        self._tail = b""
        self._rest = b""
        self._seen = 0
        self._packed = 0

    @property
    def identity(self) -> Identity:
        """Device and inode of the open file."""
        return self.reader.identity

    @property
    def read_to(self) -> int:
        """The offset behind the last byte looked at: that of the block given last and the incomplete line behind it."""
        return self.offset + len(self._rest)

    @property
    def lag(self) -> int:
        """Bytes known or guessed to stand in the file that were not given yet."""
        return max(0, self._seen - self.offset, 0 if self.at_end else self._packed)

    @property
    def largest_size(self) -> int:
        """The largest size the file was known to have with the content that was read."""
        return max(self._seen, self.read_to)

    def note_size(self, size: int) -> None:
        """Remember that the file, with the content that we know, was `size` bytes long."""
        self._seen = max(self._seen, size, self.read_to)

    def guess(self, packed: int) -> None:
        """Remember how much of a compressed file is left, in bytes as they are stored."""
        self._packed = packed

    def position(self) -> Position:
        """Where this generation stands, for the checkpoint."""
        return Position(
            device=self.identity.device,
            inode=self.identity.inode,
            offset=self.offset,
            line=self.line,
            size=max(self._seen, self.offset),
            fingerprint=Fingerprint.of(self._tail),
            skipping=self.skipping,
            ahead=Fingerprint.of(self._rest[:FINGERPRINT_SPAN]),
            marks=self._marks,
        )

    def ending(self) -> Position:
        """Where this generation will have been left when its incomplete last line is given."""
        span = (self._tail + self._rest)[-FINGERPRINT_SPAN:]
        line = self.line + bool(self._rest)
        fingerprint = Fingerprint.of(span)
        return Position(*self.identity, self.read_to, line, self.read_to, fingerprint, self.skipping, marks=self._marks)

    def stand_behind(self, offset: int, *, of_whole_lines: bool = False) -> bool:
        """Stand behind bytes that are not to be read, if there are so many; their lines are not counted. Raises OSError."""
        tail = self._before(offset)
        if len(tail) < min(FINGERPRINT_SPAN, offset) or (of_whole_lines and not tail.endswith(b"\n")):
            return False
        self.offset, self._tail, self._rest, self._seen, self._marks = offset, tail, b"", offset, ()
        return True

    def pass_over(self, offset: int) -> None:
        """Stand behind more, the lines of which are counted, for their numbers, and not given. Raises OSError."""
        while self.offset < offset and (piece := self.reader.pread(min(DEFAULT_LIMIT, offset - self.offset), self.offset)):
            self.line += newlines(piece)
            self.skipping = self.skipping and b"\n" not in piece
            self._advance(piece, len(piece))

    def pass_over_lost(self, count: int) -> None:
        """Stand behind bytes that were counted as lost; a line that is torn by that is lost as a whole. Raises OSError."""
        if count:
            self.pass_over(self.offset + count)
            self.skipping = not self._tail.endswith(b"\n")

    def only_begins_alike(self, offset: int, *, goes_on: bool) -> bool:
        """Whether only the beginning of a line stands before an offset, and more of it behind, or elsewhere. Raises OSError.

        Lines of one second begin alike, for longer than any proof: what has no more in common may be two logs.
        """
        if offset > FINGERPRINT_SPAN:
            return False
        beginning = self.exactly(offset + 1, 0)
        return b"\n" not in beginning[:offset] and (goes_on or len(beginning) > offset)

    def is_intact(self) -> bool:
        """Whether what stands around the offset is what was read there; raises OSError."""
        around = self._tail + self._rest
        return self.exactly(len(around), self.offset - len(self._tail)) == around

    def resume_at(self, position: Position) -> bool:
        """Stand where `position` says if the content before it is the same as then; else stay and return False."""
        tail = self.exactly(position.fingerprint.length, position.offset - position.fingerprint.length)
        if not position.fingerprint.fits(tail) or (position.offset and not tail):
            return False
        if not position.ahead.fits(self.exactly(position.ahead.length, position.offset)):
            return False
        self._seen = position.size
        self.offset, self.line, self.skipping = position.offset, position.line, position.skipping
        self._tail, self._rest, self._marks = tail, b"", position.marks
        return True

    def resume_at_mark(self, position: Position) -> bool:
        """Stand behind the last line that is as it was before a position, if that is further on. Raises OSError.

        The line that is torn there by a hole was read as long as it was whole.
        """
        for at in range(len(position.marks) - 1, -1, -1):
            mark = position.marks[at]
            if mark.offset <= self.offset:
                break
            tail = self.exactly(mark.span, mark.offset - mark.span)
            if mark.fits(tail):
                self.offset, self.line, self.skipping = mark.offset, mark.line, False
                self._tail, self._rest, self._seen, self._marks = tail, b"", mark.offset, position.marks[: at + 1]
                torn, hole, _ = self.exactly(MAX_LINE, self.offset).partition(b"\0")
                if hole and b"\n" not in torn:
                    self._advance(torn, len(torn))
                return True
        return False

    def find(self, position: Position) -> bool:
        """Stand where what stood before a position stands now, at the end of any line; False if nowhere. Raises OSError."""
        wanted, text = position.fingerprint, self.exactly(MOST_SEARCHED, 0)
        end = text.find(b"\n", wanted.length - 1) + 1
        while end:
            if wanted.fits(text[end - wanted.length : end]):
                self.pass_over(end)
                self.goes_on_elsewhere = True
                return True
            end = text.find(b"\n", end) + 1
        return False

    def skip_to_end(self) -> None:
        """Stand behind the last complete line. The lines before are counted, for their numbers, and not given."""
        at = 0
        while piece := self.reader.pread(DEFAULT_LIMIT, at):
            self.line += newlines(piece)
            self.offset = at + piece.rfind(b"\n") + 1 if b"\n" in piece else self.offset
            at += len(piece)
        self._tail = self._before(self.offset)

    def take(self, limit: int) -> Chunk | None:
        """Return the next whole lines, about `limit` bytes of them, or None when no line is complete.

        Raises ContentChangedError when the file is not the one that was read so far, OSError when reading fails.
        """
        budget, want = SKIP_BUDGET, limit
        self.at_end = False
        while budget > 0:
            raw = self._fetch(want)
            dropped = self._skip(raw)
            if dropped:
                want = max(limit, DEFAULT_LIMIT)
                budget -= min(dropped, len(raw))  # a jump over a sparse hole costs nothing
                continue
            torn = torn_at(raw)
            end = whole_lines(raw if torn < 0 else raw[:torn], limit)
            if not end and 0 < torn <= MAX_LINE:
                return self._give(raw, torn, torn=True)
            if end:
                end = bounded_lines(raw, end)
                if end:
                    return self._give(raw, end)
                self._begin_skipping()
            elif len(raw) > MAX_LINE:
                self._begin_skipping()
            elif want > MAX_LINE or len(raw) < want:
                self._rest = raw
                if self.reader.exhausted:
                    self._reach_end()
                    return None
            else:
                want = MAX_LINE + 1
        return None

    def _reach_end(self) -> None:
        """There is no more: what was known to stand behind was cut off."""
        self.at_end = True
        self.lose(self.largest_size - self.read_to)
        self._seen = self.read_to

    def end(self) -> Chunk | None:
        """Return the incomplete last line: to be asked for when no newline will come any more."""
        if not self._rest:
            return None
        return self._give(self._rest, len(self._rest))

    def abandon_rest(self) -> None:
        """Take the rest of a file that cannot be read for lost."""
        self.lose(self.lag)
        self.offset, self._tail, self._rest, self.at_end = self.largest_size, b"", b"", True

    def lose(self, count: int) -> None:
        """Count bytes that were written and can never be given."""
        self._counts.lost_bytes += count

    def changed_ns(self) -> int:
        """When the file was changed last, in nanoseconds; 0 where that is not known."""
        status = self.reader.status()
        return 0 if status is None else status.st_mtime_ns

    def is_deleted(self) -> bool:
        """Whether it has no name any more."""
        status = self.reader.status()
        return status is not None and not status.st_nlink

    def close(self) -> None:
        """Close the file."""
        self.reader.close()

    def _fetch(self, want: int) -> bytes:
        """Bytes behind the offset, read together with those before it, which must be what they were."""
        kept = len(self._tail)
        size = kept + max(want, len(self._rest) + 1)
        raw = self.reader.pread(size, self.offset - kept)
        if not raw.startswith(self._tail) or not raw.startswith(self._rest, kept):
            raise ContentChangedError
        return raw[kept:]

    def _skip(self, raw: bytes) -> int:
        """Step over a hole, or over more of a line that is too long; returns the number of bytes, 0 if there is neither."""
        if self.skipping:
            newline = raw.find(b"\n")
            count = newline + 1 or len(raw)
            self.skipping = newline < 0
            self.line += newline >= 0
        else:
            count = leading_nuls(raw)
            if count and count == len(raw):
                count = max(count, self.reader.data_at(self.offset + count) - self.offset)
        if count:
            self._advance(raw[:count], count)
            self.lose(count)
        return count

    def _begin_skipping(self) -> None:
        self.skipping = True
        self._rest = b""
        self._counts.too_long += 1

    def _give(self, raw: bytes, end: int, *, torn: bool = False) -> Chunk:
        """Give what stands before `end`; a line that is `torn` there by a hole ends as if it had its newline."""
        data = raw[:end]
        first = self.line + 1
        lines = lines_of(data)
        before, at = self._tail, self.offset
        self._advance(data, end)
        self._rest = b""
        given = without_holes(data) + b"\n" * torn
        self.lose(len(data) + torn - len(given))
        self.line += lines
        if data.endswith(b"\n"):
            self._marks = thinned((*self._marks, *reversed([*marked(before, data, at, self.line)])))
        self._counts.lines += lines
        self._counts.bytes += len(given) - torn
        return Chunk(given, first)

    def _advance(self, over: bytes, count: int) -> None:
        """Move the offset by `count` bytes, the first of which are `over`."""
        self.offset += count
        if count == len(over):
            self._tail = (self._tail + over[-FINGERPRINT_SPAN:])[-FINGERPRINT_SPAN:]
        else:
            self._tail = self._before(self.offset)
        self._rest = b""
        self._seen = max(self._seen, self.offset)

    def _before(self, offset: int) -> bytes:
        span = min(FINGERPRINT_SPAN, offset)
        return self.exactly(span, offset - span)

    def unread(self) -> bool:
        """Whether something stands behind the offset; raises OSError."""
        return bool(self.exactly(1, self.offset))

    def exactly(self, size: int, offset: int) -> bytes:
        """Return so many bytes, or what there is; a stream gives them in pieces. Raises OSError."""
        piece = self.reader.pread(size, offset)
        while len(piece) < size and not self.reader.exhausted:
            piece = self.reader.pread(size, offset)
        return piece
