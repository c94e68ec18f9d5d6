"""The answer to a scrape, made of the last one: only what changed since is copied, and only that is written anew.

Of thousands of gateways few say something between two scrapes. A gateway in which nothing happened is not looked at; of one
that said something the parts are compared, itself and each name at it, and those that are as they were keep their text.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Final, NamedTuple

from racoon_exporter import witness
from racoon_exporter.engine import Engine
from racoon_exporter.exposition import head, row_texts
from racoon_exporter.metrics import FAMILIES, METRICS, OwnState, Samples, Scrape, gateways_of
from racoon_exporter.metrics.families import names_gateways
from racoon_exporter.metrics.samples import attempt
from racoon_exporter.metrics.state import (
    CopiedRacoon,
    CopiedSite,
    Part,
    Site,
    TakePart,
    reasons_of_part,
    samples_of_part,
    sites,
)

_PARTED: Final[Mapping[str, TakePart]] = {"state": samples_of_part, "reasons": reasons_of_part}
"""Families that are taken part by part, of gateways themselves and of names at them."""
_WITNESSED: Final = frozenset(name for name, *_ in witness.metrics.ROWS)
_OF_STATE: Final = tuple(row for row in METRICS if row.has_gateway and row.name not in _WITNESSED)
_OF_NAMES: Final = tuple(row.name for row in _OF_STATE if "peer" in row.labels)
_OF_GATEWAYS: Final = tuple(row.name for row in _OF_STATE if "peer" not in row.labels)
_NAMELESS: Final = tuple(row.name for row in METRICS if row.counter and not row.has_gateway)
_ROWS: Final[Mapping[str, frozenset[str]]] = {
    "state": frozenset((*_OF_NAMES, *_OF_GATEWAYS)) - {"racoon_peer_reason"},
    "reasons": frozenset({"racoon_peer_reason"}),
}
"""By family of those."""
_TEXTS_AT_ONCE: Final = 1024
"""Of a row's texts that are given as one piece: some ten thousand peers have one each in each row."""

Take = Callable[[Engine, OwnState], "Taken"]
Look = Callable[[Take], "Taken"]
"""Lets a function copy what it needs of the engine while the reader waits."""


class Taken(NamedTuple):
    """What was copied for an answer."""

    own: OwnState
    rest: Samples
    """Of families that are taken whole."""
    named: bool
    """Whether samples name gateways."""
    sites: Sequence[Site | CopiedSite] | None
    """Gateways, those copied that may have changed; None if they cannot be."""


@dataclass(slots=True)
class _PartText:
    copied: Part | None
    """What it was made of; None where a family failed."""
    texts: tuple[bytes, ...]
    """In the order of the rows of names, or of gateways."""


@dataclass(slots=True)
class _SiteText:
    """What is written of a gateway."""

    site: Site | None = None
    """As of which it stands; None where not all of it could be written."""
    racoons: Sequence[CopiedRacoon] = ()
    """What was copied last."""
    parts: dict[str | None, _PartText] = field(default_factory=dict)
    nameless: Mapping[str, float] = field(default_factory=dict)
    """What is counted at it and shown for all gateways together."""


class ExpositionCache:
    """Answers scrapes. Safe to use from several threads."""

    def __init__(self) -> None:
        self.copied = 0
        """How many gateways were copied so far."""
        self.written = 0
        """How many parts were written so far."""
        self._lock = threading.Lock()
        self._sites: dict[str, _SiteText] = {}
        self._named = False

    def answer(self, look: Look, *, openmetrics: bool) -> Iterator[bytes]:
        """Give the text of all our rows, row by row, in pieces that are kept here: that of thousands of gateways is large."""
        with self._lock:
            taken = look(self._take)
            rows = self._rows(taken)
        for begun, texts in zip(_heads(openmetrics=openmetrics), rows, strict=True):
            yield begun
            for first in range(0, len(texts), _TEXTS_AT_ONCE):
                yield b"".join(texts[first : first + _TEXTS_AT_ONCE])

    def _take(self, engine: Engine, own: OwnState) -> Taken:
        rest = Samples()
        gateways = gateways_of(engine, own.sources)
        scrape = Scrape(engine, own, gateways)
        for family, take in FAMILIES.items():
            if family not in _PARTED:
                rest.take(family, take, scrape)
        named = names_gateways(engine, gateways)
        if named != self._named:
            self._named = named
            self._sites.clear()  # all have other labels
        copied = attempt("state", own.families_told, lambda: list(map(self._copied, sites(scrape))))
        return Taken(own, rest, named, copied)

    def _copied(self, site: Site) -> Site | CopiedSite:
        written = self._sites.get(site.gateway)
        if written is not None and written.site == site:
            return site
        self.copied += 1
        return site.copied(() if written is None else written.racoons)

    def _rows(self, taken: Taken) -> list[Sequence[bytes]]:
        """Give the texts of each row."""
        failed = self._update(taken)
        of_names: list[tuple[bytes, ...]] = []
        of_gateways: list[tuple[bytes, ...]] = []
        for written in self._sites.values():
            for name, part in written.parts.items():
                (of_gateways if name is None else of_names).append(part.texts)
            for metric, number in written.nameless.items():
                taken.rest.add(metric, number, "")
        columns = _columns(_OF_NAMES, of_names) | _columns(_OF_GATEWAYS, of_gateways)
        left_out = {metric for family in failed for metric in _ROWS[family]}
        rest = row_texts(taken.rest, gateways=taken.named)
        texts = {**{name: [text] for name, text in rest.items()}, **columns}
        return [() if row.name in left_out else texts.get(row.name, ()) for row in METRICS]

    def _update(self, taken: Taken) -> set[str]:
        """Write what was copied, and forget what is no longer there. Gives the families that failed."""
        told = taken.own.families_told
        failed: set[str] = set(_PARTED) if taken.sites is None else set()
        before, self._sites = self._sites, {}
        for each in taken.sites or ():
            site = each.site if isinstance(each, CopiedSite) else each
            written = self._sites[site.gateway] = before.get(site.gateway) or _SiteText()
            if isinstance(each, CopiedSite):
                self._write(written, each, failed, told)
        told.update(failed)
        told.difference_update(_PARTED.keys() - failed)
        for family in _PARTED:
            taken.rest.put("racoon_exporter_family_ok", float(family not in failed), "", family)
        return failed

    def _write(self, written: _SiteText, copied: CopiedSite, failed: set[str], told: set[str]) -> None:
        """Write the parts of a gateway that are not as they were."""
        before, written.parts, written.racoons = written.parts, {}, copied.racoons
        parts = attempt("state", told, copied.parts)
        if parts is None:
            failed.update(_PARTED)
        for name, part in (parts or {}).items():
            known = before.get(name)
            if known is None or known.copied != part:
                samples = _samples(copied.site.gateway, name, part, failed, told)
                if name is None:
                    written.nameless = _take_nameless(samples)
                texts = row_texts(samples, gateways=self._named)
                rows = _OF_GATEWAYS if name is None else _OF_NAMES
                known = _PartText(None if failed else part, tuple([texts.get(row, b"") for row in rows]))
                self.written += 1
            written.parts[name] = known
        written.site = None if failed else copied.site


def _samples(gateway: str, name: str | None, part: Part, failed: set[str], told: set[str]) -> Samples:
    """Take the samples of a part; what of a family fails is taken of no further part in this answer."""
    samples = Samples()
    for family, take in _PARTED.items():
        taken = None if family in failed else attempt(family, told, partial(take, gateway, name, part))
        if taken is None:
            failed.add(family)
        else:
            samples.values.update(taken.values)
            samples.durations.update(taken.durations)
    return samples


def _take_nameless(samples: Samples) -> Mapping[str, float]:
    """Take out what no label says whose it is."""
    nameless = [row for row in _NAMELESS if row in samples.values]
    return {row: sum(samples.values.pop(row).values()) for row in nameless}


def _columns(rows: Sequence[str], parts: Sequence[tuple[bytes, ...]]) -> dict[str, tuple[bytes, ...]]:
    """Give the texts of all parts row by row."""
    return dict(zip(rows, zip(*parts, strict=True), strict=True)) if parts else {}


@cache
def _heads(*, openmetrics: bool) -> tuple[bytes, ...]:
    return tuple(head(row, openmetrics=openmetrics).encode() for row in METRICS)


__all__ = ["ExpositionCache", "Taken"]
