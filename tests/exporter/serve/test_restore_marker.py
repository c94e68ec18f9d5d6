"""A state in which the process ends without an exception: it is set aside after the third crash, and the logs are read anew."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine
from racoon_exporter.serve.partitions import Partitions
from racoon_exporter.serve.restore_marker import CRASHES, RestoreCrashError, RestoreMarker, version_of

FOLLOW = """
import os, sys
from datetime import UTC
from pathlib import Path
from racoon_exporter.engine import Engine
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths

log, state, number, waits = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]

if number:
    def crash(self, content, since):
        if waits:
            print("restoring", flush=True)
            sys.stdin.read()
        os.kill(os.getpid(), number)
    LiveEngine.resumed = crash

follower = Follower(Engine(UTC), Inputs(paths(log)), state_file=state)
follower.restore()
print(follower._state_file.failures, flush=True)
take_turn = follower._idle
def turn():
    take_turn()
    follower.stop()
follower._idle = turn
follower.run()
"""
"""An exporter that a signal ends while it restores, as a fault in C would; with 0 one that reads all there is, and stops."""


def run(tmp_path: Path, number: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FOLLOW, str(tmp_path / "racoon.log"), str(tmp_path / "state"), str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def killed_while_it_restores(tmp_path: Path) -> int:
    """kill -9 from outside, as the out-of-memory killer does it."""
    command = [sys.executable, "-c", FOLLOW, str(tmp_path / "racoon.log"), str(tmp_path / "state"), "9", "waits"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "restoring\n"
        process.kill()
        return process.wait()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file that an exporter wrote of a log with two lines."""
    lines = (f"2026-01-15 08:00:0{number}: INFO: racoon shutdown\n" for number in range(2))
    (tmp_path / "racoon.log").write_text("".join(lines))
    assert run(tmp_path, 0).returncode == 0
    return tmp_path / "state"


def lines_counted(state: Path) -> int:
    content = checkpoint.read(state)
    assert content is not None
    (counts,) = content["sources"].values()
    lines = counts["lines"]
    assert isinstance(lines, int)
    return lines


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_state_that_ends_the_process_ends_it_three_times_and_is_set_aside(number: int, state: Path, tmp_path: Path) -> None:
    before = state.read_bytes()
    ends = [run(tmp_path, number) for _ in range(CRASHES)]
    assert [end.returncode for end in ends] == [-number] * CRASHES
    assert ends[0].stderr == ""
    assert all(f"the exporter ended while it restored {state}" in end.stderr for end in ends[1:])
    last = run(tmp_path, number)
    assert last.returncode == 0
    assert (
        f"{state} is not used: the exporter ended 3 times while it was restored; it was moved to {state}.unusable"
        in last.stderr
    )
    assert last.stdout == "1\n"
    assert (tmp_path / "state.unusable").read_bytes() == before
    assert lines_counted(state) == 2
    assert run(tmp_path, 0).stdout == "0\n"
    assert not (tmp_path / "state.restoring").exists()
    assert lines_counted(state) == 2


def test_so_it_is_when_the_process_is_killed_from_outside(state: Path, tmp_path: Path) -> None:
    assert [killed_while_it_restores(tmp_path) for _ in range(CRASHES)] == [-signal.SIGKILL] * CRASHES
    assert f"it was moved to {state}.unusable" in run(tmp_path, signal.SIGKILL).stderr


def test_one_that_is_restored_after_two_crashes_is_kept(state: Path, tmp_path: Path) -> None:
    for _ in range(2):
        for _ in range(CRASHES - 1):
            assert run(tmp_path, signal.SIGKILL).returncode == -signal.SIGKILL
        assert run(tmp_path, 0).stdout == "0\n"
        assert not (tmp_path / "state.restoring").exists()
    assert not (tmp_path / "state.unusable").exists()
    assert lines_counted(state) == 2


Crash = Callable[[str, str], None]


@pytest.fixture
def crash(tmp_path: Path) -> Iterator[Crash]:
    """Begin to restore something, and never come to the end of it."""
    begun = []

    def begin(name: str, version: str) -> None:
        restoring = RestoreMarker(tmp_path / "state").restoring(name, version)
        restoring.__enter__()
        begun.append(restoring)

    yield begin
    for restoring in begun:
        restoring.__exit__(None, None, None)


def refused(tmp_path: Path, name: str, version: str) -> bool:
    try:
        with RestoreMarker(tmp_path / "state").restoring(name, version):
            return False
    except RestoreCrashError:
        return True


def test_another_file_in_its_place_is_tried_anew(tmp_path: Path, crash: Crash) -> None:
    file = tmp_path / "state"
    file.write_text("one")
    for _ in range(CRASHES):
        crash("state", version_of(file))
    assert refused(tmp_path, "state", version_of(file))
    file.write_text("another")
    assert not refused(tmp_path, "state", version_of(file))


def test_a_sound_partition_does_not_wipe_the_mark_of_one_that_ends_the_process(tmp_path: Path, crash: Crash) -> None:
    sound, unsound = "kafka:racoon:0", "kafka:racoon:1"
    for _ in range(CRASHES):
        assert not refused(tmp_path, sound, "1.0")
        crash(unsound, "1.0")
    assert refused(tmp_path, unsound, "1.0")
    assert not refused(tmp_path, sound, "1.0")
    assert refused(tmp_path, unsound, "1.0")
    assert not refused(tmp_path, unsound, "2.0")
    assert not (tmp_path / "state.restoring").exists()


def test_a_partition_that_ended_the_process_too_often_cannot_be_used(tmp_path: Path, crash: Crash) -> None:
    """Its source then reads it anew."""
    partitions = Partitions(Engine(UTC), state_file=tmp_path / "state", wall=lambda: 1.0)
    partitions.begin("kafka:racoon:0", None)
    kept = partitions.content("kafka:racoon:0")
    partitions.begin("kafka:racoon:0", kept)
    for _ in range(CRASHES):
        crash("kafka:racoon:0", "1.0")
    with pytest.raises(ValueError, match="ended 3 times while it was restored"):
        partitions.begin("kafka:racoon:0", kept)


@pytest.mark.parametrize(
    "junk", [b"", b"nonsense", b"[1]", b'{"state": 3}', b'{"state": ["1", "3"]}', b'{"state": ["1"]}', b"\xff", b"[" * 100_000]
)
def test_a_mark_that_is_none_says_nothing(junk: bytes, tmp_path: Path) -> None:
    (tmp_path / "state.restoring").write_bytes(junk)
    assert not refused(tmp_path, "state", "1")
    assert not (tmp_path / "state.restoring").exists()


def test_where_no_mark_can_be_written_all_is_restored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    done: list[Any] = []
    with RestoreMarker(tmp_path / "none" / "state").restoring("state", "1"):
        done.append("restored")
    assert done
    assert "No such file or directory" in caplog.text


@pytest.mark.parametrize("kind", ["link", "fifo", "nested"])
def test_what_somebody_put_in_the_place_of_the_marks_costs_no_state(kind: str, tmp_path: Path) -> None:
    """A FIFO would be waited for at the start, a link written through, and nesting without end laid to the state's charge."""
    marks, other = tmp_path / "state.restoring", tmp_path / "other"
    other.write_text("of somebody else")
    make: dict[str, Callable[[], object]] = {
        "link": lambda: marks.symlink_to(other),
        "fifo": lambda: os.mkfifo(marks),
        "nested": lambda: marks.write_bytes(b"[" * 100_000),
    }
    make[kind]()
    restored = []
    with RestoreMarker(tmp_path / "state").restoring("state", "1"):
        restored.append("state")
    assert restored == ["state"]
    assert other.read_text() == "of somebody else"
