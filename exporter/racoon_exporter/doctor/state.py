"""The state file: whether the service's user can keep it, and whether it holds what it should."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Final

from racoon_exporter import checkpoint
from racoon_exporter.checkpoint import StateFileError
from racoon_exporter.doctor.finding import Finding, Findings, error, ok, warning
from racoon_exporter.doctor.rights import readable, there, writable_directory
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.engine import Engine, restore
from racoon_exporter.state_schema import check_file

_ROOM: Final = 2 * checkpoint.MOST_BYTES // 8
"""Bytes that a state file and its successor may take."""
_FLEETING: Final = ("/run", "/var/run", "/dev/shm")  # noqa: S108  looked for, not written to


def check_rights(setup: Setup) -> Findings:
    """Try to write and read as the service's user."""
    path = setup.settings.state_file
    if path is None:
        yield warning(
            "state",
            "--state.file",
            "no state is kept",
            "After each start counters begin anew and the logs are read from their beginning; what was rotated away is lost.",
            f"install -d -m 750 -o {setup.user.name} /var/lib/racoon-exporter    # or --state.file",
        )
        return
    refusal = writable_directory(path.parent, setup.user)
    if refusal is not None:
        yield error(
            "state",
            path.parent,
            refusal.why,
            "The state cannot be kept: after a restart lines count twice or not at all, and tunnels look unknown.",
            refusal.mend,
        )
    elif shutil.disk_usage(path.parent).free < _ROOM:
        yield error(
            "state",
            path.parent,
            f"{shutil.disk_usage(path.parent).free >> 20} MiB are free",
            "The state is written beside the old one before it replaces it: there must be room for both.",
            f"df -h {shlex.quote(str(path.parent))}    # and make room",
        )
    else:
        yield ok("state", path.parent, f"writable by {setup.user.name}")
    refusal = readable(path, setup.user) if there(path) else None  # the first start makes it
    if refusal is not None:
        yield error(
            "state",
            path,
            refusal.why,
            "What was counted before is not known to the service. Was it once run as another user?",
            f"chown {setup.user.name} {shlex.quote(str(path))} && chmod 600 {shlex.quote(str(path))}",
        )


def check(setup: Setup) -> Findings:
    """Look whether it is whole and lasts, and at what was set aside."""
    path = setup.settings.state_file
    if path is None:
        return
    if there(path) and readable(path, setup.user) is None:
        yield _content(path, setup)
    if str(path).startswith(tuple(f"{directory}/" for directory in _FLEETING)) and setup.unit is not None:
        yield warning(
            "state",
            path,
            "kept where a boot deletes it",
            "After a boot counters begin anew, and what was rotated away is lost.",
            "systemctl edit racoon-exporter    # --state.file=/var/lib/racoon-exporter/state.json",
        )
    aside = path.with_name(f"{path.name}.unusable")
    if there(aside):
        yield warning(
            "state",
            aside,
            "a state file that could not be used was set aside",
            "Counters began anew then. It is kept so that it can be looked at.",
            f"journalctl -u racoon-exporter | grep unusable; rm {shlex.quote(str(aside))}",
        )


def _content(path: Path, setup: Setup) -> Finding:
    """Read it as a start does."""
    known = setup.known
    try:
        content = checkpoint.read(path, checkpoint.most_bytes(known.limits.gateways + len(known.gateways) if known else 0))
        if content is not None:
            check_file(content)
            restore(Engine(setup.zone, knowledge=known), content["engine"])
    except Exception as wrong:  # noqa: BLE001  whatever it is: a start sets the file aside for it
        told = isinstance(wrong, StateFileError | OSError)
        return error(
            "state",
            path,
            str(wrong).removeprefix(f"{path} ") if told else f"holds what no exporter writes ({type(wrong).__name__}: {wrong})",
            "It cannot be used: at the next start it is set aside, and the logs are read from their beginning.",
            f"systemctl stop racoon-exporter; mv {shlex.quote(str(path))} /root/; systemctl start racoon-exporter",
        )
    return ok("state", path, "whole")
