"""As whom files will be read: `--user`, else the user of the systemd unit, else the one that the package makes, else we."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from racoon_exporter.doctor.service_user import ServiceUser
    from racoon_exporter.doctor.unit_file import Unit

UNIT: Final = "racoon-exporter.service"


def user_option() -> click.Option:
    """Ask for the user."""
    return click.Option(
        ["--user", "user_name"], metavar="NAME", help="The user that the service runs as. [default: the unit's]"
    )


def unit_option() -> click.Option:
    """Ask for the unit."""
    return click.Option(
        ["--unit", "unit_name"], default=UNIT, show_default=True, metavar="NAME", help="The systemd unit of the exporter."
    )


def reader(named: str | None, unit: Unit | None) -> ServiceUser:
    """Tell who will read. Raises click.UsageError where there is no such user."""
    from racoon_exporter.doctor import service_user  # noqa: PLC0415  most commands do without

    try:
        if named is not None:
            return service_user.service_user(named)
        if unit is not None and unit.last("User"):
            return service_user.service_user(unit.last("User"), unit.last("Group"), unit.words("SupplementaryGroups"))
        if unit is None and os.geteuid() == 0 and service_user.exists(service_user.SERVICE_USER):
            return service_user.service_user(service_user.SERVICE_USER)
    except service_user.NoUserError as error:
        raise click.UsageError(f"{error}; the package makes it: systemd-sysusers, or --user NAME") from error
    return service_user.ourselves()
