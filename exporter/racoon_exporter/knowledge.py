"""What is known before the first line: flags, configuration file, racoon.conf and policies, put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from racoon_exporter.config import Config, Network
from racoon_exporter.expected import ExpectedPeer, expected_peers, read_policies, read_racoon_conf
from racoon_exporter.sa import Expectation, Knowledge, Limits


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


def build(flags: Flags, config: Config) -> tuple[Knowledge, list[str]]:
    """Put everything together; what was not understood in racoon's files comes back as lines for the operator.

    Raises ValueError for a bad `--expect-peer`, OSError for a file of racoon that cannot be read.
    """
    racoon_config = flags.racoon_config or config.racoon_config
    conf = read_racoon_conf(racoon_config) if racoon_config else None
    policies = [read_policies(path) for path in (*config.policy_files, *flags.policy_files)]
    expected = expected_peers(flags.expect_peers, configured=config.peers, conf=conf, policies=policies)
    defaults = Limits()
    limits = Limits(
        _first(flags.strangers, config.strangers, defaults.strangers),
        _first(flags.peer_limit, config.peer_limit, defaults.peers),
        flags.history,
    )
    knowledge = Knowledge(
        {peer.address: _expectation(peer, config.peer_gateways.get(peer.address)) for peer in expected.peers},
        flags.lifetime or config.lifetime,
        limits,
        tuple(_networks(config)),
    )
    return knowledge, [f"{problem.path}:{problem.line}: {problem.message}" for problem in expected.problems]


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _expectation(peer: ExpectedPeer, gateway: str | None) -> Expectation:
    return Expectation(
        peer.name or peer.address, peer.kind, peer.phase1_lifetime, peer.phase2_lifetime, gateway, peer.authentication
    )


def _networks(config: Config) -> Iterator[tuple[Network, Expectation]]:
    """Give the networks, the smallest first: it says most of an address that is in several."""
    for known in sorted(config.networks, key=lambda one: -one.network.prefixlen):
        yield (
            known.network,
            Expectation(known.name or "", "roaming", known.phase1_lifetime, known.phase2_lifetime, known.gateway),
        )
