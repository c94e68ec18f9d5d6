"""Debug logs: nineteen lines of twenty change nothing, and are dropped by the block without being read.

A stream writes its level at the same place in line after line. That place is found once for a block, from a line that was
taken apart properly; lines that look different there are read like any other. What is dropped is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from racoon_parsers.message import Message

DEBUG_LEVELS: Final = frozenset({"DEBUG", "DEBUG2"})
_HEAD: Final = 3
"""Characters by which most messages that change nothing are told from the others in one look."""
_INDENTED: Final = "    "
"""How the text of a certificate, printed behind a debug message, begins its lines."""
_LEVEL: Final = len("DEBUG")
_BEHIND: Final = len("DEBUG: ")


class Sifted(NamedTuple):
    """What is left of a block, and how many lines were dropped."""

    lines: list[str]
    debug: int
    debug2: int
    dumps: int
    continuations: int
    """Lines that go on a debug message, such as a certificate's text."""


class DebugFilter:
    """Tells the debug messages that matter by what they begin with."""

    def __init__(self, messages: Iterable[Message], matters: Callable[[Message], bool]) -> None:
        """Keep the messages that matter, and those behind which racoon may print another record on the same line."""
        starts = {
            message.start
            for message in messages
            if DEBUG_LEVELS & set(message.levels) and (matters(message) or message.glued) and len(message.start) >= _HEAD
        }
        begin = sorted({*starts, *(f" {start}" for start in starts)})  # one place to the right, behind DEBUG2
        self._begin = tuple(begin)
        self._heads = frozenset(start[:_HEAD] for start in begin)

    def sift(self, lines: list[str], place: int) -> Sifted:
        """Drop dumps, and the debug lines whose level stands at a place and that change nothing."""
        level, head, behind = slice(place, place + _LEVEL), slice(place + _BEHIND, place + _BEHIND + _HEAD), place + _BEHIND
        deeper = slice(place + _LEVEL, place + _LEVEL + 1)
        heads, begin = self._heads, self._begin
        records = [line for line in lines if line[8:9] != " " or line[17:18] != " " or line[:1] == " "]
        kept: list[str] = []
        dropping, debug2, continuations = False, 0, 0
        for line in records:
            if line[level] == "DEBUG":
                dropping = line[head] not in heads or not line.startswith(begin, behind)
                if dropping:
                    debug2 += line[deeper] == "2"
                    continue
            elif dropping and line.startswith(_INDENTED):
                continuations += 1
                continue
            else:
                dropping = False
            kept.append(line)
        debug = len(records) - len(kept) - debug2 - continuations
        return Sifted(kept, debug, debug2, len(lines) - len(records), continuations)
