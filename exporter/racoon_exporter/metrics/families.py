"""Metrics by family: what is taken together at a scrape, and fails alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from racoon_exporter.engine import Engine
from racoon_exporter.metrics.exporter import collect_messages, collect_own, collect_witnesses
from racoon_exporter.metrics.samples import OwnState, Samples, Scrape
from racoon_exporter.metrics.state import collect_reasons, collect_state
from racoon_exporter.source.contract import SourceStatus


def gateways_of(engine: Engine, sources: Collection[SourceStatus]) -> frozenset[str]:
    """Name the gateways: those heard of, and those of the sources, of which nothing was heard yet.

    The records of a topic name theirs: an instance that holds no partition, or only new ones, has none.
    """
    heard = {racoon.gateway for racoon in engine.state.racoons.values()}
    configured = {engine.state.gateways.spelled(name) for status in sources if (name := engine.gateway_of(status.name))}
    nameless = set() if sources and all(status.kept for status in sources) else {""}
    return frozenset(heard | configured or nameless)


def collect(engine: Engine, own: OwnState) -> tuple[Samples, bool]:
    """Take the samples of everything, and tell whether they name gateways: the truth against which tests hold a scrape."""
    samples = Samples()
    gateways = gateways_of(engine, own.sources)
    scrape = Scrape(engine, own, gateways)
    for family, take in FAMILIES.items():
        samples.take(family, take, scrape)
    return samples, names_gateways(engine, gateways)


def names_gateways(engine: Engine, gateways: Collection[str]) -> bool:
    """Tell whether samples name gateways: where a line or the configuration does."""
    return any(gateways) or bool(engine.state.knowledge.gateways)


FAMILIES: Final[Mapping[str, Callable[[Samples, Scrape], None]]] = {
    "state": collect_state,
    "reasons": collect_reasons,
    "messages": collect_messages,
    "exporter": collect_own,
    "witnesses": collect_witnesses,
}
"""What is taken together, by name; no metric is of two. One that fails is missing, and the others are served."""
