r"""Where one syslog message ends and the next begins, and how a message becomes a line. Pure.

Over TCP, messages are either preceded by their length in bytes (octet counting, RFC 6587 section 3.4.1: `28 <30>Jan 15 …`)
or followed by a newline (section 3.4.2). Nothing tells beforehand which, and relays mix both on one connection, so it is
looked at for each message: a number, a blank and the `<` of a priority begin a counted one.
"""

from __future__ import annotations

import re

from racoon_exporter.source.contract import SourceCounts
from racoon_exporter.source.files.lines import MAX_LINE

_COUNT = re.compile(rb"([1-9]\d{0,6}) <")
_COUNT_BEGUN = re.compile(rb"[1-9]\d{0,6} ?")


def as_line(message: bytes) -> bytes:
    r"""Return a message as one line with its newline; nothing for an empty message.

    Newlines and NULs at its end are dropped, newlines inside become `#012`, as rsyslog writes them. All else stays as it is.
    """
    stripped = message.rstrip(b"\r\n\0")
    if not stripped.strip():
        return b""
    if b"\n" in stripped:
        stripped = stripped.replace(b"\n", b"#012")
    return stripped + b"\n"


class Framer:
    """The messages of one connection. At most one incomplete message of MAX_LINE bytes is kept."""

    def __init__(self, counts: SourceCounts) -> None:
        """Begin before a message; what is too long is skipped and counted in `counts`."""
        self._counts = counts
        self._held = bytearray()
        self._searched = 0
        self._octets_to_skip = 0
        self._skipping_line = False

    @property
    def held(self) -> int:
        """Bytes kept of a message that is not complete."""
        return len(self._held)

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes of the connection; returns the messages they complete."""
        self._held += piece
        messages = []
        while (message := self._next()) is not None:
            if message:
                messages.append(message)
        return messages

    def rest(self) -> bytes:
        """Return what stands behind the last newline when the connection ends. A counted message that is torn is lost."""
        rest, self._held = bytes(self._held), bytearray()
        if _COUNT.match(rest):
            self._counts.lost_bytes += len(rest)
            return b""
        return rest

    def _next(self) -> bytes | None:
        """Return the next message, nothing for a step without one, None when more has to come."""
        if self._octets_to_skip:
            return self._skip_octets()
        if self._skipping_line:
            return self._skip_line()
        if self._held[:1] == b"\n":  # between counted messages, or an empty one
            return self._cut(1, 1)
        count = _COUNT.match(self._held)
        if count:
            return self._counted(int(count[1]), count.end() - 1)
        if not self._held or _COUNT_BEGUN.fullmatch(self._held):
            return None
        return self._line()

    def _counted(self, length: int, begin: int) -> bytes | None:
        if length > MAX_LINE:
            self._counts.too_long += 1
            self._octets_to_skip = begin + length
            return b""
        if len(self._held) < begin + length:
            return None
        return self._cut(begin + length, begin)

    def _line(self) -> bytes | None:
        newline = self._held.find(b"\n", self._searched)
        if newline > MAX_LINE or (newline < 0 and len(self._held) > MAX_LINE):
            self._counts.too_long += 1
            self._skipping_line = True
            self._searched = 0
            return b""
        if newline < 0:
            self._searched = len(self._held)
            return None
        return self._cut(newline + 1, 0)

    def _skip_octets(self) -> bytes | None:
        count = min(self._octets_to_skip, len(self._held))
        self._octets_to_skip -= count
        self._lose(count)
        return None if self._octets_to_skip else b""

    def _skip_line(self) -> bytes | None:
        end = self._held.find(b"\n") + 1
        self._skipping_line = not end
        self._lose(end or len(self._held))
        return None if self._skipping_line else b""

    def _lose(self, count: int) -> None:
        self._counts.lost_bytes += count
        del self._held[:count]

    def _cut(self, end: int, begin: int) -> bytes:
        """Take everything up to `end` out; returns what stands from `begin`."""
        message = bytes(self._held[begin:end])
        del self._held[:end]
        self._searched = 0
        return message
