"""`demo`: the bundled recording as if it happened now, served, to have a look."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import click

from racoon_exporter import replay
from racoon_exporter.cli import logging_setup
from racoon_exporter.cli.output import Failure
from racoon_exporter.cli.serve import DEFAULT_ADDRESS, serve, settings_of

_HEAD = 600.0
"""Seconds of the recording that are there at once."""
_PEER = "192.168.0.41=branch"


@click.command(short_help="Serve a recording that goes on, to have a look.")
@click.option("--web.listen-address", "address", default=DEFAULT_ADDRESS, show_default=True, help="Address to serve on.")
@click.option("--speed", type=click.FloatRange(min=0.01, max=1000), default=1.0, show_default=True)
def demo(address: str, speed: float) -> None:
    """Serve a recording of racoon as if it happened now: metrics, the status page, the API. Ctrl-C ends it.

    The log that grows and the state are in a temporary directory, which goes with it.
    """
    with tempfile.TemporaryDirectory(prefix="racoon-exporter-demo-") as directory:
        _serve(Path(directory), address, speed)


def _serve(directory: Path, address: str, speed: float) -> None:
    """Listen first: nothing is written, and no address is named, before that works."""
    from racoon_exporter.serve.service import Service  # noqa: PLC0415  the web server is heavy
    from racoon_exporter.web import ListenError  # noqa: PLC0415

    logging_setup.set_up("warn", "logfmt")
    log, state = directory / "racoon.log", directory / "state.json"  # the state file of this machine's service stays its own
    log.touch()
    words = [str(log), "--state.file", str(state), "--web.listen-address", address, "--expect-peer", _PEER]
    context = serve.make_context("serve", words)
    service = Service(settings_of(context, context.params))
    try:
        service.start()
    except ListenError as error:
        raise Failure(f"{error}; --web.listen-address takes another") from error
    enough = threading.Event()
    writer = threading.Thread(target=_write, args=(log, speed, enough))
    writer.start()
    for url in service.urls:
        click.echo(f"Page:    {url}\nMetrics: {url}metrics")
    click.echo(f"Log:     {log}, a recording of racoon 0.9.1 as if it happened now. Ctrl-C ends it.")
    try:
        service.run()
    finally:
        enough.set()
        writer.join()


def _write(log: Path, speed: float, enough: threading.Event) -> None:
    lines = replay.recorded(replay.bundled())
    replay.replay(lines, replay.append_to(log), speed=speed, head=_HEAD, now=time.time, wait=enough.wait)
