"""The live exporter counts what `report` counts: over every recording, over restarts, with little room for ended records."""

from __future__ import annotations

import gzip
import json
import math
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.archives.availability_rows import AvailabilityRows
from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.reading import Reading
from racoon_exporter.archives.survey import survey
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.sa import Knowledge
from racoon_exporter.status.api import bodies
from racoon_exporter.status.api.query import Parameters
from tests.exporter.status.engines import PEER, Gateway, permanent
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
        body = bodies.availability_body(shown, Parameters(), UTC)
        live = {(peer["gateway"], peer["peer"]): peer for peer in body["peers"]}
        seen = {key: peer for key, peer in told.items() if peer["until"] == shown.now}
        assert seen.keys() <= live.keys()
        for key, peer in seen.items():
            assert {name: rounded(live[key][name]) for name in SAME} == {name: rounded(peer[of]) for name, of in SAME.items()}
            assert live[key]["outages"] == len(peer["outages"])


HOUR = 3600


def rekeys(begin: datetime, hours: range, *, step: int = 4) -> str:
    """Lines of a peer whose SAs are made anew every few hours and end a minute after the next are there."""
    lines: list[tuple[datetime, str]] = []
    for number, hour in enumerate(hours[::step]):
        at, spi = begin + timedelta(hours=hour), 1000 + 2 * number
        over = at + timedelta(hours=step, minutes=1)
        for one, (source, destination) in ((spi, (PEER, LOCAL)), (spi + 1, (LOCAL, PEER))):
            lines.append((at, f"established: ESP/Tunnel {LOCAL}[500]->{PEER}[500] spi={one}(0x{one:x})"))
            ended = f"expired: ESP/Tunnel {source}[500]->{destination}[500] spi={one}(0x{one:x})"
            lines += [(over - timedelta(minutes=10), ended), (over, ended)]
    lines.sort(key=lambda line: line[0])
    return "".join(f"{at:%Y-%m-%d %H:%M:%S}: INFO: IPsec-SA {text}\n" for at, text in lines)


LOCAL = "192.168.0.40"


def test_the_page_shows_day_week_and_month_as_far_as_each_tells_more() -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    gateway = Gateway(permanent(), history=20)
    gateway.read(rekeys(begin, range(888)))
    still_alive = rekeys(begin + timedelta(hours=894), range(72)).splitlines(keepends=True)[:-2]
    gateway.read("".join(still_alive))
    now = (begin + timedelta(hours=966)).timestamp()
    page = gateway.page(after=now - gateway.now)
    found = re.search(r"Availability: day (\S+) %, week (\S+) %, month (\S+) %", page)
    assert found is not None
    outage = 6 * HOUR - 60
    assert [float(share) for share in found.groups()] == [
        100.0,
        math.floor((1 - outage / (7 * 24 * HOUR)) * 100_000) / 1000,
        math.floor((1 - outage / (30 * 24 * HOUR)) * 100_000) / 1000,
    ]


def test_a_log_of_ten_minutes_fills_the_timeline_and_tells_of_ten_minutes() -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    gateway = Gateway(permanent()).read("".join(rekeys(begin, range(1)).splitlines(keepends=True)[:2]))
    page = gateway.page(after=600)
    assert "The last 10 min: " in page
    assert "Availability: day 100 % (of 10 min)" in page
    (up,) = gateway.view(600).timeline(gateway.peer(PEER))
    assert (up.state, up.seconds) == ("up", 600)


def test_the_state_file_of_an_older_version_tells_of_the_sas_it_remembers() -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    gateway = Gateway(EXPECTED).read(rekeys(begin, range(24)))
    before = gateway.view()
    kept = to_json(gateway.engine)
    del kept["past"]
    fresh = Engine.like(gateway.engine)
    restore(fresh, json.loads(json.dumps(kept)))
    gateway.engine = fresh
    assert gateway.view().known_from == before.known_from == begin.timestamp()
    assert bodies.availability_body(gateway.view(), Parameters(), UTC) == bodies.availability_body(before, Parameters(), UTC)


def test_requests_that_ask_side_by_side_are_told_the_same() -> None:
    gateway = Gateway(EXPECTED).read(rekeys(datetime(2026, 10, 1, tzinfo=UTC), range(240)))
    shown, alone = gateway.view(), bodies.outages_body(gateway.view(), Parameters(), UTC)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(bodies.outages_body, shown, Parameters(), UTC) for _ in range(200)]
    finally:
        sys.setswitchinterval(interval)
    assert all(one.result() == alone for one in asked)
