"""A state file with a good checksum, whatever its values are, is believed as a whole or set aside; either way all goes on.

    python -m tests.fuzz.fuzz_state [--seconds 60] [--seed N]

Believed: no line counts again, and what is written then is believed, too. Set aside: the log is read anew, and all is as if
there had been no state file. Nothing else.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from racoon_exporter import checkpoint, history
from racoon_exporter.engine import Engine
from racoon_exporter.exposition_cache import ExpositionCache
from racoon_exporter.metrics import FAMILIES
from racoon_exporter.sa import Knowledge
from racoon_exporter.sa.counts import MOST
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import overview

from . import mangled
from .fuzz_lines import NOW, story

MORE: Final = "2026-11-28 23:59:59: INFO: respond new phase 1 negotiation: 192.0.2.1[500]<=>198.51.100.2[500]\n"


class Room:
    """A directory with a log and the state file that an exporter left of it."""

    def __init__(self, directory: Path, lines: list[str]) -> None:
        self.log, self.state = directory / "racoon.log", directory / "state"
        self.log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="backslashreplace")
        self.state.unlink(missing_ok=True)
        self.fresh = self.outcome(run := self.start())
        run.save()
        content = checkpoint.read(self.state)
        assert content is not None
        self.content: dict[str, Any] = content

    def start(self) -> Follower:
        """Start an exporter, and let it read all there is."""
        inputs = Inputs(paths(str(self.log)))
        engine = Engine(UTC, knowledge=Knowledge(), reference_of=lambda _: NOW)
        follower = Follower(engine, inputs, state_file=self.state, monotonic=lambda: 0.0, wall=lambda: NOW)
        follower.restore()
        while follower.step():
            pass
        return follower

    def outcome(self, follower: Follower) -> str:
        """Give all that an exporter knows, and close its files. Raises whatever showing it raises."""
        text = b"".join(ExpositionCache().answer(follower.look, openmetrics=True)).decode()
        ok = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith("racoon_exporter_family_ok{")]
        assert ok == ["1.0"] * len(FAMILIES)
        overview(take_facts(follower.engine, ()), NOW)
        follower._inputs.close()
        messages = [(*key, min(count, MOST)) for key, count in sorted(follower.engine.messages.items())]
        return json.dumps([history.tables(follower.engine.state, UTC), messages])

    def check(self, content: dict[str, Any], more: str = MORE) -> bool:
        """Start with this content, and tell whether it was believed; if so, read more lines, and start again."""
        self.state.unlink(missing_ok=True)
        checkpoint.write(self.state, content)
        aside = self.state.with_name(f"{self.state.name}.unusable")
        aside.unlink(missing_ok=True)
        before = self.log.stat().st_size
        follower = self.start()
        given = sum(status.counts.lines for status in follower._inputs.statuses())
        believed = not aside.exists()
        if believed:
            assert given == 0, "believed, and the log was read again"
            with self.log.open("a") as file:
                file.write(more)
            while follower.step():
                pass
            assert sum(status.counts.lines for status in follower._inputs.statuses()) <= more.count("\n")
            follower.save()
            known = self.outcome(follower)
            again = self.outcome(self.start())
            assert not aside.exists(), "believed, and what was written then was not"
            assert again == known, "believed, and another start made something else of it"
            with self.log.open("r+b") as file:
                file.truncate(before)
        else:
            assert self.outcome(follower) == self.fresh, "set aside, and something of it was kept"
        return believed


def cases(content: dict[str, Any], stride: int = 1) -> Iterator[tuple[mangled.Path, int]]:
    """Give places and changes: each place with some of the changes, others at each."""
    for number, path in enumerate(mangled.places(content)):
        if number % stride == 0:
            yield path, number // stride % len(mangled.CHANGES)


def main() -> int:
    """Mangle state files until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--first", type=int, default=0, help="seed to begin with; 0 takes one from the clock")
    options = parser.parse_args()
    logging.disable()
    end, tried, believed = time.monotonic() + options.seconds, 0, 0
    seed = first = options.first or time.time_ns() // 1_000_000
    while time.monotonic() < end:
        some = random.Random(seed)
        with tempfile.TemporaryDirectory() as directory:
            room = Room(Path(directory), story(seed))
            every = list(mangled.places(room.content))
            for _ in range(400):
                path, change = some.choice(every), some.randrange(len(mangled.CHANGES))
                try:
                    believed += room.check(mangled.changed(room.content, path, mangled.CHANGES[change]))
                except BaseException:
                    print(f"seed {seed}: {path} changed by {change}")
                    raise
                tried += 1
        seed += 1
    print(f"{tried} state files from seed {first} on, {believed} believed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
