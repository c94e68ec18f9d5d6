"""What is known at each of many gateways. Pure; `knowledge` reads the files.

Thousands of gateways may have the same template: what is told of patterns and of all gateways is put together once for each
set of gateways of which the same is told, and they share it. What is told of a gateway by its name stands beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from racoon_exporter.config.peers import ConfiguredNetwork, Network
from racoon_exporter.expected_peers import ExpectedPeer, completed, expected_peers, parse_expect_peer
from racoon_exporter.gateway_scope import EVERYWHERE, Scope, same_name
from racoon_exporter.sa import Expectation, Knowledge, Limits
from racoon_parsers.racoon_conf import RacoonConf
from racoon_parsers.setkey import Policies

_MOST_SHARED: Final = 1024
"""Sets of gateways that are remembered: names that a line invents may fit patterns in any combination."""


class _Scoped(Protocol):
    @property
    def scope(self) -> Scope: ...


_T = TypeVar("_T", bound=_Scoped)


@dataclass(frozen=True, slots=True)
class RacoonTold:
    """What racoon's own files tell of some gateways."""

    scope: Scope = EVERYWHERE
    conf: RacoonConf | None = None
    policies: tuple[Policies, ...] = ()
    lifetime: int | None = None


@dataclass(frozen=True, slots=True)
class _Files:
    """The files that hold at a gateway: of each kind the most specific."""

    conf: RacoonConf | None
    policies: tuple[Policies, ...]
    lifetime: int | None


class Layered(Mapping[str, Expectation]):
    """A gateway's own peers, and those that it shares with others."""

    __slots__ = ("_own", "_shared")

    def __init__(self, own: Mapping[str, Expectation], shared: Mapping[str, Expectation]) -> None:
        self._own = own
        self._shared = shared

    def __getitem__(self, address: str) -> Expectation:
        found = self._own.get(address)
        return self._shared[address] if found is None else found

    def __contains__(self, address: object) -> bool:
        return address in self._own or address in self._shared

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from (address for address in self._shared if address not in self._own)

    def __len__(self) -> int:
        return len(self._own.keys() | self._shared.keys())


class FleetKnowledge:
    """What is configured of every gateway (`sa.configured.Known`)."""

    def __init__(
        self,
        *,
        flags: Sequence[str] = (),
        peers: Sequence[ExpectedPeer] = (),
        networks: Sequence[ConfiguredNetwork] = (),
        racoons: Sequence[RacoonTold] = (),
        lifetime: int | None = None,
        gateways: Iterable[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """Take what everybody says. `flags` and `lifetime` are the command line's, `gateways` those of sources.

        Raises ValueError for a bad flag.
        """
        self.limits = limits or Limits()
        self._flags = tuple(flags)
        self._of_flags = {peer.address: peer for peer in map(parse_expect_peer, self._flags)}
        self._lifetime = lifetime
        self._peers, self._peers_of = _by_name(peers)
        self._networks, self._networks_of = _by_name(networks)
        self._racoons, self._racoons_of = _by_name(racoons)
        scoped: tuple[_Scoped, ...] = (*peers, *networks, *racoons)
        self._patterns = tuple(dict.fromkeys(one.scope.patterns for one in scoped if one.scope.patterns))
        names = {same_name(name): name for one in reversed(scoped) for name in one.scope.names}
        self._named = frozenset(names)
        self.gateways: Collection[str] = tuple(({same_name(name): name for name in gateways} | names).values())
        self._shared: dict[tuple[tuple[bool, ...], bool], tuple[dict[str, ExpectedPeer], Knowledge]] = {}
        self._own: dict[str, Knowledge] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody is configured at any gateway."""
        told = self._flags or self._peers or self._peers_of or self._networks or self._networks_of
        return not told and all(self.at(name).is_empty for name in ("", *self.gateways))

    def at(self, gateway: str) -> Knowledge:
        """Give what holds at a gateway; the same object for all of which the same is told."""
        name = same_name(gateway)
        if name not in self._named:
            return self._shared_by(name, with_files=True)[1]
        known = self._own.get(name)
        if known is None:
            known = self._own[name] = self._of(name)
        return known

    # what gateways share

    def _shared_by(self, name: str, *, with_files: bool) -> tuple[dict[str, ExpectedPeer], Knowledge]:
        """Give what is told of all gateways and of the patterns that a name fits; racoon's files only where they hold."""
        key = tuple(Scope(patterns=patterns).fits(name) for patterns in self._patterns), with_files
        shared = self._shared.get(key)
        if shared is None:
            if len(self._shared) >= _MOST_SHARED:
                self._shared.clear()
            shared = self._shared[key] = self._share(name, with_files=with_files)
        return shared

    def _share(self, name: str, *, with_files: bool) -> tuple[dict[str, ExpectedPeer], Knowledge]:
        files = self._files(_general(self._racoons, name))
        merged = expected_peers(
            self._flags,
            configured=_general(self._peers, name),
            conf=files.conf if with_files else None,
            policies=files.policies if with_files else (),
        )
        peers = {peer.address: peer for peer in merged.peers}
        expectations = {address: _expectation(peer) for address, peer in peers.items()}
        return peers, Knowledge(
            expectations, files.lifetime, self.limits, tuple(_networks(_general(self._networks, name))), self.gateways
        )

    # what a gateway has of its own

    def _of(self, name: str) -> Knowledge:
        told, own = self._racoons_of.get(name, []), self._peers_of.get(name, [])
        files = self._files([*told, *_general(self._racoons, name)])
        files_of_its_own = any(one.conf is not None or one.policies for one in told)
        shared, known = self._shared_by(name, with_files=not files_of_its_own)
        found = expected_peers(
            configured=own,
            conf=files.conf if files_of_its_own else None,
            policies=files.policies if files_of_its_own else (),
        )
        configured = {peer.address for peer in own}
        merged = {
            peer.address: _expectation(self._merged(peer, shared, configured=peer.address in configured))
            for peer in found.peers
        }
        networks = self._networks_of.get(name)
        return Knowledge(
            Layered(merged, known.peers) if known.peers else merged,
            files.lifetime,
            self.limits,
            known.networks if not networks else tuple(_networks([*networks, *_general(self._networks, name)])),
            self.gateways,
            merged,
        )

    def _merged(self, own: ExpectedPeer, shared: Mapping[str, ExpectedPeer], *, configured: bool) -> ExpectedPeer:
        """Put a peer together: flag, what is configured of the gateway, what of others like it, then racoon's files."""
        order = (self._of_flags.get(own.address), own if configured else None, shared.get(own.address), own)
        first, *others = [peer for peer in order if peer is not None]
        for other in others:
            first = completed(first, other)
        return first

    def _files(self, told: Sequence[RacoonTold]) -> _Files:
        """Choose of each kind of file the first that is told of."""
        return _Files(
            next((one.conf for one in told if one.conf is not None), None),
            next((one.policies for one in told if one.policies), ()),
            self._lifetime or next((one.lifetime for one in told if one.lifetime is not None), None),
        )


def _by_name(scoped: Iterable[_T]) -> tuple[list[_T], dict[str, list[_T]]]:
    """Tell what holds for patterns or everywhere from what is told of gateways by name."""
    general: list[_T] = []
    of_names: dict[str, list[_T]] = {}
    for one in scoped:
        if one.scope.everywhere or one.scope.patterns:
            general.append(one)
        for name in one.scope.names:
            of_names.setdefault(same_name(name), []).append(one)
    return general, of_names


def _general(scoped: Iterable[_T], name: str) -> list[_T]:
    """Give what holds at a gateway that is not named: what fits its name, then what holds everywhere."""
    every = list(scoped)
    return [one for one in every if one.scope.fits(name)] + [one for one in every if one.scope.everywhere]


def _expectation(peer: ExpectedPeer) -> Expectation:
    return Expectation(peer.name or peer.address, peer.kind, peer.phase1_lifetime, peer.phase2_lifetime, peer.authentication)


def _networks(networks: Iterable[ConfiguredNetwork]) -> Iterator[tuple[Network, Expectation]]:
    """Give the networks, the smallest first, as it says most of an address; of equal ones the first, which is the nearest."""
    for known in sorted(networks, key=lambda one: -one.network.prefixlen):
        yield known.network, Expectation(known.name or "", "roaming", known.phase1_lifetime, known.phase2_lifetime)


__all__ = ["FleetKnowledge", "Layered", "RacoonTold"]
