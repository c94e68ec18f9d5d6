"""`serve`: the exporter."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from racoon_exporter.cli import logging_setup
from racoon_exporter.cli.options import flags, peer_options, zone_option
from racoon_exporter.cli.output import USAGE, Failure, placed, report
from racoon_exporter.config.file import ConfigError

if TYPE_CHECKING:
    from racoon_exporter.serve.service import Service, Settings

DEFAULT_ADDRESS: Final = "localhost:10500"
"""500 is the IKE port; only this machine is let in unless asked."""
_HISTORY_ROWS: Final = 10_000
_SYSTEM_STATE: Final = Path("/var/lib/racoon-exporter")
_STATE_NAME: Final = "state.json"
_PAGE: Final = re.compile(r"(?:/[\w.~-]+)+", re.ASCII)
_GATEWAYS: Final = "/gateways"
_TAKEN: Final = ("/-/", "/api/", "/assets/", "/runbooks/")
"""Where pages of ours stand."""


def default_state_file() -> Path | None:
    """Give the state file under the service's state directory; None where there is no such directory."""
    directory = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if directory:
        return Path(directory) / _STATE_NAME
    return _SYSTEM_STATE / _STATE_NAME if _SYSTEM_STATE.is_dir() else None


@click.command(short_help="Follow logs; serve metrics, a status page, an API.")
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path(readable=False))
@click.option(
    "--web.listen-address",
    "addresses",
    multiple=True,
    default=(DEFAULT_ADDRESS,),
    show_default=True,
    help="Address to serve on; may be repeated.",
)
@click.option("--web.config.file", "web_config", type=click.Path(), help="TLS and authentication, as in exporter-toolkit.")
@click.option("--web.telemetry-path", "telemetry_path", default="/metrics", show_default=True, help="Path of the metrics.")
@click.option("--web.systemd-socket", "systemd_socket", is_flag=True, help="Serve on the sockets that systemd hands over.")
@click.option(
    "--web.health-without-auth", "health_without_auth", is_flag=True, help="Answer /-/healthy and /-/ready to everybody."
)
@click.option("--web.enable-lifecycle", "lifecycle", is_flag=True, help="Allow POST /-/reload.")
@click.option("--log.level", "log_level", type=click.Choice(tuple(logging_setup.LEVELS)), default="info", show_default=True)
@click.option(
    "--log.format", "log_format", type=click.Choice(tuple(logging_setup.FORMATS)), default="logfmt", show_default=True
)
@click.option("--config.file", "config_file", type=click.Path(), help="Sources, peers and limits in YAML.")
@click.option("--state.file", "state_file", type=click.Path(), help="Where positions, counters and SA state are kept.")
@click.option(
    "--state.interval",
    "state_interval",
    type=click.FloatRange(min=0.01),
    default=10.0,
    show_default=True,
    help="Seconds between two writings of the state file, while there is something new.",
)
@click.option(
    "--start-at",
    type=click.Choice(("beginning", "end")),
    default="beginning",
    show_default=True,
    help="Where a log is begun that the state file does not know.",
)
@click.option("--backfill", is_flag=True, help="Read rotated siblings of a log first, the oldest first.")
@click.option("--journal", is_flag=True, help="Read racoon's entries of the systemd journal as well.")
@click.option(
    "--syslog.listen-address",
    "syslog",
    multiple=True,
    metavar="URL",
    help="Receive syslog as well: udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH or unix-stream:///PATH; may be repeated.",
)
@click.option("--limit.strangers", "strangers", type=click.IntRange(min=0), help="Peers nobody configured. [default: 100]")
@click.option("--limit.peers", "peer_limit", type=click.IntRange(min=1), help="Peers in all. [default: 10000]")
@zone_option
@peer_options
@click.pass_context
def serve(context: click.Context, /, **given: Any) -> None:
    """Follow LOG (a path, a glob, or `-`) and serve metrics, a status page and an API."""
    logging_setup.set_up(given["log_level"], given["log_format"])
    with _held(signal.SIGHUP):  # which would end what cannot take it yet; it comes when it can be
        service = _started(context, given)
    service.run()
    if service.failure is not None:
        raise Failure(f"the web server ended: {service.failure!r}")


@contextmanager
def _held(number: signal.Signals) -> Iterator[None]:
    """Let a signal come when this is over."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})


def _started(context: click.Context, given: dict[str, Any]) -> Service:
    """Give the exporter, which serves. What keeps it from that is told, and ends this."""
    from racoon_exporter.serve.service import Service  # noqa: PLC0415  the web server is heavy
    from racoon_exporter.web import ListenError, WebConfigError  # noqa: PLC0415

    settings = settings_of(context, given)
    try:
        service = Service(settings)
        service.start()
    except (ConfigError, WebConfigError) as error:
        report([placed(error.path, problem) for problem in error.problems], USAGE)
        raise  # one without a problem there is not
    except ListenError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return service


def settings_of(context: click.Context, given: dict[str, Any]) -> Settings:
    """Give what the options ask for. Raises click.UsageError."""
    from racoon_exporter.serve.service import Settings  # noqa: PLC0415  the web server is heavy

    path: str = given["telemetry_path"]
    if not _PAGE.fullmatch(path) or path.startswith(_TAKEN) or path == _GATEWAYS:
        raise click.UsageError("--web.telemetry-path must begin with / and name a page of its own")
    zone_given = context.get_parameter_source("zone") is not ParameterSource.DEFAULT
    return Settings(
        logs=given["logs"],
        flags=flags(given, strangers=given["strangers"], peer_limit=given["peer_limit"], history=_HISTORY_ROWS),
        zone=given["zone"] if zone_given else None,
        local_zone=given["zone"],
        config_file=_path(given["config_file"]),
        state_file=_path(given["state_file"]) or default_state_file(),
        state_interval=given["state_interval"],
        start_at=given["start_at"],
        backfill=given["backfill"],
        addresses=given["addresses"],
        web_config=_path(given["web_config"]),
        telemetry_path=path,
        journal=given["journal"],
        syslog=given["syslog"],
        systemd_socket=given["systemd_socket"],
        health_without_auth=given["health_without_auth"],
        lifecycle=given["lifecycle"],
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
