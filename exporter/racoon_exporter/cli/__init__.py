"""The command line: a file for each command, thin over what does the work."""

from racoon_exporter.cli.program import main, run

__all__ = ["main", "run"]
