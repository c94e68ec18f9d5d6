"""What commands write besides their results: what failed, and nothing more once nobody reads."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from racoon_exporter.text import visible
from racoon_exporter.yaml_document import Problem

FAILURE: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT

Command = Callable[..., Any]


class Failure(click.ClickException):
    """Something that cannot be done, in one line; exit status 1."""

    exit_code = FAILURE

    def show(self, file: Any = None) -> None:
        """Print one line."""
        click.echo(f"racoon-exporter: {visible(self.message)}", file=file or sys.stderr)


def quiet_pipe(command: Command) -> Command:
    """End without a word when whoever reads our output goes away."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            result = command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            abandon_output()
            sys.exit(128 + signal.SIGPIPE)
        return result

    return wrapped


def abandon_output() -> None:
    """Let what cannot be written go, so that the interpreter does not try once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def report(problems: Sequence[str], status: int = FAILURE) -> None:
    """Say what went wrong, a line each, and end with that status if anything did."""
    for problem in problems:
        click.echo(f"racoon-exporter: {visible(problem)}", err=True)
    if problems:
        sys.exit(status)


def placed(file: str | Path, problem: Problem) -> str:
    """Write a problem of a configuration with its place."""
    where = file if problem.line is None else f"{file}:{problem.line}"
    return f"{where}: {problem.message}"
