"""`report`: availability, outages and reasons of a month or a year."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import click

from racoon_exporter.archives.availability_rows import AvailabilityRows, Planned
from racoon_exporter.archives.reading import Row
from racoon_exporter.archives.sinks import Sink, WholeRows
from racoon_exporter.cli.archives import archive_options, asked, write_rows
from racoon_exporter.cli.output import USAGE, Failure
from racoon_exporter.cli.output import report as report_problems
from racoon_exporter.report.maintenance import read_windows
from racoon_exporter.report.model import document
from racoon_exporter.report.page import page
from racoon_exporter.report.text import as_csv, as_markdown
from racoon_exporter.text import in_json

FORMATS: Final = ("html", "json", "csv", "md")


class Gather(Sink):
    """Keeps what each gateway gave: it is small."""

    def __init__(self) -> None:
        super().__init__(WholeRows(-1))
        self.fragments: list[dict[str, Any]] = []

    def rows(self, rows: Iterable[Row]) -> None:
        """Keep the rows."""
        self.fragments.extend(json.loads(text) for _, _, text in rows)


@click.command(short_help="Report availability, outages and their reasons.")
@click.option("--format", "output", type=click.Choice(FORMATS), default="html", show_default=True)
@click.option("--output", "path", type=click.Path(), help="File to write, whole or not at all, instead of standard output.")
@click.option("--maintenance", type=click.Path(), help="Planned work, a line each: BEGIN END [GATEWAY].")
@archive_options
@click.pass_context
def report(context: click.Context, /, output: str, path: str | None, maintenance: str | None, **given: Any) -> None:
    """Report availability, outages and their reasons per peer: one HTML file, or its numbers."""
    what = asked(context, given)
    gathered = Gather()
    problems = write_rows(
        what, AvailabilityRows(what.reading, planned=_windows(maintenance, what.reading.zone)), lambda: gathered
    )
    text = _text(output, gathered.fragments, what.reading.shown_zone)
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        replace(Path(path), text)
    report_problems(problems)


def _text(output: str, fragments: list[dict[str, Any]], zone: tzinfo) -> str:
    numbers = document(fragments, zone)
    if output == "json":
        return in_json(json.dumps(numbers, indent=1, ensure_ascii=False)) + "\n"
    if output == "csv":
        return as_csv(numbers)
    return as_markdown(numbers) if output == "md" else page(numbers, fragments, zone)


def _windows(path: str | None, zone: tzinfo) -> Planned:
    if path is None:
        return ()
    try:
        return read_windows(Path(path).read_text(encoding="utf-8"), zone)
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not UTF-8") from error
    except ValueError as error:
        report_problems([f"{path}:{error}"], USAGE)
        raise  # not reached
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def replace(path: Path, text: str) -> None:
    """Put a file in the place of the last one, whole or not at all. What is no file, a FIFO or a device, is written to."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace_file(path.resolve(), text)  # of a link, what it leads to
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def _replace_file(path: Path, text: str) -> None:
    with ExitStack() as undo:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            undo.callback(Path(file.name).unlink, missing_ok=True)
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(file.name).chmod(0o666 & ~umask)
        Path(file.name).replace(path)
