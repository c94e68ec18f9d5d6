"""Debug logs: nineteen lines of twenty change nothing, and are dropped by the block without being read.

A stream writes its level at the same place in line after line, if no peer's address stands before it. That place is found once
for a block, from a line that was taken apart properly; lines that look different there are read like any other. What is dropped
is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from racoon_parsers.dialects.base import TAG
from racoon_parsers.message import Message

DUMP_GROUPS: Final = re.compile(
    r"\s*+(?:[0-9a-f]{8}(?: [0-9a-f]{2,8}+)*+|(?:[0-9a-f]{2}){1,4}+|[0-9a-f]{16})\s*+$",
)
"""A line of `plog.c: plogdump()`: groups of up to eight hexadecimal digits."""
GLUED: Final = re.compile(
    r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d: (?:\[[^\]]{0,100}+\] )?+"
    r"(?:ERROR|WARNING|NOTIFY|INFO|(?P<debug>DEBUG(?P<deeper>2?+))):(?: |$)"
)
"""A record behind another on the same line: racoon leaves out the newline of some messages."""
_TAGGED: Final = re.compile(rf"\[(?:{TAG})\] DEBUG(2?+): ")
"""A peer's address, and the level behind it."""

DEBUG_LEVELS: Final = frozenset({"DEBUG", "DEBUG2"})
_HEAD: Final = 3
"""Characters by which most messages that change nothing are told from the others in one look."""
_INDENTED: Final = "    "
"""How the text of a certificate, printed behind a debug message, begins its lines."""
_LEVEL: Final = len("DEBUG:")
_OTHER_LEVELS: Final = frozenset(f"{level}: "[:_LEVEL] for level in ("INFO", "NOTIFY", "WARNING", "ERROR"))
_BEHIND: Final = len("DEBUG: ")


class Sifted(NamedTuple):
    """What is left of a block, and how many lines were dropped."""

    lines: list[str]
    debug: int
    debug2: int
    dumps: int
    continuations: int
    """Lines that go on a debug message, such as a certificate's text."""
    ends_dropped: bool
    """Whether what follows the block may go on a debug line that was dropped."""


class DebugFilter:
    """Tells the debug messages that matter by what they begin with."""

    def __init__(self, messages: Collection[Message], matters: Callable[[Message], bool]) -> None:
        """Keep the messages that matter, and those behind which racoon may print another record on the same line."""
        starts = {
            message.start
            for message in messages
            if DEBUG_LEVELS & set(message.levels) and (matters(message) or message.glued) and len(message.start) >= _HEAD
        }
        begin = sorted({*starts, *(f" {start}" for start in starts)})  # one place to the right, behind DEBUG2
        self._begin = tuple(begin)
        self._glued = frozenset(one.start for one in messages if one.glued and one.constant and not matters(one))
        self._heads = frozenset(start[:_HEAD] for start in begin)

    def _glued_debug(self, line: str, place: int) -> re.Match[str] | None:
        """Find the debug record behind another on the same line, if neither changes anything."""
        found = GLUED.search(line, place + _BEHIND)
        if found is None or found["debug"] is None or line[place + _BEHIND : found.start()].strip() not in self._glued:
            return None
        return None if line.startswith(self._begin, found.end()) else found

    @staticmethod
    def _is_deeper(line: str, place: int) -> bool:
        """Whether a debug line is one of DEBUG2."""
        tagged = _TAGGED.match(line, place)
        return line.startswith("DEBUG2", place) if tagged is None else tagged[1] == "2"

    def sift(self, lines: list[str], place: int) -> Sifted:  # noqa: C901  each line of a debug log goes through it
        """Drop dumps, and the debug lines whose marks (address and level) stand at a place and that change nothing."""
        level, head, behind = slice(place, place + _LEVEL), slice(place + _BEHIND, place + _BEHIND + _HEAD), place + _BEHIND
        mark, first, ninth, eighteenth = slice(place, place + 1), slice(1), slice(8, 9), slice(17, 18)  # made once
        heads, begin = self._heads, self._begin
        records = [line for line in lines if line[ninth] != " " or line[eighteenth] != " " or line[first] == " "]
        kept: list[str] = []
        dropped, behind_others, debug2, continuations, short_dumps = "", 0, 0, 0, 0
        for line in records:
            word = line[level]
            if word == "DEBUG:" or word == "DEBUG2":  # noqa: PLR1714  a sixth faster than `in`
                if line[head] not in heads or not line.startswith(begin, behind):
                    dropped = line
                    if word == "DEBUG2":
                        debug2 += 1
                    continue
                dropped = ""
                if (glued := self._glued_debug(line, place)) is not None:
                    dropped = line
                    behind_others += 1
                    debug2 += (glued["deeper"] == "2") + (word == "DEBUG2")
                    continue
            elif dropped and line.startswith(_INDENTED):
                continuations += 1
                continue
            elif line[mark] == "[" and (tagged := _TAGGED.match(line, place)) is not None:
                if not line.startswith(begin, tagged.end()):
                    dropped = line
                    debug2 += tagged[1] == "2"
                    continue
                dropped = ""
            elif DUMP_GROUPS.match(line) is not None:
                short_dumps += 1
                continue
            else:
                if dropped and word not in _OTHER_LEVELS and line[mark] != "[":
                    kept.append(dropped)  # the line may go on it, and is then not to be read without it
                    debug2 -= self._is_deeper(dropped, place)
                    if (glued := self._glued_debug(dropped, place)) is not None:
                        behind_others -= 1
                        debug2 -= glued["deeper"] == "2"
                dropped = ""
            kept.append(line)
        debug = len(records) - len(kept) + behind_others - debug2 - continuations - short_dumps
        return Sifted(kept, debug, debug2, len(lines) - len(records) + short_dumps, continuations, dropped != "")
