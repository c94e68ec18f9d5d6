"""What is known before the first line: flags, configuration file, racoon.conf and policies, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from racoon_exporter.config.file import Config
from racoon_exporter.config.fleet_knowledge import FleetKnowledge, RacoonTold
from racoon_exporter.config.peers import RacoonFiles
from racoon_exporter.expected_peers import read_policies, read_racoon_conf
from racoon_exporter.sa import Limits
from racoon_parsers.racoon_conf import Problem, RacoonConf
from racoon_parsers.setkey import Policies


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says of peers; empty where it says nothing."""

    expect_peers: tuple[str, ...] = ()
    racoon_config: str | None = None
    policy_files: tuple[str, ...] = ()
    lifetime: int | None = None
    strangers: int | None = None
    peer_limit: int | None = None
    history: int | None = None
    gateway_limit: int | None = None


def build(flags: Flags, config: Config) -> tuple[FleetKnowledge, list[str]]:
    """Put everything together; what was not understood in racoon's files comes back as lines for the operator.

    Raises ValueError for a bad `--expect-peer`, OSError for a file of racoon that cannot be read.
    """
    defaults = Limits()
    limits = Limits(
        _first(flags.strangers, config.strangers, defaults.strangers),
        _first(flags.peer_limit, config.peer_limit, defaults.peers),
        flags.history,
        _first(flags.gateway_limit, config.gateway_limit, defaults.gateways),
    )
    read = _Read()
    knowledge = FleetKnowledge(
        flags=flags.expect_peers,
        peers=config.peers,
        networks=config.networks,
        racoons=[read.told(files) for files in _files(flags, config)],
        lifetime=flags.lifetime,
        gateways=config.gateways.values(),
        limits=limits,
    )
    return knowledge, read.problems


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _files(flags: Flags, config: Config) -> Iterator[RacoonFiles]:
    """Give the files of some gateways, then those of all others, to which the command line's belong."""
    general = RacoonFiles()
    for files in config.racoons:
        if files.scope.everywhere:
            general = files
        else:
            yield files
    yield replace(
        general,
        config=flags.racoon_config or general.config,
        policy_files=(*general.policy_files, *flags.policy_files),
        lifetime=general.lifetime or config.lifetime,
    )


class _Read:
    """Racoon's files, each read once however many gateways share it, and what was not understood in them."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._confs: dict[str, RacoonConf] = {}
        self._policies: dict[str, Policies] = {}

    def told(self, files: RacoonFiles) -> RacoonTold:
        """Read the files of some gateways."""
        conf = None if files.config is None else self._conf(files.config)
        return RacoonTold(files.scope, conf, tuple(map(self._policy_file, files.policy_files)), files.lifetime)

    def _conf(self, path: str) -> RacoonConf:
        conf = self._confs.get(path)
        if conf is None:
            conf = self._confs[path] = read_racoon_conf(path)
            self._tell(conf.problems)
        return conf

    def _policy_file(self, path: str) -> Policies:
        policies = self._policies.get(path)
        if policies is None:
            policies = self._policies[path] = read_policies(path)
            self._tell(policies.problems)
        return policies

    def _tell(self, problems: Iterable[Problem]) -> None:
        self.problems += [f"{problem.path}:{problem.line}: {problem.message}" for problem in problems]
