"""Something that is no file stands at the path: told, never opened, and over when it is gone."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource, System
from tests.exporter.source.files.logs import Log, lines, records


def test_lines_before_and_after_a_directory_are_read(log: Log, source: FileSource) -> None:
    log.write(1)
    assert lines(source) == records(1)
    log.write(2)
    log.rename()
    log.path.mkdir()
    assert lines(source) == records(2)
    assert source.status().error == f"{log.name}: is a directory, not a log file"
    assert not source.status().up
    log.path.rmdir()
    log.write(3)
    assert lines(source) == records(3)
    assert source.status().error is None


def refuse(path: str) -> int:
    raise AssertionError(f"{path} was opened")


@pytest.mark.parametrize("kind", ["directory", "FIFO", "device"])
def test_what_is_no_file_is_never_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "racoon.log"
    if kind == "directory":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    source = FileSource(str(path), system=System(open=refuse))
    assert source.read() is None
    assert source.status().error == f"{path}: is a {kind}, not a log file"
    assert source.position() is None


def test_a_socket_at_the_path_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("racoon.log")
        source = FileSource("racoon.log")
        assert source.read() is None
    assert source.status().error == "racoon.log: is a socket, not a log file"


def test_a_file_swapped_for_a_fifo_while_it_is_opened_is_not_read(log: Log) -> None:
    log.write(1)

    def swap(path: str) -> int:
        log.path.rename(log.sibling(".1").path)
        os.mkfifo(path)
        return System().open(path)

    before = len(list(Path("/proc/self/fd").iterdir()))
    source = FileSource(log.name, system=System(open=swap))
    assert source.read() is None
    assert source.status().error == f"{log.name}: is a FIFO, not a log file"
    assert len(list(Path("/proc/self/fd").iterdir())) == before
