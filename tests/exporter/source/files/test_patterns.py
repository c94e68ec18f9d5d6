"""Patterns: files join, vanish, and are never read under two names."""

from __future__ import annotations

import glob
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.source import Position, SourceSet, System
from racoon_exporter.source.files.patterns import LINGER_SECONDS, is_pattern, matches
from racoon_exporter.source.files.siblings import is_rotated
from tests.clock import Clock
from tests.exporter.source.files.logs import Log, blocks, lines, record, records


@pytest.fixture
def logs(tmp_path: Path, clock: Clock) -> Iterator[SourceSet]:
    logs = SourceSet([str(tmp_path / "*.log*")], clock=clock)
    yield logs
    logs.close()


def names(logs: SourceSet) -> list[str]:
    return sorted(Path(status.name).name for status in logs.statuses())


def again(logs: SourceSet, *paths: str, clock: Clock) -> SourceSet:
    """Return a new set that goes on from the checkpoint of another, which is closed."""
    saved = json.dumps({name: position.to_json() for name, position in logs.positions().items()})
    logs.close()
    fresh = SourceSet(paths, clock=clock)
    fresh.resume({name: Position.from_json(position) for name, position in json.loads(saved).items()})
    return fresh


def test_files_join_as_they_come(tmp_path: Path, logs: SourceSet) -> None:
    assert blocks(logs) == []
    Log(tmp_path / "a.log").write(1)
    assert [(block.source, block.data) for block in blocks(logs)] == [(str(tmp_path / "a.log"), record(1))]
    Log(tmp_path / "b.log").write(2)
    Log(tmp_path / "a.log").write(3)
    assert sorted(lines(logs)) == records(2, 3)
    assert names(logs) == ["a.log", "b.log"]


def test_a_pattern_without_a_file_is_told(tmp_path: Path, logs: SourceSet) -> None:
    assert logs.read() is None
    (status,) = logs.statuses()
    assert (status.name, status.up) == (str(tmp_path / "*.log*"), False)
    assert status.error == f"{tmp_path}/*.log*: no file matches"


def test_rotated_and_compressed_files_do_not_join(tmp_path: Path, logs: SourceSet) -> None:
    log = Log(tmp_path / "racoon.log")
    log.write(1)
    log.sibling(".1").write(0)
    log.sibling(".2.gz").append(gzip.compress(record(0)))
    log.sibling("-20261124").write(0)
    (tmp_path / "other.log.gz").write_bytes(gzip.compress(record(0)))
    assert lines(logs) == records(1)
    log.write(2)
    log.rename()
    log.write(3)
    assert lines(logs) == records(2, 3)
    assert names(logs) == ["racoon.log"]


@pytest.mark.parametrize(
    "copy",
    [
        "racoon.log.bak",
        "racoon.log~",
        "racoon.log.save",
        "racoon.log.dpkg-old",
        "racoon.log.1.tmp",
        "racoon.log.1.bak",
        "racoon.log.1.gz.part",
        "racoon.log.1.gz-2026112408.backup",
    ],
)
def test_copies_do_not_join(tmp_path: Path, logs: SourceSet, clock: Clock, copy: str) -> None:
    """Of people, editors, package managers, kubelet, and of logrotate where it finds the name of a packed file taken."""
    log = Log(tmp_path / "racoon.log")
    log.write(1, 2)
    assert lines(logs) == records(1, 2)
    Log(tmp_path / copy).write(1, 2)
    clock.now += LINGER_SECONDS
    assert lines(logs) == []
    assert names(logs) == ["racoon.log"]


def test_what_is_called_like_a_copy_is_a_log_where_it_is_a_copy_of_nothing(tmp_path: Path, logs: SourceSet) -> None:
    Log(tmp_path / "a.log.bak").write(1)
    Log(tmp_path / "gw.log.orig").write(2)
    assert lines(logs) == records(1, 2)


def test_a_dated_file_without_a_log_is_a_log_of_its_own(tmp_path: Path, logs: SourceSet) -> None:
    """A syslog daemon may write a new file each day."""
    Log(tmp_path / "racoon.log-20261124").write(1)
    Log(tmp_path / "racoon.log-20261125").write(2)
    assert lines(logs) == records(1, 2)
    Log(tmp_path / "racoon.log-20261126").write(3)
    assert lines(logs) == records(3)


def test_a_file_renamed_to_another_matching_name_is_read_once(tmp_path: Path, logs: SourceSet) -> None:
    log = Log(tmp_path / "racoon.log")
    log.write(1)
    assert lines(logs) == records(1)
    log.write(2)
    moved = Log(log.path.rename(tmp_path / "moved.log"))
    assert lines(logs) == records(2)
    log.write(3)
    assert lines(logs) == records(3)
    assert lines(logs) == []
    moved.write(4)
    assert lines(logs) == records(4)
    assert names(logs) == ["moved.log", "racoon.log"]


def test_two_links_to_one_file_are_read_once(tmp_path: Path, logs: SourceSet) -> None:
    Log(tmp_path / "a.log").write(1)
    (tmp_path / "current.log").symlink_to("a.log")
    os.link(tmp_path / "a.log", tmp_path / "hard.log")
    assert lines(logs) == records(1)
    assert names(logs) == ["a.log"]


def test_a_vanished_file_is_read_to_its_end_and_dropped_later(tmp_path: Path, logs: SourceSet, clock: Clock) -> None:
    log = Log(tmp_path / "a.log")
    Log(tmp_path / "b.log").write(1)
    log.write(2)
    assert sorted(lines(logs)) == records(1, 2)
    log.write(3)
    log.append(b"torn")
    log.path.rename(tmp_path / "away")
    assert lines(logs) == records(3)
    Log(tmp_path / "away").append(b", mended\n")
    assert lines(logs) == [b"torn, mended\n"]
    Log(tmp_path / "away").append(b"torn")
    assert names(logs) == ["a.log", "b.log"]
    clock.now += LINGER_SECONDS
    assert [(block.data, block.final) for block in blocks(logs)] == [(b"torn", True)]
    assert names(logs) == ["b.log"]
    assert sorted(logs.positions()) == [str(tmp_path / "b.log")]


def test_a_dropped_file_that_comes_back_under_another_name_goes_on(tmp_path: Path, logs: SourceSet, clock: Clock) -> None:
    log = Log(tmp_path / "a.log")
    log.write(1)
    assert lines(logs) == records(1)
    log.path.rename(tmp_path / "away")
    assert lines(logs) == []
    clock.now += LINGER_SECONDS
    assert lines(logs) == []
    assert names(logs) == ["*.log*"]
    Log(tmp_path / "away").path.rename(tmp_path / "z.log")
    Log(tmp_path / "z.log").write(2)
    assert lines(logs) == records(2)


def test_a_file_that_returns_in_time_stays(tmp_path: Path, logs: SourceSet, clock: Clock) -> None:
    log = Log(tmp_path / "a.log")
    log.write(1)
    assert lines(logs) == records(1)
    log.rename()
    assert lines(logs) == []
    clock.now += LINGER_SECONDS / 2
    log.write(2)
    assert lines(logs) == records(2)
    log.rename()
    assert lines(logs) == []
    clock.now += LINGER_SECONDS / 2
    assert lines(logs) == []
    assert names(logs) == ["a.log"]


def test_a_busy_file_does_not_starve_the_others(tmp_path: Path) -> None:
    paths = [tmp_path / "busy.log", tmp_path / "calm.log"]
    Log(paths[0]).write(*range(100))
    Log(paths[1]).write(500)
    logs = SourceSet([str(path) for path in paths])
    first_two = [logs.read(1), logs.read(1)]
    assert [block.data for block in first_two if block] == records(0, 500)
    logs.close()


def test_new_files_join_although_there_is_always_something_to_read(tmp_path: Path, logs: SourceSet, clock: Clock) -> None:
    Log(tmp_path / "a.log").write(*range(100))
    assert logs.read(1) is not None
    Log(tmp_path / "b.log").write(500)
    clock.now += 1
    first_two = [logs.read(1), logs.read(1)]
    assert {block.source for block in first_two if block} == {str(tmp_path / "a.log"), str(tmp_path / "b.log")}


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.log").mkdir()
    (tmp_path / "b.log").symlink_to("b.log")
    Log(tmp_path / "c.log").write(1)

    def refuse(path: str) -> int:
        if path.endswith("d.log"):
            raise PermissionError(13, "Permission denied", path)
        return System().open(path)

    Log(tmp_path / "d.log").write(2)
    logs = SourceSet([str(tmp_path / f"{name}.log") for name in "abcd"], system=System(open=refuse))
    assert lines(logs) == records(1)
    assert [status.up for status in logs.statuses()] == [False, False, True, False]
    logs.close()


def test_a_restart_goes_on_in_every_file(tmp_path: Path, clock: Clock) -> None:
    pattern = str(tmp_path / "*.log")
    a, b = Log(tmp_path / "a.log"), Log(tmp_path / "b.log")
    a.write(1)
    b.write(2)
    logs = SourceSet([pattern], clock=clock)
    assert sorted(lines(logs)) == records(1, 2)
    a.write(3)
    a.rename()
    b.write(4)
    b.rename()
    b.write(5)
    Log(tmp_path / "c.log").write(6)
    logs = again(logs, pattern, clock=clock)
    assert sorted(lines(logs)) == records(3, 4, 5, 6)
    logs.close()


def test_positions_of_files_not_found_yet_stay_in_the_checkpoint(tmp_path: Path, clock: Clock) -> None:
    log = Log(tmp_path / "a.log")
    log.write(1)
    logs = SourceSet([log.name], clock=clock)
    assert lines(logs) == records(1)
    log.path.rename(tmp_path / "a.log.gone")
    (tmp_path / "a.log.gone").unlink()
    positions = logs.positions()
    logs = again(logs, log.name, clock=clock)
    assert logs.positions() == positions
    assert lines(logs) == []
    assert logs.positions() == positions
    logs.close()


def test_starting_at_the_end_holds_for_what_is_there_at_the_start(tmp_path: Path, clock: Clock) -> None:
    Log(tmp_path / "a.log").write(1)
    logs = SourceSet([str(tmp_path / "*.log")], start_at="end", clock=clock)
    assert lines(logs) == []
    Log(tmp_path / "a.log").write(2)
    Log(tmp_path / "b.log").write(3)
    assert sorted(lines(logs)) == records(2, 3)
    logs.close()


def test_a_file_named_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    log = Log(tmp_path / "racoon[1].log")
    assert is_pattern(log.name)
    log.write(1)
    assert not is_pattern(log.name)
    logs = SourceSet([log.name])
    assert lines(logs) == records(1)
    logs.close()


def test_a_path_given_twice_and_matched_is_read_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log")
    log.write(1)
    logs = SourceSet([log.name, str(tmp_path / "*.log"), log.name])
    assert lines(logs) == records(1)
    assert len(logs.sources) == 1
    logs.close()


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*.log",
        "a/*",
        "*/x.log",
        "**/*.log",
        "a/**/x.log",
        "**",
        "?/*",
        ".*",
        "a/.*/*",
        "[ab]/*.log",
        "[!a]/*.log",
        "a/x.log",
    ],
)
def test_a_pattern_matches_the_names_that_it_finds(tmp_path: Path, pattern: str) -> None:
    """`*` of fnmatch would run over directories, so that one gateway's pattern takes in another's logs."""
    names = ["x.log", ".x.log", "a/x.log", "a/.x.log", "b/x.log", "b/y.txt", "a/b/x.log", "a/b/c/x.log", "a/.b/x.log"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    full = str(tmp_path / pattern)
    found = {path for path in glob.glob(full, recursive=True) if Path(path).is_file()}  # noqa: PTH207  as it is looked up
    assert {str(tmp_path / name) for name in names if matches(full, str(tmp_path / name))} == found


NAMES_OF_ROTATED = pytest.mark.parametrize("rotated", ["racoon.log.{}", "racoon.{}.log"])


def shift(folder: Path, rotated: str) -> None:
    """Rotate racoon.log in the manner of `nocreate`."""
    kept = [number for number in range(1, 9) if (folder / rotated.format(number)).exists()]
    for number in reversed(kept):
        (folder / rotated.format(number)).rename(folder / rotated.format(number + 1))
    (folder / "racoon.log").rename(folder / rotated.format(1))


@NAMES_OF_ROTATED
@pytest.mark.parametrize("restarted", [False, True], ids=["live", "over a restart"])
def test_a_silent_log_that_was_rotated_is_not_read_again_under_the_names_of_its_rotated_files(
    tmp_path: Path, logs: SourceSet, clock: Clock, rotated: str, *, restarted: bool
) -> None:
    """With `nocreate` there is no log until racoon writes its next record, which may take longer than a log is waited for."""
    log = Log(tmp_path / "racoon.log")
    for number in (1, 2, 3):
        log.write(number)
        assert lines(logs) == records(number)
        shift(tmp_path, rotated)
    for _ in range(3):
        clock.now += LINGER_SECONDS
        assert lines(logs) == []
        if restarted:
            logs = again(logs, str(tmp_path / "*.log*"), clock=clock)
    log.write(4)
    shift(tmp_path, rotated)
    log.write(5)
    assert lines(logs) == records(4, 5)
    assert names(logs) == ["racoon.log"]


@pytest.mark.parametrize("restarted", [False, True], ids=["live", "over a restart"])
def test_what_a_silent_log_held_that_came_back_and_was_rotated_again_is_read(
    tmp_path: Path, clock: Clock, *, restarted: bool
) -> None:
    """Its rotated files are none of the pattern's; nothing else tells that there is something between the two."""
    pattern = str(tmp_path / "*.log")
    logs = SourceSet([pattern], clock=clock)
    log = Log(tmp_path / "racoon.log")
    log.write(1)
    assert lines(logs) == records(1)
    log.rename()
    for _ in range(2):
        clock.now += LINGER_SECONDS
        assert lines(logs) == []
    if restarted:
        logs = again(logs, pattern, clock=clock)
    log.write(2)
    log.rename()
    log.write(3)
    assert lines(logs) == records(2, 3)
    logs.close()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("mount_point", [False, True], ids=["its folder is gone", "its folder is empty"])
def test_a_log_that_was_away_with_its_file_system_goes_on(
    tmp_path: Path, clock: Clock, *, mount_point: bool, restarted: bool
) -> None:
    log, away, pattern = Log(tmp_path / "gw" / "racoon.log"), tmp_path / "away", f"{tmp_path}/gw/*.log"
    log.path.parent.mkdir()
    log.write(1, 2)

    def stat(path: str) -> os.stat_result:
        status = os.stat(path)  # noqa: PTH116 - paths are text here
        if not away.exists():
            return status
        return os.stat_result([*status[:2], status.st_dev + 1, *status[3:]], {"st_mtime_ns": status.st_mtime_ns})

    logs = SourceSet([pattern], clock=clock, system=System(stat=stat))
    assert lines(logs) == records(1, 2)
    log.path.parent.rename(away)
    if mount_point:
        log.path.parent.mkdir()
    for _ in range(2):
        assert lines(logs) == []
        clock.now += LINGER_SECONDS
    assert lines(logs) == []
    assert names(logs) == ["*.log"]
    if restarted:
        logs = again(logs, pattern, clock=clock)
        assert lines(logs) == []
    log.path.parent.mkdir(exist_ok=True)
    log.append((away / "racoon.log").read_bytes())  # another device, or at least another number of it
    (away / "racoon.log").unlink()
    away.rmdir()
    log.write(3)
    clock.now += LINGER_SECONDS
    assert lines(logs) == records(3)
    logs.close()


def test_a_new_log_that_has_the_inode_of_another_ones_rotated_file_is_new(tmp_path: Path, clock: Clock) -> None:
    """Inodes are used again; what stood beside the new log before it came is no concern of the other's."""
    logs = SourceSet([str(tmp_path / "*.log")], clock=clock)
    one, other = Log(tmp_path / "one.log"), Log(tmp_path / "other.log")
    one.write(1)
    assert lines(logs) == records(1)
    one.rename()
    one.write(2)
    assert lines(logs) == records(2)
    one.sibling(".1").path.rename(other.path)  # the inode, in place of an allocation that nobody can ask for
    other.path.write_bytes(record(4) + record(5))
    Log(tmp_path / "other.log.1").write(3)
    assert sorted(lines(logs)) == records(4, 5)
    assert sum(status.counts.lost_bytes for status in logs.statuses()) == 0
    logs.close()


def test_a_truncated_log_that_is_renamed_to_another_matching_name_is_read_once(tmp_path: Path, logs: SourceSet) -> None:
    """It is read under its old name, after its copy, and under no other meanwhile."""
    log = Log(tmp_path / "racoon.log")
    log.write(1)
    assert lines(logs) == records(1)
    log.write(2, 3)
    log.copytruncate()
    moved = Log(log.path.rename(tmp_path / "moved.log"))
    assert [logs.read(100) is not None, logs.refresh()] == [True, False]
    moved.write(4)
    assert lines(logs)[-2:] == records(3, 4)
    assert lines(logs) == []


@NAMES_OF_ROTATED
def test_rotated_files_are_not_read_as_logs_at_a_restart_before_the_next_record(
    tmp_path: Path, logs: SourceSet, clock: Clock, rotated: str
) -> None:
    log = Log(tmp_path / "racoon.log")
    log.write(1)
    assert lines(logs) == records(1)
    shift(tmp_path, rotated)
    logs = again(logs, str(tmp_path / "*.log*"), clock=clock)
    assert lines(logs) == []
    log.write(2)
    assert lines(logs) == records(2)
    assert names(logs) == ["racoon.log"]


@NAMES_OF_ROTATED
def test_rotated_files_that_were_there_before_their_log_are_logs_until_it_comes(
    tmp_path: Path, logs: SourceSet, rotated: str
) -> None:
    """They are renamed at each rotation: what stands under one of these names next is the log of today."""
    log = Log(tmp_path / "racoon.log")
    for number in (1, 2):
        log.write(number)
        shift(tmp_path, rotated)
    assert sorted(lines(logs)) == records(1, 2)
    for number in (3, 4, 5):
        log.write(number)
        assert lines(logs) == records(number)
        assert names(logs) == ["racoon.log"]
        shift(tmp_path, rotated)


@pytest.mark.parametrize(
    "rotated",
    [
        "racoon.log-20261124",
        "racoon.log-2026-11-24",
        "racoon.log-20261124T0830",
        "racoon.log.20261124T083000Z",
        "racoon.log.2026-11-24_08-30-00",
        "racoon.log.2026-11-24T08:30:00",
        "racoon-2026-11-24T08-30-00.123.log",
        "racoon-2026-11-24T08-30-00.123.log.gz",
        "racoon.log.old",
        "racoon.log.old.gz",
        "racoon.old.log",
    ],
)
def test_what_programs_and_scripts_call_their_rotated_files_is_known(rotated: str) -> None:
    """logrotate, newsyslog, Python's TimedRotatingFileHandler, Go's lumberjack, and the script that keeps one file."""
    assert is_rotated(rotated, "racoon.log")


@pytest.mark.parametrize(
    "other", ["racoon.log.bak", "racoon.log-older", "racoon.log-2026", "racoon.log.12345", "racoon.log.2026-11-24-x"]
)
def test_other_files_are_no_rotated_ones(other: str) -> None:
    assert not is_rotated(other, "racoon.log")
