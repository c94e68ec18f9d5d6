"""No line, however it is put together from pieces of valid ones, makes anything raise that reads, keeps or shows it.

    python -m tests.fuzz.fuzz_lines [--seconds 60] [--seed N] [--lines N]

The exception barrier is off (`strict`), so that causes are found and not counted. Each story of some hundred lines goes
through one engine, is cut by restarts from its own state file's content, which change nothing of what is believed, and is
shown in every way: metrics, page, API, history, events, explanations. A failure prints its seed and the lines; `--seed`
tells that story again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from datetime import UTC
from typing import Any, Final

from racoon_exporter import events_output, history
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Knowledge
from racoon_exporter.sa.model import HISTORY
from racoon_exporter.sa.model import to_json as record_to_json
from racoon_exporter.source.contract import Block
from racoon_exporter.status.api.bodies import OVERVIEW_BODIES
from racoon_exporter.status.api.query import read_parameters
from racoon_exporter.status.overview.event_ring import EventRing
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import overview
from racoon_exporter.status.pages.context import PageContext
from racoon_exporter.status.pages.status_page import page
from racoon_parsers.messages import catalogue
from racoon_parsers.quotation import quoted_messages
from racoon_parsers.record import Record

from .lines import line

STORY: Final = 400
LIFE: Final = 50
"""Lines between two restarts."""
NOW: Final = 1_796_000_000.0
SOURCE: Final = "racoon.log"


def engine(ring: EventRing) -> Engine:
    """Make an engine that hides nothing."""
    return Engine(UTC, knowledge=Knowledge(), reference_of=lambda _: NOW, on_record=ring.add, strict=True)


def kept(one: Engine) -> dict[str, Any]:
    """Give what a state file would hold."""
    content: dict[str, Any] = json.loads(json.dumps(to_json(one)))
    return content


def archived(one: Engine) -> dict[str, list[dict[str, Any]]]:
    """Give all ended records as they are now, in their order, whatever was written of them before."""
    return {name: [record_to_json(record) for record in getattr(one.state.archive, name)] for name in HISTORY}


def _show(record: Record, source: str) -> None:
    json.dumps(events_output.as_dict(record, source, UTC))
    events_output.explanation(record)


def tell(lines: list[str], life: int = LIFE) -> None:
    """Read lines, restart after so many each time, and show what follows in every way."""
    ring = EventRing()
    one, whole = engine(ring), engine(EventRing())
    for first in range(0, len(lines), life):
        data = "\n".join(lines[first : first + life]).encode("utf-8", "surrogatepass") + b"\n"
        one._feed(Block(SOURCE, data, 1, None))
        whole._feed(Block(SOURCE, data, 1, None))
        again = engine(ring)
        restore(again, kept(one))
        one = again
        assert kept(one) == kept(whole), "a restart changed what is believed"
        assert archived(one) == archived(whole), "an ended record changed, and no checkpoint would tell"
    one.finish()
    samples, gateways = collect(one, OwnState())
    render(samples, gateways=gateways, openmetrics=False)
    render(samples, gateways=gateways, openmetrics=True)
    shown = overview(take_facts(one, ()), NOW)
    page(
        PageContext(shown, UTC, "/metrics", dict.fromkeys(("icon.svg", "status.css", "status.js"), "")), ring.newest(100)
    ).encode("utf-8", "backslashreplace")
    for body, allowed in OVERVIEW_BODIES.values():
        json.dumps(body(shown, read_parameters((), allowed), UTC), default=list)  # rows come one by one
    json.dumps(history.tables(one.state, UTC))
    records = list(engine(ring).records(Block(SOURCE, "\n".join(lines).encode("utf-8", "surrogatepass"), 1, None)))
    for record in records[:: max(1, len(records) // 60)]:
        _show(record, SOURCE)
    for text in lines[:: max(1, len(lines) // 20)]:
        quoted_messages(text, catalogue())


def story(seed: int) -> list[str]:
    """Give the lines of a seed."""
    some = random.Random(seed)
    return [line(some) for _ in range(STORY)]


def smallest(lines: list[str]) -> list[str]:
    """Leave out lines as long as it still raises."""
    size = len(lines) // 2
    while size:
        for start in range(0, len(lines), size):
            fewer = lines[:start] + lines[start + size :]
            if fewer and raises(fewer):
                lines = fewer
                break
        else:
            size //= 2
    return lines


def raises(lines: list[str]) -> bool:
    """Whether lines make anything raise."""
    try:
        tell(lines)
    except Exception:  # noqa: BLE001  that is the question
        return True
    return False


def main() -> int:
    """Tell stories until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, help="tell this story only")
    parser.add_argument("--first", type=int, default=0, help="seed to begin with; 0 takes one from the clock")
    options = parser.parse_args()
    if options.seed is not None:
        tell(story(options.seed))
        return 0
    seed = first = options.first or time.time_ns() // 1_000_000
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        lines = story(seed)
        try:
            tell(lines)
        except Exception:  # noqa: BLE001  told, with what it takes to find it again
            traceback.print_exc()
            print(f"seed {seed}; the lines that it takes:", *map(ascii, smallest(lines)), sep="\n")
            return 1
        seed += 1
    print(f"{(seed - first) * STORY} lines in {seed - first} stories from seed {first} on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
