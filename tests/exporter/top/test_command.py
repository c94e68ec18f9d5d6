"""The command itself, in processes of its own: without Textual, without a terminal, and in a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import story
from tests.browser.conftest import EXPECTED, NOW
from tests.exporter.status.engines import Gateway
from tests.exporter.top.conftest import Serve

#: Runs the program as an environment without Textual has it.
WITHOUT = (
    "import sys; sys.modules['textual'] = None; sys.argv[0] = 'racoon-exporter'; from racoon_exporter.cli import run; run()"
)
MOST = 8 * 1024 * 1024


def run(*arguments: str, code: str | None = None) -> tuple[int, str]:
    program = [sys.executable, *(("-c", code) if code else ("-m", "racoon_exporter")), "top", *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_without_textual_one_line_says_what_to_install() -> None:
    assert run(code=WITHOUT) == (
        1,
        "racoon-exporter: top needs Textual, which is not installed: pip install 'racoon-exporter[top]'\n",
    )


def test_without_textual_the_other_commands_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "explain", "psk_mismatch"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_terminal_the_api_is_named() -> None:
    status, told = run("gw:10500")
    assert (status, told) == (1, "racoon-exporter: top needs a terminal; programs ask the API: http://gw:10500/api/v1/peers\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("http://anna:sesame@gw",), "--http.config.file"),
        (("--http.config.file", "nowhere.yml"), "nowhere.yml: cannot be read"),
    ],
)
def test_wrong_usage_is_status_2_and_one_line(arguments: tuple[str, ...], told: str) -> None:
    status, said = run(*arguments)
    assert status == 2
    assert told in said
    assert said.count("\n") == 1
    assert "sesame" not in said


def in_terminal(arguments: list[str], until: bytes, keys: bytes, term: str) -> tuple[int, bytes]:
    """Run the program in a terminal of 80x24, press keys once a text is there, and give its status and all it wrote."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        environment = {**os.environ, "TERM": term, "COLUMNS": "80", "LINES": "24"}
        os.execve(sys.executable, [sys.executable, "-m", "racoon_exporter", "top", *arguments], environment)
    written, pressed = b"", False
    while len(written) < MOST and select.select([terminal], [], [], 60)[0]:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # it ended
            break
        written += read
        if not read:
            break
        if until in written and not pressed:
            pressed = True
            os.write(terminal, keys)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), written


@pytest.mark.parametrize("term", ["xterm-256color", "vt100"])
def test_it_runs_in_a_terminal_and_ends_with_a_key(serve: Serve, term: str) -> None:
    url = serve(Gateway(EXPECTED).read(story.trouble(NOW).text()), NOW).urls[0]
    status, written = in_terminal([url], b"branch-hamburg", b"q", term)
    assert status == 0, written[-2000:]
    assert b"certificate_expired" in written


def test_what_is_wrong_at_the_start_is_one_line(tmp_path: Path) -> None:
    status, written = in_terminal([f"unix://{tmp_path}/none.sock"], b"never", b"", "xterm")
    assert status == 1
    assert (
        written.decode().strip() == f"racoon-exporter: nobody answers at unix://{tmp_path}/none.sock: No such file or directory"
    )
