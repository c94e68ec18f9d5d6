"""The journal through journalctl: restarts, cursors, bad entries and second copies."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.journal.journal import FIRST_PAUSE, LONGEST_PAUSE, JournalSource
from racoon_exporter.source.journal.journalctl import MAX_ENTRY, JournalOptions
from racoon_parsers.line import LineSplitter
from tests.clock import Clock
from tests.exporter.source.journal.journals import EPOCH, FakeJournal, awaited, cursor, entry, messages, ready

STAMP = "2026-01-15 08:30:02: "
UP = "INFO: ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeJournal]:
    fake = FakeJournal(tmp_path)
    yield fake
    fake.close()


@pytest.fixture
def journal(fake: FakeJournal, clock: Clock) -> Iterator[JournalSource]:
    journal = JournalSource(fake.options, clock=clock)
    yield journal
    journal.close()


def until_ended(journal: JournalSource) -> None:
    """Read until the child has ended; nothing is given on the way."""
    assert journal.read() is None
    while journal.descriptors():
        assert ready(journal)
        assert journal.read() is None
    while (error := journal.status().error) is None or "ended" not in error:
        assert journal.read() is None


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_entries_become_lines_that_the_parser_reads(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(entry(1, UP))
    block = awaited(journal)
    assert (block.source, block.first_line, block.position) == ("journal", 1, None)
    line = LineSplitter().split(block.data.decode())
    assert line is not None
    assert (line.host, line.ident, line.pid, line.level) == ("gw", "racoon", "1234", "INFO")
    assert (line.stamp, f"INFO: {line.text}") == (f"{EPOCH + 1}.000000", UP)
    assert (journal.status().up, journal.status().counts.lines) == (True, 1)


def test_what_is_asked_of_journalctl(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(entry(1, UP))
    awaited(journal)
    asked = fake.arguments
    assert {"--output=json", "--follow", "--no-tail", "--all", "--identifier=racoon"} < set(asked)
    assert {"--merge", "--boot=all"} < set(asked), "else entries before the last reboot are left out"
    fields = next(argument for argument in asked if argument.startswith("--output-fields="))
    assert {"MESSAGE", "_TRANSPORT", "_PID", "_HOSTNAME"} < set(fields.partition("=")[2].split(","))


@pytest.mark.parametrize(
    ("options", "wanted", "unwanted"),
    [
        pytest.param(JournalOptions(units=("racoon.service",)), ["--unit=racoon.service"], "--identifier", id="unit"),
        pytest.param(JournalOptions(identifiers=("a", "b")), ["--identifier=a", "--identifier=b"], "--unit", id="identifiers"),
        pytest.param(JournalOptions(("a",), ("u",)), ["--identifier=a", "--unit=u"], "--lines", id="both"),
    ],
)
def test_units_and_identifiers_select(options: JournalOptions, wanted: list[str], unwanted: str) -> None:
    arguments = options.arguments(cursor="", since=None, start_at="beginning")
    assert set(wanted) < set(arguments)
    assert not [argument for argument in arguments if argument.startswith(unwanted)]


def test_a_first_start_may_leave_out_what_is_there() -> None:
    assert "--lines=0" in JournalOptions().arguments(cursor="", since=None, start_at="end")


def test_later_entries_are_followed(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(entry(1, "INFO: one"))
    assert messages(journal, 1) == ["INFO: one"]
    whole = entry(2, "INFO: two")
    fake.write(whole[:50])
    assert ready(journal)
    assert journal.read() is None
    fake.write(whole[50:])
    assert messages(journal, 1) == ["INFO: two"]


def test_after_a_stop_reading_goes_on_behind_the_cursor(fake: FakeJournal, journal: JournalSource, clock: Clock) -> None:
    fake.store(entry(1, "INFO: one"), entry(2, "INFO: two"))
    assert messages(journal, 2) == ["INFO: one", "INFO: two"]
    position = json.loads(json.dumps(journal.position()))
    journal.close()
    fake.store(entry(3, "INFO: three"))
    later = JournalSource(fake.options, start_at="end", clock=clock)
    later.resume(position)
    assert later.position() == journal.position()
    assert messages(later, 1) == ["INFO: three"]
    assert f"--after-cursor={cursor(2)}" in fake.arguments
    assert "--lines=0" not in fake.arguments
    later.close()


NO_POSITIONS: list[object] = [
    None,
    [],
    {},
    {"cursor": 1},
    {"cursor": ""},
    {"cursor": "--since=yesterday"},
    {"cursor": "s=1;i=2\n"},
    {"cursor": cursor(1), "copies": ""},
    {"cursor": cursor(1), "copies": [[]]},
    {"cursor": cursor(1), "copies": [["stdout", "ab", "x", ""]]},
    {"cursor": cursor(1), "copies": [["kernel", "ab", 1, ""]]},
]


@pytest.mark.parametrize("position", NO_POSITIONS)
def test_what_is_no_position_is_refused(journal: JournalSource, position: object) -> None:
    with pytest.raises(ValueError, match=r"position|copies"):
        journal.resume(position)
    assert journal.position() is None


def test_a_child_that_ends_is_started_again_behind_the_cursor(
    fake: FakeJournal, journal: JournalSource, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """As when journald is restarted, or journal files are rotated and vacuumed under an old journalctl."""
    caplog.set_level(logging.INFO)
    fake.store(entry(1, "INFO: one"))
    assert messages(journal, 1) == ["INFO: one"]
    fake.end()
    until_ended(journal)
    assert (journal.status().up, journal.status().error) == (False, f"journal: {fake.home}/journalctl ended with status 0")
    fake.store(entry(2, "INFO: two"))
    clock.now += FIRST_PAUSE - 0.1
    assert journal.read() is None
    assert not journal.descriptors()
    clock.now += 0.1
    assert messages(journal, 1) == ["INFO: two"]
    assert (journal.status().up, journal.status().error) == (True, None)
    assert [log.getMessage() for log in caplog.records][-1] == "journal: entries come again"


def test_a_child_that_fails_is_started_less_and_less_often(
    fake: FakeJournal, journal: JournalSource, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fake.script("#!/bin/sh\necho x >> $(dirname $0)/starts\necho 'Failed to open: \x1b[31mno' >&2\nexit 3\n")
    pauses = []
    for _ in range(8):
        until_ended(journal)
        journal.status()
        begun = clock.now
        starts = (fake.home / "starts").read_text().count("x")
        while (fake.home / "starts").read_text().count("x") == starts:
            clock.now += 0.5
            assert journal.read() is None
            if journal.descriptors():
                until_ended(journal)
        pauses.append(clock.now - begun)
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE]
    error = f"journal: {fake.home}/journalctl ended with status 3: Failed to open: ?[31mno"
    assert journal.status().error == error
    assert {log.getMessage() for log in caplog.records} == {error, "journal: Failed to open: ?[31mno"}


def test_what_the_child_complains_of_is_shown(fake: FakeJournal, journal: JournalSource) -> None:
    hint = "Hint: You are currently not seeing messages from other users and the system."
    fake.script(f"#!/bin/sh\necho '{hint}' >&2\nexec cat {fake.home}/live\n")
    assert journal.read() is None
    while journal.status().error is None:
        assert ready(journal)
        assert journal.read() is None
    assert (journal.status().up, journal.status().error) == (True, f"journal: {hint}")
    fake.end()


def test_without_journalctl_the_source_is_down(clock: Clock, tmp_path: Path) -> None:
    journal = JournalSource(JournalOptions(command=(str(tmp_path / "nowhere"),)), clock=clock)
    assert journal.read() is None
    assert not journal.descriptors()
    assert not journal.status().up
    assert journal.status().error == f"journal: cannot run {tmp_path}/nowhere: No such file or directory"
    journal.close()


def test_a_cursor_that_journalctl_refuses_gives_way_to_the_time(
    fake: FakeJournal, journal: JournalSource, clock: Clock
) -> None:
    journal.resume({"cursor": cursor(7)})
    fake.script("#!/bin/sh\necho 'Failed to seek to cursor: Invalid argument' >&2\nexit 1\n")
    until_ended(journal)
    fake.script(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {fake.home}/arguments\necho '{entry(9, 'INFO: nine').decode()}'\n")
    clock.now += FIRST_PAUSE
    assert messages(journal, 1) == ["INFO: nine"]
    assert f"--since=@{EPOCH + 7}" in fake.arguments


def test_an_old_journalctl_is_called_without_what_it_does_not_know(
    fake: FakeJournal, journal: JournalSource, clock: Clock
) -> None:
    fake.script("#!/bin/sh\necho \"Failed to parse boot descriptor 'all'\" >&2\nexit 1\n")
    until_ended(journal)
    fake.script(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {fake.home}/arguments\necho '{entry(1, 'INFO: one').decode()}'\n")
    clock.now += FIRST_PAUSE
    assert messages(journal, 1) == ["INFO: one"]
    assert not {"--boot=all", "--merge"} & set(fake.arguments)


def test_bad_entries_are_left_out_and_counted(
    fake: FakeJournal, journal: JournalSource, caplog: pytest.LogCaptureFixture
) -> None:
    torn = entry(2, "INFO: torn")[:60] + b"\n"
    bad = [
        torn,
        b"[]\n",
        b"{}\n",
        b"\xff\xfe\n",
        entry(3, None),
        entry(3, 5),
        entry(3, [300]),
        entry(3, []),
        b"[" * 5000 + b"\n",
    ]
    fake.store(entry(1, "INFO: one"), *bad, entry(4, "INFO: four"))
    assert messages(journal, 2) == ["INFO: one", "INFO: four"]
    assert journal.status().counts.lost_bytes == sum(map(len, bad))
    assert len(caplog.records) == 1


def test_binary_messages_are_read(fake: FakeJournal, journal: JournalSource) -> None:
    """journalctl prints what is not UTF-8, or holds control characters, as byte values."""
    fake.store(entry(1, list(b'ERROR: login failed for user "\x1b[31m\xff"')))
    assert messages(journal, 1) == ['ERROR: login failed for user "\x1b[31m\\xff"']


def test_fields_given_several_times_are_read(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(entry(1, ["INFO: one", "INFO: other"], _HOSTNAME=["gw", "other"]))
    content = json.loads(awaited(journal).data)
    assert (content["MESSAGE"], content["_HOSTNAME"]) == ("INFO: one", "gw")


def test_huge_entries_are_skipped_and_counted(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(
        entry(1, "INFO: one"),
        entry(2, "x" * MAX_LINE),
        entry(3, list(b"y" * (MAX_ENTRY // 4))),
        entry(4, "INFO: four"),
    )
    assert messages(journal, 2) == ["INFO: one", "INFO: four"]
    status = journal.status()
    assert status.counts.too_long == 2
    assert status.counts.lost_bytes == len(entry(2, "x" * MAX_LINE)) + len(entry(3, list(b"y" * (MAX_ENTRY // 4))))


def test_what_is_no_entry_is_passed_over(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(b"-- Boot 0123456789abcdef --\n", entry(1, "INFO: one"))
    assert messages(journal, 1) == ["INFO: one"]
    assert journal.status().counts.lost_bytes == 0


def test_a_record_written_by_both_transports_is_given_once(fake: FakeJournal, journal: JournalSource) -> None:
    """As racoon -F under systemd does."""
    fake.store(
        entry(1, STAMP + UP, transport="stdout"),
        entry(2, STAMP + UP, transport="syslog", at=1.1),
        entry(3, "INFO: next"),
    )
    assert messages(journal, 2) == [STAMP + UP, "INFO: next"]
    assert journal.doubled == 1
    position = journal.position()
    assert position is not None
    assert position["cursor"] == cursor(3)


def test_a_second_copy_after_a_restart_is_dropped(fake: FakeJournal, journal: JournalSource, clock: Clock) -> None:
    fake.store(entry(1, STAMP + UP, transport="stdout"))
    assert messages(journal, 1) == [STAMP + UP]
    position = json.loads(json.dumps(journal.position()))
    journal.close()
    fake.store(entry(2, STAMP + UP, transport="syslog", at=1.1), entry(3, "INFO: next"))
    later = JournalSource(fake.options, clock=clock)
    later.resume(position)
    assert messages(later, 1) == ["INFO: next"]
    later.close()


def test_racoons_own_time_is_given_once(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(entry(1, STAMP + STAMP + UP))
    assert messages(journal, 1) == [STAMP + UP]


def test_closing_ends_the_child(fake: FakeJournal, journal: JournalSource) -> None:
    fake.store(entry(1, UP))
    awaited(journal)
    pid = fake.pid
    assert running(pid)
    journal.close()
    assert not running(pid)
    journal.close()
    assert journal.read() is None


def test_a_child_that_cannot_be_killed_is_not_waited_for(
    fake: FakeJournal, journal: JournalSource, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a disk. The other sources are read meanwhile, and the exporter ends when it is told to."""

    def never(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        assert timeout is not None
        raise subprocess.TimeoutExpired(process.args, timeout)

    fake.script(f"#!/bin/sh\necho $$ > {fake.home}/pid\nexec >&-\nread line < {fake.home}/live\n")
    assert journal.read() is None
    while journal.status().up:
        assert ready(journal)
        assert journal.read() is None
    with monkeypatch.context() as disk:
        disk.setattr(subprocess.Popen, "wait", never)
        disk.setattr(subprocess.Popen, "poll", lambda _process: None)
        clock.now += 2
        assert journal.read() is None
        assert journal.read() is None
    while journal.status().error is None:
        assert journal.read() is None
    assert journal.status().error == f"journal: {fake.home}/journalctl was ended by signal 9"


def test_a_child_that_only_closes_its_output_is_killed(fake: FakeJournal, journal: JournalSource, clock: Clock) -> None:
    fake.script(f"#!/bin/sh\necho $$ > {fake.home}/pid\nexec >&-\nread line < {fake.home}/live\n")
    assert journal.read() is None
    while journal.status().up:
        assert ready(journal)
        assert journal.read() is None
    pid = fake.pid
    assert running(pid)
    clock.now += 2
    assert journal.read() is None
    assert not running(pid)
    assert journal.status().error == f"journal: {fake.home}/journalctl was ended by signal 9"
