"""Units of work on all cores, through an executor: their rows come back in one order, however many share the work.

A worker writes the rows of each round into a file of its own; they are read back round by round, unit after unit. What one
worker tells too early waits on disk, not in memory.
"""

from __future__ import annotations

import gc
import marshal
import multiprocessing
import os
import pickle
import shutil
import signal
import tempfile
import threading
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.reading import Row

_LOOK_AGAIN: Final = 0.05
"""Seconds between two looks for the next round of the unit whose turn it is."""
_PLAN: Final = "plan"
SMALL: Final = 16 * 1024 * 1024
"""Bytes of log that are read sooner than other processes are started."""


class Work(Protocol):
    """What is made of a unit; it is sent to the workers."""

    def can_share(self, unit: Unit) -> bool:
        """Whether several workers may each do a part of a unit, and all rounds together are the whole."""

    def rounds(self, once: LinesOnce, share: int, shares: int) -> Iterator[list[Row]]:
        """Give the rows of each round, those of a share if there are several."""


class Told(NamedTuple):
    """What a worker tells besides rows."""

    problems: list[str]
    heard: bool
    """Whether any line was racoon's."""


class Done(NamedTuple):
    """How far a unit is."""

    bytes: int
    lines: int


@dataclass(slots=True)
class Archives:
    """Reads units and gives their rows; `problems` tells afterwards what could not be read."""

    work: Work
    units: Sequence[Unit]
    jobs: int
    on_progress: Callable[[Done], None]
    on_remark: Callable[[str], None] = lambda _text: None
    problems: list[str] = field(default_factory=list)
    heard: bool = False
    """Whether any line was racoon's, as far as was read."""

    def rounds(self) -> Generator[list[Row]]:
        """Give all rows, a round at a time."""
        whole = sum(unit.size for unit in self.units)
        streams = any(log.identity is None for unit in self.units for log in unit.logs)
        if self.jobs == 1 or whole < SMALL or streams:
            yield from self._here()
        else:
            with _spool() as spool, local_processes(self.jobs) as executor:
                yield from self._spooled(executor, spool)

    def _here(self) -> Iterator[list[Row]]:
        before = Done(0, 0)
        for unit in self.units:
            once = LinesOnce(unit.logs, both_ends=unit.both_ends, say=self.on_remark)
            for rows in self.work.rounds(once, 0, 1):
                self.on_progress(Done(before.bytes + once.done, before.lines + once.lines))
                self.heard |= once.heard
                yield rows
            before = Done(before.bytes + once.done, before.lines + once.lines)
            self.problems.extend(once.problems)
            let_go()

    def on(self, executor: Executor) -> Iterator[list[Row]]:
        """Give all rows, made by the workers of an executor. They share this machine's temporary directory."""
        with _spool() as spool:
            yield from self._spooled(executor, spool)

    def _spooled(self, executor: Executor, spool: Path) -> Iterator[list[Row]]:
        (spool / _PLAN).write_bytes(pickle.dumps((self.work, list(self.units))))  # too large for the pipe to a worker
        tasks = [
            [executor.submit(into_files, spool, number, share, shares) for share in range(shares)]
            for number, unit in enumerate(self.units)
            for shares in [self.shares(unit)]
        ]
        every = [task for unit in tasks for task in unit]
        for number, unit_tasks in enumerate(tasks):
            yield from self._unit(spool, number, unit_tasks, every)

    def shares(self, unit: Unit) -> int:
        """Split a unit that would keep one worker busy while others have nothing to do."""
        whole = sum(other.size for other in self.units)
        return self.jobs if self.work.can_share(unit) and unit.size * self.jobs > whole else 1

    def _unit(
        self, spool: Path, number: int, tasks: Sequence[Future[Told]], every: Sequence[Future[Told]]
    ) -> Iterator[list[Row]]:
        turn = 0
        while True:
            names = [spool / f"{number}.{share}.{turn}" for share in range(len(tasks))]
            self._await(names, tasks, every, spool)
            present = [name for name in names if name.exists()]
            if not present:
                break
            rows = [row for name in present for row in _read(name)]
            yield sorted(rows, key=lambda row: row[0]) if len(tasks) > 1 else rows
            turn += 1
        self.note([task.result() for task in tasks])

    def note(self, told: Sequence[Told]) -> None:
        """Note what the workers of a unit tell besides rows."""
        self.heard |= any(one.heard for one in told)
        self.problems.extend(dict.fromkeys(problem for one in told for problem in one.problems))

    def _await(self, names: Sequence[Path], tasks: Sequence[Future[Told]], every: Sequence[Future[Told]], spool: Path) -> None:
        """Wait until each share has told its next round or is done."""
        for name, task in zip(names, tasks, strict=True):
            while not name.exists():
                self.on_progress(_progress(spool))
                if task.done():
                    task.result()
                    break
                wait([task], timeout=_LOOK_AGAIN)
                for failed in every:
                    if failed.done():
                        failed.result()


def into_files(spool: Path, number: int, share: int, shares: int) -> Told:
    """Write the rows of each round of a unit into a file; the task of a worker."""
    work, units = pickle.loads((spool / _PLAN).read_bytes())  # noqa: S301  we wrote it, where only we may
    once = LinesOnce(units[number].logs, both_ends=units[number].both_ends)
    path = spool / f"{number}.{share}"
    _spools.add(spool)
    for turn, rows in enumerate(work.rounds(once, share, shares)):
        _write(path.with_name(f"{path.name}.{turn}"), rows)
        path.with_name(f"done.{path.name}").write_bytes(b"%d %d" % (once.done // shares, once.lines // shares))
    let_go()
    return Told(once.problems, once.heard)


def let_go() -> None:
    """Give back the memory of a unit that is done: its engine refers to itself, and the collector looks rarely."""
    gc.collect()


def _write(path: Path, rows: list[Row]) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(packed(rows))
    part.rename(path)


def _read(path: Path) -> list[Row]:
    rows = unpacked(path.read_bytes())  # where only we may write
    path.unlink()
    return rows


def packed(rows: list[Row]) -> bytes:
    """Give rows as a worker hands them over."""
    return zlib.compress(marshal.dumps(rows), 1)


def unpacked(data: bytes) -> list[Row]:
    """Give the rows that a worker hands over."""
    rows: list[Row] = marshal.loads(zlib.decompress(data))  # noqa: S302  our worker's
    return rows


def _progress(spool: Path) -> Done:
    told = [path.read_bytes().split() for path in spool.glob("done.*")]
    whole = [(int(numbers[0]), int(numbers[1])) for numbers in told if len(numbers) == 2]
    return Done(sum(numbers[0] for numbers in whole), sum(numbers[1] for numbers in whole))


_spools: Final[set[Path]] = set()
"""Where this worker has put files."""


def _begin_worker() -> None:
    """Let our parent decide what an interrupt ends, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup`
            signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the end of our parent, whatever ends it; nobody is left then who would take an answer, or clear up.

    A worker holds the pipes by which those that were started before it see that: they end one after the other.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    connection.wait([parent.sentinel])
    for spool in _spools:
        shutil.rmtree(spool, ignore_errors=True)
    os._exit(1)


@contextmanager
def _spool() -> Iterator[Path]:
    """Give a directory for what workers hand over; it goes when they are gone, as one that still writes keeps it from going."""
    spool = Path(tempfile.mkdtemp(prefix="racoon-exporter-"))
    try:
        yield spool
    finally:
        shutil.rmtree(spool, ignore_errors=True)


@contextmanager
def local_processes(jobs: int) -> Iterator[Executor]:
    """Give an executor of processes on this machine; whatever ends us ends them at once."""
    # A fork: the program is loaded, and no thread runs yet. Debian's start script cannot be imported a second time.
    executor = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork"), initializer=_begin_worker)
    before = set(multiprocessing.active_children())
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def all_cores() -> int:
    """Give the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
