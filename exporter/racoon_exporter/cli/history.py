"""`history`: a row for each negotiation, SA and daemon."""

from __future__ import annotations

from typing import Any

import click

from racoon_exporter.archives.availability_rows import AvailabilityRows
from racoon_exporter.archives.formats import FORMATS, RowFormat
from racoon_exporter.archives.history_rows import SHOWN, HistoryRows
from racoon_exporter.cli.archives import archive_options, asked, print_rows


@click.command(short_help="Print negotiations and SAs: begin, end, and why.")
@click.option("--format", "output", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--table", "table", type=click.Choice((*SHOWN, "outages")), help="Only this table.")
@archive_options
@click.pass_context
def history(context: click.Context, /, output: str, table: str | None, **given: Any) -> None:
    """Print one row for every negotiation, SA and daemon that LOG tells of: begin, end, how it ended, why it failed."""
    what = asked(context, given)
    form = RowFormat(output, SHOWN if table is None else (table,))
    work = AvailabilityRows(what.reading, form) if table == "outages" else HistoryRows(what.reading, form)
    print_rows(what, form, work)
