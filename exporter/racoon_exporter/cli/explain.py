"""`explain`: what a line means."""

from __future__ import annotations

import time

import click
from tabulate import tabulate

from racoon_exporter import events_output
from racoon_exporter.cli.logs import blocks
from racoon_exporter.cli.output import quiet_pipe, report
from racoon_exporter.engine import Engine, block_lines
from racoon_exporter.source import STDIN
from racoon_exporter.zone import read_zone
from racoon_parsers.messages import catalogue as all_messages
from racoon_parsers.quotation import quoted_messages


@click.command()
@click.argument("lines", nargs=-1, metavar="[LINE]...")
@quiet_pipe
def explain(lines: tuple[str, ...]) -> None:
    """Say what a line of racoon means; without LINE, lines are read from standard input."""
    if len(lines) > 1 and not any(" " in line for line in lines):
        lines = (" ".join(lines),)  # one line, typed without quotes
    problems: list[str] = []
    texts = lines or (line for block in blocks((STDIN,), problems) for line in block_lines(block.data)[0])
    engine = Engine(read_zone("UTC"), reference_of=lambda _: time.time())
    reader = engine.reader("explain")
    for text in texts:
        if not text.strip():
            continue
        for message in quoted_messages(text, all_messages()):
            alone = reader.read_text(message)
            for record in [*reader.feed([message]), *reader.flush()] or ([alone] if alone is not None else []):
                rows = [(f"{heading}:", value) for heading, value in events_output.explanation(record)]
                click.echo(tabulate(rows, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, 100]) + "\n")
    report(problems)
