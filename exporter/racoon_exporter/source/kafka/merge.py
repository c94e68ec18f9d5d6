"""The partitions of a topic as one stream, in which the lines of each gateway stand in the order of their times.

Kafka keeps the order of a partition and nothing else, and only a gateway's own lines must come in order. So a line waits until
nothing earlier of its gateway can be on its way any more; then it is given, after all of the gateway that its own clock
puts before it. Clocks of gateways may differ as they like: none is compared with another's.

What can still be on its way is told by how far the other partitions were read: to their ends, or well past the line's record
where a backlog is read. Both may fail (a shipper is late, a broker is away), so the wait has bounds. Pure: times are given.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final

WAIT_SECONDS: Final = 5.0
"""How much later than another a shipper may append a line that was written before: they gather lines for some seconds."""
SLACK_SECONDS: Final = 600.0
"""By how much times of records may be out of order in a partition: some shippers give a record the time of its gateway."""
MOST_LINES: Final = 50_000
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of all that waits; beyond it the earliest record waits no longer."""
SILENT_SECONDS: Final = 30.0
"""A partition that gives nothing for so long, though it is not at its end, is not waited for."""
_LOOK_SECONDS: Final = 1.0
_AHEAD: Final = 2_000
"""Lines of a partition that may wait for others before it is read no further."""
_MOST_GATEWAYS: Final = 20_000
_RECENT: Final = 101
_ANOTHER_DAY: Final = 43_200.0
"""Seconds by which two times of a gateway are too far apart to be of one clock: it was set, or a year ended that none names."""


@dataclass(slots=True, eq=False)
class Waiting:
    """The lines of a record."""

    partition: int
    offset: int
    gateway: str
    time: float
    """What the gateway's clock says."""
    recorded: float
    """When the record was written, as it says."""
    data: bytes
    read: float = 0.0
    given: bool = False

    def __lt__(self, other: Waiting) -> bool:
        return (self.recorded, self.time, self.partition, self.offset) < (
            other.recorded,
            other.time,
            other.partition,
            other.offset,
        )

    def is_after(self, other: Waiting) -> bool:
        """Whether it was written after another of its gateway."""
        apart = self.time - other.time
        return other < self if apart == 0 or abs(apart) > _ANOTHER_DAY else apart > 0


@dataclass(slots=True)
class _Partition:
    """How far a partition was read."""

    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """Times of the last records."""
    ended: bool = False
    ended_at: float = -math.inf
    """When it was last seen to be read to its end."""
    silent: float = 0.0
    """Seconds for which it has given nothing, though there is more."""
    waiting: dict[int, Waiting] = field(default_factory=dict)
    """By offset."""
    paused: bool = False

    @property
    def reached(self) -> float:
        """Tell up to which time its records were read. A few may have any time."""
        return median_low(self.recent) if self.recent else -math.inf


class Merge:
    """Takes records as partitions give them, and gives them in order."""

    def __init__(self, partitions: Iterable[int]) -> None:
        self._partitions = {number: _Partition() for number in partitions}
        self._of_gateway: dict[str, list[Waiting]] = {}
        """What waits, in the order of each gateway's clock."""
        self._by_record: list[Waiting] = []
        self._as_read: deque[Waiting] = deque()
        self._number = self._bytes = 0
        self._given_bytes = 0
        """Of lines that were given, and of which some may stand in a table yet."""
        self._given: OrderedDict[str, float] = OrderedDict()
        """By gateway: the time of the last line that was given."""
        self._late: Counter[int] = Counter()
        self._looked_at: float | None = None

    # taking

    def add(self, partition: int) -> None:
        """Take one more partition."""
        self._partitions.setdefault(partition, _Partition())

    def take(self, line: Waiting, now: float) -> None:
        """Take the lines of a record."""
        partition = self._partitions[line.partition]
        line.read = now
        partition.waiting[line.offset] = line
        row = self._of_gateway.setdefault(line.gateway, [])
        row.insert(bisect_left(row, x=True, key=lambda other: other.is_after(line)), line)
        heapq.heappush(self._by_record, line)
        self._as_read.append(line)
        self._number += 1
        self._bytes += len(line.data)
        self.pass_over(line.partition, line.recorded)

    def pass_over(self, partition: int, recorded: float) -> None:
        """Take note of a record, whether it holds lines or not."""
        known = self._partitions[partition]
        known.recent.append(recorded)
        known.ended, known.silent = False, 0.0

    def at_end(self, partition: int, now: float) -> None:
        """Take note that all was taken that stands in a partition."""
        known = self._partitions[partition]
        known.ended, known.ended_at, known.silent = True, now, 0.0

    # giving

    def given(self, now: float) -> list[Waiting]:
        """Give what waits no longer, in order."""
        out: list[Waiting] = []
        self._note_silence(now)
        awaited = [partition for partition in self._partitions.values() if not self._is_done(partition)]
        quiet = now - WAIT_SECONDS
        ended = min([quiet, *(partition.ended_at for partition in awaited)])
        while self._as_read and (self._as_read[0].given or self._as_read[0].read <= ended):
            self._give(self._as_read.popleft(), out)
        if awaited:
            passed = min(partition.reached for partition in awaited) - SLACK_SECONDS
            latest = quiet if len(awaited) < len(self._partitions) else math.inf
            while self._by_record and (self._by_record[0].given or _is_past(self._by_record[0], passed, latest)):
                self._give(heapq.heappop(self._by_record), out)
        while self._by_record and (self._number > MOST_LINES or self._bytes > MOST_BYTES or self._by_record[0].given):
            self._give(heapq.heappop(self._by_record), out)
        self._forget_given()
        return out

    def _give(self, line: Waiting, out: list[Waiting]) -> None:
        """Give a line, and before it all of its gateway that comes before it."""
        if line.given:
            return
        row = self._of_gateway[line.gateway]
        end = row.index(line) + 1
        for each in row[:end]:
            each.given = True
            del self._partitions[each.partition].waiting[each.offset]
            self._number -= 1
            self._bytes -= len(each.data)
            self._given_bytes += len(each.data)
            out.append(each)
            self._note_late(each)
        del row[:end]
        if not row:
            del self._of_gateway[line.gateway]

    def _note_late(self, line: Waiting) -> None:
        last = self._given.get(line.gateway, line.time)
        if 0 < last - line.time <= _ANOTHER_DAY:
            self._late[line.partition] += 1
        self._given[line.gateway] = max(last, line.time) if last - line.time <= _ANOTHER_DAY else line.time
        self._given.move_to_end(line.gateway)
        if len(self._given) > _MOST_GATEWAYS:
            self._given.popitem(last=False)

    def _forget_given(self) -> None:
        """Let go of what was given before its place in a table came."""
        most = 2 * self._number + _AHEAD
        if max(len(self._by_record), len(self._as_read)) > most or self._given_bytes > MOST_BYTES:
            self._by_record = [line for line in self._by_record if not line.given]
            heapq.heapify(self._by_record)
            self._as_read = deque(line for line in self._as_read if not line.given)
            self._given_bytes = 0

    @staticmethod
    def _is_done(partition: _Partition) -> bool:
        """Whether nothing earlier is to be awaited of a partition: it is at its end, or says nothing."""
        return partition.ended or partition.silent >= SILENT_SECONDS

    def _note_silence(self, now: float) -> None:
        """Note how long each partition has said nothing. Where nobody looked for long, that was not its fault."""
        passed = 0.0 if self._looked_at is None else min(now - self._looked_at, _LOOK_SECONDS)
        self._looked_at = now
        for partition in self._partitions.values():
            if not partition.ended and not partition.paused:
                partition.silent += passed

    # looking

    def take_late(self) -> Counter[int]:
        """Give by partition how many lines came when younger ones of their gateway had been given, since this was asked."""
        late, self._late = self._late, Counter()
        return late

    def waits_since(self) -> float:
        """Tell when the line was read that waits longest; infinity for none."""
        while self._as_read and self._as_read[0].given:
            self._as_read.popleft()
        return self._as_read[0].read if self._as_read else math.inf

    def waiting(self, partition: int) -> list[int]:
        """Give the offsets of the records of a partition that wait, the lowest first."""
        return sorted(self._partitions[partition].waiting)

    @property
    def ended(self) -> bool:
        """Whether all partitions are at their ends."""
        return all(partition.ended for partition in self._partitions.values())

    @property
    def silent(self) -> list[int]:
        """Give the partitions that are not waited for, as they say nothing."""
        return [number for number, partition in self._partitions.items() if partition.silent >= SILENT_SECONDS]

    def ahead(self) -> set[int]:
        """Give the partitions that are not to be read just now: what they give would only wait for others."""
        awaited = [partition for partition in self._partitions.values() if not self._is_done(partition)]
        behind = min((partition.reached for partition in awaited), default=math.inf)
        for partition in self._partitions.values():
            room = _AHEAD // 2 if partition.paused else _AHEAD
            partition.paused = not partition.ended and len(partition.waiting) > room and partition.reached > behind
        return {number for number, partition in self._partitions.items() if partition.paused}


def _is_past(line: Waiting, passed: float, latest: float) -> bool:
    return line.recorded <= passed and line.read <= latest


__all__ = ["MOST_BYTES", "MOST_LINES", "SILENT_SECONDS", "SLACK_SECONDS", "WAIT_SECONDS", "Merge", "Waiting"]
