"""Samples of the state of every racoon: part by part, of a gateway itself and of each name at it.

A part is copied while the reader waits, and its samples are taken of the copy afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from racoon_exporter.metrics.copies import DaemonCopy, PeerCopy, copy_daemon, copy_peers
from racoon_exporter.metrics.current import Beginnings
from racoon_exporter.metrics.peers import ROLES
from racoon_exporter.metrics.rows import METRICS
from racoon_exporter.metrics.samples import Samples, Scrape
from racoon_exporter.metrics.samples_by_name import NameCopy, reason_of_name, samples_of_name
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.sa.racoon import DURATION_BUCKETS, Racoon
from racoon_exporter.text import visible
from racoon_parsers.reasons import zero_for_expected

_MOST_EXPECTED: Final = 20_000
"""Configured peers times gateways that have series before anything was heard of them."""
_EXPECTED_OF_EACH: Final = 8
"""The same where more gateways are let in: so many peers of each of `limits.gateways`."""
_COUNTERS: Final = {row.counter: row for row in METRICS if row.counter and row.labels[:1] != ("peer",)}
_OF_GATEWAYS: Final = frozenset(row.name for row in _COUNTERS.values() if row.has_gateway)
_ZEROS: Final = (
    *((row.name, row.has_gateway, ((),)) for row in _COUNTERS.values() if not row.labels),
    ("racoon_gateway_failures", True, tuple((str(phase), reason) for phase in (1, 2) for reason in zero_for_expected(phase))),
    ("racoon_xauth_logins", True, (("success",), ("failure",))),
)
"""Series of a gateway that do not depend on peers: metric, whether it names the gateway, and other labels of each."""


class GatewayCopy(NamedTuple):
    """All that the samples of a gateway itself are made of."""

    daemons: tuple[DaemonCopy, ...]
    zeros: bool
    """Whether it has series though nothing was counted yet."""
    kinds: tuple[tuple[str, int], ...]
    """How many names are expected, by kind."""


Part = GatewayCopy | NameCopy
Parts = Mapping[str | None, Part]
"""By name; None is the gateway itself."""
TakePart = Callable[[str, str | None, Part], Samples]
"""Takes the samples of a part of a gateway."""


class Site(NamedTuple):
    """A gateway, and what is to be copied of it. Two that are equal have the same to show."""

    gateway: str
    """As labels show it."""
    racoons: tuple[Racoon, ...]
    revisions: tuple[object, ...]
    expected: tuple[Mapping[str, Expectation], ...]
    """Peers that have series before they are heard of, by address."""
    zeros: bool
    begun: float | None
    """When what is read of it begins."""

    def copied(self, before: Sequence[CopiedRacoon] = ()) -> CopiedSite:
        """Copy it, and keep what is as it was `before`."""
        several = len(self.racoons) > 1
        return CopiedSite(self, [_copied(racoon, before, of_several=several) for racoon in self.racoons])


class CopiedRacoon(NamedTuple):
    """A racoon, and its peers."""

    racoon: Racoon
    """Whose they are; what it holds may be others by now."""
    knowledge: Knowledge
    daemon: DaemonCopy
    peers: Mapping[str, PeerCopy]
    """By address."""


def _copied(racoon: Racoon, before: Sequence[CopiedRacoon], *, of_several: bool) -> CopiedRacoon:
    knowledge = racoon.knowledge
    peers = next((one.peers for one in before if one.racoon is racoon and one.knowledge is knowledge), {})
    return CopiedRacoon(racoon, knowledge, copy_daemon(racoon), copy_peers(racoon, of_several=of_several, before=peers))


class CopiedSite(NamedTuple):
    """A gateway that may be divided when the reader goes on."""

    site: Site
    racoons: Sequence[CopiedRacoon]

    def parts(self) -> Parts:
        """Divide it into itself and its names."""
        expected = expected_by_name(self.site.expected)
        members: dict[str, list[PeerCopy]] = {name: [] for name in expected}
        for racoon in self.racoons:
            for peer in racoon.peers.values():
                members.setdefault(peer.name, []).append(peer)
        daemons = tuple([racoon.daemon for racoon in self.racoons])
        told = all(daemon.phase2_told for daemon in daemons)
        begun = self.site.begun
        parts: dict[str | None, Part] = {None: GatewayCopy(daemons, self.site.zeros, kinds_of(expected))}
        for name, of_name in members.items():
            parts[name] = NameCopy(tuple(of_name), expected.get(name, ()), told, begun)
        return parts


def expected_by_name(known: Sequence[Mapping[str, Expectation]]) -> dict[str, tuple[tuple[str, Expectation], ...]]:
    """Group configured peers by their names as labels show them."""
    found: dict[str, list[tuple[str, Expectation]]] = {}
    for peers in known:
        for address, expected in peers.items():
            found.setdefault(visible(expected.name), []).append((address, expected))
    return {name: tuple(peers) for name, peers in found.items()}


def kinds_of(expected: Mapping[str, Sequence[tuple[str, Expectation]]]) -> tuple[tuple[str, int], ...]:
    """Count the names that are expected, by kind."""
    numbers: dict[str, int] = {}
    for peers in expected.values():
        for kind in {one.kind for _, one in peers}:
            numbers[kind] = numbers.get(kind, 0) + 1
    return tuple(sorted(numbers.items()))


def sites(scrape: Scrape) -> Iterator[Site]:
    """Give every gateway that was heard of, is read or is configured."""
    shown = {gateway: visible(gateway) for gateway in scrape.gateways}
    racoons: dict[str, list[Racoon]] = {}
    for racoon in scrape.engine.state.racoons.values():
        racoons.setdefault(shown[racoon.gateway], []).append(racoon)
    expected: dict[str, list[Mapping[str, Expectation]]] = {}
    for gateway, peers in _with_expected(scrape):
        expected.setdefault(shown.get(gateway) or visible(gateway), []).append(peers)
    zeros = set(shown.values())
    begun = Beginnings(scrape.engine).of_gateway
    for gateway in dict.fromkeys((*racoons, *zeros, *expected)):
        here = tuple(racoons.get(gateway, ()))
        yield Site(
            gateway,
            here,
            tuple([racoon.revision for racoon in here]),
            tuple(expected.get(gateway, ())),
            gateway in zeros,
            begun(gateway),
        )


def collect_state(samples: Samples, scrape: Scrape) -> None:
    """What is believed of every racoon and its peers, and zeros for what is configured or not heard of yet."""
    _collect(samples, scrape, samples_of_part)


def collect_reasons(samples: Samples, scrape: Scrape) -> None:
    """Give all peers their reasons."""
    _collect(samples, scrape, reasons_of_part)


def _collect(samples: Samples, scrape: Scrape, take: TakePart) -> None:
    for site in sites(scrape):
        for name, part in site.copied().parts().items():
            samples.unite(take(site.gateway, name, part))


def samples_of_part(gateway: str, name: str | None, part: Part) -> Samples:
    """Take what is believed of a gateway itself or of a name at it."""
    return samples_of_gateway(gateway, part) if isinstance(part, GatewayCopy) else samples_of_name(gateway, name or "", part)


def reasons_of_part(gateway: str, name: str | None, part: Part) -> Samples:
    """Take why a name is not up; of a gateway itself there is nothing to tell."""
    return Samples() if isinstance(part, GatewayCopy) else reason_of_name(gateway, name or "", part)


def samples_of_gateway(gateway: str, copied: GatewayCopy) -> Samples:
    """Take what is believed of the racoons of a gateway, and counted for them without a peer."""
    samples = Samples()
    for daemon in copied.daemons:
        _collect_daemon(samples, gateway, daemon)
    if copied.zeros:
        _collect_zeros(samples, gateway)
    for kind, number in copied.kinds:
        samples.add("racoon_gateway_peers", number, gateway, kind)
    return samples


def _collect_daemon(samples: Samples, gateway: str, daemon: DaemonCopy) -> None:
    for key, count in daemon.counters.items():
        row = _COUNTERS[key[0]]
        samples.add(row.name, count, gateway if row.name in _OF_GATEWAYS else "", *key[1:])
    for role, counts in daemon.durations.items():
        known = samples.durations.setdefault((gateway, role), [0.0] * len(counts))
        samples.durations[gateway, role] = [one + other for one, other in zip(known, counts, strict=True)]
    samples.put("racoon_daemon_up", float(daemon.up), gateway)
    samples.put("racoon_log_level_quiet", float(daemon.quiet), gateway)
    if daemon.run is not None:
        started, version, openssl = daemon.run
        if started is not None:
            samples.put("racoon_daemon_start_timestamp_seconds", started, gateway)
        samples.put("racoon_daemon_info", 1, gateway, visible(version or ""), visible(openssl or ""))


def _collect_zeros(samples: Samples, gateway: str) -> None:
    """Give a gateway the series that do not depend on peers, so that their first growth is seen as growth."""
    for name, owner, labels in _ZEROS:
        values = samples.values[name]
        for more in labels:
            values.setdefault((gateway if owner else "", *more), 0)
    for role in ROLES:
        samples.durations.setdefault((gateway, role), [0.0] * (len(DURATION_BUCKETS) + 2))


def _with_expected(scrape: Scrape) -> Iterator[tuple[str, Mapping[str, Expectation]]]:
    """Give the gateways at which configured peers have series before they are heard of, and those peers.

    What is told of a gateway by its name always has; what holds for patterns or everywhere has up to a bound, as lines may
    name any host.
    """
    engine, knowledge, spelled = scrape.engine, scrape.engine.state.knowledge, scrape.engine.state.gateways.spelled
    configured = [spelled(engine.gateway_of(status.name)) for status in scrape.own.sources]
    heard = [racoon.gateway for racoon in engine.state.racoons.values()]
    left = max(_MOST_EXPECTED, knowledge.limits.gateways * _EXPECTED_OF_EACH)
    first = True
    moves = any(status.kept for status in scrape.own.sources)
    for gateway in dict.fromkeys((*configured, *heard, *sorted(scrape.gateways))):
        if gateway in scrape.gateways:
            known = knowledge.at(gateway)
            left -= len(known.peers)
            yield gateway, known.peers if left >= 0 or first else known.own
            first = False
    for gateway in map(spelled, knowledge.gateways):
        if gateway not in scrape.gateways and not (moves and scrape.own.is_settling(gateway)):
            yield gateway, knowledge.at(gateway).own
