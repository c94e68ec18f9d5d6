"""No permission, broken disks and links that lead nowhere: told, tried again, and nothing is lost by it."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource, System
from racoon_exporter.source.files.trouble import PATIENCE_NS
from tests.exporter.source.files.logs import Log, again, lines, record, records


class Trouble:
    """A system whose calls fail as long as they are told to: tests may run as root, whom no file mode keeps out."""

    def __init__(self) -> None:
        self.failing: dict[str, int] = {}
        self.system = System(stat=self.stat, open=self.open, pread=self.pread, listdir=self.listdir)

    def _check(self, call: str, path: str | None = None) -> None:
        if call in self.failing:
            raise OSError(self.failing[call], os.strerror(self.failing[call]), path)

    def stat(self, path: str) -> os.stat_result:
        self._check("stat", path)
        return System().stat(path)

    def open(self, path: str) -> int:
        self._check("open", path)
        return System().open(path)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        self._check("pread")
        return os.pread(fd, size, offset)

    def listdir(self, path: str) -> list[str]:
        self._check("listdir", path)
        return System().listdir(path)


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_without_permission_is_read_once_there_is(log: Log, trouble: Trouble) -> None:
    log.write(1)
    trouble.failing["open"] = errno.EACCES
    source = FileSource(log.name, system=trouble.system)
    assert source.read() is None
    assert source.status().error == f"{log.name}: Permission denied"
    assert not source.status().up
    trouble.failing.clear()
    assert lines(source) == records(1)
    assert source.status().up
    source.close()


def test_the_old_file_is_read_on_while_the_new_one_may_not_be_opened(log: Log, trouble: Trouble) -> None:
    source = FileSource(log.name, system=trouble.system)
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(3)
    trouble.failing["open"] = errno.EACCES
    log.sibling(".1").write(2)
    assert lines(source) == records(2)
    assert lines(source) == []
    assert source.status().error == f"{log.name}: Permission denied"
    assert source.status().lag_bytes == log.path.stat().st_size
    trouble.failing.clear()
    assert lines(source) == records(3)
    source.close()


@pytest.mark.parametrize("call", ["stat", "pread"])
def test_an_io_error_in_the_middle_loses_nothing(log: Log, trouble: Trouble, call: str) -> None:
    source = FileSource(log.name, system=trouble.system)
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    trouble.failing[call] = errno.EIO
    if call == "pread":
        before = open_files()
        for _ in range(3):
            assert source.read() is None
        assert source.status().error == f"{log.name}: Input/output error"
        assert open_files() == before - 1
    else:
        assert lines(source) == records(2)
        assert source.status().error == f"{log.name}: Input/output error"
        log.write(3)
    trouble.failing.clear()
    assert lines(source) == records(2 if call == "pread" else 3)
    assert source.status().counts.lost_bytes == 0
    assert source.status().counts.rotations == 0
    source.close()


def test_a_file_rotated_during_an_io_error_is_found_again(log: Log, trouble: Trouble) -> None:
    source = FileSource(log.name, system=trouble.system)
    log.write(1)
    assert lines(source) == records(1)
    trouble.failing["pread"] = errno.ESTALE
    log.write(2)
    assert source.read() is None
    log.rename()
    log.write(3)
    trouble.failing.clear()
    assert lines(source) == records(2, 3)
    source.close()


def test_a_copy_that_becomes_readable_later_is_found_then(log: Log, trouble: Trouble) -> None:
    source = FileSource(log.name)
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.sibling(".1").append(log.path.read_bytes())
    log.path.unlink()
    source = again(source, system=trouble.system)
    trouble.failing["open"] = errno.EACCES
    for _ in range(3):
        assert source.read() is None
    trouble.failing.clear()
    assert lines(source) == records(2)
    assert source.status().counts.lost_bytes == 0
    source.close()


class CopiedLog:
    """A log that was copied and truncated while the second of its records was unread; what is at the path may not be opened."""

    def __init__(self, log: Log) -> None:
        self.log, self.readable, self.now = log, True, 0
        self.source = FileSource(log.name, system=self.system)
        log.write(1, 2)
        block = self.source.read(len(record(1)))
        assert block is not None
        assert block.data == record(1)
        log.copytruncate()
        log.write(3)
        self.readable = False

    @property
    def system(self) -> System:
        return System(open=self.open, monotonic_ns=lambda: self.now)

    def open(self, path: str) -> int:
        if path == self.log.name and not self.readable:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return System().open(path)


def test_nothing_is_lost_while_what_is_at_the_path_may_be_the_copy_of_a_truncated_log(log: Log) -> None:
    copied = CopiedLog(log)
    log.sibling(".1").path.rename(log.path)
    for copied.now in range(0, PATIENCE_NS, PATIENCE_NS // 100):
        assert copied.source.read() is None
        assert copied.source.status().error == f"{log.name}: Permission denied"
        assert copied.source.status().counts.lost_bytes == 0
    copied.readable = True
    assert sorted(lines(copied.source)) == records(2, 3)
    assert copied.source.status().counts.lost_bytes == 0
    copied.source.close()


def test_what_stays_unreadable_at_the_path_does_not_hide_the_truncated_log(log: Log) -> None:
    copied = CopiedLog(log)
    log.sibling(".1").path.rename(log.path)
    assert lines(copied.source) == []
    copied.now = PATIENCE_NS
    assert lines(copied.source) == records(3)
    assert copied.source.status().counts.lost_bytes == len(record(2))
    copied.source.close()


def test_nothing_is_lost_after_a_stop_while_what_is_at_the_path_may_be_the_copy(log: Log) -> None:
    copied = CopiedLog(log)
    source = again(copied.source, system=copied.system)
    copy = log.sibling(".1").path.rename(log.sibling(".copy").path)
    log.path.unlink()
    log.write(4)
    log.rename()
    copy.rename(log.path)
    assert source.read() is None
    assert source.status().error == f"{log.name}: Permission denied"
    copied.readable = True
    assert sorted(lines(source)) == records(2, 4)
    assert source.status().counts.lost_bytes == 0
    source.close()


RESTARTS = pytest.mark.parametrize("restarted", [False, True], ids=["live", "over a restart"])


@RESTARTS
def test_what_was_counted_as_lost_is_not_given_when_the_copy_at_the_path_can_be_read_after_all(
    log: Log, *, restarted: bool
) -> None:
    copied = CopiedLog(log)
    log.sibling(".1").path.rename(log.path)
    assert lines(copied.source) == []
    copied.now = PATIENCE_NS
    assert lines(copied.source) == records(3)
    source = again(copied.source, system=copied.system) if restarted else copied.source
    lost = copied.source.status().counts.lost_bytes + (restarted and source.status().counts.lost_bytes)
    assert lost == len(record(2))
    copied.readable = True
    log.write(4)
    assert lines(source) == records(4)
    assert source.status().counts.lost_bytes == (0 if restarted else lost)
    source.close()


class LogOfUnreadableCopies:
    """A log whose copies may be read by nobody: `umask 077`, and `cp` and truncation by root."""

    def __init__(self, log: Log) -> None:
        self.log, self.readable, self.now = log, False, 0
        self.system = System(open=self.open, monotonic_ns=lambda: self.now)
        self.source = FileSource(log.name, system=self.system)

    def open(self, path: str) -> int:
        if path != self.log.name and not self.readable:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return System().open(path)


@RESTARTS
def test_a_copy_that_cannot_be_read_is_no_loss_where_its_log_was_read(log: Log, *, restarted: bool) -> None:
    """Nor is it waited for, rotation after rotation."""
    copies = LogOfUnreadableCopies(log)
    source = copies.source
    for number in range(40):
        log.write(number)
        assert lines(source) == records(number)
        log.copytruncate()
        if restarted:
            source = again(source, system=copies.system)
    log.write(40)
    assert lines(source) == records(40)
    assert source.status().counts.lost_bytes == 0
    copies.readable = True
    log.write(41)
    log.copytruncate()
    log.write(42)
    assert lines(source) == records(41, 42)
    source.close()


@RESTARTS
def test_of_a_copy_that_stays_unreadable_what_was_unread_is_lost(log: Log, *, restarted: bool) -> None:
    copies = LogOfUnreadableCopies(log)
    source = copies.source
    log.write(1, 2)
    assert source.read(len(record(1))) is not None
    log.write(3)
    log.copytruncate()
    log.write(4)
    if restarted:
        source = again(source, system=copies.system)
    for copies.now in range(0, PATIENCE_NS, PATIENCE_NS // 10):
        assert lines(source) == []
        assert source.status().counts.lost_bytes == 0
    copies.now = PATIENCE_NS
    assert lines(source) == records(4)
    assert source.status().counts.lost_bytes == len(record(2)) + len(record(3))
    copies.readable = True
    log.write(5)
    log.rename()
    log.write(6)
    assert lines(source) == records(5, 6)
    assert source.status().counts.lost_bytes == len(record(2)) + len(record(3))
    source.close()


def test_a_rotated_file_that_stays_unreadable_does_not_hide_the_log(log: Log) -> None:
    bad: set[int] = set()

    def pread(fd: int, size: int, offset: int) -> bytes:
        if os.fstat(fd).st_ino in bad and offset + size > 3 * len(record(1)):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return System().pread(fd, size, offset)

    log.sibling(".1").write(1, 2, 3, 4)
    bad.add(log.sibling(".1").path.stat().st_ino)
    log.write(5)
    now = 0
    source = FileSource(log.name, backfill=True, system=System(pread=pread, monotonic_ns=lambda: now))
    assert lines(source, 2 * len(record(1))) == records(1, 2)
    for elapsed in range(0, PATIENCE_NS, PATIENCE_NS // 100):
        now = elapsed
        assert lines(source) == []
        assert source.status().counts.lost_bytes == 0
    now = PATIENCE_NS
    assert lines(source) == records(5)
    assert source.status().counts.lost_bytes == 2 * len(record(1))
    assert source.status().error is None
    source.close()


def test_a_rotated_file_that_becomes_readable_is_read_however_often_it_was_looked_at(log: Log, trouble: Trouble) -> None:
    source = FileSource(log.name, system=replace(trouble.system, monotonic_ns=lambda: 0))
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(2)
    log.rename()
    log.write(3)
    trouble.failing["open"] = errno.EACCES
    for _ in range(100):
        assert source.read() is None
    assert source.status().error == f"{log.name}.1: Permission denied"
    trouble.failing.clear()
    assert lines(source) == records(2, 3)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_a_directory_that_cannot_be_listed_hides_only_the_rotated_files(log: Log, trouble: Trouble) -> None:
    trouble.failing["listdir"] = errno.EACCES
    source = FileSource(log.name, system=trouble.system)
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(2)
    assert lines(source) == records(2)
    source.close()


def test_a_link_that_leads_to_itself_is_told(log: Log, source: FileSource) -> None:
    log.path.symlink_to(log.path)
    assert source.read() is None
    assert source.status().error == f"{log.name}: Too many levels of symbolic links"
    log.path.unlink()
    log.write(1)
    assert lines(source) == records(1)


def test_a_closed_source_gives_nothing_and_keeps_its_position(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    position = source.position()
    before = open_files()
    source.close()
    source.close()
    log.write(2)
    assert source.read() is None
    assert source.position() == position
    assert open_files() == before - 1
