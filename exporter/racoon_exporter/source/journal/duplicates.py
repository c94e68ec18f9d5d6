"""The second copy of what racoon writes twice.

With `-F` racoon writes each record to standard output and to syslog (`plog.c`: one buffer, so both begin with its own time).
Under systemd both end up in the journal, once by each transport. One of a pair is a copy; but what racoon truly said twice
is there twice by each transport. So a record of one transport takes away exactly one record of the other.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from hashlib import blake2b

WINDOW_SECONDS = 5.0
"""The copies of a record are at most so far apart. racoon 0.9.1 flushes standard output with each line."""

MOST_WAITING = 8192
"""So many records wait for their copy; racoon says far less in the time, a debug log included."""

_OTHER = {"stdout": "syslog", "syslog": "stdout"}
_OWN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=: )")
_OWN_TIMES = re.compile(r"\s*+(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: )++")

_Key = tuple[str, str]


@dataclass(slots=True)
class _Waiting:
    """A record whose copy may still come. Kept as a hash: debug records hold key material."""

    key: _Key
    time: float
    own_time: str
    matched: bool = False


class TransportDuplicates:
    """Remembers, for a few seconds and in bounded memory, which records have no copy yet."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._order: deque[_Waiting] = deque()
        self._waiting: dict[_Key, deque[_Waiting]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def is_copy(self, owner: str, transport: str, text: str, time: float) -> bool:
        """Whether the record is the second copy of one seen before.

        `owner` tells the writer (host and unit, or process), `transport` is journald's `_TRANSPORT`, `time` the seconds at
        which the journal received it. A record of several lines is one record by syslog and several by standard output.
        """
        other = _OTHER.get(transport)
        if other is None:
            return False
        self._expire(time)
        lines = [line for line in text.split("\n") if line.strip()] if transport == "syslog" else [text]
        if lines and self._take(_key(owner, other, lines[0]), time, _own_time(lines[0])):
            for line in lines[1:]:
                self._take(_key(owner, other, line), time, _own_time(line))
            return True
        for line in lines:
            self._add(_Waiting(_key(owner, transport, line), time, _own_time(line)))
        return False

    def to_json(self) -> list[list[object]]:
        """Return what waits for a copy, for the checkpoint: a copy that comes after a restart is one still."""
        return [[*each.key, each.time, each.own_time] for each in self._order if not each.matched]

    def restore(self, value: object) -> None:
        """Go on from what `to_json` gave. Raises ValueError on anything else."""
        if not isinstance(value, list) or len(value) > MOST_WAITING:
            raise ValueError("copies: expected a list")
        for item in value:
            self._add(_restored(item))

    def _take(self, key: _Key, time: float, own_time: str) -> bool:
        """Take away the oldest record that waits for this copy."""
        waiting = self._waiting.get(key, ())
        for each in waiting:
            near = abs(time - each.time) <= WINDOW_SECONDS
            if near and (each.own_time == own_time or not (each.own_time and own_time)):
                each.matched = True
                self._forget(each)
                return True
        return False

    def _add(self, record: _Waiting) -> None:
        self._order.append(record)
        self._waiting.setdefault(record.key, deque()).append(record)
        if len(self._order) > MOST_WAITING:
            self._drop_oldest()

    def _expire(self, now: float) -> None:
        while self._order and (self._order[0].matched or abs(now - self._order[0].time) > WINDOW_SECONDS):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self._order.popleft()
        if not oldest.matched:
            self._forget(oldest)

    def _forget(self, record: _Waiting) -> None:
        waiting = self._waiting[record.key]
        del waiting[next(place for place, each in enumerate(waiting) if each is record)]
        if not waiting:
            del self._waiting[record.key]


def without_doubled_time(text: str) -> str:
    """Return the text with racoon's own time once, where it stands there twice."""
    times = _OWN_TIMES.match(text)
    return text if times is None else f"{_own_time(text)}: {text[times.end() :]}"


def _own_time(text: str) -> str:
    found = _OWN_TIME.match(text.lstrip())
    return found.group() if found else ""


def _key(owner: str, transport: str, line: str) -> _Key:
    times = _OWN_TIMES.match(line)
    bare = line[times.end() :] if times else line
    content = f"{owner}\0{bare.strip()}".encode("utf-8", "surrogatepass")
    return transport, blake2b(content, digest_size=16).hexdigest()


def _restored(item: object) -> _Waiting:
    match item:
        case [("stdout" | "syslog") as transport, str(digest), (int() | float()) as time, str(own_time)]:
            return _Waiting((str(transport), digest), float(time), own_time)
        case _:
            raise ValueError("copies: expected transport, hash, time and racoon's own time")
