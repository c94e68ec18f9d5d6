"""`history` and `events` as a user runs them over long logs: interrupted, killed, watched, and over what is no log."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.archives.pool import SMALL, Done
from racoon_exporter.archives.progress import progress
from tests.e2e.waiting import until
from tests.exporter.reading import LAB

LONG = LAB / "17-soak-chaos" / "b.log"


@pytest.fixture(autouse=True)
def interrupts_arrive() -> Iterator[None]:
    """Let programs that a test starts be interrupted: a shell's background jobs ignore that, and so does what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def long_logs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give logs so long that several processes read them."""
    folder = tmp_path_factory.mktemp("long")
    for name, host in (("one.log", "a"), ("two.log", "b")):
        data = LONG.with_name(f"{host}.log").read_bytes()
        (folder / name).write_bytes(data * (SMALL // len(data) + 1))
    return [str(folder / "one.log"), str(folder / "two.log")]


def start(*arguments: str, temporary: Path, group: bool = False) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "racoon_exporter", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=group,
        env=os.environ | {"TMPDIR": str(temporary)},
    )


@pytest.mark.parametrize(
    "arguments", [("events",), ("history", "--format", "jsonl"), ("history", "--format", "csv")], ids=" ".join
)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["interrupt", "kill"])
def test_what_was_written_before_the_end_is_valid(
    arguments: tuple[str, ...], number: int, status: int, long_logs: list[str], tmp_path: Path
) -> None:
    """Only the end of all workers closes the pipes: none goes on."""
    with start(*arguments, "--jobs", "2", *long_logs, temporary=tmp_path) as process:
        assert process.stdout is not None
        begun = process.stdout.read(100_000)
        process.send_signal(number)
        rest, said = process.communicate()
    lines = (begun + rest).splitlines(keepends=True)
    assert process.returncode == status
    assert said.strip() == b""
    assert len(lines) > 10
    assert all(line.endswith(b"\n") for line in lines)
    if "csv" not in arguments:
        assert all(json.loads(line) for line in lines)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["terminated", "terminal closed"])
@pytest.mark.parametrize("command", ["history", "backfill"])
def test_nothing_is_left_where_all_processes_are_ended_at_once(
    command: str, number: signal.Signals, long_logs: list[str], tmp_path: Path
) -> None:
    arguments = (command, "--jobs", "2", "--gateway-of", "*one.log=a", "--gateway-of", "*two.log=b", *long_logs)
    with start(*arguments, temporary=tmp_path, group=True) as process:
        until(lambda: list(tmp_path.glob("*/done.*")), "the workers to work", 60)
        os.killpg(process.pid, number)
        process.communicate()
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_was_interrupted_is_one(long_logs: list[str], tmp_path: Path) -> None:
    with start("history", "--format", "json", "--jobs", "2", *long_logs, temporary=tmp_path) as process:
        assert process.stdout is not None
        begun = process.stdout.read(10_000)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    assert process.returncode == 130
    assert len(json.loads(begun + rest)["phase1"]) > 10


def test_a_worker_that_is_killed_is_told_in_a_line_behind_valid_rows(long_logs: list[str], tmp_path: Path) -> None:
    with start("history", "--format", "jsonl", "--jobs", "2", *long_logs, temporary=tmp_path) as process:
        assert process.stdout is not None
        begun = process.stdout.read(10_000)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        os.kill(int(workers[-1]), signal.SIGKILL)
        rest, said = process.communicate()
    lines = (begun + rest).splitlines(keepends=True)
    assert process.returncode == 1
    killed = "racoon-exporter: a process that read logs was killed, as the system does where memory ends: try --jobs 1"
    assert said.decode().splitlines() == [killed]
    assert all(json.loads(line) and line.endswith(b"\n") for line in lines)
    assert list(tmp_path.iterdir()) == []


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "racoon_exporter", *arguments], input=stdin, capture_output=True, check=False)


@pytest.mark.parametrize("command", ["history", "events"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(
            b"Jan 15 08:30:02 gw sshd[77]: Accepted publickey\n" * 9,
            "“Jan 15 08:30:02 gw sshd[77]: Accepted",
            id="another program's",
        ),
        pytest.param("2026-01-15 08:30:02: INFO: caught signal 15\n".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(bytes(range(256)) * 40 + b"\0" * 100, "binary data", id="binary"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\x1b[31mred\n", r"“\x1b[31mred”", id="escapes of a terminal"),
    ],
)
def test_nothing_of_racoon_is_one_line_that_shows_what_is_there(command: str, data: bytes, said: str, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(data)
    done = run(command, str(log))
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"racoon-exporter: {log}: ")
    assert said in line
    assert "expected lines such as 2026-01-15 08:30:02: INFO: " in line


def test_a_selection_that_leaves_nothing_is_no_failure() -> None:
    done = run("history", "--format", "csv", "--table", "phase1", "--peer", "203.0.113.99", str(LONG))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)


@pytest.mark.parametrize("arguments", [("events",), ("history", "--format", "jsonl", "-")], ids=" ".join)
def test_rows_of_a_pipe_leave_while_its_writer_waits(arguments: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "racoon_exporter", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(LONG.read_bytes()[:50_000])
        assert process.stdout.readline().endswith(b"}\n")
        process.stdin.close()
        process.stdout.read()


def test_progress_is_shown_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for terminal in (True, False):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        with progress(1 << 30) as show:
            show(Done(1 << 29, 5_000_000))
        shown[terminal] = stream.getvalue()
    assert "512.0/1024.0 MiB" in shown[True] or "0.5/1.0 GiB" in shown[True]
    assert "lines/s" in shown[True]
    assert shown[False] == ""


def test_a_log_that_the_configuration_names_is_not_that_of_a_pattern_it_fits(tmp_path: Path) -> None:
    (tmp_path / "berlin.log").write_text("2026-01-15 08:30:02: INFO: caught signal 15\n")
    config = tmp_path / "config.yml"
    config.write_text("sources: [{path: '*.log', gateway: others}, {path: berlin.log, gateway: berlin}]\n")
    done = run("events", "--config.file", str(config), str(tmp_path / "berlin.log"))
    assert json.loads(done.stdout)["gateway"] == "berlin"


def test_whose_log_it_is_may_be_said_of_no_log_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "berlin").mkdir()
    log = tmp_path / "berlin" / "racoon.log"
    log.write_text("2026-01-15 08:30:02: INFO: caught signal 15\n")
    done = run("history", "--format", "jsonl", "--gateway-of", "*berlin*=b", "--gateway-of", f"{tmp_path}/*/*=c", str(log))
    assert done.returncode == 0
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("racoon-exporter: --gateway-of *berlin*: none of the logs has such a path; ")
