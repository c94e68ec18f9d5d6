"""Heads of lines like that of the line before: one racoon's differ in their time only, a central log's in who wrote them too.

    <30>Jan 15 08:30:02 berlin racoon[99]: [198.51.100.7] INFO: received INITIAL-CONTACT
    before  stamp          between            marks          text
    head, up to the marks                     what `stems.py` knows

A head is taken apart properly once (`line.py`). From then on a line whose parts stand in the same places is known by
comparing them.
"""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.clock import Clock
from racoon_parsers.line import LEVELS, STAMPS, TAG, Line
from racoon_parsers.record import Origin

_STAMPS: Final = {kind: re.compile(pattern) for kind, pattern in STAMPS.items()}
_MARKS: Final = re.compile(rf"(?:\[[^\]]{{0,250}}+\]: )?+(?:\[({TAG})\] )?+({'|'.join(map(re.escape, LEVELS))}): ")
_NOWHERE: Final = "\n"
"""What no line holds."""
_NOBODY: Final = Origin("", "", "")
_MOST_ORIGINS: Final = 4096


class Heads:
    """What the heads of one stream's lines have in common with that of the last."""

    def __init__(self, clock: Clock, gateway: str) -> None:
        self._clock = clock
        self._gateway = gateway
        self._kind = ""
        self._before = ""
        self._end = 0
        """Where the time ends."""
        self._timed = ""
        """The last line up to there."""
        self._between = _NOWHERE
        self._origins: dict[str, Origin] = {}
        """By what stands between the time and the marks."""
        self.head = _NOWHERE
        """The last line up to its marks."""
        self.middle = 0
        """Where the marks begin."""
        self.time = 0.0
        self.origin = _NOBODY

    def learn(self, line: str, parsed: Line, time: float | None) -> None:
        """Take the head of a line that was taken apart, if it has no other parts than these."""
        marks = f"[{parsed.tag}] {parsed.level}: " if parsed.tag else f"{parsed.level}: "
        if parsed.tunnel:
            marks = f"[{parsed.tunnel}]: {marks}"
        head = line[: parsed.head]
        if time is None or not parsed.level or parsed.inner or parsed.kind not in STAMPS or not head.endswith(marks):
            self.forget()
            return
        before, _, _ = head.partition(parsed.stamp)
        if before != self._before or parsed.kind != self._kind or len(self._origins) >= _MOST_ORIGINS:
            self._origins.clear()
        self._before, self._kind = before, parsed.kind
        self._end = len(before) + len(parsed.stamp)
        self._timed = line[: self._end]
        self.middle = len(head) - len(marks)
        self.head, self.time = line[: self.middle], time
        self._between = line[self._end : self.middle]
        self.origin = Origin(self._gateway or parsed.host, parsed.ident, parsed.pid)
        if self._between.find(": ") == len(self._between) - 2:
            self._origins[self._between] = self.origin

    def forget(self) -> None:
        """Let the next line be taken apart."""
        self.head = self._between = _NOWHERE
        self._origins.clear()

    def turn_to(self, line: str) -> str:
        """Find who wrote a line and when, and give it from the marks on; nothing where its head must be taken apart to tell."""
        end, between, origin = self._end, self._between, self.origin
        if not line.startswith(between, end):
            between = line[end : line.find(": ", end) + 2]
            found = self._origins.get(between)
            if found is None:
                return ""
            origin = found
        if not line.startswith(self._timed):
            start = len(self._before)
            stamp = line[start:end]
            time = self._clock.same_minute(stamp)
            if time is None and _STAMPS[self._kind].fullmatch(stamp) is not None:
                time = self._clock.time(self._kind, stamp)
            if time is None or line[:start] != self._before:
                return ""
            self._timed, self.time = line[:end], time
        # Only now: of a line whose time is none, nothing is believed, or lines with the head before it would be its writer's.
        self._between, self.origin = between, origin
        self.middle = middle = end + len(between)
        self.head = line[:middle]
        return line[middle:]


def split_marks(rest: str) -> tuple[str, str, str] | None:
    """Give tag, level and message of what follows a head; None where racoon says where in its source it is, or no level."""
    marks = _MARKS.match(rest)
    if marks is None:
        return None
    text = rest[marks.end() :]
    if ".c:" in text or ".y:" in text or ".l:" in text:
        return None
    return marks[1] or "", marks[2], text.strip()
