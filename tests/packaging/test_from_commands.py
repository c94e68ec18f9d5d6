"""The manual page and the completions say what the commands say."""

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from racoon_exporter.cli.program import main

SCRIPT = Path(__file__).parents[2] / "packaging" / "from_commands.py"
NAMES: dict[str, Any] = runpy.run_path(str(SCRIPT))
FILES: dict[str, str] = NAMES["files"]()
PAGE = FILES["racoon-exporter.1"]


def _section(command: str) -> str:
    name = re.escape(NAMES["escaped"](command))
    found = re.search(rf"^\.SS {name}\n(.*?)(?=^\.S[HS] )", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, command
    return found[1]


@pytest.mark.parametrize(("name", "command"), main.commands.items(), ids=main.commands.keys())
def test_the_page_has_each_command_with_its_help_and_every_option(name: str, command: click.Command) -> None:
    section = _section(name)
    assert NAMES["prose"](command.help) in section
    options = [option for parameter in command.params if isinstance(parameter, click.Option) for option in parameter.opts]
    for option in options:
        assert f"\\fB{NAMES['escaped'](option)}" in section
    assert section.count(".TP\n") == len(options)


def test_the_page_has_one_section_for_each_command_and_no_other() -> None:
    assert PAGE.count("\n.SS ") == len(main.commands)


@pytest.mark.parametrize("section", ["EXIT STATUS", "ENVIRONMENT", "FILES", "SIGNALS", "EXAMPLES", "SEE ALSO"])
def test_the_page_has_what_the_commands_cannot_know(section: str) -> None:
    assert f"\n.SH {section}\n" in PAGE


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        pytest.param(".TH is a request", "\\&.TH is a request", id="request"),
        pytest.param("'br", "\\&'br", id="request without break"),
        pytest.param("\\fB", "\\efB", id="escape"),
        pytest.param("--help", "\\-\\-help", id="minus"),
        pytest.param("one\n.two", "one\n\\&.two", id="second line"),
    ],
)
def test_no_text_becomes_roff(text: str, roff: str) -> None:
    assert NAMES["escaped"](text) == roff


def test_paragraphs_are_kept_apart_and_code_is_bold() -> None:
    assert NAMES["prose"]("one\n    `two` three\n\n    four") == "one \\fBtwo\\fP three\n.PP\nfour"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_that_asks_the_program(shell: str) -> None:
    assert f"_RACOON_EXPORTER_COMPLETE={shell}_complete" in FILES[f"{shell}/{NAMES['COMPLETIONS'][shell]}"]


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        pytest.param(["se"], ["serve"], id="command"),
        pytest.param(["serve", "--web.t"], ["--web.telemetry-path"], id="option"),
        pytest.param(["serve", "--log.format", ""], ["logfmt", "json"], id="value"),
    ],
)
def test_bash_completes_what_the_commands_know(words: list[str], completed: list[str], tmp_path: Path) -> None:
    program = tmp_path / "racoon-exporter"
    start = "from racoon_exporter.cli.program import main; main(prog_name='racoon-exporter')"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{start}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = (
        f"PATH={tmp_path}:$PATH\n{FILES['bash/racoon-exporter']}\n"
        'COMP_WORDS=(racoon-exporter "$@"); COMP_CWORD=$#; _racoon_exporter_completion racoon-exporter\n'
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    shell = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True, timeout=60)
    assert shell.stdout.split() == completed


def test_the_script_writes_all_files_into_a_folder(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SCRIPT, tmp_path / "new"], check=True, timeout=60)
    written = {str(path.relative_to(tmp_path / "new")): path.read_text() for path in (tmp_path / "new").rglob("*.*")}
    assert written | FILES == FILES
    assert set(written) >= {"racoon-exporter.1", "fish/racoon-exporter.fish"}
