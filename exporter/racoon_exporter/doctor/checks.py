"""All checks: a row each, and as whom each looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from racoon_exporter.doctor import (
    clock,
    configuration,
    messages,
    peers,
    port,
    racoon_files,
    rotation,
    service_unit,
    sources,
    state,
    web,
    witnesses,
)
from racoon_exporter.doctor.finding import Finding, Findings, error, ok, warning
from racoon_exporter.doctor.log_tail import LogTail, read_tail
from racoon_exporter.doctor.service_user import NotAsUserError, as_user, ourselves
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.engine import Engine

Check = Callable[[Setup], Findings]

AS_THE_SERVICE: Final[tuple[Check, ...]] = (
    configuration.check_rights,
    sources.check,
    racoon_files.check_rights,
    state.check_rights,
    web.check_rights,
    port.check_rights,
    port.check_syslog,
    witnesses.check_rights,
)
"""What its user may do."""
AS_WE_ARE: Final[tuple[Check, ...]] = (
    service_unit.check,
    configuration.check,
    racoon_files.check,
    state.check,
    witnesses.check_unit,
    witnesses.check_racoon_certificates,
)
"""What does not depend on who looks."""
OF_A_LOG: Final[tuple[Callable[[LogTail, Setup], Findings], ...]] = (messages.check, clock.check, rotation.check)
MOST_HEARD: Final = 50
"""Logs whose content is looked at."""


def examine(setup: Setup) -> list[Finding]:
    """Look at everything."""
    setup = replace(setup, holders=port.holders(port.wanted(setup)))
    tails = list(_tails(setup))
    return [
        *_of_user(setup),
        *_each(AS_WE_ARE, setup),
        *_as_the_service(setup),
        *(finding for log in tails for finding in _each(OF_A_LOG, log, setup)),
        *_each([messages.twice_read, peers.check], tails, setup),
        *_left_out(setup),
    ]


def _as_the_service(setup: Setup) -> list[Finding]:
    try:
        told = as_user(setup.user, lambda: [finding.to_json() for finding in _each(AS_THE_SERVICE, setup)])
    except NotAsUserError as failed:
        return [
            error(
                "user",
                setup.user.name,
                str(failed),
                "A process of that user could not be made, or ended early: what it may read is not known.",
                f"runuser -u {setup.user.name} -- racoon-exporter doctor",
            )
        ]
    return [Finding(**each) for each in told]


def _each(checks: Iterable[Callable[..., Findings]], *about: object) -> list[Finding]:
    """Make checks; one that fails is a finding, and the others are made."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check(*about)
        except Exception as failed:  # noqa: BLE001  what a host may do is not known beforehand, and the rest must be told
            found.append(_unfinished(check, failed))
    return found


def _unfinished(check: Callable[..., Findings], failed: Exception) -> Finding:
    module = check.__module__.rpartition(".")[2]
    return error(
        "doctor",
        module.replace("_", " "),
        f"could not be looked at: {type(failed).__name__}: {failed}",
        "What stands there may be right or wrong. This is a fault of the doctor, or of this machine.",
        "python3 -m racoon_exporter doctor    # as root and as the service's user; and report it, please",
    )


def _of_user(setup: Setup) -> Findings:
    us = ourselves()
    if setup.user.uid == us.uid:
        yield ok("user", us.name, "rights are those of this user" + ("; --user names another" if us.uid == 0 else ""))
    elif us.uid == 0:
        yield ok("user", setup.user.name, "rights were tried as this user")
    else:
        yield warning(
            "user",
            setup.user.name,
            f"rights were tried as {us.name}",
            f"Only root can become {setup.user.name}: whether that user may read the logs is not known.",
            "sudo racoon-exporter doctor",
        )


def _tails(setup: Setup) -> Iterator[LogTail]:
    for path in setup.logs[:MOST_HEARD]:
        engine = Engine(
            setup.zone,
            knowledge=setup.known,
            gateway_of=setup.config.gateway_of,
            reference_of=lambda _source: setup.host.now(),
        )
        with suppress(OSError):  # told where its rights are looked at
            yield read_tail(path, engine, setup.zone)


def _left_out(setup: Setup) -> Findings:
    if len(setup.logs) > MOST_HEARD:
        yield ok("log", "other logs", f"{len(setup.logs) - MOST_HEARD} more: only their rights were looked at")
