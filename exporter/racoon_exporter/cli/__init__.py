"""The command line: a file for each command, thin over what does the work."""

import sys

from racoon_parsers.tsv import TableError


def run() -> None:
    """Run the command line. A table of ours that somebody made wrong is said in one line, whenever it is read."""
    try:
        from racoon_exporter.cli.program import run as run_program  # noqa: PLC0415  tables are read as modules are imported

        run_program()
    except TableError as error:
        sys.exit(f"racoon-exporter: {error}")


__all__ = ["run"]
