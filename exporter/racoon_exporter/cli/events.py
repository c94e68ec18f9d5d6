"""`events`: an object for each message."""

from __future__ import annotations

from typing import Any

import click

from racoon_exporter.archives.event_rows import EventRows
from racoon_exporter.archives.formats import FORMATS, RowFormat
from racoon_exporter.cli.archives import archive_options, asked, print_rows


@click.command(short_help="Print an object for every message in a log.")
@click.option("--format", "output", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@archive_options
@click.pass_context
def events(context: click.Context, /, output: str, **given: Any) -> None:
    """Print one JSON object for every racoon message in LOG; `-` or no LOG reads standard input."""
    what = asked(context, given)
    form = RowFormat(output, ("events",))
    print_rows(what, form, EventRows(what.reading, form))
