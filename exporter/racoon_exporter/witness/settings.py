"""`witnesses:` of the configuration file: who is asked, how, and how often. All are off unless written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final

from racoon_exporter.witness.contract import Witness
from racoon_exporter.witness.dumps import DumpCommand, DumpFile, PrintedKernel, Printer
from racoon_exporter.witness.files import CertificateFiles
from racoon_exporter.witness.netlink import NetlinkKernel
from racoon_exporter.witness.poller import INTERVAL
from racoon_exporter.witness.racoon_socket import RacoonSocket
from racoon_exporter.yaml_document import Section

KEYS: Final = ("interval", "kernel", "racoon", "files")
_KERNEL: Final = ("netlink", "state_file", "state_command", "policy_file", "policy_command", "gateway")
_RACOON: Final = ("socket", "events", "gateway")
_FILES: Final = ("racoon_config", "gateway")


@dataclass(frozen=True, slots=True)
class Text:
    """Where a dump comes from: a file, or a command."""

    file: Path | None = None
    command: tuple[str, ...] = ()

    def printer(self) -> Printer:
        """Give what reads it."""
        return DumpCommand(self.command) if self.file is None else DumpFile(self.file)


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """Witness `kernel`: by netlink where `state` is None."""

    state: Text | None = None
    policy: Text | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class RacoonSettings:
    """Witness `racoon`."""

    socket: Path
    events: bool = True
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Witness `files`."""

    racoon_config: Path
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """What the configuration file says of witnesses."""

    interval: float = INTERVAL
    kernel: KernelSettings | None = None
    racoon: RacoonSettings | None = None
    files: FilesSettings | None = None

    def witnesses(self, zone: tzinfo) -> Iterator[Witness]:
        """Make them. Raises ValueError where something they need is not installed."""
        if self.kernel is not None:
            yield _kernel(self.kernel, zone)
        if self.racoon is not None:
            yield RacoonSocket(self.racoon.socket, gateway=self.racoon.gateway, events=self.racoon.events)
        if self.files is not None:
            yield CertificateFiles(self.files.racoon_config, gateway=self.files.gateway)


def _kernel(settings: KernelSettings, zone: tzinfo) -> Witness:
    if settings.state is None:
        return NetlinkKernel(settings.gateway)
    policy = settings.policy.printer() if settings.policy else None
    return PrintedKernel(settings.state.printer(), policy, gateway=settings.gateway, zone=zone)


def read_settings(section: Section, directory: Path) -> WitnessSettings:
    """Read the section; faults are noted in it. Relative paths are relative to the configuration file."""
    interval = section.integer("interval", round(INTERVAL))
    if interval < 1:
        section.note("interval must be at least 1 second", "interval")
    return WitnessSettings(
        max(1.0, float(interval)),
        _read_kernel(section.section("kernel", _KERNEL), directory) if section.mentions("kernel") else None,
        _read_racoon(section.section("racoon", _RACOON), directory) if section.mentions("racoon") else None,
        _read_files(section.section("files", _FILES), directory) if section.mentions("files") else None,
    )


def _read_kernel(section: Section, directory: Path) -> KernelSettings:
    state, policy = _text(section, "state", directory), _text(section, "policy", directory)
    if section.boolean("netlink", default=False) == (state is not None):
        section.note("the kernel is asked by one of netlink: true, state_file and state_command")
    if policy is not None and state is None:
        section.note("netlink gives the policies as well", "policy_file" if policy.file else "policy_command")
    return KernelSettings(state, policy, section.text("gateway"))


def _text(section: Section, what: str, directory: Path) -> Text | None:
    file, command = section.text(f"{what}_file"), section.entries(f"{what}_command")
    if file is not None and command is not None:
        section.note(f"one of {what}_file and {what}_command is enough", f"{what}_command")
    if command is not None and not command:
        section.note(f"{what}_command must name a program", f"{what}_command")
    if file is not None:
        return Text(file=directory / file)
    return Text(command=tuple(entry.text for entry in command)) if command else None


def _read_racoon(section: Section, directory: Path) -> RacoonSettings | None:
    socket = section.text("socket")
    if socket is None:
        section.note("racoon's admin socket must be named, as in socket: /var/run/racoon/racoon.sock")
        return None
    return RacoonSettings(directory / socket, section.boolean("events", default=True), section.text("gateway"))


def _read_files(section: Section, directory: Path) -> FilesSettings | None:
    conf = section.text("racoon_config")
    if conf is None:
        section.note("racoon's configuration must be named, as in racoon_config: /etc/racoon/racoon.conf")
        return None
    return FilesSettings(directory / conf, section.text("gateway"))
