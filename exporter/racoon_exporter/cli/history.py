"""`history`: a row for each negotiation, SA and daemon."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import click

from racoon_exporter import history as rows
from racoon_exporter import knowledge
from racoon_exporter.cli.logs import blocks, changed, in_order
from racoon_exporter.cli.options import flags, peer_options, zone_option
from racoon_exporter.cli.output import Failure, quiet_pipe, report
from racoon_exporter.config import Config
from racoon_exporter.engine import Engine
from racoon_exporter.text import visible

_NO_LIMIT: Final = 10_000_000


@click.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path())
@click.option("--format", "output", type=click.Choice(tuple(rows.FORMATS)), default="table", show_default=True)
@zone_option
@peer_options
@quiet_pipe
def history(logs: tuple[str, ...], output: str, zone: tzinfo, **given: Any) -> None:
    """Print one row for every negotiation, SA and daemon that LOG tells of: begin, end, how it ended, why it failed."""
    try:
        known, remarks = knowledge.build(flags(given, strangers=_NO_LIMIT, peer_limit=_NO_LIMIT), Config())
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"--expect-peer: {error}") from error
    for remark in remarks:
        click.echo(f"racoon-exporter: {visible(remark)}", err=True)
    engine = Engine(zone, knowledge=known, reference_of=changed)
    problems: list[str] = []
    for block in blocks(in_order(logs, zone), problems):
        engine.feed(block)
    engine.finish()
    click.echo(rows.FORMATS[output](rows.tables(engine.state, zone)))
    report(problems)
