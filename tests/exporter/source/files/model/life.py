"""A log, an exporter, and the books of what was written, given, known and destroyed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.exporter.source.files.model.disk import Disk, marks_in
from tests.exporter.source.files.model.exporter import Exporter

Identity = tuple[int, int]

FAR = 99
"""A rotation that deletes nothing."""


class Life:
    """What is done to the log and to the exporter is a method each; `judge` says whether the books are right."""

    def __init__(self, root: Path, *, linked: bool, keep: int) -> None:
        """A log is known from the first checkpoint that names it, so it begins with one."""
        self.root = root
        self.disk = Disk(root, linked=linked, keep=keep)
        self.exporter: Exporter | None = None
        self.given: list[bytes] = []
        self.saved: list[bytes] = []
        self.known: dict[int, int] = {}
        """Bytes of each record that the exporter has seen to be there."""
        self.saved_known: dict[int, int] = {}
        self.gone: dict[int, int] = {}
        """Records that are in no file any more, and how much of each was known then."""
        self.held: set[int] = set()
        """Records in no file but the deleted one that the exporter has open."""
        self.hidden: set[int] = set()
        """Records in files that the link led to when nobody looked."""
        self.left_behind: set[int] = set()
        """Records in files that the link led to at some time since the last checkpoint."""
        self.begun: set[int] = set()
        """Records whose beginning was all that stood in a file that was copied back: it may count again (docs/limits.md)."""
        self.in_order = True
        self.written_late = False
        self.disk.write(1)
        self.start()
        self.look()
        self.save()

    # the log

    def write(self, count: int) -> None:
        self.disk.write(count)

    def write_the_beginning_of_a_line(self, count: int) -> None:
        self.disk.write(count, torn=True)

    def write_late(self, count: int) -> None:
        """Write to the rotated file: what nobody looks at again before the next rotation."""
        self.in_order = False
        self.written_late = True
        self.disk.write_late(count)

    def rename(self, count: int) -> None:
        """Rename the log, and perhaps write to the new one."""
        with self._destroying():
            self.disk.rename(create=False)
        self.disk.write(count - 1)

    def rename_and_create(self, count: int) -> None:
        with self._destroying():
            self.disk.rename(create=True)
        self.disk.write(count - 1)

    def copytruncate(self, count: int) -> None:
        with self._destroying():
            self.disk.copytruncate()
        self.disk.write(count - 1)

    def compress(self, _: int) -> None:
        self.disk.compress()

    def truncate(self, _: int) -> None:
        with self._destroying():
            self.disk.truncate()

    def refill(self, count: int) -> None:
        with self._destroying():
            self.disk.truncate(refill=count)

    def lose_power(self, number: int) -> None:
        """The state is on disk up to the last checkpoint, the log is not up to its last lines."""
        self.kill(0)
        with self._destroying():
            self.disk.lose_power(1 + number // 2, hole=number % 2 == 0)

    def delete(self, _: int) -> None:
        with self._destroying():
            self.disk.delete()

    def recreate(self, count: int) -> None:
        with self._destroying():
            self.disk.delete(recreate=count)

    def move_back(self, _: int) -> None:
        self.in_order = False
        with self._destroying():
            self.disk.move_back()

    def copy_back(self, _: int) -> None:
        self.in_order = False
        self.begun |= self.disk.begun_in_rotated()
        with self._destroying():
            self.disk.copy_back()

    def switch(self, number: int) -> None:
        if self.disk.linked:
            self.in_order = False
            self._hide()
            self.disk.switch(number % 3)

    def forbid(self, _: int) -> None:
        self.disk.chmod(readable=False)

    def allow(self, _: int) -> None:
        self.disk.chmod(readable=True)

    def move_the_folder(self, _: int) -> None:
        self.disk.move_folder()

    # the exporter

    def start(self, _: int = 0) -> None:
        if self.exporter is None:
            self.exporter = Exporter(self.root / "log" / "racoon.log", self.root / "state.json")

    def read_a_little(self, size: int) -> None:
        self.start()
        self._step(size * size * 40)

    def look(self, _: int = 0) -> None:
        self.start()
        while self._step():
            pass
        assert self.exporter is not None
        given = self._marks_given()
        held_back = self.exporter.status.error is not None  # by a rotated file that may become readable
        assert held_back or self.held - self.disk.torn <= given, "not read from the deleted file that was open"
        for mark in self.held & given:
            self.gone[mark] = self.disk.written[mark]
        self.held -= given

    def save(self, _: int = 0) -> None:
        if self.exporter is not None:
            self.exporter.save()
            self.saved = [*self.given]
            self.saved_known = dict(self.known)
            self.left_behind = set()

    def hup(self, _: int) -> None:
        if self.exporter is not None:
            self.exporter.hup()

    def term(self, _: int) -> None:
        self.save()
        self._end()

    def kill(self, _: int) -> None:
        self._end()
        self.given = [*self.saved]
        self.known = dict(self.saved_known)
        given = self._marks_given()
        self.hidden |= self.left_behind - given
        for mark, known in self.gone.items():
            if mark not in given:
                self.gone[mark] = min(known, self.known.get(mark, 0))

    # the books

    def _end(self) -> None:
        if self.exporter is not None:
            self.exporter.end()
            self.exporter = None
        for mark in self.held:
            self.gone[mark] = self.known.get(mark, 0)
        self.held = set()

    def _step(self, limit: int = 1 << 20) -> bool:
        assert self.exporter is not None
        more = self.exporter.step(limit)
        for block in self.exporter.taken():
            lines = block.data.splitlines(keepends=True)
            assert block.final or lines[-1].endswith(b"\n")
            self.given += lines
        reading = self.exporter.reading
        if reading is not None:
            self.known |= {mark: self.disk.written[mark] for mark in self.disk.marks_of(reading)}
        return more

    def _marks(self) -> list[int]:
        return [mark for line in self.given for mark in marks_in(line)]

    def _marks_given(self) -> set[int]:
        return set(self._marks())

    @contextmanager
    def _destroying(self) -> Iterator[None]:
        """Note what an action destroys, and how much of that was known."""
        before = self.disk.marks()
        yield
        after = self.disk.marks()
        reading = self.exporter.reading if self.exporter is not None else None
        there = self.disk.identities()
        for mark in set(before) - set(after):
            if reading in before[mark] and reading not in there:
                self.held.add(mark)
            else:
                self.gone[mark] = self.known.get(mark, 0)

    def _hide(self) -> None:
        """The link is led elsewhere: what nobody saw of the file it led to may never be seen."""
        beside = self.disk.identities(self.disk.base.parent)
        self.left_behind |= {mark for mark, files in self.disk.marks().items() if files & beside}
        if self.exporter is None or self.exporter.reading not in beside:
            given = self._marks_given()
            self.hidden |= {mark for mark, files in self.disk.marks().items() if files & beside and mark not in given}

    def check(self) -> None:
        """Nothing is given twice, and in the order in which it was written, where files don't come back."""
        marks = self._marks()
        twice = sorted(mark for mark in set(marks) - self.begun if marks.count(mark) > 1)
        assert not twice, f"given twice: {twice}"
        assert not self.in_order or marks == sorted(marks), f"out of order: {marks}"

    def judge(self) -> None:
        """After everything is in its place again, a last record was written, and all was read."""
        if self.disk.away.exists():
            self.disk.move_folder()
        for path in self.disk.files():
            path.chmod(0o644)
        for _ in range(3):
            self.disk.write(1)
            if self.written_late:
                self.look()
                self.disk.keep = FAR
                self.disk.rename(create=False)
                self.disk.write(1)
            self.look()
            self.check()
        given, there = self._marks_given(), self.disk.marks()
        unread = sorted(set(there) - given - self.hidden)
        assert not unread, f"on disk and not given: {unread}"
        assert self.exporter is not None
        marks = self._marks()
        again = sum(self.disk.written[mark] * (marks.count(mark) - 1) for mark in self.begun if mark in marks)
        missing = sum(self.disk.written.values()) - (sum(map(len, self.given)) - again)
        lost = self.exporter.status.counts.lost_bytes
        excused = sum(self.disk.written[mark] - known for mark, known in self.gone.items())
        excused += sum(self.disk.written[mark] for mark in self.hidden) + self.disk.holes
        missing += self.disk.holes
        assert lost <= missing, f"{lost} bytes counted as lost, {missing} are missing"
        assert missing - lost <= excused, f"{missing} bytes are missing, {lost} counted as lost, {excused} were not known"
        assert self.exporter.status.lag_bytes == 0

    def close(self) -> None:
        self._end()
        shutil.rmtree(self.root)
