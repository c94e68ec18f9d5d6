"""The commands as a user types them: output, exit status, one line for what is wrong."""

import contextlib
import csv
import gzip
import io
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from racoon_exporter import history
from racoon_exporter.cli.program import main
from racoon_exporter.cli.serve import serve
from tests.exporter.reading import LAB

SEED = LAB / "01-seed" / "b.log"


@pytest.fixture(autouse=True)
def interrupts_arrive() -> Iterator[None]:
    """Let programs that a test starts be interrupted: a shell's background jobs ignore that, and so does what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "racoon_exporter", *arguments], input=stdin, capture_output=True, check=False)


def objects(output: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_events_prints_an_object_for_every_message() -> None:
    done = run("events", "--time-zone", "UTC", str(SEED))
    events = objects(done.stdout)
    assert done.returncode == 0
    assert len(events) == SEED.read_text().count("\n")
    established = next(event for event in events if event["event"] == "phase1_established")
    assert established == {
        "time": "2026-11-24T04:01:12+00:00",
        "level": "INFO",
        "event": "phase1_established",
        "severity": "info",
        "local": "192.168.0.41",
        "local_port": 500,
        "peer": "192.168.0.40",
        "peer_port": 500,
        "cookies": "9bdc6fa53fdbadc4:2a9f04c946c5010c",
        "template": "ISAKMP-SA established %s-%s spi:%s",
        "text": "ISAKMP-SA established 192.168.0.41[500]-192.168.0.40[500] spi:9bdc6fa53fdbadc4:2a9f04c946c5010c",
        "file": str(SEED),
        "line": 12,
    }


@pytest.mark.parametrize("arguments", [(), ("-",)], ids=["no log", "a dash"])
def test_events_reads_standard_input(arguments: tuple[str, ...]) -> None:
    done = run("events", *arguments, stdin=SEED.read_bytes())
    assert len(objects(done.stdout)) == SEED.read_text().count("\n")


def test_compressed_logs_are_read_as_they_are(tmp_path: Path) -> None:
    log = tmp_path / "racoon.log.1.gz"
    log.write_bytes(gzip.compress(SEED.read_bytes()))
    assert len(objects(run("events", str(log)).stdout)) == SEED.read_text().count("\n")


def test_lines_of_other_programs_are_not_printed() -> None:
    log = b"Jan 15 08:30:02 gw sshd[77]: Accepted publickey\nJan 15 08:30:02 gw racoon: INFO: caught signal 15\n"
    (event,) = objects(run("events", stdin=log).stdout)
    assert (event["event"], event["gateway"], event["line"]) == ("daemon_signal", "gw", 2)


def test_a_text_no_row_fits_is_unknown() -> None:
    (event,) = objects(run("events", stdin=b"2026-01-15 08:30:02: ERROR: the moon is full tonight\n").stdout)
    assert event["event"] == "unknown"
    assert event["text"] == "the moon is full tonight"


def test_no_control_character_of_a_peer_reaches_the_output() -> None:
    line = "2026-01-15 08:30:02: NOTIFY: XAUTH Message: '\x1b[31mred\x07'.\n"
    assert b"\x1b" not in run("events", stdin=line.encode()).stdout
    assert b"\x1b" not in run("explain", stdin=line.encode()).stdout


def test_an_unreadable_log_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = run("events", str(tmp_path / "none.log"), str(SEED))
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [f"racoon-exporter: {tmp_path / 'none.log'}: No such file or directory"]
    assert done.stdout, "the log that can be read is read"


def test_a_log_that_may_not_be_read_is_found_as_it_is_read_and_not_before() -> None:
    """Else the others would not be read; `serve` waits for it."""
    types = {
        name: parameter.type
        for name, command in main.commands.items()
        for parameter in command.params
        if parameter.name == "logs"
    }
    assert {"events", "history", "redact", "report", "serve"} <= types.keys()
    refused = [name for name, kind in types.items() if isinstance(kind, click.Path) and (kind.readable or kind.exists)]
    assert refused == [], "type=click.Path(readable=False)"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("frobnicate",), id="an unknown command"),
        pytest.param(("serve", "--bad"), id="an unknown flag"),
        pytest.param(("serve",), id="nothing to read"),
        pytest.param(("serve", "--time-zone", "Mars", "x.log"), id="a time zone that is none"),
        pytest.param(("serve", "--expect-peer", "1.2.3.4[500]", "x.log"), id="a peer with a port"),
        pytest.param(("serve", "--web.telemetry-path", "metrics", "x.log"), id="a path that does not begin with a slash"),
        pytest.param(("history", "--format", "xml"), id="an unknown format"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.decode().splitlines()) == 1
    assert done.stdout == b""


def test_history_gives_one_object_with_four_tables() -> None:
    tables = json.loads(run("history", "--format", "json", "--time-zone", "UTC", str(SEED)).stdout)
    assert list(tables) == ["phase1", "ipsec", "negotiations", "daemon"]
    for name, rows in tables.items():
        assert all(tuple(row) == history.COLUMNS[name] for row in rows)
    assert tables["daemon"] == [
        {
            "gateway": "",
            "started": "2026-11-24T04:01:00+00:00",
            "stopped": "2026-11-24T04:01:48+00:00",
            "version": "0.9.1",
            "end": "shutdown",
        }
    ]
    assert [sa["end"] for sa in tables["ipsec"]] == ["restart", "deleted_by_peer"]


def test_history_as_csv_is_one_table() -> None:
    rows = list(csv.DictReader(io.StringIO(run("history", "--format", "csv", str(SEED)).stdout.decode())))
    assert [row["table"] for row in rows] == ["phase1", "ipsec", "ipsec", "negotiations", "negotiations", "daemon"]


def test_rotated_logs_are_put_in_the_order_of_their_lines() -> None:
    folder = LAB / "18-log-rotation"
    logs = sorted(map(str, folder.glob("a.log*")), reverse=True)
    shuffled = json.loads(run("history", "--format", "json", *logs).stdout)
    assert shuffled == json.loads(
        run("history", "--format", "json", *sorted(logs, key=lambda log: log.endswith(".log"))).stdout
    )


def test_explain_says_what_a_line_means_and_what_to_do() -> None:
    done = run("explain", "ERROR: phase1 negotiation failed due to time up. 8f1b2c3d4e5f6071:0000000000000000").stdout.decode()
    assert "no_response" in done
    assert "The peer never answered" in done
    assert "phase1_failed" in done


def test_explain_takes_a_line_that_was_typed_without_quotes() -> None:
    assert "initial_contact" in run("explain", "received", "INITIAL-CONTACT").stdout.decode()


def test_explain_takes_a_console_that_lost_its_line_breaks() -> None:
    pasted = "INFO: begin Aggressive mode. ERROR: no suitable proposal found.INFO: caught signal 15"
    said = run("explain", pasted).stdout.decode()
    assert [line.split()[1] for line in said.splitlines() if line.startswith("event:")] == [
        "phase1_mode",
        "proposal_mismatch",
        "daemon_signal",
    ]


def test_check_config_names_the_line(tmp_path: Path) -> None:
    config = tmp_path / "racoon-exporter.yml"
    config.write_text("peers:\n- address: 192.0.2.1\n  nmae: x\n")
    done = run("check-config", str(config))
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"{config}:3: ")
    config.write_text("peers:\n- address: 192.0.2.1\n  name: x\n")
    assert run("check-config", str(config)).returncode == 0


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    log = SEED.read_bytes() * 400
    process = subprocess.Popen(
        [sys.executable, "-m", "racoon_exporter", "events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stdin, process.stderr:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(log)
        assert process.stderr.read() == b""
    assert process.wait() == 141


def test_an_interrupt_is_status_130_and_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "racoon_exporter", "explain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(b"INFO: caught signal 15\n")
        assert process.stdout.readline().startswith(b"text: "), "it reads, and waits for more"
        process.send_signal(signal.SIGINT)
        process.wait()  # its input stays open until then: an end of it would be another reason to end
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said.strip()) == (130, b"")


@pytest.mark.parametrize(
    "command", [("events", str(SEED)), ("history", str(SEED)), ("explain", "x"), ("--version",), ("serve", "--help")]
)
@pytest.mark.parametrize(
    ("redirection", "said"), [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")], ids=["full", "closed"]
)
def test_output_that_cannot_be_written_is_one_line_and_status_1(command: tuple[str, ...], redirection: str, said: str) -> None:
    done = shell(*command, redirection=redirection)
    assert (done.returncode, done.stderr.decode()) == (1, f"racoon-exporter: standard output: {said}\n")


@pytest.mark.parametrize("command", [("events",), ("explain",), ("history", "-")], ids=" ".join)
def test_a_closed_standard_input_is_one_line_and_status_1(command: tuple[str, ...]) -> None:
    done = shell(*command, redirection="<&-")
    assert (done.returncode, done.stderr.decode()) == (1, "racoon-exporter: -: Bad file descriptor\n")


def test_explain_takes_bytes_that_are_no_text_and_writes_what_a_terminal_cannot_show() -> None:
    line = b"ERROR: phase1 negotiation failed due to time up. 8f1b2c3d4e5f6071:0000000000000000"
    done = shell("explain", redirection="", stdin=line + b"\n\xff\n", PYTHONIOENCODING="ascii:strict")
    assert done.returncode == 0
    assert done.stdout.count(b"event: ") == 2


def shell(*arguments: str, redirection: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program with a descriptor that the shell closed or sent elsewhere."""
    command = f"exec {shlex.join([sys.executable, '-m', 'racoon_exporter', *arguments])} {redirection}"
    return subprocess.run(
        ["/bin/sh", "-c", command], input=stdin, capture_output=True, check=False, env=os.environ | environment
    )


def test_summaries_of_commands_are_whole_on_a_narrow_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "racoon_exporter", "--help"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "80"},
    )
    commands = done.stdout.partition("Commands:\n")[2].splitlines()
    assert len(commands) >= 7
    assert all(line.endswith(".") and not line.endswith("...") and len(line) <= 80 for line in commands)


def test_serve_takes_logs_that_cannot_be_read_yet() -> None:
    """Root, as whom tests may run, may read everything: so click is asked what it would refuse."""
    logs = next(each for each in serve.params if each.name == "logs")
    assert isinstance(logs.type, click.Path)
    assert not logs.type.readable
    assert not logs.type.exists


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ("history", "--time-zone", "+25:00", str(SEED)), "offsets go from -23:59 to +23:59", id="an offset of a day"
        ),
        pytest.param(("history", "--expect-peer", "1.2.3.4,roming", str(SEED)), "'roming' is unknown", id="a misspelt word"),
        pytest.param(("history", "--expect-peer", "foo_bar!", str(SEED)), "an address is expected", id="no name of a host"),
        pytest.param(("history", "--since", "yesterday", str(SEED)), "is no time", id="no time"),
        pytest.param(("history", "--gateway-of", "berlin", str(SEED)), "PATTERN=NAME", id="a pattern without a name"),
    ],
)
def test_wrong_values_are_said_in_words(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert "object at 0x" not in done.stderr.decode()


def test_a_binary_configuration_is_said_to_be_no_text(tmp_path: Path) -> None:
    config = tmp_path / "racoon-exporter.yml"
    config.write_bytes(b"\xff\xfe\x00")
    done = run("check-config", str(config))
    assert (done.returncode, done.stderr.decode()) == (1, f"racoon-exporter: {config}: not UTF-8, or no text at all\n")


def test_a_misspelt_key_is_told_what_was_meant(tmp_path: Path) -> None:
    config = tmp_path / "racoon-exporter.yml"
    config.write_text("sourcess:\n- path: x\n")
    assert "did you mean sources?" in run("check-config", str(config)).stderr.decode()


def test_a_foreign_log_is_no_recording(tmp_path: Path) -> None:
    foreign = tmp_path / "auth.log"
    foreign.write_text("Jan 15 08:30:02 gw sshd[77]: Accepted publickey\n")
    done = run("replay", "--recording", str(foreign), str(tmp_path / "out.log"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_redact_prints_the_lines_with_pseudonyms_and_keeps_what_it_is_told_to() -> None:
    cookies = "8f1b2c3d4e5f6071:a1b2c3d4e5f60718"
    line = f"2026-01-15 08:30:02: INFO: acme ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:{cookies}\n"
    done = shell("redact", "--keep", "acme", redirection="", stdin=line.encode())
    shown = done.stdout.decode()
    assert shown.startswith("2026-01-15 08:30:02: INFO: acme ISAKMP-SA established 198.18.1.1[500]-198.18.2.1[500] spi:")
    assert (done.returncode, cookies in shown) == (0, False)
