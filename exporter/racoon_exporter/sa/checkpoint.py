"""One racoon as JSON and back: its parts by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from racoon_exporter.sa.archive import Archive, Places
from racoon_exporter.sa.configured import Known
from racoon_exporter.sa.counts import counters_from_json, counters_to_json
from racoon_exporter.sa.gateways import Key
from racoon_exporter.sa.racoon import MOST_SUMMED, Racoon
from racoon_exporter.sa.shared_bounds import SharedBounds
from racoon_exporter.sa.two_ends import TwoEnds

Gather = Callable[[Iterator[dict[str, Any]]], Iterable[dict[str, Any]]]
"""Puts together what racoons give: `list` at once; an iterator for who writes each before the next is made."""
VERSION: Final = 2
"""Of this layout; the first had no parts."""


def racoon_to_json(racoon: Racoon, places: Places) -> dict[str, Any]:
    """Give a racoon's parts. Objects that two parts share are named by their place in the first, or in the archive."""
    negotiations, sas = list(racoon.negotiations), list(racoon.ipsec)
    return {
        "version": VERSION,
        "gateway": racoon.gateway,
        "ident": racoon.ident,
        "stream": racoon.stream,
        "now": racoon.now,
        "heard_in": sorted(racoon.heard_in),
        "counters": counters_to_json(racoon.counters),
        "durations": {role: [min(sum_, MOST_SUMMED) for sum_ in sums] for role, sums in racoon.durations.items()},
        "life": racoon.life.to_json(),
        "peers": racoon.peers.to_json(),
        "negotiations": racoon.negotiations.to_json(),
        "isakmp": racoon.isakmp.to_json(places),
        "ipsec": racoon.ipsec.to_json(places),
        "pairs": racoon.pairs.to_json(sas, negotiations, places),
        "blame": racoon.blame.to_json(negotiations, places),
        "failures": racoon.failures.to_json(places),
        "guesses": racoon.peers.guesses.to_json(sas, places),
    }


def racoon_from_json(
    given: dict[str, Any], knowledge: Known, archive: Archive, two_ends: TwoEnds, bounds: SharedBounds
) -> Racoon:
    """Make a racoon of what `racoon_to_json` gave, now or with an older layout, and set its timers again."""
    given = upgraded(given)
    racoon = Racoon(given["gateway"], given["ident"], given["stream"], knowledge, archive, two_ends, bounds)
    racoon.now = given["now"]
    racoon.heard_in = set(given.get("heard_in", ()))  # older versions did not keep it
    racoon.counters.update(counters_from_json(given["counters"]))
    racoon.durations = given["durations"]
    racoon.life.restore(given["life"])
    racoon.peers.restore(given["peers"])
    two_ends.learn_owner(racoon)
    negotiations = racoon.negotiations.restore(given["negotiations"])
    sas = racoon.ipsec.restore(given["ipsec"])
    racoon.isakmp.restore(given["isakmp"])
    racoon.pairs.restore(given["pairs"], sas, negotiations, archive)
    racoon.blame.restore(given["blame"], negotiations)
    racoon.failures.restore(given.get("failures", []), archive)
    racoon.peers.guesses.restore(given.get("guesses"), sas, archive)
    return racoon


def key_of(given: Mapping[str, Any]) -> Key:
    """Name a racoon that `racoon_to_json` gave."""
    return given["gateway"], given["ident"], given["stream"]


def detached(given: dict[str, Any], negotiations: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a racoon as `racoon_to_json` does, without the archive that it names rows of: `negotiations` are those there.

    What the archive holds of it can be neither brought back nor explained by another end any more; what is not counted yet
    is kept.
    """
    guesses = given.get("guesses")
    return given | {
        "isakmp": given["isakmp"] | {"presumed": []},
        "ipsec": given["ipsec"] | {"presumed": []},
        "blame": given["blame"] | {"refusals": []},
        "failures": [
            [negotiations[what] if isinstance(what, int) else what, counted]
            for what, counted in given.get("failures", [])
            if not counted
        ],
        "pairs": [
            [*rest, sa, place if place is None or place >= 0 else None] for *rest, sa, place in given["pairs"] if sa >= 0
        ],
        **({} if guesses is None else {"guesses": guesses | {"sas": [row for row in guesses["sas"] if row[0] >= 0]}}),
    }


def made_anew(racoon: Racoon) -> Racoon:
    """Make a racoon of what it says of itself, as at a restart: tables that follow from others are then right."""
    content = json.loads(json.dumps(racoon_to_json(racoon, racoon.archive.places())))
    return racoon_from_json(content, racoon.knowledge, racoon.archive, racoon.two_ends, racoon.bounds)


def without_sas(racoon: Racoon) -> Racoon:
    """Make a racoon that keeps its counts and its peers, and knows of no SA."""
    bare = Racoon(*racoon.key, racoon.knowledge, racoon.archive, racoon.two_ends, racoon.bounds)
    bare.heard_in = racoon.heard_in
    bare.now, bare.life, bare.durations = racoon.now, racoon.life, racoon.durations
    bare.counters.update(racoon.counters)
    bare.peers.restore(json.loads(json.dumps(racoon.peers.to_json())))
    for peer in bare.peers.values():
        peer.phase2_up = False
    return bare


def upgraded(given: dict[str, Any]) -> dict[str, Any]:
    """Give a racoon of an older state file in the layout of today."""
    if "version" in given:
        return given
    causes = {key: cause for key, _, cause in given["causes"]}
    for sa in given["isakmp"]:
        if sa.get("purging") is not None and sa["cookies"] in causes:
            sa["purging_cause"] = causes[sa["cookies"]]
    parts = {name: given[name] for name in ("gateway", "ident", "stream", "now", "counters", "durations")}
    return parts | {
        "version": VERSION,
        "life": given,
        "peers": given,
        "negotiations": given["open"],
        "isakmp": {"alive": given["isakmp"], "presumed": given.get("presumed_isakmp", [])},
        "ipsec": {"alive": given["ipsec"], "presumed": given["presumed"]},
        "pairs": given["halves"],
        "blame": given,
    }
