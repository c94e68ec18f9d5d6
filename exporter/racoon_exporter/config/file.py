"""`--config.file`: sources, gateways, peers, limits, time zone, and the files of racoon, in YAML.

A flag wins over the file; lists of both add up. The file is validated with line numbers, unknown keys are errors.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final

from racoon_exporter.config.peers import (
    PEER,
    RACOON,
    ConfiguredNetwork,
    RacoonFiles,
    label,
    natural,
    read_peers,
    read_racoons,
)
from racoon_exporter.expected_peers import ExpectedPeer
from racoon_exporter.source.files.patterns import matches
from racoon_exporter.source.kinds import SOURCES, Wanted
from racoon_exporter.witness.settings import KEYS as WITNESS_KEYS
from racoon_exporter.witness.settings import WitnessSettings, read_settings
from racoon_exporter.yaml_document import Problem, Section, compose
from racoon_exporter.zone import read_zone

_TOP: Final = ("sources", "peers", "limits", "time_zone", "lifetime", "racoon", "witnesses")
_SOURCE: Final = (*(kind.key for kind in SOURCES), "gateway")
_LIMITS: Final = ("strangers", "peers", "gateways")
_ALIKE: Final = 0.8
"""How like a key of ours a misspelt one is, so that it is told what was meant."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says; empty where it says nothing."""

    sources: tuple[Wanted, ...] = ()
    gateways: dict[str, str] = field(default_factory=dict)
    """By path, pattern or address of a source: the gateway its lines are of, whatever host they name."""
    peers: tuple[ExpectedPeer, ...] = ()
    networks: tuple[ConfiguredNetwork, ...] = ()
    strangers: int | None = None
    peer_limit: int | None = None
    gateway_limit: int | None = None
    zone: tzinfo | None = None
    lifetime: int | None = None
    racoons: tuple[RacoonFiles, ...] = ()
    """Where racoon's own files are."""
    witnesses: WitnessSettings = field(default_factory=WitnessSettings)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files and globs among the sources, and `-`."""
        return tuple(each.name for each in self.sources if each.kind == "path")

    @property
    def racoon_confs(self) -> tuple[str, ...]:
        """Every racoon.conf that is named, that of all gateways first."""
        ordered = sorted(self.racoons, key=lambda files: not files.scope.everywhere)
        return tuple(dict.fromkeys(files.config for files in ordered if files.config is not None))

    @property
    def policy_files(self) -> tuple[str, ...]:
        """Every file with policies that is named."""
        return tuple(dict.fromkeys(path for files in self.racoons for path in files.policy_files))

    def gateway_of(self, source: str) -> str:
        """Name the gateway of a source, or of the pattern a file was found by; empty where the file names none."""
        if source in self.gateways:
            return self.gateways[source]
        return next((gateway for pattern, gateway in self.gateways.items() if matches(pattern, source)), "")


class ConfigError(Exception):
    """A configuration file that cannot be used; `problems` holds every fault."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(f"{path}: " + "; ".join(map(str, problems)))


def is_config(text: str) -> bool:
    """Whether a YAML text is a configuration file rather than a web configuration file, by its keys."""
    node, _ = compose(text)
    keys = Section("", node, []).keys() if node is not None else ()
    return any(difflib.get_close_matches(key, _TOP, n=1, cutoff=_ALIKE) for key in keys)


def load_config(path: Path) -> Config:
    """Read a file. Raises ConfigError with every fault, OSError if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(path, [Problem(None, "not UTF-8")]) from error
    config, problems = read_config(text, path.parent)
    if problems:
        raise ConfigError(path, problems)
    return config


def read_config(text: str, directory: Path) -> tuple[Config, list[Problem]]:
    """Read a text; relative paths are relative to the file's directory. Never raises."""
    node, problems = compose(text)
    top = Section("the configuration", node, problems, _TOP)
    sources = top.sections("sources", _SOURCE)
    wanted, gateways = _sources(sources, directory)
    peers, networks = read_peers(top.sections("peers", PEER))
    limits = top.section("limits", _LIMITS)
    config = Config(
        wanted,
        gateways,
        peers,
        networks,
        natural(limits, "strangers", 0),
        natural(limits, "peers", 1),
        natural(limits, "gateways", 1),
        _zone(top),
        natural(top, "lifetime", 1),
        read_racoons(top.one_or_more("racoon", RACOON), directory),
        read_settings(top.section("witnesses", WITNESS_KEYS), directory),
    )
    return config, sorted(problems, key=lambda problem: problem.line or 0)


def _zone(top: Section) -> tzinfo | None:
    name = top.text("time_zone")
    if name is None:
        return None
    try:
        return read_zone(name)
    except ValueError as error:
        top.note(str(error), "time_zone")
        return None


def _sources(sections: tuple[Section, ...], directory: Path) -> tuple[tuple[Wanted, ...], dict[str, str]]:
    wanted: dict[str, Wanted] = {}
    gateways: dict[str, str] = {}
    *others, last = (kind.key for kind in SOURCES)
    for section in sections:
        kinds = [kind for kind in SOURCES if section.mentions(kind.key)]
        if len(kinds) != 1:
            section.note(f"a source is one of {', '.join(others)} and {last}")
            continue
        source = kinds[0].read(section, directory)
        if source.name in wanted:
            section.note(f"{source.name} is given twice", kinds[0].key)
        wanted[source.name] = source
        gateway = label(section, "gateway")
        if gateway:
            gateways[source.name] = gateway
    return tuple(wanted.values()), gateways
