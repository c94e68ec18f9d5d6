"""One file with several of the names that are read: links, a link led to another log, a rotated file that is named as well."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from racoon_exporter.source import Position, SourceSet
from racoon_exporter.source.files.patterns import REFRESH_SECONDS
from tests.clock import Clock
from tests.exporter.source.files.logs import Log, lines, record, records

Restart = Callable[[SourceSet, "tuple[str, ...]", Clock], SourceSet]


def again(logs: SourceSet, paths: tuple[str, ...], clock: Clock) -> SourceSet:
    saved = json.dumps({name: position.to_json() for name, position in logs.positions().items()})
    logs.close()
    fresh = SourceSet(paths, clock=clock)
    fresh.resume({name: Position.from_json(position) for name, position in json.loads(saved).items()})
    return fresh


restarted = pytest.mark.parametrize("restart", [lambda logs, _paths, _clock: logs, again], ids=["live", "over a restart"])


@restarted
@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize("first", ["log", "link"])
def test_a_log_and_a_link_to_it_count_once(
    log: Log, clock: Clock, restart: Restart, link: Callable[[Path, Path], None], first: str
) -> None:
    other = Log(log.path.with_name("link"))
    log.write(1)
    link(log.path, other.path)
    paths = (log.name, other.name) if first == "log" else (other.name, log.name)
    logs = SourceSet(paths, clock=clock)
    assert lines(logs) == records(1)
    log.write(2)
    logs = restart(logs, paths, clock)
    assert lines(logs) == records(2)
    log.rename()
    log.write(3)
    logs = restart(logs, paths, clock)
    assert lines(logs) == records(3)
    log.sibling(".1").write(4)  # where a hard link leads still
    log.write(5)
    logs = restart(logs, paths, clock)
    found = lines(logs)
    log.rename()
    log.write(6)
    assert sorted(found + lines(logs)) == records(4, 5, 6)
    logs.close()


def test_that_is_told_once(log: Log, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    log.write(1)
    other = log.path.with_name("link")
    other.symlink_to(log.path)
    logs = SourceSet([log.name, str(other)], clock=clock)
    for number in (1, 2):
        assert lines(logs) == records(number)
        log.write(number + 1)
    assert [message for message in caplog.messages if "the same file" in message] == [
        f"log {other}: it is the same file as {log.name}, and counts there"
    ]
    assert all(status.up for status in logs.statuses())
    logs.close()


@restarted
@pytest.mark.parametrize("seen_first", [False, True], ids=["switched before it is found", "found before it is switched"])
@pytest.mark.parametrize("link", ["a.log", "z.log"])
def test_a_link_that_is_led_from_log_to_log_of_the_same_pattern_counts_each_once(
    tmp_path: Path, clock: Clock, restart: Restart, link: str, *, seen_first: bool
) -> None:
    pattern, current = f"{tmp_path}/*.log", tmp_path / link
    monday, tuesday = Log(tmp_path / "m1.log"), Log(tmp_path / "m2.log")
    monday.write(1)
    current.symlink_to(monday.path)
    logs = SourceSet([pattern], clock=clock)
    assert lines(logs) == records(1)
    tuesday.write(2)
    clock.now += REFRESH_SECONDS
    found = lines(logs) if seen_first else []
    fresh = tmp_path / "fresh"
    fresh.symlink_to(tuesday.path)
    fresh.rename(current)
    for number in (3, 4):
        logs = restart(logs, (pattern,), clock)
        tuesday.write(number)
        clock.now += REFRESH_SECONDS
        found += lines(logs)
    assert found == records(2, 3, 4)
    monday.write(5)
    clock.now += REFRESH_SECONDS
    assert lines(logs) == records(5)
    logs.close()


@restarted
@pytest.mark.parametrize("reverse", [False, True])
def test_a_rotated_file_that_is_named_as_well_counts_once(log: Log, clock: Clock, restart: Restart, *, reverse: bool) -> None:
    """The shell expanded `racoon.log*`, which nobody had quoted."""
    log.write(2)
    log.sibling(".1").write(1)
    paths = (log.name, log.sibling(".1").name)
    paths = paths[::-1] if reverse else paths
    logs = SourceSet(paths, clock=clock)
    assert sorted(lines(logs)) == records(1, 2)
    for number in (3, 4, 5):
        log.rename()
        log.write(number)
        logs = restart(logs, paths, clock)
        assert lines(logs) == records(number)
        assert lines(logs) == []
    logs.close()


@restarted
def test_two_logs_that_change_their_names_count_once(tmp_path: Path, clock: Clock, restart: Restart) -> None:
    one, two, between = Log(tmp_path / "one.log"), Log(tmp_path / "two.log"), tmp_path / "between"
    one.write(1)
    two.write(2)
    paths = (one.name, two.name)
    logs = SourceSet(paths, clock=clock)
    assert lines(logs) == records(1, 2)
    one.path.rename(between)
    two.path.rename(one.path)
    between.rename(two.path)
    one.write(3)
    two.write(4)
    logs = restart(logs, paths, clock)
    assert sorted(lines(logs)) == records(3, 4)
    logs.close()


def test_a_log_with_the_inode_of_another_one_that_is_gone_is_read(log: Log, clock: Clock) -> None:
    gone = Log(log.path.with_name("gone.log"))
    gone.write(1)
    logs = SourceSet([gone.name, log.name], clock=clock)
    assert lines(logs) == records(1)
    saved = logs.positions()
    logs.close()
    gone.path.rename(log.path)  # as if it had been deleted, and its inode used again
    log.path.write_bytes(record(2) + record(3))
    logs = SourceSet([gone.name, log.name], clock=clock)
    logs.resume(saved)
    assert lines(logs) == records(2, 3)
    logs.close()


def test_a_file_of_a_pattern_with_the_inode_of_a_log_that_is_gone_is_read(log: Log, clock: Clock) -> None:
    gone = Log(log.path.with_name("gone.log"))
    gone.write(1)
    pattern = log.name.replace("racoon", "r*n")
    logs = SourceSet([gone.name, pattern], clock=clock)
    assert lines(logs) == records(1)
    saved = logs.positions()
    logs.close()
    gone.path.rename(log.path)
    log.path.write_bytes(record(2) + record(3))
    logs = SourceSet([gone.name, pattern], clock=clock)
    logs.resume(saved)
    found = lines(logs)
    clock.now += REFRESH_SECONDS
    assert found + lines(logs) == records(2, 3)
    logs.close()
