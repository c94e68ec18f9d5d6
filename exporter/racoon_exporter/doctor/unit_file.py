"""A systemd unit with its drop-ins, as systemd.unit(5) puts them together: what the service is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.host import Host

DIRECTORIES: Final = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""The first that has a file of a name wins."""
_SECTION: Final = re.compile(r"\[(.+)\]")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MASK: Final = "/dev/null"


@dataclass(slots=True)
class Unit:
    """A unit: its files, and the values of each key of each section, in order."""

    name: str
    path: Path
    drop_ins: tuple[Path, ...] = ()
    masked: bool = False
    values: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """Files of it that we may not read."""
    environment_missing: list[str] = field(default_factory=list)
    """Files of variables that it needs and that are not there."""

    def last(self, key: str, default: str = "", section: str = "Service") -> str:
        """Give the value of a key that has one."""
        values = self.values.get((section, key))
        return values[-1] if values else default

    def words(self, key: str, section: str = "Service") -> tuple[str, ...]:
        """Give the words of a key that is a list."""
        return tuple(word for value in self.values.get((section, key), ()) for word in value.split())

    def commands(self, key: str) -> tuple[str, ...]:
        """Give the command lines of a key."""
        return tuple(self.values.get(("Service", key), ()))

    def is_on(self, key: str) -> bool:
        """Whether a switch is on."""
        return self.last(key).lower() in {"yes", "true", "on", "1"}


def find_unit(host: Host, name: str) -> Unit | None:
    """Read a unit with its drop-ins; None where there is none."""
    path = next((file for each in DIRECTORIES if _there(file := host.path(each) / name)), None)
    if path is None:
        return None
    unit = Unit(name, path, _drop_ins(host, name))
    unit.masked = _is_mask(path)
    for file in (path, *unit.drop_ins):
        _read(file, unit)
    return unit


def _there(file: Path) -> bool:
    return file.is_symlink() or file.is_file()


def _is_mask(file: Path) -> bool:
    return (file.is_symlink() and str(file.readlink()) == _MASK) or (file.is_file() and file.stat().st_size == 0)


def _drop_ins(host: Host, name: str) -> tuple[Path, ...]:
    """Give the drop-ins, in the order of their names; of two with one name that of the directory that wins."""
    found: dict[str, Path] = {}
    for directory in reversed(DIRECTORIES):
        folder = host.path(directory) / f"{name}.d"
        with suppress(OSError):  # there is none, or we may not look
            found.update({file.name: file for file in folder.iterdir() if file.suffix == ".conf"})
    return tuple(file for _, file in sorted(found.items()) if not _is_mask(file))


def _read(file: Path, unit: Unit) -> None:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        unit.unreadable.append(str(file))
        return
    section = ""
    for line in _logical_lines(text):
        heading = _SECTION.fullmatch(line)
        if heading:
            section = heading[1]
            continue
        key, equals, value = line.partition("=")
        if not equals:
            continue
        values = unit.values.setdefault((section, key.strip()), [])
        if value.strip():
            values.append(value.strip())
        else:
            values.clear()  # an empty value begins a list anew


def _logical_lines(text: str) -> Iterator[str]:
    """Give lines without comments; one that ends with a backslash goes on in the next."""
    begun = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            begun += line[:-1] + " "
        elif begun or line:
            yield (begun + line).strip()
            begun = ""
    if begun:
        yield begun.strip()


def arguments(unit: Unit, host: Host) -> list[str] | None:
    """Give what `serve` is given by the unit's command, variables filled in; None where it runs no `serve`."""
    commands = unit.commands("ExecStart")
    if not commands:
        return None
    variables = _environment(unit, host)
    words = list(_expanded(_split(commands[-1].lstrip("@-:+!")), variables))
    return words[words.index("serve") + 1 :] if "serve" in words else None


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # a quote that nothing closes
        return command.split()


def _expanded(words: list[str], variables: dict[str, str]) -> Iterator[str]:
    """Fill variables in: `$ARGS` alone becomes its words, `${ARGS}` and one within a word stay one word."""
    for word in words:
        alone = re.fullmatch(r"\$(\w+)", word)
        if alone:
            yield from _split(variables.get(alone[1], ""))
        else:
            yield _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), word).replace("%%", "%")


def _environment(unit: Unit, host: Host) -> dict[str, str]:
    variables: dict[str, str] = {}
    for value in unit.values.get(("Service", "Environment"), ()):
        variables.update((name, text) for name, equals, text in (word.partition("=") for word in _split(value)) if equals)
    for named in unit.values.get(("Service", "EnvironmentFile"), ()):
        try:
            text = host.path(named.lstrip("-")).read_text(encoding="utf-8", errors="replace")
        except OSError:
            if not named.startswith("-"):
                unit.environment_missing.append(named)
            continue
        for line in _logical_lines(text):
            name, equals, value = line.partition("=")
            if equals:
                variables[name.strip()] = value.strip().strip("\"'")
    return variables
