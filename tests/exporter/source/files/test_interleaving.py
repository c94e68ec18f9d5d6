"""Whatever is done to a log and whenever it is read: every line written is given, once, in order, with its number.

The machine writes records cut at any byte, rotates as logrotate does in all its manners, reads with any limit, and starts
again from a checkpoint at any moment. It never destroys bytes that nobody could have read.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from racoon_exporter.source import Block, FileSource
from racoon_exporter.source.files.former_files import PROOF_SPAN
from tests.exporter.source.files.logs import Log, again, record

LIMITS = st.sampled_from([1, 7, 100, 512, 4096, 256 * 1024])

Numbered = tuple[int, bytes]


def numbered(content: bytes) -> list[Numbered]:
    """Return the lines of one file with their numbers; the last one may lack its newline."""
    return list(enumerate(content.splitlines(keepends=True), 1))


class LogMachine(RuleBasedStateMachine):
    """A log, what was written to it, and what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.log = Log(self.directory / "racoon.log")
        self.source = FileSource(self.log.name)
        self.pending = b""
        self.next_record = 0
        self.ended: list[Numbered] = []
        self.current = b""
        self.given: list[Numbered] = []
        assert self.source.read() is None  # it is watched from before the first record

    @initialize(count=st.integers(0, 3))
    def begin(self, count: int) -> None:
        self.write(count=300 * count)

    @rule(count=st.integers(1, 400))
    def write(self, count: int) -> None:
        """Append so many bytes of an endless row of records."""
        while len(self.pending) < count:
            self.pending += record(self.next_record)
            self.next_record += 1
        self.log.append(self.pending[:count])
        self.current += self.pending[:count]
        self.pending = self.pending[count:]

    @precondition(lambda self: self.log.path.exists())
    @rule(create=st.booleans())
    def rename(self, *, create: bool) -> None:
        self.log.rename(create=create)
        self.end_generation()

    @precondition(lambda self: self.log.path.exists())
    @rule()
    def copytruncate(self) -> None:
        """Only the copy tells what was lost, and only if enough was read to know it by; else read up to the end first."""
        provable = self.is_provable()
        if not provable:
            self.drain()
        self.log.copytruncate()
        self.end_generation()
        if not provable:
            self.drain()

    def is_provable(self) -> bool:
        position = self.source.position()
        return (
            position is not None and position.fingerprint.length >= PROOF_SPAN and position.inode == self.log.path.stat().st_ino
        )

    def end_generation(self) -> None:
        self.ended += numbered(self.current)
        self.current = b""

    @rule(limit=LIMITS)
    def read(self, limit: int) -> None:
        if block := self.source.read(limit):
            self.take(block)

    @rule()
    def drain(self) -> None:
        while block := self.source.read(4096):
            self.take(block)

    @precondition(lambda self: self.source.position() is not None)
    @rule()
    def stop_and_start(self) -> None:
        self.source = again(self.source)

    def take(self, block: Block) -> None:
        lines = block.data.splitlines(keepends=True)
        assert lines
        assert all(line.endswith(b"\n") for line in lines[: None if not block.final else -1])
        assert block.final != lines[-1].endswith(b"\n")
        assert block.position == self.source.position()
        self.given += list(enumerate(lines, block.first_line))

    @invariant()
    def what_is_given_was_written_in_this_order(self) -> None:
        written = self.ended + numbered(self.current)
        assert self.given == written[: len(self.given)]

    @invariant()
    def nothing_is_counted_as_lost(self) -> None:
        assert self.source.status().counts.lost_bytes == 0

    def teardown(self) -> None:
        """After one more record and a last look all is given."""
        try:
            self.write(count=len(self.pending) or 1)
            self.write(count=len(self.pending) or len(record(self.next_record)))
            self.drain()
            assert self.given == self.ended + numbered(self.current)
            assert self.source.status().lag_bytes == 0
        finally:
            self.source.close()
            shutil.rmtree(self.directory)


LogMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestEveryInterleavingGivesEachLineOnce = LogMachine.TestCase


Step = tuple[str, dict[str, int]]

COPYTRUNCATE: Step = ("copytruncate", {})
LOOK: Step = ("drain", {})


def written(count: int) -> Step:
    return ("write", {"count": count})


BEGUN = {
    "copied and truncated between two looks, after lines of the same second": [
        *(written(300), LOOK, COPYTRUNCATE, written(24), COPYTRUNCATE)
    ],
    "like the first of the rotated ones": [*(written(300), COPYTRUNCATE, written(64), COPYTRUNCATE, written(1), written(1))],
    "like one that was torn": [*(written(51), COPYTRUNCATE, written(1050), COPYTRUNCATE, written(51), written(50))],
    "like one that was torn, and seen at just the same length": [
        *(written(51), COPYTRUNCATE, written(1050), COPYTRUNCATE, written(51), LOOK, written(50))
    ],
    "like one that was torn, for longer than a proof is": [
        *(written(90), COPYTRUNCATE, written(1011), COPYTRUNCATE, written(90), written(11))
    ],
    "like one that was torn, for longer than a proof is, and seen at just the same length": [
        *(written(90), COPYTRUNCATE, written(1011), COPYTRUNCATE, written(90), LOOK, written(11))
    ],
}
"""Logs whose first line was only begun when they were looked at, or rotated."""


@pytest.mark.parametrize("told", BEGUN.values(), ids=BEGUN)
def test_a_line_that_begins_like_another_one_is_given(told: list[Step]) -> None:
    machine = LogMachine()
    try:
        for name, values in told:
            getattr(machine, name)(**values)
            machine.what_is_given_was_written_in_this_order()
            machine.nothing_is_counted_as_lost()
    finally:
        machine.teardown()
