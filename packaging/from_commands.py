# ruff: noqa: INP001  a script: it is run by make and by the Debian package's rules, and nobody imports it
"""Write the manual page and the shell completions from the commands themselves: `python packaging/from_commands.py FOLDER`.

The page is one for all commands, with sections that the commands cannot know (files, signals, exit status) taken from
`man/sections.roff`. The generator stands here because click-man writes a page for each command, cuts descriptions in their
middle, and has no place for such sections. Roff is that of man(7). The files are not kept in the repository: they follow from
the commands and from click's version, and are written anew with each build.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

from racoon_exporter import __version__
from racoon_exporter.cli.program import main

PROGRAM: Final = "racoon-exporter"
SECTIONS: Final = Path(__file__).parent / "man" / "sections.roff"
COMPLETIONS: Final = {"bash": PROGRAM, "zsh": f"_{PROGRAM}", "fish": f"{PROGRAM}.fish"}
"""By shell: the name of the file in the folder where that shell looks for completions."""
_CODE: Final = re.compile(r"`([^`]+)`")


def escaped(text: str) -> str:
    r"""Write text so that roff shows it as it is: `\` as `\e`, `-` as the ASCII sign, no request at the beginning of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", "\\\\&", text, flags=re.MULTILINE)


def prose(text: str) -> str:
    """Write paragraphs of help; what stands between backticks is bold."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n.PP\n".join(_CODE.sub(r"\\fB\1\\fP", escaped(" ".join(part.split()))) for part in paragraphs)


def synopsis(context: click.Context) -> str:
    """Write how a command is called: `racoon-exporter serve [OPTIONS] [LOG]...`."""
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"\\fB{escaped(context.command_path)}\\fP {escaped(pieces)}"


def options(context: click.Context, parameters: Sequence[click.Parameter]) -> Iterator[str]:
    """Write options as tagged paragraphs; arguments stand in the synopsis and in the help."""
    for parameter in parameters:
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            yield f".TP\n\\fB{escaped(record[0])}\\fP\n{prose(record[1]) or '.br'}"


def command(parent: click.Context, name: str, one: click.Command) -> Iterator[str]:
    """Write a command as a subsection."""
    context = _context(one, name, parent)
    yield f".SS {escaped(name)}"
    yield synopsis(context)
    yield ".PP\n" + prose(one.help or "")
    yield from options(context, one.params)


def page(program: click.Group, version: str, sections: str) -> str:
    """Write the whole page."""
    context = _context(program, PROGRAM, None)
    parts = [
        '.\\" Written by packaging/from_commands.py; change that, man/sections.roff, or the help of a command.',
        f'.TH {PROGRAM.upper()} 1 "" "{PROGRAM} {version}" "User Commands"',
        ".SH NAME",
        f"{escaped(PROGRAM)} \\- watch the log of racoon, the IKEv1 daemon",
        ".SH SYNOPSIS",
        synopsis(context),
        ".SH DESCRIPTION",
        prose(program.help or ""),
        ".SH OPTIONS",
        *options(context, program.get_params(context)),
        ".SH COMMANDS",
    ]
    for name in program.list_commands(context):
        one = program.get_command(context, name)
        if one is not None and not one.hidden:
            parts += command(context, name, one)
    return "\n".join(parts) + "\n" + sections


def completion(program: click.Command, shell: str) -> str:
    """Write what a shell reads to complete our command line: click's own script, which asks the program at every tab."""
    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(f"click knows no completion for {shell}")
    script = kind(program, {}, PROGRAM, f"_{PROGRAM.upper().replace('-', '_')}_COMPLETE")
    return (script.source_template % script.source_vars()).strip() + "\n"


def files() -> dict[str, str]:
    """Give every file that follows from the commands: its name, and its content."""
    completions = {f"{shell}/{name}": completion(main, shell) for shell, name in COMPLETIONS.items()}
    return {f"{PROGRAM}.1": page(main, __version__, SECTIONS.read_text(encoding="utf-8")), **completions}


def write(folder: Path) -> None:
    """Write the files into a folder, which is made where it is missing."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _context(one: click.Command, name: str, parent: click.Context | None) -> click.Context:
    wide = {**one.context_settings, "terminal_width": 10_000, "max_content_width": 10_000}
    return click.Context(one, info_name=name, parent=parent, **wide)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
