"""Looking at a log where nothing happens costs next to nothing."""

from __future__ import annotations

import os

from racoon_exporter.source import FileSource, System
from tests.exporter.source.files.logs import Log, lines, records


def test_an_idle_look_is_one_stat(log: Log) -> None:
    calls: list[str] = []

    def stat(path: str) -> os.stat_result:
        calls.append("stat")
        return System().stat(path)

    def pread(fd: int, size: int, offset: int) -> bytes:
        calls.append("pread")
        return System().pread(fd, size, offset)

    def fstat(fd: int) -> os.stat_result:
        calls.append("fstat")
        return System().fstat(fd)

    def listdir(path: str) -> list[str]:
        calls.append("listdir")
        return System().listdir(path)

    source = FileSource(log.name, system=System(stat=stat, pread=pread, fstat=fstat, listdir=listdir))
    log.write(1)
    assert lines(source) == records(1)
    calls.clear()
    for _ in range(10):
        assert source.read() is None
    assert calls == ["stat"] * 10
    log.write(2)
    calls.clear()
    assert lines(source) == records(2)
    assert calls == ["stat", "pread"] * 2
    source.close()


def test_a_log_is_read_in_blocks_not_by_line(log: Log, source: FileSource) -> None:
    log.append(b"".join(records(*range(10_000))))
    blocks = 0
    while source.read():
        blocks += 1
    assert blocks == -(-log.path.stat().st_size // (256 * 1024))
    assert source.status().counts.lines == 10_000
