"""A line in which the process ends without an exception: it is found by the third crash, and passed over."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.serve.crash_marker import CrashMarker
from racoon_exporter.source import Block
from tests.exporter.reading import Q, start

FOLLOW = """
import os, sys
from datetime import UTC
from collections.abc import Callable
from pathlib import Path
from racoon_exporter.engine import Engine
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths

log, state, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])

def die(record, _source):
    if "203.0.113.9" in record.text:
        os.kill(os.getpid(), number)

inputs = Inputs(paths(log))
follower = Follower(Engine(UTC, on_record=die), inputs, state_file=state)
follower.restore()
take_turn = follower._idle
def turn():
    take_turn()
    follower.stop()
follower._idle = turn
follower.run()
"""
"""An exporter that a signal ends at each line of one peer, as a fault in C would; else it reads all there is."""


def run(log: Path, state: Path, number: int, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FOLLOW, str(log), str(state), str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def write(log: Path, *messages: str) -> None:
    log.write_text(
        "".join(f"2026-01-15 08:{number // 60:02}:{number % 60:02}: {text}\n" for number, text in enumerate(messages))
    )


@pytest.mark.parametrize(
    ("number", "place", "found"),
    [
        pytest.param(signal.SIGSEGV, 0, 2, id="a fault at the first line"),
        pytest.param(signal.SIGKILL, 150, 152, id="killed at a line in the middle"),
        pytest.param(signal.SIGABRT, 299, 300, id="the watchdog at the last line"),
    ],
)
def test_a_line_that_ends_the_process_ends_it_three_times_at_most(number: int, place: int, found: int, tmp_path: Path) -> None:
    """Found is the line behind it, if there is one: a record is held back until that shows that it is whole."""
    log, state = tmp_path / "racoon.log", tmp_path / "state"
    peers = [f"198.51.100.{1 + other % 200}" for other in range(300)]
    peers[place] = Q
    write(log, *(start(peer=peer) for peer in peers))
    ends: list[subprocess.CompletedProcess[str]] = []
    while not ends or ends[-1].returncode:
        ends.append(run(log, state, number))
        assert len(ends) < 9
    assert [end.returncode for end in ends[:-1]] == [-number] * 3
    assert f"line {found} of {log} ended the exporter 2 times: it is passed over" in ends[-1].stderr
    content = checkpoint.read(state)
    assert content is not None
    begun = {tuple(row[:3]): row[3] for row in content["engine"]["messages"]}
    assert begun["INFO", "info", "phase1_start"] + content["engine"]["unparsed"]["unknown_message"] == 300
    assert content["engine"]["record_errors"] == content["engine"]["unparsed"]["unknown_message"] <= 2
    assert not (tmp_path / "state.reading").exists()
    assert run(log, state, number).returncode == 0


def test_who_is_killed_while_nothing_is_read_reads_on_as_before(tmp_path: Path) -> None:
    left = tmp_path / "state.reading"
    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    (part,) = marker.parts(Block("racoon.log", b"one\ntwo\n", 1, None))
    assert part == (Block("racoon.log", b"one\ntwo\n", 1, None), False)
    assert json.loads(left.read_bytes()) == ["racoon.log", 1, 2, 0]
    marker.rest()
    again = CrashMarker(tmp_path / "state")
    again.begin()
    assert len(list(again.parts(Block("racoon.log", b"one\ntwo\n", 1, None)))) == 1


@pytest.mark.parametrize("junk", [b"", b"\n", b"nonsense", b'["racoon.log", -1', b"[1]", b"\xff" * 300, b"[" * 100_000])
def test_a_mark_that_is_none_says_nothing(junk: bytes, tmp_path: Path) -> None:
    (tmp_path / "state.reading").write_bytes(junk)
    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    assert len(list(marker.parts(Block("racoon.log", b"one\ntwo\n", 1, None)))) == 1


def test_where_no_mark_can_be_written_all_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    marker = CrashMarker(tmp_path / "none" / "state")
    marker.begin()
    assert "No such file or directory" in caplog.text
    assert len(list(marker.parts(Block("racoon.log", b"one\ntwo\n", 1, None)))) == 1
    marker.end()


def test_only_the_lines_that_were_being_read_are_read_one_by_one(tmp_path: Path) -> None:
    CrashMarker(tmp_path / "state").end()
    (tmp_path / "state.reading").write_text('["racoon.log", 5, 6, 0]\n')
    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    before = Block("racoon.log", b"1\n2\n3\n4\n", 1, None)
    within = Block("racoon.log", b"4\r x\n5\n6", 4, None, final=True)
    other = Block("other.log", b"5\n6\n", 5, None)
    assert [len(list(marker.parts(block))) for block in (before, within, other)] == [1, 3, 1]
    assert (tmp_path / "state.reading").stat().st_size == 256
    marker.end()


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_what_somebody_put_in_the_place_of_the_mark_is_left_alone(kind: str, tmp_path: Path) -> None:
    mark, other = tmp_path / "state.reading", tmp_path / "other"
    other.write_text("of somebody else")
    make: dict[str, Callable[[], object]] = {"link": lambda: mark.symlink_to(other), "fifo": lambda: os.mkfifo(mark)}
    make[kind]()
    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    block = Block("log", b"a line\n", 1, None)
    assert list(marker.parts(block)) == [(block, False)]
    marker.end()
    assert other.read_text() == "of somebody else"
    assert mark.exists()


def test_a_mark_that_cannot_be_removed_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path, *, missing_ok: bool) -> None:
        del missing_ok
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    monkeypatch.setattr(Path, "unlink", refused)
    marker.end()
    assert (tmp_path / "state.reading").exists()


def test_a_process_that_is_ended_while_something_else_is_done_accuses_no_line(tmp_path: Path) -> None:
    """The watchdog ends one whose state file hangs on a slow disk, three times if need be: that is no line's fault."""
    left = tmp_path / "state.reading"
    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    with marker.resting():
        assert left.read_bytes().strip() == b""
    assert left.read_bytes().strip() == b""
    list(marker.parts(Block("racoon.log", b"one\n", 1, None)))
    with marker.resting():
        assert left.read_bytes().strip() == b""
    assert json.loads(left.read_bytes()) == ["racoon.log", 1, 1, 0], "what is kept back is still being read"
    marker.end()


def test_a_mark_that_cannot_be_written_is_told_once_and_written_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    left = tmp_path / "state.reading"
    marker = CrashMarker(tmp_path / "state")
    marker.begin()
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        for _ in range(3):
            assert len(list(marker.parts(Block("racoon.log", b"one\ntwo\n", 1, None)))) == 1
    assert caplog.messages == [f"{left} cannot be written: No space left on device"]
    list(marker.parts(Block("racoon.log", b"three\n", 3, None)))
    assert json.loads(left.read_bytes()) == ["racoon.log", 3, 3, 0]
    marker.end()
