"""The systemd unit: whether it is started at boot, whether it runs, and what a drop-in took away."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import Findings, error, ok, several, warning
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.doctor.unit_file import DIRECTORIES, Unit

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE: Final = re.compile(r"(\d+)([KMGT]?)")
_LEAST_MEMORY: Final = 96 << 20
"""Bytes that a thousand peers may take."""
_HOMES: Final = ("/home/", "/root/", "/run/user/")
_TEMPORARY: Final = ("/tmp/", "/var/tmp/")  # noqa: S108  looked for, not written to
_OFF: Final = frozenset({"no", "false", "off", "0", ""})


def check(setup: Setup) -> Findings:
    """Look at the unit's files, and at what systemd says of it."""
    unit = setup.unit
    if unit is None:
        yield ok("unit", "systemd", "no unit of the exporter: how it is started is not known here")
        return
    if unit.masked:
        yield error(
            "unit",
            unit.path,
            "masked",
            "systemd never starts it.",
            f"systemctl unmask {unit.name} && systemctl enable --now {unit.name}",
        )
        return
    found = [*_command(unit), *_files(unit), *_boot(unit, setup), *_running(unit, setup)]
    found += [*_hides(unit, setup), *_writes(unit, setup), *_memory(unit), *_restart(unit)]
    drop_ins = f", with {several([file.name for file in unit.drop_ins])}" if unit.drop_ins else ""
    yield from found or [ok("unit", unit.path, f"as it should be{drop_ins}")]


def _edit(unit: Unit) -> str:
    return f"systemctl edit {unit.name}"


def _command(unit: Unit) -> Findings:
    commands = unit.commands("ExecStart")
    if len(commands) != 1:
        yield error(
            "unit",
            several([str(file) for file in unit.drop_ins]) or unit.path,
            f"{len(commands)} commands in ExecStart",
            "systemd refuses the unit: a service has one command. A drop-in that changes it begins with an empty ExecStart=.",
            f"{_edit(unit)}    # [Service], ExecStart=, and then ExecStart=/usr/bin/racoon-exporter serve …",
        )
        return
    program = commands[0].lstrip("@-:+!").split()[0]
    if program.startswith("/") and not os.access(program, os.X_OK):
        yield error(
            "unit",
            unit.path,
            f"{program} is not there, or may not be run",
            "The service cannot start.",
            f"{_edit(unit)}    # ExecStart= with the path that `command -v racoon-exporter` tells",
        )


def _files(unit: Unit) -> Findings:
    for file in unit.unreadable:
        yield warning(
            "unit", file, "may not be read by us", "What it changes is not known here.", f"chmod 644 {shlex.quote(file)}"
        )
    for file in unit.environment_missing:
        yield error(
            "unit", file, "named by EnvironmentFile, and not there", "The service does not start.", f"touch {shlex.quote(file)}"
        )


def _boot(unit: Unit, setup: Setup) -> Findings:
    wanted = [link for each in map(setup.host.path, DIRECTORIES) for link in each.glob(f"*.wants/{unit.name}")]
    if unit.values.get(("Install", "WantedBy")) and not wanted:
        yield warning("unit", unit.path, "not enabled", "After a boot nobody starts it.", f"systemctl enable --now {unit.name}")


def _running(unit: Unit, setup: Setup) -> Findings:
    if not setup.host.has_systemd:
        return
    state = setup.host.systemctl("show", "--property=ActiveState", "--value", unit.name)
    if state in {"failed", "inactive"}:
        yield error(
            "unit",
            unit.name,
            state,
            "The exporter does not run: nobody gets a scrape.",
            f"systemctl start {unit.name}; journalctl -u {unit.name} -n 20",
        )
    if setup.host.systemctl("show", "--property=NeedDaemonReload", "--value", unit.name) == "yes":
        yield warning(
            "unit",
            unit.name,
            "its files changed since systemd read them",
            "What runs is not what the files say.",
            f"systemctl daemon-reload && systemctl restart {unit.name}",
        )


def _hides(unit: Unit, setup: Setup) -> Findings:
    """Find what the unit keeps from the service although its user might read it."""
    for path in _to_read(setup):
        by = _hidden_by(unit, str(path.absolute()))
        if by:
            yield error(
                "unit",
                unit.path,
                f"{by} hides {path} from the service",
                "The file is readable for the user, and not for the service: it sees another directory there, or none.",
                f"{_edit(unit)}    # [Service], and {by.split('=')[0]}={'' if 'Paths' in by else 'no'}",
            )


def _to_read(setup: Setup) -> list[Path]:
    named = [Path(each.name) for each in setup.wanted if each.kind == "path" and each.name != "-"]
    more = (setup.settings.config_file, setup.settings.web_config, *setup.racoon_confs, *setup.policy_files)
    return [*named, *(path for path in more if path is not None)]


def _hidden_by(unit: Unit, path: str) -> str:
    if path.startswith(_HOMES) and unit.last("ProtectHome").lower() not in _OFF | {"read-only"}:
        return f"ProtectHome={unit.last('ProtectHome')}"
    if path.startswith(_TEMPORARY) and unit.is_on("PrivateTmp"):
        return f"PrivateTmp={unit.last('PrivateTmp')}"
    hidden = [word.lstrip("-+") for key in ("InaccessiblePaths", "TemporaryFileSystem") for word in unit.words(key)]
    for directory in (word.partition(":")[0] for word in hidden):
        if path == directory or path.startswith(directory.rstrip("/") + "/"):
            return f"InaccessiblePaths={directory}"
    return ""


def _writes(unit: Unit, setup: Setup) -> Findings:
    """Find a state file where the service may not write."""
    state = setup.settings.state_file
    strict = unit.last("ProtectSystem").lower() == "strict"
    if state is None or not strict:
        return
    named = [f"/var/lib/{word.partition(':')[0]}" for word in unit.words("StateDirectory")]
    named += [f"/run/{word.partition(':')[0]}" for word in unit.words("RuntimeDirectory")]
    named += [word.lstrip("-+") for word in unit.words("ReadWritePaths")]
    place = str(state.absolute())
    if not any(place.startswith(directory.rstrip("/") + "/") for directory in named):
        yield error(
            "unit",
            unit.path,
            f"ProtectSystem=strict keeps the service from writing {state}",
            "The state cannot be kept: after a restart lines count twice or not at all.",
            f"{_edit(unit)}    # [Service], and ReadWritePaths={state.parent}",
        )


def _memory(unit: Unit) -> Findings:
    for key in ("MemoryMax", "MemoryHigh"):
        size = _SIZE.fullmatch(unit.last(key))
        if size and int(size[1]) * _UNITS[size[2]] < _LEAST_MEMORY:
            yield warning(
                "unit",
                unit.path,
                f"{key}={unit.last(key)}",
                "With a thousand peers the exporter takes 80 MiB: it is slowed down, or killed again and again.",
                f"{_edit(unit)}    # [Service], and {key}=512M",
            )


def _restart(unit: Unit) -> Findings:
    if unit.last("Restart", "no") in {"no", "on-success"}:
        yield warning(
            "unit",
            unit.path,
            f"Restart={unit.last('Restart', 'no')}",
            "An exporter that ends by an error stays away, and with it every alert of this gateway.",
            f"{_edit(unit)}    # [Service], and Restart=always",
        )
