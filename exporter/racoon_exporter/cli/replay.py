"""`replay`: a recording, written as if it happened now."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import click

from racoon_exporter import replay as recording_of
from racoon_exporter.cli.output import Failure


@click.command(short_help="Write a recorded log anew, as if it happened now.")
@click.argument("file", type=click.Path())
@click.option("--recording", type=click.Path(), help="A log in racoon's file format instead of the bundled recording.")
@click.option("--speed", type=click.FloatRange(min=0.01, max=1000), default=1.0, show_default=True)
@click.option(
    "--head", type=click.FloatRange(min=0), default=600.0, show_default=True, help="Seconds of the recording written at once."
)
def replay(file: str, recording: str | None, speed: float, head: float) -> None:
    """Write a recorded log into FILE with the present time, round after round, so that there is a log that grows."""
    try:
        text = Path(recording).read_text(encoding="utf-8", errors="replace") if recording else recording_of.bundled()
        lines = recording_of.recorded(text)
        if not lines or lines[-1].after == 0:
            raise Failure(f"{recording}: no recording in racoon's file format, such as 2026-01-15 08:30:02: INFO: …")
        enough = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: enough.set())
        recording_of.replay(lines, recording_of.append_to(Path(file)), speed=speed, head=head, now=time.time, wait=enough.wait)
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
