"""Every outage of a script is found, and the share of time up is right to four digits."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from racoon_exporter.archives.availability_rows import AvailabilityRows
from racoon_exporter.archives.plan import units
from racoon_exporter.archives.pool import Archives
from racoon_exporter.archives.reading import Reading
from racoon_exporter.archives.survey import survey
from racoon_exporter.report.model import document
from racoon_exporter.zone import read_zone
from tests.exporter.archives.year import Script, write

UTC = read_zone("UTC")


@pytest.mark.parametrize("central", [False, True], ids=["a log each", "one central log"])
def test_every_scripted_outage_is_found(*, central: bool, tmp_path: Path) -> None:
    script = Script()
    logs = write(script, tmp_path, central=central)
    planned = units(survey([str(log) for log in logs], UTC), lambda _path: "")
    work = AvailabilityRows(Reading(round_size=100_000))
    rows = [row for rows in Archives(work, planned, 1, lambda _done: None).rounds() for row in rows]
    with ThreadPoolExecutor(2) as threads:
        shared = [row for rows in Archives(work, planned, 2, lambda _done: None).on(threads) for row in rows]
    assert shared == rows
    fragments = [json.loads(text) for _, _, text in rows]
    found = {(one["gateway"], peer["address"]): peer for one in fragments for peer in one["peers"]}
    assert len(found) == script.gateways * script.peers
    for (gateway, peer), told in found.items():
        wanted = [one for one in script.all() if (one.gateway, one.peer) == (gateway, peer)]
        assert len(told["outages"]) == len(wanted)
        for (begin, end, seconds, cause, reason, _, file, line), one in zip(told["outages"], wanted, strict=True):
            assert abs(begin - one.begin) <= 2
            assert abs(end - one.end) <= 2
            assert abs(seconds - (one.end - one.begin)) <= 2
            assert (cause, reason) == ("dead_peer", one.reason)
            said = Path(file).read_text().splitlines()[line - 1]
            assert "seems to be dead" in said or gateway in said
        begun = script.begun(int(peer.rpartition(".")[2]))
        last = next(one["window"][1] for one in fragments if one["gateway"] == gateway)
        down = sum(one.end - one.begin for one in wanted)
        assert told["share"] == pytest.approx(1 - down / (last - begun), abs=5e-5)
    report = document(fragments, UTC)
    assert report["fleet"]["outages"] == len(script.all())
    assert report["reasons"][0]["reason"] == "no_response"
