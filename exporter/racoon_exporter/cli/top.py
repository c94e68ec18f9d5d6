"""`top`: the peers in a terminal."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import click

from racoon_exporter.cli.output import USAGE, Failure, placed, report
from racoon_exporter.top.client import DEFAULT_URL, Client, Trouble, UrlError
from racoon_exporter.top.client_file import ClientFileError, ClientSettings, read_client_file


@click.command(short_help="The peers in a terminal, live, from a running exporter.")
@click.argument("url", default=DEFAULT_URL)
@click.option(
    "--http.config.file",
    "config_file",
    type=click.Path(path_type=Path),
    help="User, password and TLS as in Prometheus' HTTP client configuration: basic_auth, authorization, tls_config.",
)
@click.option(
    "--interval", type=click.FloatRange(0.5, 3600.0), default=2.0, show_default=True, help="Seconds between two looks."
)
def top(url: str, config_file: Path | None, interval: float) -> None:
    """Show the peers of the exporter at URL (http://, https:// or unix:///path), the worst first, and what to do about them.

    Keys: arrows and Enter open a peer, Escape goes back, / filters, s sorts, p pauses, q ends.
    """
    try:
        client = Client(url, _settings(config_file))
    except UrlError as error:
        raise click.UsageError(str(error)) from error
    except Trouble as error:
        raise Failure(str(error)) from error
    if importlib.util.find_spec("textual") is None:
        raise Failure("top needs Textual, which is not installed: pip install 'racoon-exporter[top]'")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(f"top needs a terminal; programs ask the API: {client.shown}/api/v1/peers")
    from racoon_exporter.top.screens import run  # noqa: PLC0415  it needs Textual

    try:
        run(client, interval)
    except Trouble as error:
        raise Failure(str(error)) from error
    finally:
        client.close()


def _settings(path: Path | None) -> ClientSettings:
    if path is None:
        return ClientSettings()
    try:
        return read_client_file(path)
    except ClientFileError as error:
        report([placed(error.path, problem) for problem in error.problems], USAGE)
        raise
