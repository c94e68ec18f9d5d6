"""A recording read in two parts, with a checkpoint between them, gives what it gives in one."""

import json
from datetime import UTC
from typing import Any

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.history import tables
from tests.exporter.reading import LAB, block


def feed(engine: Engine, lines: list[bytes], first: int = 1) -> Engine:
    engine.feed(block(b"".join(lines), first=first))
    return engine


def outcome(engine: Engine) -> tuple[Any, ...]:
    """The whole history, and what is counted."""
    engine.finish()
    counters = {
        (racoon.gateway, address, *key): count
        for racoon in engine.state.racoons.values()
        for address, counted in [("", racoon.counters), *((peer.address, peer.counters) for peer in racoon.peers.values())]
        for key, count in counted.items()
    }
    return tables(engine.state), counters


@pytest.mark.parametrize(
    ("scenario", "step"),
    [
        ("16-esp-ah-transport", 1),
        ("02-rekey", 7),
        ("17-soak-chaos", 97),
        ("old-0.5pre+0.8.2-21-interop-failures", 3),
        ("old-0.6.3-17-soak-chaos", 41),
    ],
    ids=["at each line of a bundle", "between rekeys", "in the middle of everything", "between refusals", "about reloads"],
)
def test_a_checkpoint_anywhere_changes_nothing(scenario: str, step: int) -> None:
    lines = (LAB / scenario / "a.log").read_bytes().splitlines(keepends=True)
    whole = outcome(feed(Engine(UTC), lines))
    for cut in range(step, len(lines), step):
        saved = json.loads(json.dumps(to_json(feed(Engine(UTC), lines[:cut]))))
        resumed = Engine(UTC)
        restore(resumed, saved)
        assert outcome(feed(resumed, lines[cut:], cut + 1)) == whole, f"cut before line {cut + 1}"
