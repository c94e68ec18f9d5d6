"""`explain`: what a line means."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click
from tabulate import tabulate

from racoon_exporter.cli.input_lines import blocks
from racoon_exporter.cli.output import quiet_pipe, report
from racoon_exporter.decoding import block_lines
from racoon_exporter.engine import record_errors
from racoon_exporter.explained import explanations
from racoon_exporter.source import STDIN
from racoon_exporter.zone import read_zone
from racoon_parsers.clock import Clock
from racoon_parsers.messages import catalogue
from racoon_parsers.pasted import Paste


@click.command(short_help="Say what a line of racoon means, and what to do.")
@click.argument("lines", nargs=-1, metavar="[LINE]...")
@quiet_pipe
def explain(lines: tuple[str, ...]) -> None:
    """Say what a line of racoon means, or a failure reason, or an alert; without LINE, lines are read from standard input.

    Lines may be pasted as they are: quoted, numbered, out of a table or a web page, broken, cut off, with masked addresses.
    """
    if len(lines) > 1 and not any(" " in line for line in lines):
        lines = (" ".join(lines),)  # one line, typed without quotes
    problems: list[str] = []
    zone = read_zone("UTC")
    errors = record_errors()
    paste = Paste(catalogue(), lambda: Clock(zone, time.time()))
    for text in lines or _typed(problems):
        for rows in explanations(text, paste, errors):
            headed = [(f"{heading}:", value) for heading, value in rows]
            click.echo(tabulate(headed, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, 100]) + "\n")
    report(problems)


def _typed(problems: list[str]) -> Iterator[str]:
    """Give what stands in standard input as it comes: a message may go on in the next line."""
    for block in blocks((STDIN,), problems):
        yield "\n".join(block_lines(block.data)[0])
