"""Many logs in one folder: it is listed once for all of them, and steps grow with the logs, not with their square."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.source import SYSTEM
from racoon_exporter.source.files.folders import KEPT_NS, SETTLED_NS, Folders
from racoon_exporter.source.files.patterns import SourceSet
from tests.exporter.source.files.logs import Log, records

NOW = 1_700_000_000_000_000_000


class Steps:
    """Counts the calls of the system."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        counted = {name: self._counted(name) for name in ("stat", "lstat", "fstat", "open", "pread", "listdir")}
        self.system = replace(SYSTEM, **counted)
        self.now = NOW
        self.folders = Folders(self.system, now_ns=lambda: self.now)

    def _counted(self, name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            self.calls[name] += 1
            return getattr(SYSTEM, name)(*given)

        return call

    def later(self) -> None:
        """Count from now on, when what was listed serves no longer."""
        self.calls.clear()
        self.now += KEPT_NS


def settle(folder: Path, before_ns: int = 2 * SETTLED_NS) -> None:
    """Make it so long ago that something changed in a folder."""
    os.utime(folder, ns=(NOW - before_ns, NOW - before_ns))


def names_of(folder: Path, count: int) -> list[str]:
    return [f"{folder}/gateway{number}.log" for number in range(count)]


def write(folder: Path, count: int, first: int) -> list[bytes]:
    """Give each log a record of its own, after a rotation if it has one; returns them."""
    for number, name in enumerate(names_of(folder, count)):
        log = Log(Path(name))
        if log.path.exists():
            log.rename()
        log.write(first + number)
    settle(folder)
    return records(*range(first, first + count))


def read(sources: SourceSet) -> list[bytes]:
    """Return all there is to read, sorted."""
    found = []
    while block := sources.read():
        found.append(block.data)
    return sorted(found)


def steps_of_a_start(sources: SourceSet, steps: Steps, folder: Path, count: int) -> None:
    fresh = write(folder, count, 1000)
    steps.calls.clear()
    assert read(sources) == sorted(fresh)


def steps_of_a_restart(sources: SourceSet, steps: Steps, folder: Path, count: int) -> None:
    """All were rotated during the stop."""
    before = write(folder, count, 1000)
    first = SourceSet(names_of(folder, count), system=steps.system, folders=steps.folders)
    assert read(first) == sorted(before)
    first.close()
    sources.resume(first.positions())
    fresh = write(folder, count, 2000)
    steps.later()
    assert read(sources) == sorted(fresh)


def steps_of_a_rotation(sources: SourceSet, steps: Steps, folder: Path, count: int) -> None:
    before = write(folder, count, 1000)
    assert read(sources) == sorted(before)
    fresh = write(folder, count, 2000)
    steps.later()
    assert read(sources) == sorted(fresh)


@pytest.mark.parametrize("pattern", [False, True], ids=["by name", "by pattern"])
@pytest.mark.parametrize("story", [steps_of_a_start, steps_of_a_restart, steps_of_a_rotation])
def test_a_folder_is_listed_once_for_all_its_logs_and_steps_grow_with_their_number(
    tmp_path: Path, story: Callable[[SourceSet, Steps, Path, int], None], *, pattern: bool
) -> None:
    taken = []
    for count in (20, 80):
        folder = tmp_path / str(count)
        folder.mkdir()
        steps = Steps()
        paths = [f"{folder}/*.log"] if pattern else names_of(folder, count)
        sources = SourceSet(paths, system=steps.system, folders=steps.folders, clock=lambda: 0.0)
        story(sources, steps, folder, count)
        assert steps.calls["listdir"] == 1
        taken.append(steps.calls.total())
        sources.close()
    assert taken[1] < 4.5 * taken[0]


@pytest.mark.parametrize(
    ("before_ns", "after_ns", "listed"),
    [
        pytest.param(2 * SETTLED_NS, 0, 1, id="nothing happened"),
        pytest.param(SETTLED_NS // 2, 0, 2, id="changed so shortly before that its time may not tell the next change"),
        pytest.param(-SETTLED_NS, 0, 2, id="changed in the future, as another clock has it"),
        pytest.param(2 * SETTLED_NS, KEPT_NS, 2, id="listed long ago"),
        pytest.param(2 * SETTLED_NS, -1, 2, id="the clock was set back"),
    ],
)
def test_a_listing_serves_as_long_as_it_is_sure(tmp_path: Path, before_ns: int, after_ns: int, listed: int) -> None:
    steps = Steps()
    settle(tmp_path, before_ns)
    steps.folders.at(str(tmp_path))
    steps.now += after_ns
    steps.folders.at(str(tmp_path))
    assert steps.calls["listdir"] == listed


def test_what_was_renamed_within_one_tick_of_a_coarse_clock_is_seen(tmp_path: Path) -> None:
    """As on the flash of a router, whose file system keeps whole seconds."""
    steps, log = Steps(), Log(tmp_path / "log")
    steps.now = NOW - NOW % 10**9 + 9 * 10**8
    second = steps.now - steps.now % 10**9
    log.write(1)
    os.utime(tmp_path, ns=(second, second))
    assert steps.folders.at(str(tmp_path)).beside(log.name) == []
    log.rename()
    os.utime(tmp_path, ns=(second, second))
    assert steps.folders.at(str(tmp_path)).beside(log.name) == ["log.1"]


def test_what_was_renamed_since_is_seen(tmp_path: Path) -> None:
    steps, log = Steps(), Log(tmp_path / "log")
    log.write(1)
    settle(tmp_path)
    assert steps.folders.at(str(tmp_path)).beside(log.name) == []
    log.rename()
    assert steps.folders.at(str(tmp_path)).beside(log.name) == ["log.1"]
