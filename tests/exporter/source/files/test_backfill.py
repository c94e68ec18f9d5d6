"""On first start the rotated files may be read too, the oldest first."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource, System
from racoon_exporter.source.files.folders import Folders
from racoon_exporter.source.files.siblings import bases, siblings
from tests.exporter.source.files.logs import Log, again, blocks, lines, record, records


def backfilled(log: Log) -> FileSource:
    return FileSource(log.name, backfill=True)


def test_numbered_files_are_read_from_the_highest_number_down(log: Log) -> None:
    log.write(5)
    log.sibling(".1").write(4)
    log.sibling(".2").write(3)
    log.sibling(".10.gz").append(gzip.compress(record(1) + record(2)))
    source = backfilled(log)
    assert lines(source) == records(1, 2, 3, 4, 5)
    assert source.status().counts.rotations == 0
    source.close()


def test_dated_files_are_read_in_the_order_of_their_dates(log: Log) -> None:
    log.write(4)
    log.sibling("-20261231").write(2)
    log.sibling("-20270101.gz").append(gzip.compress(record(3)))
    log.sibling("-20261130").write(1)
    source = backfilled(log)
    assert lines(source) == records(1, 2, 3, 4)
    source.close()


def test_a_file_that_is_just_being_compressed_is_read_once(log: Log) -> None:
    log.write(2)
    log.sibling(".1").write(1)
    log.sibling(".1.gz").append(gzip.compress(record(1))[:10])
    source = backfilled(log)
    assert lines(source) == records(1, 2)
    source.close()


def test_what_has_another_name_is_left_alone(log: Log) -> None:
    log.write(1)
    for suffix in (".bak", ".save", "~", ".1.orig", "-old", ".20x"):
        log.sibling(suffix).write(99)
    (log.path.parent / "charon.log.1").write_bytes(record(98))
    source = backfilled(log)
    assert lines(source) == records(1)
    source.close()


def test_the_incomplete_end_of_each_rotated_file_is_final(log: Log) -> None:
    log.sibling(".2").append(b"torn")
    log.sibling(".1.gz").append(gzip.compress(record(1) + b"torn, too"))
    log.write(2)
    source = backfilled(log)
    found = [(block.data, block.final) for block in blocks(source)]
    assert found == [(b"torn", True), (record(1), False), (b"torn, too", True), (record(2), False)]
    source.close()


def test_a_stop_in_the_middle_goes_on_where_it_was(log: Log) -> None:
    for number in range(1, 9, 2):
        log.write(number, number + 1)
        log.rename()
    log.write(9)
    source = backfilled(log)
    found = []
    while block := source.read(1):
        found.append(block.data)
        source = again(source)
    assert found == records(*range(1, 10))
    source.close()


def test_a_log_rotated_during_the_backfill_loses_nothing(log: Log) -> None:
    log.sibling(".1").write(1, 2)
    log.write(3)
    source = backfilled(log)
    first = source.read(1)
    assert first is not None
    assert first.data == record(1)
    log.rename()
    log.write(4)
    assert lines(source) == records(2, 3, 4)
    source.close()


def test_the_rotated_files_are_read_although_the_log_is_missing(log: Log) -> None:
    log.sibling(".1").write(1)
    source = backfilled(log)
    assert lines(source) == records(1)
    log.write(2)
    assert lines(source) == records(2)
    source.close()


def test_without_being_asked_no_rotated_file_is_read(log: Log, source: FileSource) -> None:
    log.sibling(".1").write(1)
    log.write(2)
    assert lines(source) == records(2)


def test_a_rotated_file_that_cannot_be_opened_is_counted_as_lost(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(path: str) -> int:
        if path.endswith(".1"):
            raise PermissionError(13, "Permission denied", path)
        return System().open(path)

    log.sibling(".1").write(1)
    log.write(2)
    source = FileSource(log.name, backfill=True, system=System(open=refuse))
    assert lines(source) == records(2)
    assert source.status().counts.lost_bytes == len(record(1))
    assert caplog.messages == [f"log {log.name}: {log.name}.1: Permission denied; it is counted as lost"]
    source.close()


def test_a_damaged_compressed_file_gives_what_could_be_read_and_is_told(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    whole = gzip.compress(b"".join(record(number) + os.urandom(500).hex().encode() + b"\n" for number in range(500)))
    log.sibling(".1.gz").append(whole[: len(whole) // 2])
    log.write(999)
    source = backfilled(log)
    found = lines(source)
    assert found[0] == record(0)
    assert found[-1] == record(999)
    assert len(found) > 300
    assert caplog.messages == [
        f"log {log.name}: {log.name}.1.gz: Compressed file ended before the end-of-stream marker was reached"
    ]
    source.close()


def test_numbers_may_stand_before_the_extension(tmp_path: Path) -> None:
    log = Log(tmp_path / "racoon.log")
    log.write(3)
    Log(tmp_path / "racoon.2.log").write(1)
    Log(tmp_path / "racoon.1.log").write(2)
    source = backfilled(log)
    assert lines(source) == records(1, 2, 3)
    source.close()


def test_the_kind_of_name_in_use_last_comes_last(log: Log) -> None:
    for suffix, when in ((".2", 1), (".1", 2), ("-20261101", 3), ("-20261102", 4)):
        log.sibling(suffix).write(when)
        os.utime(log.sibling(suffix).path, (when, when))
    found = [sibling.path.removeprefix(log.name) for sibling in siblings([log.name], Folders(System()))]
    assert found == [".2", ".1", "-20261101", "-20261102"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/log/racoon.log.1", ["/var/log/racoon.log"]),
        ("/var/log/racoon.log.12.gz", ["/var/log/racoon.log"]),
        ("/var/log/racoon.log-20261124", ["/var/log/racoon.log"]),
        ("/var/log/racoon.log-2026-11-24.xz", ["/var/log/racoon.log"]),
        ("/var/log/racoon.log-20261124-1764000000", ["/var/log/racoon.log"]),
        ("/var/log/racoon.1.log", ["/var/log/racoon.log"]),
        ("/var/log/racoon-20261124.log", ["/var/log/racoon.log"]),
        ("/var/log/racoon.log", []),
        ("/var/log/vpn2.log", []),
        ("/var/log/gateway-7.log", []),
    ],
)
def test_the_name_of_a_rotated_file_leads_to_its_log(path: str, expected: list[str]) -> None:
    assert list(bases(path)) == expected
