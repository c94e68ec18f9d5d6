"""`check-config`: what is wrong in a configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from racoon_exporter.cli.output import USAGE, Failure, placed
from racoon_exporter.config import is_config, read_config
from racoon_exporter.text import visible


@click.command(name="check-config", short_help="Say what is wrong in a configuration, by line.")
@click.argument("file", type=click.Path())
def check_config(file: str) -> None:
    """Say what is wrong in FILE, a configuration or web configuration file, by line."""
    from racoon_exporter.web import check_web_config  # noqa: PLC0415  the web server is heavy

    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"{file}: not UTF-8, or no text at all") from error
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from error
    problems = read_config(text, path.parent)[1] if is_config(text) else check_web_config(text, path.parent)
    for problem in problems:
        click.echo(visible(placed(file, problem)), err=True)
    if problems:
        sys.exit(USAGE)
    click.echo(f"{file}: good")
