"""The state file is written in pieces: read back they are what was written, and none is so large that others wait for it."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine, to_json
from tests.exporter.reading import start, told, up

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=200) | st.dictionaries(st.text(), inner),
    max_leaves=200,
)


@given(value=st.dictionaries(st.text(), VALUES))
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    assert checkpoint.load(b"".join(checkpoint.encoded(value))) == json.loads(json.dumps(value))


@pytest.mark.parametrize("odd", ["\ud800", 2**70, -(2**80), "\0\x7f\u2028"])
def test_what_few_libraries_write_is_written(odd: object) -> None:
    rows = [[number, odd] for number in range(200)]
    assert checkpoint.load(b"".join(checkpoint.encoded({"rows": rows, "one": odd}))) == {"rows": rows, "one": odd}


def test_two_exporters_do_not_write_into_each_others_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    checkpoint.write(path, {"saved": 1})
    with (tmp_path / "state.new").open("wb") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        others.write(b"half of anoth")
        others.flush()
        with pytest.raises(BlockingIOError, match="another exporter writes it"):
            checkpoint.write(path, {"saved": 2})
        assert checkpoint.read(path) == {"saved": 1, "version": checkpoint.VERSION}
        assert (tmp_path / "state.new").read_bytes() == b"half of anoth"
    checkpoint.write(path, {"saved": 3})
    assert checkpoint.read(path) == {"saved": 3, "version": checkpoint.VERSION}
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_or_a_fifo_is_no_state_file_and_stays_where_it_is(tmp_path: Path) -> None:
    """As root, `--state.file /dev/null` would else move the device away and put a file in its place."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for use in (checkpoint.read, checkpoint.set_aside, lambda path: checkpoint.write(path, {})):
        with pytest.raises(OSError, match="it is no regular file"):
            use(fifo)
    assert list(tmp_path.iterdir()) == [fifo]
    assert fifo.is_fifo()


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_somebody_put_in_the_place_of_the_next_file_is_left_alone_and_not_waited_for(kind: str, tmp_path: Path) -> None:
    path, beside, other = tmp_path / "state", tmp_path / "state.new", tmp_path / "other"
    checkpoint.write(path, {"saved": 1})
    other.write_text("of somebody else")
    make: dict[str, Callable[[], object]] = {
        "link": lambda: beside.symlink_to(other),
        "fifo": lambda: os.mkfifo(beside),
        "folder": beside.mkdir,
    }
    make[kind]()
    with pytest.raises(OSError, match=r"symbolic|no regular|No such device|Is a directory"):
        checkpoint.write(path, {"saved": 2})
    assert other.read_text() == "of somebody else"
    assert checkpoint.read(path) == {"saved": 1, "version": checkpoint.VERSION}


def test_no_piece_grows_with_the_state() -> None:
    engine = Engine(UTC)
    for number in range(2000):
        peer = f"198.51.{number // 250}.{number % 250}"
        engine = told(f"08:30:00 {start(peer=peer)}", f"08:30:01 {up(f'{number:016x}:{1:016x}', peer)}", engine=engine)
    engine.flush()
    pieces = list(checkpoint.encoded(to_json(engine)))
    assert sum(map(len, pieces)) > 1_000_000
    assert max(map(len, pieces)) < 64 * 1024


def test_what_an_iterator_gives_is_made_when_it_is_its_turn() -> None:
    made, written = list[int](), list[tuple[bytes, int]]()

    def racoons() -> Iterator[dict[str, dict[str, int]]]:
        for number in range(3):
            made.append(number)
            yield {"peers": {"failures": number}}

    for piece in checkpoint.encoded({"racoons": racoons(), "none": iter(())}):
        written.append((piece, len(made)))
    assert json.loads(b"".join(piece for piece, _ in written)) == {
        "racoons": [{"peers": {"failures": number}} for number in range(3)],
        "none": [],
    }
    assert [before for piece, before in written if piece.isdigit()] == [1, 2, 3]


def test_a_checkpoint_that_fails_halfway_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    def racoons() -> Iterator[dict[str, int]]:
        yield {"failures": 1}
        raise ZeroDivisionError

    path = tmp_path / "state"
    checkpoint.write(path, {"racoons": []})
    with pytest.raises(ZeroDivisionError):
        checkpoint.write(path, {"racoons": racoons()})
    assert [each.name for each in tmp_path.iterdir()] == ["state"]
    assert checkpoint.read(path) == {"racoons": [], "version": checkpoint.VERSION}
