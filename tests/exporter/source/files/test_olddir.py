"""logrotate's `olddir`: rotated files are put into another folder, which is learned from what was read and is found there."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, begun, lines, records


class LogWithOlddir(Log):
    """Its rotated files stand in another folder."""

    def __init__(self, path: Path, olddir: Path) -> None:
        super().__init__(path)
        self.olddir = olddir
        olddir.mkdir()

    def sibling(self, suffix: str) -> Log:
        return Log(self.olddir / f"{self.path.name}{suffix}")

    def compress(self, suffix: str) -> None:
        plain = self.sibling(suffix).path
        times = plain.stat()
        packed = Path(f"{plain}.gz")
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        os.utime(packed, ns=(times.st_atime_ns, times.st_mtime_ns))
        plain.unlink()


@pytest.fixture(params=["old", "../archive"])
def log(tmp_path: Path, request: pytest.FixtureRequest) -> LogWithOlddir:
    (tmp_path / "log").mkdir()
    return LogWithOlddir(tmp_path / "log" / "racoon.log", tmp_path / "log" / request.param)


@pytest.fixture
def below(tmp_path: Path) -> LogWithOlddir:
    return LogWithOlddir(tmp_path / "racoon.log", tmp_path / "old")


def test_rotations_between_two_looks_lose_nothing(log: LogWithOlddir) -> None:
    source = begun(log)
    log.rename()
    log.write(2)
    log.rename()
    log.write(3)
    assert lines(source) == records(2, 3)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_what_was_rotated_away_before_the_first_look_is_not_read(log: LogWithOlddir) -> None:
    log.sibling(".2").write(100)
    log.sibling(".1").write(101)
    source = begun(log)
    log.rename()
    log.write(2)
    assert lines(source) == records(2)
    source.close()


def test_a_folder_is_remembered_although_the_file_that_was_read_is_gone(log: LogWithOlddir) -> None:
    source = begun(log)
    log.rename()
    log.write(2)
    assert lines(source) == records(2)
    source = again(source)
    log.write(3)
    log.rename()
    log.sibling(".1").path.unlink()
    log.sibling(".2").path.unlink()
    log.write(4)
    log.rename()
    log.write(5)
    assert lines(source) == records(4, 5)
    source.close()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_what_was_rotated_during_a_stop_is_found_in_a_folder_below(below: LogWithOlddir, *, packed: bool) -> None:
    below.write(1, 2)
    source = FileSource(below.name)
    source.read(100)
    below.write(3)
    below.rename()
    below.write(4)
    below.rename()
    if packed:
        below.compress(".2")
    below.write(5)
    source = again(source)
    assert lines(source) == records(2, 3, 4, 5)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_what_a_truncated_log_held_is_found_in_a_folder_below(below: LogWithOlddir) -> None:
    source = begun(below)
    below.write(2)
    shutil.copyfile(below.path, below.sibling(".1").path)
    os.truncate(below.path, 0)
    below.write(3)
    assert lines(source) == records(2, 3)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_a_folder_below_with_the_log_of_another_gateway_is_left_alone(below: LogWithOlddir) -> None:
    other = Log(below.olddir / "racoon.log")
    below.write(1)
    other.write(100)
    source = FileSource(below.name)
    assert lines(source) == records(1)
    other.write(101)
    other.rename()
    below.path.rename(below.path.with_name("racoon.log.1"))
    below.write(2)
    assert lines(source) == records(2)
    source.close()


def test_a_folder_that_was_learned_is_that_of_the_log_whose_directory_is_renamed(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    log = LogWithOlddir(tmp_path / "log" / "racoon.log", tmp_path / "log" / "old")
    source = begun(log)
    log.rename()
    log.write(2)
    assert lines(source) == records(2)
    (tmp_path / "log").rename(tmp_path / "away")
    away = Log(tmp_path / "away" / "racoon.log")
    away.write(3)
    shutil.copyfile(away.path, tmp_path / "away" / "old" / "racoon.log.2")
    os.truncate(away.path, 0)
    away.write(4)
    assert lines(source) == records(3, 4)
    source.close()


def test_a_log_that_is_rotated_by_a_link_to_it_is_found_in_a_folder_below(below: LogWithOlddir) -> None:
    """`ln racoon.log old/racoon.log.1 && mv fresh racoon.log`: the name by which the log was opened is gone, not the file."""
    source = begun(below)
    for number in (2, 4):
        for written in (number, number + 1):
            below.write(written)
            below.shift()
            os.link(below.path, below.sibling(".1").path)
            below.path.unlink()
        below.write(10 * number)
        assert lines(source) == records(number, number + 1, 10 * number)
    source.close()


def test_a_folder_elsewhere_is_learned_from_a_file_that_was_compressed_there_at_once(tmp_path: Path) -> None:
    """What the log was called last tells, although nothing of that name is there any more."""
    (tmp_path / "log").mkdir()
    log = LogWithOlddir(tmp_path / "log" / "racoon.log", tmp_path / "archive")
    source = begun(log)
    for number in (2, 4):
        for written in (number, number + 1):
            log.write(written)
            log.rename()
            log.compress(".1")
        log.write(10 * number)
        assert lines(source) == records(number, number + 1, 10 * number)
    source.close()
