"""Options that several commands share."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import click

from racoon_exporter.cli.output import Command
from racoon_exporter.config.knowledge import Flags
from racoon_exporter.config.peers import MOST
from racoon_exporter.zone import read_zone


def _zone(_context: click.Context, _parameter: click.Parameter, value: str) -> tzinfo:
    try:
        return read_zone(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def zone_option(command: Command) -> Command:
    """Ask in which zone the log is written."""
    return click.option(
        "--time-zone",
        "zone",
        callback=_zone,
        default="local",
        show_default=True,
        help="Zone in which the log is written: UTC, +02:00, a name such as Europe/Berlin, or local.",
    )(command)


def peer_options(command: Command) -> Command:
    """Ask what is known of the peers."""
    options = (
        click.option(
            "--expect-peer",
            "expect_peers",
            multiple=True,
            metavar="ADDR[=NAME][,roaming]",
            help="A peer that should be there; may be repeated.",
        ),
        click.option("--racoon.config", "racoon_config", type=click.Path(), help="racoon.conf: peers, lifetimes, names."),
        click.option(
            "--racoon.policy-file",
            "policy_files",
            multiple=True,
            type=click.Path(),
            help="setkey script or output of `setkey -DP`; may be repeated.",
        ),
        click.option(
            "--lifetime",
            type=click.IntRange(min=1, max=MOST),
            help="Seconds an IPsec SA lives, where nothing else tells: the bound of SAs whose end is not logged.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def flags(given: dict[str, Any], **limits: int | None) -> Flags:
    """Give what `peer_options` asked for."""
    return Flags(given["expect_peers"], given["racoon_config"], given["policy_files"], given["lifetime"], **limits)
