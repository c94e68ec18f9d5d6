"""`redact`: the same lines with stable pseudonyms, to show to others."""

from __future__ import annotations

import click

from racoon_exporter.cli.input_lines import blocks
from racoon_exporter.cli.output import quiet_pipe, report
from racoon_exporter.decoding import block_lines
from racoon_parsers.redaction import Redactor


@click.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path(readable=False, allow_dash=True))
@click.option(
    "--keep", "keep", multiple=True, metavar="WORD", help="A word that may stay, such as a product's name; may be repeated."
)
@quiet_pipe
def redact(logs: tuple[str, ...], keep: tuple[str, ...]) -> None:
    """Print the lines with pseudonyms for addresses and names.

    `-` or no LOG reads standard input. Numbers, times and racoon's own words stay; all else is replaced, the same by the same.
    Dumps and keys are left out. Read what comes out before you show it: a secret made of racoon's own words would stay.
    """
    redactor = Redactor(keep)
    problems: list[str] = []
    for block in blocks(logs, problems):
        for line in block_lines(block.data)[0]:
            redacted = redactor.line(line)
            if redacted is not None:
                click.echo(redacted)
    report(problems)
