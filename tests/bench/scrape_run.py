"""Scrapes of an engine that has read a log, for `run.py`: prints a JSON object with times and memory, and ends.

python -m tests.bench.scrape_run racoon.log
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Final

from racoon_exporter.engine import Engine
from racoon_exporter.exposition_cache import ExpositionCache
from racoon_exporter.metrics import OwnState
from tests.bench.engine_run import new_engine, pass_over

SCRAPES: Final = 30
_PAGE: Final = 4096


def resident() -> int:
    """Give this process's resident set in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def exposition(engine: Engine) -> bytes:
    """Do what the dearest scrape does, the first one, or one before which every peer said something: copy and write all."""
    return b"".join(ExpositionCache().answer(lambda take: take(engine, OwnState()), openmetrics=False))


def main(path: str) -> None:
    """Read, scrape, and print what it took."""
    engine = new_engine()
    exposition(engine)
    before = resident()
    pass_over(engine, path)
    gc.collect()
    after = resident()
    cpu, wall, text = [], [], b""
    for _ in range(SCRAPES):
        cpu_begun, begun = time.process_time(), time.perf_counter()
        text = exposition(engine)
        cpu.append(time.process_time() - cpu_begun)
        wall.append(time.perf_counter() - begun)
    peers = sum(len(racoon.peers) for racoon in engine.state.racoons.values())
    result = {
        "peers": peers,
        "cpu_seconds": sorted(cpu),
        "wall_seconds": sorted(wall),
        "bytes": len(text),
        "series": sum(1 for line in text.splitlines() if not line.startswith(b"#")),
        "resident_before": before,
        "resident": after,
        "resident_scraped": resident(),
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
