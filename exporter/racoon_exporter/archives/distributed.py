"""Units of work with workers that share nothing with us: rows come back with their answers, in the order of the units.

Small units are read together, so that thousands of gateways are no thousands of tasks. Only so much is asked for ahead of
what is written, and answers are compressed: memory does not grow with the number of logs.
"""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Final, NamedTuple

from racoon_exporter import __version__
from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.pool import SMALL, Archives, Done, Told, Work, let_go, packed, unpacked
from racoon_exporter.archives.reading import Row

_AHEAD: Final = 2
"""Tasks for each worker that are asked for before their turn."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What a worker is given: units that are read one after the other, or a share of one."""

    units: tuple[Unit, ...]
    share: int = 0
    shares: int = 1

    @property
    def size(self) -> int:
        """Bytes on disk that are done when it is."""
        return sum(unit.size for unit in self.units) // self.shares

    @property
    def names(self) -> str:
        """Say which logs are read."""
        logs = [log.path for unit in self.units for log in unit.logs]
        return logs[0] if len(logs) == 1 else f"{logs[0]} and {len(logs) - 1} more"


class Made(NamedTuple):
    """What a worker answers."""

    rounds: list[bytes]
    told: Told
    lines: int


Ask = Callable[[Future[Made], str], Made]
"""Waits for an answer; is told what is read, for a message."""


class OtherVersionError(Exception):
    """A worker is of another version: what it makes may differ."""


def make(work: bytes, portion: Portion, version: str) -> Made:
    """Make the rows of a portion; the task of a worker."""
    if version != __version__:
        raise OtherVersionError(f"racoon-exporter {__version__} there, {version} here")
    doing: Work = pickle.loads(zlib.decompress(work))  # noqa: S301  whoever gives tasks may do anything here
    rounds: list[bytes] = []
    problems: list[str] = []
    heard, lines = False, 0
    for unit in portion.units:
        once = LinesOnce(unit.logs, both_ends=unit.both_ends)
        rounds += [packed(rows) for rows in doing.rounds(once, portion.share, portion.shares)]
        problems += once.problems
        heard, lines = heard or once.heard, lines + once.lines
        let_go()
    return Made(rounds, Told(problems, heard), lines)


def rounds_apart(archives: Archives, executor: Executor, ask: Ask) -> Generator[list[Row]]:
    """Give all rows, a round at a time, made by as many workers as the archives have jobs."""
    work = zlib.compress(pickle.dumps(archives.work))
    left = deque(portions(archives))
    asked: deque[list[tuple[Future[Made], Portion]]] = deque()
    done = Done(0, 0)
    try:
        while left or asked:
            while left and sum(map(len, asked)) < _AHEAD * archives.jobs:
                asked.append([(executor.submit(make, work, portion, __version__), portion) for portion in left.popleft()])
            made = [ask(future, portion.names) for future, portion in asked[0]]
            shares = asked.popleft()
            archives.note([one.told for one in made])
            lines = sum(one.lines for one in made) // len(made)  # each share reads all
            done = Done(done.bytes + sum(one.size for _, one in shares), done.lines + lines)
            archives.on_progress(done)
            yield from _merged([one.rounds for one in made])
    finally:
        for future, _ in (pair for shares in asked for pair in shares):
            future.cancel()


def portions(archives: Archives) -> Iterator[list[Portion]]:
    """Group units into portions; those of one list are shares of one unit."""
    together: list[Unit] = []
    for unit in archives.units:
        shares = archives.shares(unit)
        if shares == 1:
            together.append(unit)
        if together and (shares > 1 or sum(one.size for one in together) >= SMALL):
            yield [Portion(tuple(together))]
            together = []
        if shares > 1:
            yield [Portion((unit,), share, shares) for share in range(shares)]
    if together:
        yield [Portion(tuple(together))]


def _merged(shares: Sequence[list[bytes]]) -> Iterator[list[Row]]:
    """Give the rounds, each with the rows of all shares."""
    for turn in range(max(map(len, shares))):
        rows = [row for rounds in shares if turn < len(rounds) for row in unpacked(rounds[turn])]
        yield sorted(rows, key=lambda row: row[0]) if len(shares) > 1 else rows
