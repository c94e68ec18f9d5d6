"""Lines that are named on the command line or come by standard input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from racoon_exporter.source import STDIN, blocks_of
from racoon_exporter.source.contract import Block


def blocks(logs: Sequence[str], problems: list[str]) -> Iterator[Block]:
    """Give the blocks of all logs; what could not be read is added to `problems`."""
    for path in logs or (STDIN,):
        whole = blocks_of(path)
        yield from whole
        error = whole.status().error
        if error is not None:
            problems.append(error)
