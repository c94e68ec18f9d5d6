"""Stopped and started again: each line once, whatever was done to the files meanwhile."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log, again, lines, record, records

PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def pack(log: Log, suffix: str) -> None:
    """Compress as logrotate does: the new file gets the time of the old one."""
    times = log.path.stat()
    packed = log.sibling(suffix)
    packed.append(PACKERS[suffix](log.path.read_bytes()))
    log.path.unlink()
    os.utime(packed.path, ns=(times.st_atime_ns, times.st_mtime_ns))


def stopped_after(log: Log, source: FileSource, *numbers: int) -> None:
    log.write(*numbers)
    assert lines(source) == records(*numbers)


def test_nothing_happened(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    resumed = again(source)
    assert lines(resumed) == []
    log.write(2)
    block = resumed.read()
    assert block is not None
    assert (block.data, block.first_line) == (record(2), 2)
    assert resumed.status().counts.rotations == 0
    resumed.close()


def test_the_position_stays_until_the_file_is_found(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.path.rename(log.path.with_name("elsewhere"))
    log.path.with_name("elsewhere").unlink()
    resumed = again(source)
    assert resumed.read() is None
    assert resumed.position() == source.position()
    resumed.close()


def test_the_renamed_file_is_read_before_the_new_one(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.write(2)
    log.rename()
    log.write(3)
    resumed = again(source)
    assert lines(resumed) == records(2, 3)
    assert resumed.status().counts.rotations == 1
    resumed.close()


def test_a_file_renamed_to_any_name_in_the_directory_is_found(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.write(2)
    log.path.rename(log.path.with_name("kept for the auditors"))
    log.write(3)
    resumed = again(source)
    assert lines(resumed) == records(2, 3)
    resumed.close()


def test_a_renamed_file_without_a_new_one_is_read(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.write(2)
    log.rename()
    resumed = again(source)
    assert lines(resumed) == records(2)
    log.write(3)
    assert lines(resumed) == records(3)
    resumed.close()


def test_a_long_stop_with_many_rotations_loses_nothing(log: Log, source: FileSource) -> None:
    log.sibling(".1").write(0)
    stopped_after(log, source, 1)
    for number in range(2, 9):
        log.write(number)
        log.rename()
    log.write(9)
    resumed = again(source)
    assert lines(resumed) == records(*range(2, 10))
    resumed.close()


@pytest.mark.parametrize("suffix", sorted(PACKERS))
def test_a_long_stop_with_compressed_rotations_loses_nothing(log: Log, source: FileSource, suffix: str) -> None:
    stopped_after(log, source, 1)
    for number in (2, 3, 4):
        log.write(number)
        rotated = log.sibling(f"-2026112{number}")
        log.path.rename(rotated.path)
        pack(rotated, suffix)
    log.write(5)
    resumed = again(source)
    assert lines(resumed) == records(2, 3, 4, 5)
    assert resumed.status().counts.lost_bytes == 0
    resumed.close()


def test_a_stop_within_a_compressed_file_goes_on_within_it(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.write(2, 3, 4)
    log.rename()
    pack(log.sibling(".1"), ".gz")
    log.write(5)
    resumed = again(source)
    block = resumed.read(1)
    assert block is not None
    assert (block.data, block.first_line) == (record(2), 2)
    once_more = again(resumed)
    assert lines(once_more, 1) == records(3, 4, 5)
    once_more.close()


def test_copytruncate_during_a_stop_loses_nothing(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.write(2)
    log.copytruncate()
    log.write(3)
    log.copytruncate()
    log.write(4, 5, 6)
    resumed = again(source)
    assert lines(resumed) == records(2, 3, 4, 5, 6)
    resumed.close()


def test_what_cannot_be_found_any_more_is_counted_as_far_as_it_was_known(log: Log, source: FileSource) -> None:
    log.sibling(".1").write(7)  # an older file, of another life
    log.write(1, 2, 3)
    block = source.read(1)
    assert block is not None
    assert block.data == record(1)
    resumed = again(source)
    log.path.unlink()
    log.write(4)
    assert lines(resumed) == records(4)
    assert resumed.status().counts.lost_bytes == len(record(2)) + len(record(3))
    assert resumed.status().counts.rotations == 1
    resumed.close()


def test_a_damaged_compressed_sibling_is_no_reason_to_stop(log: Log, source: FileSource) -> None:
    stopped_after(log, source, 1)
    log.write(2)
    log.rename()
    pack(log.sibling(".1"), ".gz")
    packed = log.sibling(".1.gz").path
    packed.write_bytes(packed.read_bytes()[:20])
    log.write(3)
    resumed = again(source)
    assert lines(resumed) == records(3)
    resumed.close()


def test_an_empty_file_at_the_stop_is_read_when_it_was_filled_and_rotated(log: Log, source: FileSource) -> None:
    log.path.touch()
    assert source.read() is None
    log.write(1)
    log.rename()
    log.write(2)
    resumed = again(source)
    assert lines(resumed) == records(1, 2)
    resumed.close()


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_what_logrotate_keeps_of_many_rotations_during_a_stop_is_read(log: Log, source: FileSource, keep: int) -> None:
    """With `rotate 2` the third rotation takes the file away in which reading stood; those after it are there."""
    stopped_after(log, source, 1)
    position = source.position()
    assert position is not None
    for number in range(2, 8):
        log.write(number)
        log.rename()
        log.sibling(f".{keep + 1}").path.unlink(missing_ok=True)
    log.write(8)
    resumed = again(source)
    assert lines(resumed) == records(*range(8 - keep, 9))
    assert resumed.status().counts.lost_bytes == 0  # of what came after the stop nobody knew
    resumed.close()


def test_what_was_rotated_during_a_stop_is_read_though_no_log_follows_yet(log: Log, source: FileSource) -> None:
    """With `nocreate`, until racoon writes its next record; the file in which reading stood was rotated away."""
    stopped_after(log, source, 1)
    log.write(2)
    log.rename()
    log.sibling(".1").path.unlink()
    log.write(3)
    log.rename()
    resumed = again(source)
    assert lines(resumed) == records(3)
    log.write(4)
    assert lines(resumed) == records(4)
    resumed.close()


def test_files_that_were_dated_anew_when_they_were_compressed_are_read_in_the_order_of_their_names(
    log: Log, source: FileSource
) -> None:
    """`gzip -c` keeps no date, and programs that compress their own logs do so later."""
    stopped_after(log, source, 1)
    log.write(2)
    log.rename()
    log.write(3)
    log.rename()
    log.write(4)
    newer, older = log.sibling(".1"), log.sibling(".2")
    pack(older, ".gz")
    later = newer.path.stat().st_mtime_ns + 1_000_000_000
    os.utime(older.sibling(".gz").path, ns=(later, later))
    resumed = again(source)
    assert lines(resumed) == records(2, 3, 4)
    resumed.close()
