"""How far long work is, on a terminal's standard error: share, lines a second, time left. Nothing in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from racoon_exporter.archives.pool import Done

_WORTH_IT: Final = 32 * 1024 * 1024
"""Bytes of log below which the work is done before anybody wonders."""


@contextmanager
def progress(size: int) -> Iterator[Callable[[Done], None]]:
    """Show a bar for so many bytes of log; gives what is to be called with how much is done."""
    if size < _WORTH_IT or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console  # noqa: PLC0415  costs a tenth of a second, and most calls show none
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        BarColumn(),
        DownloadColumn(binary_units=True),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    begun = time.monotonic()
    with bar:
        task = bar.add_task("", total=size, rate="")

        def show(done: Done) -> None:
            rate = done.lines / max(time.monotonic() - begun, 0.001)
            bar.update(task, completed=min(done.bytes, size), rate=f"{rate:,.0f} lines/s")

        yield show
