"""The live exporter counts what `report` counts: over every recording, over restarts, with little room for ended records."""

from __future__ import annotations

import gzip
import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.archives.availability_rows import AvailabilityRows
from racoon_exporter.archives.once import LinesOnce
from racoon_exporter.archives.reading import Reading
from racoon_exporter.archives.survey import survey
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.sa import Knowledge
from racoon_exporter.status import api
from racoon_exporter.status.query import Parameters
from tests.exporter.status.engines import Gateway
from tests.exporter.status.test_agreement import EXPECTED, LOGS

PIECES = 6
SAME = {
    "known_seconds": "known",
    "up_seconds": "up",
    "down_seconds": "down",
    "unknown_seconds": "unknown",
    "planned_seconds": "planned",
    "availability": "share",
    "longest_seconds": "longest",
    "mttr_seconds": "mttr",
    "mtbf_seconds": "mtbf",
    "flaps": "flaps",
    "failures": "failures",
}


def of_report(path: Path, tmp_path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    given = tmp_path / path.name
    given.write_bytes(path.read_bytes())
    work = AvailabilityRows(Reading(knowledge=Knowledge(EXPECTED)))
    rows = work.rounds(LinesOnce(tuple(survey([str(given)], UTC))), 0, 1)
    fragments = [json.loads(text) for found in rows for _, _, text in found]
    return {
        (fragment["gateway"], peer["address"]): {**peer, "until": fragment["window"][1]}
        for fragment in fragments
        for peer in fragment["peers"]
    }


def read_with_restarts(path: Path, history: int | None) -> Gateway:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = data.splitlines(keepends=True)
    gateway = Gateway(EXPECTED, history=history)
    size = len(lines) // PIECES + 1
    for begin in range(0, len(lines), size):
        gateway.read(b"".join(lines[begin : begin + size]))
        fresh = Engine.like(gateway.engine)
        restore(fresh, json.loads(json.dumps(to_json(gateway.engine))))
        gateway.engine = fresh
    return gateway


def rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_live_numbers_are_those_of_the_report(path: Path, tmp_path: Path) -> None:
    told = of_report(path, tmp_path)
    for history in (None, 5):
        gateway = read_with_restarts(path, history)
        shown = gateway.view()
        body = api.availability_body(shown, Parameters(), UTC)
        live = {(peer["gateway"], peer["peer"]): peer for peer in body["peers"]}
        seen = {key: peer for key, peer in told.items() if peer["until"] == shown.now}
        assert seen.keys() <= live.keys()
        for key, peer in seen.items():
            assert {name: rounded(live[key][name]) for name in SAME} == {name: rounded(peer[of]) for name, of in SAME.items()}
            assert live[key]["outages"] == len(peer["outages"])
