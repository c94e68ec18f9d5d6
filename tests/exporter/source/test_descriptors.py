"""More logs than descriptors: all are read, one after the other; what can't be is said."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.source import SourceSet
from racoon_exporter.source.descriptors import LEAST, RESERVED, WANTED, for_files
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import Surroundings, paths
from tests.exporter.source.files.logs import Log, lines, record, records
from tests.steps import steps


def logs_in(folder: Path, count: int) -> list[Log]:
    made = [Log(folder / f"gateway-{number}.log") for number in range(count)]
    for number, log in enumerate(made):
        log.write(number)
    return made


@pytest.fixture
def few(tmp_path: Path) -> Iterator[SourceSet]:
    source = SourceSet([f"{tmp_path}/*.log"], most_open=3)
    yield source
    source.close()


def open_now(source: SourceSet) -> int:
    return sum(member.is_open for member in source.sources)


def test_more_logs_than_descriptors_are_all_read(few: SourceSet, tmp_path: Path) -> None:
    made = logs_in(tmp_path, 20)
    assert sorted(lines(few)) == sorted(records(*range(20)))
    assert open_now(few) == 3
    for number, log in enumerate(made, 100):
        log.write(number)
    assert sorted(lines(few)) == sorted(records(*range(100, 120)))
    assert open_now(few) == 3
    assert all(status.up and status.error is None and status.lag_bytes == 0 for status in few.statuses())


def test_the_work_grows_with_the_number_of_logs_not_with_its_square(tmp_path: Path) -> None:
    """However few of them may be open: whoever has a thousand logs and the limit of a shell would be busy with nothing else."""
    work = {}
    for count in (50, 400):
        folder = tmp_path / str(count)
        folder.mkdir()
        made = logs_in(folder, count)
        source = SourceSet([log.name for log in made], most_open=8)
        begun = steps(lambda source=source: lines(source))  # type: ignore[misc]
        for log in made:
            log.write(0)
        work[count] = begun, steps(lambda source=source: lines(source))  # type: ignore[misc]
        assert open_now(source) == 8
        assert all(status.counts.lines == 2 for status in source.statuses())
        source.close()
    assert all(large <= 12 * small for small, large in zip(work[50], work[400], strict=True))


def test_a_log_that_was_closed_for_a_while_is_followed_through_its_rotations(few: SourceSet, tmp_path: Path) -> None:
    made = logs_in(tmp_path, 8)
    lines(few)
    for number, log in enumerate(made, 100):
        log.write(number)
        log.rename()
        log.write(number + 100)
    assert sorted(lines(few)) == sorted(records(*range(100, 108), *range(200, 208)))
    assert sum(status.counts.lost_bytes for status in few.statuses()) == 0


def test_a_log_that_is_closed_and_silent_is_not_opened_again(few: SourceSet, tmp_path: Path) -> None:
    logs_in(tmp_path, 8)
    lines(few)
    resting = [member.name for member in few.sources if not member.is_open]
    assert few.read() is None
    assert [member.name for member in few.sources if not member.is_open] == resting


def test_a_half_line_of_a_log_that_is_closed_is_completed(few: SourceSet, tmp_path: Path) -> None:
    made = logs_in(tmp_path, 8)
    for log in made:
        log.append(b"half ")
    lines(few)
    for log in made:
        log.append(b"and half\n")
    assert lines(few) == [b"half and half\n"] * 8


def test_logs_for_which_no_descriptor_is_left_are_named(
    few: SourceSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Renamed logs without a successor are kept open, since a daemon may still write to them."""
    made = logs_in(tmp_path, 3)
    lines(few)
    for log in made:
        log.rename()
    assert lines(few) == []
    late = Log(tmp_path / "late.log")
    late.write(7)
    few.refresh()
    assert lines(few) == []
    (status,) = [each for each in few.statuses() if each.name == late.name]
    assert not status.up
    assert "no more" in (status.error or "")
    few.read()
    (told,) = [line for line in caplog.messages if line.startswith("1 logs are not read")]
    assert told.endswith(f"the limit of open files allows no more (LimitNOFILE=, ulimit -n): {late.name}")
    made[0].write(8)
    assert sorted(lines(few)) == sorted(records(7, 8))


def test_files_that_only_patterns_name_are_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logs_in(tmp_path, 10)
    named = Log(tmp_path / "named")
    named.write(99)
    pattern = f"{tmp_path}/*.log"
    source = SourceSet([named.name, pattern], most_matched=4)
    assert len(lines(source)) == 5
    assert len(source.sources) == 5
    (told,) = [status for status in source.statuses() if status.name == pattern]
    assert (told.up, told.error) == (False, f"{pattern}: 6 more files match than the 4 that are read")
    source.refresh()
    assert len([line for line in caplog.messages if "more files match" in line]) == 1
    source.close()


RAISE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
from racoon_exporter.source.descriptors import raise_limit
print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize("hard", [64, 200])
def test_the_limit_is_raised_as_far_as_the_system_allows(hard: int) -> None:
    said = subprocess.run([sys.executable, "-c", RAISE, str(hard)], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stdout.split() == [str(hard)] * 3


def test_the_web_endpoint_and_senders_have_their_share() -> None:
    assert for_files(1024) == 1024 - RESERVED
    assert for_files(2048, connections=256) == 2048 - 256 - RESERVED
    assert for_files(100) == LEAST
    assert WANTED > 2 * RESERVED
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] != 0


def test_inputs_share_what_they_are_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = logs_in(tmp_path, 9)
    with caplog.at_level(logging.WARNING):
        inputs = Inputs(paths(*(log.name for log in made)), Surroundings(most_open=2))
        assert sorted(lines(inputs)) == sorted(record(number) for number in range(9))
        assert caplog.messages == []
        inputs.close()
