"""Rename and create: every line of the old file, then every line of the new one."""

from __future__ import annotations

from racoon_exporter.source import FileSource, System
from tests.exporter.source.files.logs import Log, blocks, lines, record, records


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(log: Log, source: FileSource) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.write(3)
    log.rename()
    log.write(4, 5)
    assert lines(source) == records(3, 4, 5)
    assert source.status().counts.rotations == 1
    assert source.status().counts.lost_bytes == 0


def test_lines_are_numbered_within_their_file(log: Log, source: FileSource) -> None:
    log.write(1, 2)
    assert [block.first_line for block in blocks(source)] == [1]
    log.write(3)
    assert [block.first_line for block in blocks(source)] == [3]
    log.rename()
    log.write(4)
    assert [block.first_line for block in blocks(source)] == [1]


def test_an_empty_new_file_does_not_end_the_old_one(log: Log, source: FileSource) -> None:
    """A syslog daemon writes to the renamed file until it is told to open the new one."""
    log.write(1)
    assert lines(source) == records(1)
    log.rename(create=True)
    assert lines(source) == []
    log.sibling(".1").write(2)
    assert lines(source) == records(2)
    log.sibling(".1").write(3)
    log.write(4)
    assert lines(source) == records(3, 4)


def test_what_is_written_between_the_look_and_the_switch_is_read(log: Log) -> None:
    """The old descriptor is read once more after the new file was seen."""
    late = iter([2])

    def write_late(fd: int, size: int, offset: int) -> bytes:
        if log.sibling(".1").path.exists():
            log.sibling(".1").write(*late)
        return System().pread(fd, size, offset)

    source = FileSource(log.name, system=System(pread=write_late))
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(3)
    assert lines(source) == records(2, 3)
    source.close()


def test_a_file_that_came_and_went_between_two_looks_is_read_too(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    for number in (2, 4, 6):
        log.write(number)
        log.rename()
        log.write(number + 1)
    assert lines(source) == records(2, 3, 4, 5, 6, 7)
    assert source.status().counts.rotations == 3


def test_a_file_replaced_while_it_is_opened_is_not_missed(log: Log) -> None:
    rotations = iter([True])

    def rotate_first(path: str) -> int:
        if log.sibling(".1").path.exists() and next(rotations, False):
            log.rename()
            log.write(3)
        return System().open(path)

    source = FileSource(log.name, system=System(open=rotate_first))
    log.write(1)
    assert lines(source) == records(1)
    log.rename()
    log.write(2)
    assert lines(source) + lines(source) == records(2, 3)
    source.close()


def test_rotated_files_from_before_the_start_are_not_read(log: Log, source: FileSource) -> None:
    log.sibling(".1").write(1)
    log.sibling(".2").write(0)
    log.write(2)
    assert lines(source) == records(2)
    log.rename()
    log.write(3)
    assert lines(source) == records(3)


def test_numbers_that_rise_with_time_are_no_reason_to_read_a_file_twice(log: Log, source: FileSource) -> None:
    """By hand people rename to .1, then to .2; logrotate would count the other way."""
    found = []
    for number in range(1, 6):
        log.write(10 * number, 10 * number + 1)
        found += lines(source)
        log.path.rename(f"{log.name}.{number}")
    log.write(99)
    found += lines(source)
    assert found == records(10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 99)


def test_a_copy_that_stays_when_the_log_is_deleted_is_not_read(log: Log, source: FileSource) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.sibling(".1").append(log.path.read_bytes())
    log.path.unlink()
    log.write(3)
    assert lines(source) == records(3)


def test_a_copy_of_the_renamed_file_is_not_read(log: Log, source: FileSource) -> None:
    log.write(1, 2)
    assert lines(source) == records(1, 2)
    log.rename()
    log.sibling("-20261124").append(log.sibling(".1").path.read_bytes())
    log.write(3)
    assert lines(source) == records(3)


def test_one_rotation_of_each_kind_after_another_loses_nothing(log: Log, source: FileSource) -> None:
    """The order in which they were done to a real racoon's log, see the recording 18-log-rotation."""
    written = [[record(100 * part + number) for number in range(20)] for part in range(5)]
    found: list[bytes] = []
    for part, rotate in zip(written, ("rename", "copytruncate", "delete", "create", "none"), strict=True):
        for line in part:
            log.append(line)
            found += lines(source)
        if rotate == "rename":
            log.rename()
        elif rotate == "copytruncate":
            log.copytruncate()
        elif rotate == "delete":
            log.path.unlink()
        elif rotate == "create":
            log.rename(create=True)
        found += lines(source)
    assert found == [line for part in written for line in part]
    assert source.status().counts.lost_bytes == 0
    assert source.status().counts.rotations == 4
    assert source.status().counts.lines == 100
