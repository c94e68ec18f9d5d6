"""Rotated by others than logrotate: multilog, svlogd and s6-log, RouterOS, newsyslog, savelog, logreaders and libraries."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource, SourceSet
from racoon_exporter.source.files.siblings import bases
from racoon_exporter.source.stream_name import stream_of
from tests.clock import Clock
from tests.exporter.source.files.logs import Log, again, lines, record, records


class Tai64n:
    """multilog and the like: `current` is renamed to the time at which that happens, as TAI64N, with `.s` or `.u`."""

    name = "current"

    def __init__(self, *, state: str = "s", processed: bool = False) -> None:
        self.state, self.processed, self.seconds = state, processed, 0x4000000069A1B2C3

    def __call__(self, log: Path) -> None:
        self.seconds += 1
        rotated = log.with_name(f"@{self.seconds:x}0d4e5f6a.{self.state}")
        log.rename(rotated)
        if self.processed:  # `!gzip` of multilog: the name tells nothing of it
            raw = log.with_name("processed")
            raw.write_bytes(gzip.compress(rotated.read_bytes()))
            raw.rename(rotated)
        log.touch()


class Numbered:
    """The youngest has the lowest number."""

    def __init__(self, name: str, rotated: Callable[[int], str], *, first: int = 0, packed: bool = False) -> None:
        self.name, self.rotated, self.first, self.packed = name, rotated, first, packed

    def __call__(self, log: Path) -> None:
        for number in range(20, self.first, -1):
            for end in ("", ".gz"):
                path = log.with_name(self.rotated(number - 1) + end)
                if path.exists():
                    path.rename(log.with_name(self.rotated(number) + end))
        first = log.with_name(self.rotated(self.first))
        times = log.stat()
        log.rename(first)
        if self.packed:
            Path(f"{first}.gz").write_bytes(gzip.compress(first.read_bytes()))
            first.unlink()
            os.utime(f"{first}.gz", ns=(times.st_atime_ns, times.st_mtime_ns))


class Dated:
    """Each has a name that tells a time."""

    def __init__(self, name: str, *rotated: str) -> None:
        self.name, self.rotated = name, iter(rotated)

    def __call__(self, log: Path) -> None:
        log.rename(log.with_name(next(self.rotated)))


ROTATORS: dict[str, Callable[[], Tai64n | Numbered | Dated]] = {
    "svlogd, multilog, s6-log": Tai64n,
    "the same, stopped before all was written": lambda: Tai64n(state="u"),
    "the same, with gzip as processor": lambda: Tai64n(processed=True),
    "RouterOS, a disk's files": lambda: Numbered("log.0.txt", "log.{}.txt".format, first=1),
    "newsyslog of the BSDs": lambda: Numbered("racoon.log", "racoon.log.{}".format, packed=True),
    "BusyBox' syslogd -b, OpenWrt's logread": lambda: Numbered("messages", "messages.{}".format),
    "syslog-ng's logrotate()": lambda: Numbered("racoon.log", "racoon.log.{}".format, first=1),
    "savelog": lambda: Numbered("racoon.log", "racoon.log.{}".format),
    "newsyslog -t": lambda: Dated("racoon.log", *(f"racoon.log.2026112{day}T000000" for day in range(4, 8))),
    "Python's TimedRotatingFileHandler": lambda: Dated(
        "racoon.log", *(f"racoon.log.2026-11-24_0{hour}-00" for hour in range(4))
    ),
    "lumberjack": lambda: Dated("racoon.log", *(f"racoon-2026-11-24T0{hour}-00-00.123.log" for hour in range(4))),
}


@pytest.fixture(params=ROTATORS, ids=list(ROTATORS))
def rotate(request: pytest.FixtureRequest) -> Tai64n | Numbered | Dated:
    return ROTATORS[request.param]()


def read_at_last(source: FileSource) -> list[bytes]:
    return lines(source) + lines(source)


def test_each_line_counts_once_while_it_runs(tmp_path: Path, rotate: Tai64n | Numbered | Dated) -> None:
    log = Log(tmp_path / rotate.name)
    source = FileSource(log.name)
    assert lines(source) == []
    for number in range(0, 8, 2):
        log.write(number)
        assert read_at_last(source) == records(number)
        log.write(number + 1)
        rotate(log.path)
        log.write(number + 100)
        assert read_at_last(source) == records(number + 1, number + 100)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_each_line_counts_once_over_a_stop(tmp_path: Path, rotate: Tai64n | Numbered | Dated) -> None:
    log = Log(tmp_path / rotate.name)
    source = FileSource(log.name)
    log.write(0)
    assert lines(source) == records(0)
    for number in range(1, 5):
        log.write(number)
        rotate(log.path)
    log.write(5)
    source = again(source)
    assert read_at_last(source) == records(1, 2, 3, 4, 5)
    assert source.status().counts.lost_bytes == 0
    source.close()


def test_rotated_files_are_filled_in(tmp_path: Path, rotate: Tai64n | Numbered | Dated) -> None:
    log = Log(tmp_path / rotate.name)
    for number in range(1, 5):
        log.write(number)
        rotate(log.path)
    log.write(5)
    source = FileSource(log.name, backfill=True)
    assert lines(source) == records(1, 2, 3, 4, 5)
    source.close()


def test_rotated_files_do_not_join_a_pattern(tmp_path: Path, rotate: Tai64n | Numbered | Dated, clock: Clock) -> None:
    log = Log(tmp_path / rotate.name)
    logs = SourceSet([str(tmp_path / "*")], clock=clock)
    for number in range(4):
        log.write(number)
        assert lines(logs) + lines(logs) == records(number)
        rotate(log.path)
    log.write(4)
    assert lines(logs) + lines(logs) == records(4)
    assert [status.name for status in logs.statuses()] == [log.name]
    logs.close()


def test_while_a_processor_is_at_work_the_unprocessed_file_counts(tmp_path: Path) -> None:
    log = Log(tmp_path / "current")
    log.write(3)
    names = [f"@4000000069a1b2c3d4e5f6a{digit}" for digit in (1, 2)]
    (tmp_path / f"{names[0]}.s").write_bytes(gzip.compress(record(1)))
    (tmp_path / f"{names[1]}.s").write_bytes(gzip.compress(record(2))[:10])
    (tmp_path / f"{names[1]}.u").write_bytes(record(2))
    source = FileSource(log.name, backfill=True)
    assert lines(source) == records(1, 2, 3)
    source.close()


@pytest.mark.parametrize("name", ["@4000000069a1b2c3d4e5f6a7.s", "@4000000069a1b2c3d4e5f6a7.u"])
def test_a_rotated_file_of_multilog_is_the_stream_of_current(name: str) -> None:
    assert stream_of(f"/var/log/racoon/{name}") == "/var/log/racoon/current"
    assert list(bases(f"/var/log/racoon/{name}")) == ["/var/log/racoon/current"]


@pytest.mark.parametrize("name", ["@4000000069a1b2c3d4e5f6a7.t", "@69a1b2c3.s", "@4000000069a1b2c3d4e5f6a7", "lock", "state"])
def test_what_else_is_beside_current_is_none_of_it(name: str) -> None:
    assert list(bases(f"/var/log/racoon/{name}")) == []


def test_numbered_logs_of_gateways_are_logs_of_their_own(tmp_path: Path, clock: Clock) -> None:
    for number in range(3):
        Log(tmp_path / f"gw.{number}.log").write(number)
    logs = SourceSet([str(tmp_path / "gw.*.log")], clock=clock)
    assert sorted(lines(logs)) == records(0, 1, 2)
    logs.close()


@pytest.mark.parametrize("packed", [".zst", ".lz4", ".lzma", ".Z", ".zip"])
def test_what_is_compressed_in_another_way_does_not_join_a_pattern(tmp_path: Path, clock: Clock, packed: str) -> None:
    log = Log(tmp_path / "racoon.log")
    log.write(1)
    log.sibling(f".1{packed}").append(b"\x28\xb5\x2f\xfd junk\n")
    logs = SourceSet([str(tmp_path / "racoon.log*")], clock=clock)
    assert lines(logs) == records(1)
    logs.close()
