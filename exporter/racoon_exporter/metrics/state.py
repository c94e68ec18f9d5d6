"""Samples of the state of every racoon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from racoon_exporter.metrics.current import Beginnings, collect_since, known_peers
from racoon_exporter.metrics.peers import ROLES, addresses_of, collect_expected, collect_peer, collect_phase1_up
from racoon_exporter.metrics.rows import METRICS
from racoon_exporter.metrics.samples import Samples, Scrape
from racoon_exporter.sa import Expectation
from racoon_exporter.sa.racoon import DURATION_BUCKETS, Racoon
from racoon_exporter.text import visible
from racoon_parsers.reasons import zero_for_expected

_MOST_EXPECTED: Final = 20_000
"""Configured peers times gateways that have series before anything was heard of them."""
_EXPECTED_OF_EACH: Final = 8
"""The same where more gateways are let in: so many peers of each of `limits.gateways`."""
_COUNTERS: Final = {row.counter: row for row in METRICS if row.counter and row.labels[:1] != ("peer",)}


def collect_state(samples: Samples, scrape: Scrape) -> None:
    """What is believed of every racoon and its peers, and zeros for what is configured or not heard of yet."""
    racoons = list(scrape.engine.state.racoons.values())
    for racoon in racoons:
        collect_daemon(samples, racoon)
        for address in addresses_of(racoon):
            collect_peer(samples, racoon, address)
    for gateway in scrape.gateways.difference(racoon.gateway for racoon in racoons):
        collect_zeros(samples, visible(gateway))
    untold = frozenset(visible(one.gateway) for one in scrape.engine.state.racoons.values() if not one.life.phase2_told)
    for gateway, expected in _with_expected(scrape):
        collect_expected(samples, visible(gateway), expected, told=visible(gateway) not in untold)
    for gateway, _, kind in samples.values["racoon_peer_expected"]:
        samples.add("racoon_gateway_peers", 1, gateway, kind)
    collect_phase1_up(samples)
    collect_since(samples, known_peers(scrape.engine), Beginnings(scrape.engine).of_gateway)


def collect_daemon(samples: Samples, racoon: Racoon) -> None:
    """Take what is believed of a racoon itself, and counted without a peer."""
    gateway = visible(racoon.gateway)
    for key, count in racoon.counters.items():
        row = _COUNTERS[key[0]]
        samples.add(row.name, count, gateway if row.has_gateway else "", *key[1:])
    collect_zeros(samples, gateway)
    for role, counts in racoon.durations.items():
        known = samples.durations.setdefault((gateway, role), [0.0] * len(counts))
        samples.durations[gateway, role] = [one + other for one, other in zip(known, counts, strict=True)]
    _collect_life(samples, racoon)


def daemon_key(racoon: Racoon) -> tuple[object, ...]:
    """Give what tells whether the samples of a racoon itself are what they were: all that they are made of."""
    run = racoon.life.run
    return (
        *racoon.counters.values(),
        *(count for counts in racoon.durations.values() for count in counts),
        racoon.life.up,
        racoon.life.is_quiet(racoon.now),
        None if run is None else (run.started, run.version, run.openssl),
    )


def collect_zeros(samples: Samples, gateway: str) -> None:
    """Give a gateway the series that do not depend on peers, so that their first growth is seen as growth."""
    for row in _COUNTERS.values():
        if not row.labels:
            samples.add(row.name, 0, gateway if row.has_gateway else "")
    for phase in (1, 2):
        for reason in zero_for_expected(phase):
            samples.add("racoon_gateway_failures", 0, gateway, str(phase), reason)
    for result in ("success", "failure"):
        samples.add("racoon_xauth_logins", 0, gateway, result)
    for role in ROLES:
        samples.durations.setdefault((gateway, role), [0.0] * (len(DURATION_BUCKETS) + 2))


def _collect_life(samples: Samples, racoon: Racoon) -> None:
    gateway, run = visible(racoon.gateway), racoon.life.run
    samples.put("racoon_daemon_up", float(racoon.life.up), gateway)
    samples.put("racoon_log_level_quiet", float(racoon.life.is_quiet(racoon.now)), gateway)
    if run is not None:
        if run.started is not None:
            samples.put("racoon_daemon_start_timestamp_seconds", run.started, gateway)
        samples.put("racoon_daemon_info", 1, gateway, visible(run.version or ""), visible(run.openssl or ""))


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
    for gateway in dict.fromkeys((*configured, *heard, *sorted(scrape.gateways))):
        if gateway in scrape.gateways:
            known = knowledge.at(gateway)
            left -= len(known.peers)
            yield gateway, known.peers if left >= 0 or first else known.own
            first = False
    for gateway in map(spelled, knowledge.gateways):
        if gateway not in scrape.gateways:
            yield gateway, knowledge.at(gateway).own
