"""What is known of sources that are read no longer, kept for when they come back: they then go on where they were.

It stands in the state file beside what is read, is seen by nobody, and has a bound: the oldest goes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from racoon_exporter.sa.checkpoint import detached, key_of
from racoon_exporter.sa.gateways import Key
from racoon_exporter.source.stream_name import stream_of

MOST_SOURCES: Final = 1024
"""Sources that are kept."""
MOST_RACOONS: Final = 10_000
"""Racoons of all of them together."""


def keep(content: dict[str, Any], gone: Collection[str], homes: Mapping[Key, str]) -> set[Key]:
    """Set aside what is known of sources that are gone, and of the racoons whose home they were; gives those racoons."""
    engine = content["engine"]
    negotiations = engine["state"]["archive"]["negotiations"]
    racoons: dict[str, list[dict[str, Any]]] = {name: [] for name in gone}
    kept: set[Key] = set()
    for racoon in engine["state"]["racoons"]:
        key = key_of(racoon)
        if key in homes:
            racoons[homes[key]].append(detached(racoon, negotiations))
            kept.add(key)
    aside = content.setdefault("aside", {})
    seen: dict[Key, list[list[Any]]] = {}
    for row in content["seen"]:
        seen.setdefault((row[0], row[1], row[2]), []).append(row)
    for name, its in racoons.items():
        aside.pop(name, None)
        aside[name] = _of_source(content, name, its, seen)
    _forget_the_oldest(aside)
    return kept


def _of_source(
    content: dict[str, Any], name: str, racoons: list[dict[str, Any]], seen: Mapping[Key, list[list[Any]]]
) -> dict[str, Any]:
    engine, stream = content["engine"], stream_of(name)
    return {
        "at": content["saved"],
        "gateway": content["gateways"][name],
        "position": content["positions"].get(name),
        "counts": content["sources"].get(name),
        "reader": engine["readers"].get(stream),
        "last_line": engine["last_line"].get(name),
        "first_line": engine.get("first_line", {}).get(name),
        "racoons": racoons,
        "seen": [row for racoon in racoons for row in seen.get(key_of(racoon), ())],
    }


def _forget_the_oldest(aside: dict[str, Any]) -> None:
    """Let go of what was set aside first, where it is too much."""
    racoons = sum(len(kept["racoons"]) for kept in aside.values())
    while aside and (len(aside) > MOST_SOURCES or racoons > MOST_RACOONS):
        racoons -= len(aside.pop(next(iter(aside)))["racoons"])


def take_back(content: dict[str, Any], is_read: Callable[[str], bool]) -> None:
    """Put what is known of sources that are read again where it was."""
    aside = content.get("aside", {})
    here = {key_of(racoon) for racoon in content["engine"]["state"]["racoons"]}
    for name in [name for name in aside if name not in content["positions"] and is_read(name)]:
        _put_back(content, name, aside.pop(name), here)


def _put_back(content: dict[str, Any], name: str, kept: Mapping[str, Any], here: set[Key]) -> None:
    """Do so with one of them, whose racoons join those that are `here`."""
    engine, stream = content["engine"], stream_of(name)
    content["gateways"][name] = kept["gateway"]
    for table, there, value in (
        (content["positions"], name, kept["position"]),
        (content["sources"], name, kept["counts"]),
        (engine["readers"], stream, kept["reader"]),
        (engine["last_line"], name, kept["last_line"]),
        (engine.setdefault("first_line", {}), name, kept["first_line"]),
    ):
        if value is not None:
            table.setdefault(there, value)
    back = [racoon for racoon in kept["racoons"] if key_of(racoon) not in here]
    engine["state"]["racoons"] += back
    since = max(0.0, content["saved"] - kept["at"])
    content["seen"] += [[*key, time, ago + since] for *key, time, ago in kept["seen"] if tuple(key) not in here]
    here |= {key_of(racoon) for racoon in back}


__all__ = ["MOST_RACOONS", "MOST_SOURCES", "keep", "take_back"]
