"""`events`: an object for each message."""

from __future__ import annotations

import sys
from datetime import tzinfo

import click

from racoon_exporter import events_output
from racoon_exporter.cli.logs import blocks, changed
from racoon_exporter.cli.options import zone_option
from racoon_exporter.cli.output import quiet_pipe, report
from racoon_exporter.engine import Engine


@click.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path())
@zone_option
@quiet_pipe
def events(logs: tuple[str, ...], zone: tzinfo) -> None:
    """Print one JSON object for every racoon message in LOG; `-` or no LOG reads standard input."""
    engine = Engine(zone, reference_of=changed)
    problems: list[str] = []
    write = sys.stdout.write
    source = None
    for block in blocks(logs, problems):
        if source is not None and source != block.source:
            for record in engine.rest(source):
                write(events_output.as_json_line(record, source, zone) + "\n")
        source = block.source
        for record in engine.records(block):
            write(events_output.as_json_line(record, source, zone) + "\n")
    if source is not None:
        for record in engine.rest(source):
            write(events_output.as_json_line(record, source, zone) + "\n")
    sys.stdout.flush()
    report(problems)
