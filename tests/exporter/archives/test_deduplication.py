"""Each line counts once, however rotations overlap."""

import gzip
from pathlib import Path

import pytest

from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.survey import survey
from racoon_exporter.source import blocks_of
from racoon_exporter.zone import read_zone

LINES = [f"2026-01-15 08:{minute:02d}:00: INFO: caught signal {minute}\n".encode() for minute in range(60)]


def lines_of(tmp_path: Path, *logs: tuple[str, bytes], limit: int = 256) -> list[bytes]:
    """Read logs in the order of their first lines."""
    for name, data in logs:
        (tmp_path / name).write_bytes(data)
    samples = survey([str(tmp_path / name) for name, _ in logs], read_zone("UTC"))
    samples.sort(key=lambda sample: sample.first_time or 0.0)
    once = LinesOnce(tuple(samples), lambda path: blocks_of(path, limit))
    return [
        line for block in once.blocks(lambda: None) for line in block.data.splitlines(keepends=True) if line.endswith(b"\n")
    ]


def text(begin: int, end: int) -> bytes:
    return b"".join(LINES[begin:end])


@pytest.mark.parametrize(
    "logs",
    [
        pytest.param((("a", text(0, 30)), ("b", text(30, 60))), id="none repeats another"),
        pytest.param((("a", text(0, 40)), ("b", text(20, 60))), id="the end of one is the beginning of the other"),
        pytest.param((("a", text(0, 60)), ("b", text(0, 60))), id="a copy"),
        pytest.param((("a", text(0, 60)), ("b.gz", gzip.compress(text(0, 60)))), id="a compressed copy"),
        pytest.param((("a", text(0, 20)), ("b", text(0, 60))), id="a copy that was taken before the log grew"),
        pytest.param((("a", text(0, 60)), ("b", text(0, 20))), id="the grown log first"),
        pytest.param((("a", text(0, 60)), ("b", text(20, 40))), id="one within another"),
        pytest.param((("a", text(0, 30)), ("b", text(10, 50)), ("c", text(40, 60))), id="a chain"),
        pytest.param((("a", text(0, 60)), ("b", text(20, 60)), ("c", text(30, 60))), id="two within another"),
        pytest.param((("a", text(0, 40)[:-10]), ("b", text(20, 60))), id="the last line is cut"),
    ],
)
def test_what_logs_repeat_is_given_once(tmp_path: Path, logs: tuple[tuple[str, bytes], ...]) -> None:
    assert lines_of(tmp_path, *logs) == LINES


@pytest.mark.parametrize("limit", [64, 200, 100_000])
def test_blocks_of_any_size_give_the_same(tmp_path: Path, limit: int) -> None:
    assert lines_of(tmp_path, ("a", text(0, 41)), ("b", text(17, 60)), limit=limit) == LINES


def test_a_line_said_twice_where_the_log_was_cut_is_two_lines(tmp_path: Path) -> None:
    both = lines_of(tmp_path, ("a", text(0, 30) + LINES[30]), ("b", LINES[30] + text(31, 60)))
    assert both.count(LINES[30]) == 2


def test_a_log_that_parts_from_another_is_read_whole(tmp_path: Path) -> None:
    other = text(0, 10) + b"2026-01-15 09:00:00: INFO: something else\n"
    assert sorted(lines_of(tmp_path, ("a", text(0, 60)), ("b", other))) == sorted([*LINES, *other.splitlines(keepends=True)])


def test_a_first_line_that_was_said_before_is_looked_for_again(tmp_path: Path) -> None:
    repeated = LINES[5] * 3
    whole = text(0, 5) + repeated + text(6, 60)
    assert lines_of(tmp_path, ("a", whole), ("b", LINES[5] + text(6, 60))) == whole.splitlines(keepends=True)


def test_a_compressed_log_that_was_cut_gives_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(text(0, 60))[:-40])
    once = LinesOnce(tuple(survey([str(path)], read_zone("UTC"))))
    assert b"".join(block.data for block in once.blocks(lambda: None)).startswith(LINES[0])
    (problem,) = once.problems
    assert problem.startswith(str(path))


def test_two_logs_that_are_newest_first_are_both_turned(tmp_path: Path) -> None:
    turned = b"".join(reversed(LINES))
    assert lines_of(tmp_path, ("a", turned), ("b", turned)) == LINES * 2


def test_one_file_under_two_names_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "a"
    log.write_bytes(text(0, 60))
    (tmp_path / "b").symlink_to(log)
    names = [str(log), str(tmp_path / "b"), f"{tmp_path}/./a"]
    assert [sample.path for sample in survey(names, read_zone("UTC"))] == names[:1]
