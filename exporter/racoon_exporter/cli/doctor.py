"""`doctor`: what this host must give, looked at piece by piece."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from racoon_exporter.cli.serve import serve, settings_of
from racoon_exporter.cli.user_option import reader, unit_option, user_option
from racoon_exporter.text import visible
from racoon_exporter.wording.words import count

if TYPE_CHECKING:
    from racoon_exporter.doctor.finding import Finding
    from racoon_exporter.doctor.host import Host
    from racoon_exporter.doctor.service_user import ServiceUser
    from racoon_exporter.doctor.unit_file import Unit
    from racoon_exporter.serve.service import Settings

_WIDTH: Final = 100


def _doctor(**given: Any) -> None:
    """Check everything that this host must give, and say what each fault means and how to mend it.

    Run it as root, or as the service's user: rights are tried as that user. What is looked at is what `serve` is given: by the
    systemd unit, or by the arguments here, which are those of `serve`.

    Looked at: unit, configuration, logs (readable, alive, racoon's, loud enough, in the right zone, written once), rotation,
    racoon.conf, policies, peers, state, TLS key and certificate, port, witnesses.

    Ends with status 0 if all is well, 1 with a warning, 2 with an error.
    """
    from racoon_exporter.doctor import checks, unit_file  # noqa: PLC0415  most commands do without
    from racoon_exporter.doctor.finding import STATUSES, worst  # noqa: PLC0415
    from racoon_exporter.doctor.host import Host  # noqa: PLC0415
    from racoon_exporter.doctor.setup import Setup  # noqa: PLC0415

    host = Host(Path(given["rootfs"]))
    unit = unit_file.find_unit(host, given["unit_name"])
    faults: list[Finding] = []
    settings = _settings(click.get_current_context(), given, unit, host, faults)
    setup = Setup(settings, _reader(given["user_name"], unit, faults), host, unit)
    findings = [*faults, *checks.examine(setup)]
    if given["output_format"] == "json":
        click.echo(json.dumps(_document(findings, setup.user), indent=2, ensure_ascii=False))
    else:
        for line in _lines(findings, quiet=given["quiet"]):
            click.echo(visible(line))
    sys.exit(STATUSES.index(worst(findings)))


def _settings(context: click.Context, given: dict[str, Any], unit: Unit | None, host: Host, faults: list[Finding]) -> Settings:
    """Give what `serve` is given: here, or by the unit, or the usual configuration file."""
    from racoon_exporter.doctor.finding import error  # noqa: PLC0415
    from racoon_exporter.doctor.rights import there  # noqa: PLC0415
    from racoon_exporter.doctor.setup import USUAL_CONFIG  # noqa: PLC0415
    from racoon_exporter.doctor.unit_file import arguments  # noqa: PLC0415

    # Before click 8.3 an argument that was left out counted as given, and empty.
    ours = [parameter.name for parameter in serve.params if parameter.name and given[parameter.name] != ()]
    if any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ours):
        return settings_of(context, given)
    words = arguments(unit, host) if unit is not None else None
    if words is None:
        words = ["--config.file", str(USUAL_CONFIG)] if there(USUAL_CONFIG) else []
    try:
        return _as_served(words)
    except click.UsageError as wrong:
        faults.append(
            error(
                "unit",
                unit.path if unit else "serve",
                f"the arguments of serve: {wrong.format_message()}",
                "The exporter does not start.",
                f"systemctl edit --full {given['unit_name']}; $EDITOR /etc/default/racoon-exporter    # serve --help",
            )
        )
        return _as_served([])


def _as_served(words: list[str]) -> Settings:
    context = click.Command("serve", params=[*map(_unopened, serve.params)]).make_context("serve", list(words))
    return settings_of(context, context.params)


def _reader(named: str | None, unit: Unit | None, faults: list[Finding]) -> ServiceUser:
    """Tell who will read; that the unit's user does not exist is a finding, and rights are then ours."""
    from racoon_exporter.doctor.finding import error  # noqa: PLC0415
    from racoon_exporter.doctor.service_user import ourselves  # noqa: PLC0415

    try:
        return reader(named, unit)
    except click.UsageError as wrong:
        if named is not None or unit is None:
            raise
        faults.append(
            error(
                "user",
                unit.last("User"),
                wrong.format_message().partition(";")[0],
                "systemd cannot start the service as somebody who is not there.",
                f"systemd-sysusers || useradd --system --no-create-home --shell /usr/sbin/nologin {unit.last('User')}",
            )
        )
        return ourselves()


def _document(findings: list[Finding], user: ServiceUser) -> dict[str, Any]:
    from racoon_exporter.doctor.finding import worst  # noqa: PLC0415

    return {"status": worst(findings), "user": user.name, "findings": [finding.to_json() for finding in findings]}


def _lines(findings: list[Finding], *, quiet: bool) -> Iterator[str]:
    """Give a line for each finding; what is not ok stands last, where the eye is, with what it means and what mends it."""
    from racoon_exporter.doctor.finding import STATUSES  # noqa: PLC0415

    for finding in sorted(findings, key=lambda one: STATUSES.index(one.status)):
        if finding.status == "ok":
            if not quiet:
                yield f"ok       {finding.area}: {finding.subject}: {finding.found}"
            continue
        yield f"{finding.status:8} {finding.area}: {finding.subject}: {finding.found}"
        yield from _wrapped("means", finding.meaning)
        yield f"         mend:  {finding.mend}"
    counts = {status: sum(finding.status == status for finding in findings) for status in STATUSES}
    yield f"{counts['ok']} ok, {count(counts['warning'], 'warning')}, {count(counts['error'], 'error')}"


def _wrapped(word: str, text: str) -> Iterator[str]:
    formatted = click.formatting.wrap_text(
        text, _WIDTH, initial_indent=f"         {word}: ", subsequent_indent=" " * 16, preserve_paragraphs=False
    )
    yield from formatted.splitlines()


def _unopened(parameter: click.Parameter) -> click.Parameter:
    """Take a path as it is: that it cannot be read is a finding, and no wrong usage."""
    if isinstance(parameter.type, click.Path):
        parameter = copy(parameter)
        parameter.type = click.Path(readable=False)
    return parameter


doctor: Final = click.Command(
    "doctor",
    callback=_doctor,
    help=_doctor.__doc__,
    short_help="Check all that this host must give; say what mends it.",
    params=[
        *map(_unopened, serve.params),
        user_option(),
        unit_option(),
        click.Option(
            ["--path.rootfs", "rootfs"],
            default="/",
            show_default=True,
            type=click.Path(exists=True, file_okay=False),
            help="Where this machine's root is: its unit files and rotation settings are looked for there.",
        ),
        click.Option(["--format", "output_format"], type=click.Choice(("table", "json")), default="table", show_default=True),
        click.Option(["--quiet"], is_flag=True, help="Show only what is not ok."),
    ],
)
