"""A file that was read before is at the path again, or beside it: it is read on from where it was left."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, begun, lines, record, records
from tests.exporter.source.files.test_symlink import switch

Restart = Callable[[FileSource], FileSource]
RESTARTS = pytest.mark.parametrize("restart", [lambda source: source, again], ids=["live", "over a restart"])


@RESTARTS
def test_a_link_switched_there_and_back_gives_each_line_once(tmp_path: Path, restart: Restart) -> None:
    a, b, link = Log(tmp_path / "a" / "log"), Log(tmp_path / "b" / "log"), tmp_path / "current"
    for log in (a, b):
        log.path.parent.mkdir()
    a.write(1, 2)
    switch(link, a.path)
    source = FileSource(str(link))
    assert lines(source) == records(1, 2)
    b.write(3)
    switch(link, b.path)
    assert lines(source) == records(3)
    source = restart(source)
    a.write(4)
    switch(link, a.path)
    assert lines(source) == records(4)
    source = restart(source)
    b.write(5)
    switch(link, b.path)
    assert lines(source) == records(5)
    assert source.status().counts.lost_bytes == 0
    source.close()


@RESTARTS
def test_a_rotated_file_moved_back_is_read_on(log: Log, source: FileSource, restart: Restart) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.rename()
    log.write(3)
    assert lines(source) == records(3)
    source = restart(source)
    log.sibling(".1").path.rename(log.path)
    assert lines(source) == []
    log.write(4)
    assert lines(source) == records(4)
    source.close()


@RESTARTS
@pytest.mark.parametrize("packed", [False, True], ids=["copied", "unpacked"])
def test_a_rotated_file_restored_as_a_copy_is_read_on(log: Log, source: FileSource, restart: Restart, *, packed: bool) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.rename()
    log.write(3)
    assert lines(source) == records(3)
    source = restart(source)
    old, fresh = log.sibling(".1").path, log.sibling(".new").path
    fresh.write_bytes(gzip.decompress(gzip.compress(old.read_bytes())) if packed else old.read_bytes())
    fresh.rename(log.path)
    log.write(4)
    assert lines(source) == records(4)
    source.close()


@RESTARTS
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_a_copy_made_while_the_log_grew_is_read_no_second_time(
    log: Log, source: FileSource, restart: Restart, *, packed: bool
) -> None:
    """logrotate's `copy`, or a backup, under the name of a rotated file: it ends before the place where the log was left."""
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    copy = log.sibling("-20261126.gz" if packed else "-20261126").path
    copy.write_bytes(gzip.compress(log.path.read_bytes()) if packed else log.path.read_bytes())
    log.write(3)
    assert lines(source) == records(3)
    source = restart(source)
    log.write(4)
    log.rename()
    log.write(5)
    os.utime(copy, ns=(log.path.stat().st_mtime_ns, log.path.stat().st_mtime_ns))
    assert lines(source) == records(4, 5)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_lines_added_to_a_rotated_file_after_it_was_left_are_read_at_the_next_rotation(log: Log, source: FileSource) -> None:
    """A syslog daemon that was told late of the new file."""
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(2)
    assert lines(source) == records(2)
    log.sibling(".1").write(3)
    log.rename()
    log.write(4)
    assert sorted(lines(source)) == records(2 + 1, 4)
    assert source.status().counts.lost_bytes == 0


@RESTARTS
def test_a_truncated_log_is_read_on_in_its_copy_and_not_in_an_older_one_that_was_read_further(
    log: Log, source: FileSource, restart: Restart
) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.rename()
    older = log.sibling(".2")
    shutil.copyfile(log.sibling(".1").path, older.path)
    older.write(3)
    log.write(4)
    assert lines(source) == records(3, 4)
    log.sibling(".1").path.rename(log.path)
    assert lines(source) == []
    source = restart(source)
    log.write(5)
    log.copytruncate()
    log.write(6)
    assert lines(source) == records(5, 6)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_an_old_backup_put_beside_the_log_is_not_read(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(2)
    assert lines(source) == records(2)
    log.sibling(".7").write(100)
    os.utime(log.sibling(".7").path, (1, 1))
    log.rename()
    log.write(3)
    assert lines(source) == records(3)


def test_rotated_files_of_a_target_that_the_link_is_switched_to_are_not_read(tmp_path: Path) -> None:
    a, b, link = Log(tmp_path / "a"), Log(tmp_path / "b"), tmp_path / "current"
    a.write(1)
    b.sibling(".1").write(100)
    os.utime(b.sibling(".1").path, (1, 1))
    switch(link, a.path)
    source = FileSource(str(link))
    assert lines(source) == records(1)
    b.write(2)
    switch(link, b.path)
    assert lines(source) == records(2)
    b.rename()
    b.write(3)
    assert lines(source) == records(3)
    source.close()


def test_what_was_truncated_after_a_copy_is_read_although_it_was_deleted_then(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.copytruncate()
    log.write(3)
    log.path.unlink()
    log.write(4)
    assert lines(source) == records(2, 3, 4)
    assert source.status().counts.lost_bytes == 0


def test_what_a_file_held_when_it_came_back_is_counted_as_lost_if_it_is_truncated_before_it_is_read(
    log: Log, source: FileSource
) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.append(b"half")
    assert lines(source) == []
    log.sibling(".1").path.rename(log.path)
    log.write(2)
    block = source.read()
    assert block is not None
    assert block.data == b"half"
    assert source.status().lag_bytes == len(record(2))
    os.truncate(log.path, 0)
    log.write(3)
    assert lines(source) == records(3)
    assert source.status().counts.lost_bytes == len(record(2))
    assert source.status().lag_bytes == 0


def begun_in_a_renamed_directory(tmp_path: Path) -> tuple[Log, FileSource, Log]:
    """Return a log, its source that has given one record, and the same log where its directory is now."""
    log = Log(tmp_path / "log" / "racoon.log")
    log.path.parent.mkdir()
    source = begun(log)
    log.path.parent.rename(tmp_path / "away")
    return log, source, Log(tmp_path / "away" / "racoon.log")


def test_copytruncate_in_a_directory_that_is_renamed_loses_nothing(tmp_path: Path) -> None:
    log, source, away = begun_in_a_renamed_directory(tmp_path)
    away.write(2)
    away.copytruncate()
    away.write(3)
    assert lines(source) == records(2, 3)
    shutil.move(tmp_path / "away", tmp_path / "log")
    log.write(4)
    assert lines(source) == records(4)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_a_compressed_copy_in_a_directory_that_is_renamed_leads_to_the_next_one(tmp_path: Path) -> None:
    _, source, away = begun_in_a_renamed_directory(tmp_path)
    away.write(2)
    away.copytruncate()
    copy = away.sibling(".1").path
    away.sibling(".2.gz").append(gzip.compress(copy.read_bytes()))
    copy.unlink()
    away.write(3)
    away.copytruncate()
    away.write(4)
    assert lines(source) == records(2, 3, 4)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_an_empty_log_that_is_filled_and_copied_in_a_directory_that_is_renamed_comes_after_its_copy(tmp_path: Path) -> None:
    _, source, away = begun_in_a_renamed_directory(tmp_path)
    os.truncate(away.path, 0)
    assert lines(source) == []
    away.write(2)
    away.copytruncate()
    away.write(3)
    assert lines(source) == records(2, 3)
    assert source.status().counts.lost_bytes == 0
    source.close()


@pytest.mark.parametrize("truncated", [False, True], ids=["the log was renamed", "the log was truncated"])
def test_what_was_added_to_a_rotated_file_is_lost_when_it_vanishes_after_it_was_turned_to(log: Log, *, truncated: bool) -> None:
    """Nothing more of it was read before the exporter was stopped."""
    source = begun(log)
    log.rename()
    log.write(2)
    log.append(b"half")
    assert lines(source) == records(2)
    log.sibling(".1").write(3)
    if truncated:
        os.truncate(log.path, 0)
    else:
        log.path.rename(log.sibling(".2").path)
    log.write(4)
    block = source.read()
    assert block is not None
    assert (block.data, block.final) == (b"half", True)
    source = again(source)
    log.sibling(".1").path.unlink()
    assert lines(source) == records(4)
    assert source.status().counts.lost_bytes == len(record(3))
    source.close()
