"""`make run` and the command behind it: what is served is named when it is served, and Ctrl-C is a good end."""

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
DEMO = [sys.executable, "-m", "racoon_exporter", "demo"]


def said_until(descriptor: int, pattern: str) -> tuple[str, re.Match[str]]:
    """Read what a program says until it says so."""
    text = ""
    while (found := re.search(pattern, text)) is None:
        text += os.read(descriptor, 4096).decode()
    return text, found


def rest_of(terminal: int) -> Iterator[str]:
    """Give what is said until nobody holds the other end of a terminal, which Linux calls an error."""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            yield piece.decode()


def test_it_serves_a_recording_and_names_the_page_when_it_listens(tmp_path: Path) -> None:
    """And leaves the state of the service that runs on this machine alone."""
    environment = os.environ | {"STATE_DIRECTORY": str(tmp_path)}
    with subprocess.Popen([*DEMO, "--web.listen-address", "127.0.0.1:0"], stdout=subprocess.PIPE, env=environment) as program:
        assert program.stdout is not None
        text, found = said_until(program.stdout.fileno(), r"Page: +(\S+)\n(?s:.+)Ctrl-C ends it")
        try:
            with urllib.request.urlopen(found[1]) as page:
                assert b"racoon" in page.read()
            directory = Path(re.findall(r"Log: +(\S+?),", text)[0]).parent
            assert directory.is_dir()
        finally:
            program.send_signal(signal.SIGINT)
        assert program.wait() == 0
    assert not directory.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [*DEMO, "--web.listen-address", address],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"racoon-exporter: cannot listen on {address}: Address already in use; --web.listen-address takes another\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [(), ("LOG={log}",)], ids=["a recording", "a log"])
def test_make_run_ends_well_with_control_c(more: tuple[str, ...], tmp_path: Path) -> None:
    """On a terminal: Ctrl-C goes to whoever is in the foreground, and make is not."""
    log = tmp_path / "racoon.log"
    log.write_text("2026-01-15 08:30:02: INFO: caught signal 15\n")
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / ".runs").touch()
    (environment / "bin/racoon-exporter").symlink_to(Path(sys.executable).parent / "racoon-exporter")
    arguments = ["make", "--old-file=pyproject.toml", f"VENV={environment}", "ADDRESS=127.0.0.1:0", "run"]
    terminal, end = pty.openpty()
    on_a_terminal = ["setsid", "--ctty", "--wait", *arguments, *(each.format(log=log) for each in more)]
    with subprocess.Popen(on_a_terminal, cwd=CHECKOUT, stdin=end, stdout=end, stderr=end) as program:
        os.close(end)
        before, _ = said_until(terminal, r"Ctrl-C ends it|serving on http://")
        os.write(terminal, b"\x03")
        after = "".join(rest_of(terminal))
        status = program.wait()
    os.close(terminal)
    assert "***" not in before + after
    assert status == 0, before + after
