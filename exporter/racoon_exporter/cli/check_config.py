"""`check-config`: what is wrong in a configuration, and which files it names cannot be read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racoon_exporter.cli.output import USAGE, Failure, placed
from racoon_exporter.cli.user_option import UNIT, reader
from racoon_exporter.config.file import is_config
from racoon_exporter.text import visible

if TYPE_CHECKING:
    from racoon_exporter.doctor.service_user import ServiceUser
    from racoon_exporter.yaml_document import Problem


@click.command(name="check-config", short_help="Say what is wrong in a configuration, by line.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(readable=False))
@click.option("--user", "user_name", metavar="NAME", help="The user that will read the files. [default: the unit's]")
@click.option("--without-logs", "without_logs", is_flag=True, help="Do not look for the logs: they may come later.")
def check_config(files: tuple[str, ...], user_name: str | None, *, without_logs: bool) -> None:
    """Say what is wrong in FILE, a configuration or web configuration file, by line.

    Every file that it names is opened, as the user that will read it: --user, else that of the systemd unit.
    """
    from racoon_exporter.doctor import unit_file  # noqa: PLC0415  most commands do without
    from racoon_exporter.doctor.host import Host  # noqa: PLC0415

    user = reader(user_name, unit_file.find_unit(Host(), UNIT))
    bad = [file for file in files if not _is_good(file, user, logs=not without_logs)]
    if bad:
        sys.exit(USAGE)


def _is_good(file: str, user: ServiceUser, *, logs: bool) -> bool:
    """Check a file, and say what is wrong."""
    from racoon_exporter.doctor import named_files  # noqa: PLC0415

    path = Path(file)
    text = _text(path)
    ours = is_config(text)
    problems = _as_reader(path, text, user, ours=ours, logs=logs)
    for problem in problems:
        click.echo(visible(placed(file, problem)), err=True)
    if problems:
        return False
    for remark in named_files.remarks(text, path.parent) if ours else ():
        click.echo(visible(f"{remark} (not used)"), err=True)
    click.echo(f"{file}: good")
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not UTF-8, or no text at all") from error
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def _as_reader(path: Path, text: str, user: ServiceUser, *, ours: bool, logs: bool) -> list[Problem]:
    """Look as the user that will read: at the file itself, and at what it names."""
    from racoon_exporter.doctor import named_files, rights  # noqa: PLC0415
    from racoon_exporter.doctor.service_user import NotAsUserError, as_user  # noqa: PLC0415
    from racoon_exporter.web import check_web_config  # noqa: PLC0415
    from racoon_exporter.yaml_document import Problem  # noqa: PLC0415

    def look() -> list[list[object]]:
        refusal = rights.readable(path, user)
        found = [] if refusal is None else [Problem(None, refusal.why)]
        if ours:
            found += named_files.check_configuration(text, path.parent, user, logs=logs)
        else:
            found += check_web_config(text, path.parent)
        return [[problem.line, problem.message] for problem in found]

    try:
        return [Problem(line, message) for line, message in as_user(user, look)]
    except NotAsUserError as error:
        raise Failure(str(error)) from error
