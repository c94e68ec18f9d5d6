"""The reader is woken by changes, sleeps otherwise, and polls where there is no notice."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from watchdog.events import FileSystemEvent
from watchdog.observers.api import BaseObserver, EventQueue, ObservedWatch
from watchdog.observers.inotify import InotifyEmitter, InotifyObserver

from racoon_exporter.source import FileSource, watch
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from racoon_exporter.source.watch import GAP_SECONDS, Watcher
from tests.exporter.source.files.logs import Log, lines, records

SOON = 10.0
"""Seconds within which a notice has come on any machine; a test that passes does not wait so long."""


def watching(*paths: Path, **more: object) -> Watcher:
    watcher = Watcher([str(path) for path in paths], **more)  # type: ignore[arg-type] # passed on as they are
    settle(watcher)
    return watcher


def settle(watcher: Watcher) -> None:
    """Take notice of all that has happened so far, or nearly: where more must not come, `quiet_in` tells it for sure."""
    while watcher.wait(0.05):
        pass


def told_all(watcher: Watcher, folder: Path) -> None:
    """Wait until the watcher was told of all that happened in a folder so far: of a file that means nothing it is told last."""
    fence, told, handle = folder / "fence", threading.Event(), watcher._handler.on_any_event

    def handle_and_tell(event: FileSystemEvent) -> None:
        handle(event)
        if event.src_path == str(fence):
            told.set()

    with patch.object(watcher._handler, "on_any_event", handle_and_tell):
        fence.touch()
        assert told.wait(SOON)
    fence.unlink()


def quiet_in(watcher: Watcher, folder: Path) -> bool:
    """Whether nothing of what happened in a folder since the last wait wakes, however late it is told."""
    told_all(watcher, folder)
    return not watcher.wait(0)


def watched(watcher: Watcher) -> list[str]:
    return list(watcher.directories)


@pytest.fixture
def watcher(log: Log) -> Iterator[Watcher]:
    watcher = watching(log.path)
    yield watcher
    watcher.close()


def test_writing_wakes(log: Log, watcher: Watcher) -> None:
    log.write(1)
    assert watcher.wait(SOON)


@pytest.mark.parametrize("change", ["rename", "delete", "truncate"])
def test_rotation_wakes(log: Log, watcher: Watcher, change: str) -> None:
    log.write(1)
    settle(watcher)
    if change == "rename":
        log.rename()
    elif change == "delete":
        log.path.unlink()
    else:
        log.copytruncate()
    assert watcher.wait(SOON)


def test_reading_does_not_wake(log: Log, watcher: Watcher) -> None:
    """Otherwise each look would cause the next one, without end."""
    log.write(1)
    told_all(watcher, log.path.parent)
    assert watcher.wait(0)
    source = FileSource(log.name)
    assert lines(source) == records(1)
    source.close()
    assert quiet_in(watcher, log.path.parent)


def test_other_files_in_the_directory_do_not_wake(log: Log, watcher: Watcher) -> None:
    Log(log.path.with_name("auth.log")).write(1)
    assert quiet_in(watcher, log.path.parent)


def test_files_that_a_pattern_matches_wake(tmp_path: Path) -> None:
    (tmp_path / "gateway-7").mkdir()
    watcher = watching(tmp_path / "gateway-*" / "racoon*.log")
    Log(tmp_path / "gateway-7" / "racoon2.log").write(1)
    told_all(watcher, tmp_path / "gateway-7")
    assert watcher.wait(0)
    Log(tmp_path / "gateway-7" / "charon.log").write(1)
    assert quiet_in(watcher, tmp_path / "gateway-7")
    watcher.close()


def test_the_target_of_a_link_wakes(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data/target")
    watcher = watching(tmp_path / "link")
    Log(tmp_path / "data" / "target").write(1)
    assert watcher.wait(SOON)
    watcher.close()


def test_a_directory_that_comes_and_goes_is_watched_while_it_is_there(tmp_path: Path) -> None:
    log = Log(tmp_path / "later" / "racoon.log")
    watcher = watching(log.path)
    assert watched(watcher) == []
    for _ in range(3):
        log.path.parent.mkdir()
        settle(watcher)
        assert watched(watcher) == [str(log.path.parent)]
        log.write(1)
        assert watcher.wait(SOON)
        shutil.rmtree(log.path.parent)
        settle(watcher)
        assert watched(watcher) == []
    watcher.close()


def test_a_directory_replaced_by_another_is_watched(log: Log) -> None:
    directory = log.path.parent / "logs"
    directory.mkdir()
    watcher = watching(directory / "racoon.log")
    directory.rename(directory.with_name("old"))
    directory.mkdir()
    settle(watcher)
    Log(directory / "racoon.log").write(1)
    assert watcher.wait(SOON)
    watcher.close()


def test_a_wake_by_hand_ends_the_wait_and_holds_once(watcher: Watcher) -> None:
    watcher.wake()
    assert watcher.wait(SOON)
    assert not watcher.wait(0)


def test_paths_can_be_changed(tmp_path: Path, watcher: Watcher) -> None:
    (tmp_path / "other").mkdir()
    watcher.watch([str(tmp_path / "other" / "racoon.log")])
    assert watched(watcher) == [str(tmp_path / "other")]
    Log(tmp_path / "racoon.log").write(1)
    assert watcher.wait(0)  # for the new directory
    assert quiet_in(watcher, tmp_path / "other")
    Log(tmp_path / "other" / "racoon.log").write(1)
    assert watcher.wait(SOON)


def test_no_thread_and_no_file_is_left_after_closing(log: Log) -> None:
    threads, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    watcher = watching(log.path)
    assert threading.active_count() > threads
    watcher.close()
    watcher.close()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    log.write(1)
    assert watcher.wait(0)
    assert not watcher.wait(0)
    assert threading.active_count() == threads


def test_closing_wakes_who_waits(log: Log) -> None:
    watcher = watching(log.path)
    woken = threading.Event()

    def wait() -> None:
        if watcher.wait(SOON):
            woken.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    watcher.close()
    waiting.join(SOON)
    assert woken.is_set()


class Refusing(InotifyObserver):
    """An observer for which the system has no watches left, until it has."""

    refusing = True

    def schedule(self, *arguments: object, **more: object) -> ObservedWatch:
        if self.refusing:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return super().schedule(*arguments, **more)  # type: ignore[arg-type] # passed on as they are


def test_without_watches_it_says_so_once_and_polls(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    observer = Refusing()

    def same() -> BaseObserver:
        return observer

    with caplog.at_level(logging.WARNING):
        watcher = watching(log.path, log.path.parent.parent / "other.log", observer=same)
        log.write(1)
        assert not watcher.wait(0)
        assert not watcher.wait(0)
    assert watcher.polling
    assert watched(watcher) == []
    assert caplog.messages == [f"no notice of changes in {log.path.parent} (inotify watch limit reached): polling instead"]
    observer.refusing = False
    settle(watcher)
    assert str(log.path.parent) in watched(watcher)
    watcher.close()


def test_where_no_observer_can_be_started_it_polls(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> BaseObserver:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    watcher = watching(log.path, observer=fail)
    assert watcher.polling
    assert len(caplog.messages) == 1
    watcher.close()


class WithoutThreads(InotifyObserver):
    """An observer on a host that has no thread left, until it has."""

    refusing = True
    asked = 0

    def schedule(self, *arguments: object, **more: object) -> ObservedWatch:
        self.asked += 1
        if self.refusing:
            raise RuntimeError("can't start new thread")
        return super().schedule(*arguments, **more)  # type: ignore[arg-type] # passed on as they are


def test_without_threads_it_says_so_once_and_polls(
    log: Log, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may have fewer tasks than there are directories. What watchdog opened for the thread stays open."""
    observer = WithoutThreads()

    def same() -> BaseObserver:
        return observer

    monkeypatch.setattr(watch, "_can_start_a_thread", lambda: not observer.refusing)
    watcher = watching(log.path, log.path.parent.parent / "other.log", observer=same)
    for _ in range(3):
        assert not watcher.wait(0)
    assert (watcher.polling, watched(watcher), observer.asked) == (True, [], 1)
    assert caplog.messages == [f"no notice of changes in {log.path.parent} (can't start new thread): polling instead"]
    observer.refusing = False
    settle(watcher)
    assert str(log.path.parent) in watched(watcher)
    watcher.close()


def test_a_thread_can_be_started_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    assert watch._can_start_a_thread()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert not watch._can_start_a_thread()


def test_files_are_looked_at_regularly_where_nobody_can_wait_for_changes(
    log: Log, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    inputs = Inputs(paths(log.name))
    log.write(1)
    block = inputs.read()
    assert block is not None
    assert not inputs.wait(0)
    inputs.close()
    assert caplog.messages[-1] == "no notice of changes in files (can't start new thread): polling instead"


def test_events_in_quick_succession_are_gathered() -> None:
    """A debug log is read in blocks, at most every GAP_SECONDS; the first event after a rest is told at once."""
    now = 1000.0
    slept: list[float] = []
    watcher = Watcher([], clock=lambda: now, sleep=slept.append)
    watcher.wake()
    assert watcher.wait(0)
    assert slept == []
    now += 0.01
    watcher.wake()
    assert watcher.wait(0)
    assert slept == [pytest.approx(GAP_SECONDS - 0.01)]
    now += GAP_SECONDS
    watcher.wake()
    assert watcher.wait(0)
    assert len(slept) == 1
    watcher.close()


def test_a_watch_that_is_closed_while_its_thread_looks_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    emitter = InotifyEmitter(EventQueue(), ObservedWatch(str(tmp_path), recursive=False))
    emitter.queue_events(0.0)  # as its thread does once more when it was stopped
    logging.getLogger("watchdog.observers.inotify").error("no watches left")
    assert caplog.messages == ["no watches left"]
