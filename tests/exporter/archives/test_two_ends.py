"""`history` of the logs of both ends: read together, however many processes there are; turned round where they must be."""

import json
from pathlib import Path

import pytest

from racoon_exporter.archives.plan import units
from racoon_exporter.archives.survey import survey
from racoon_exporter.zone import read_zone
from tests.exporter.archives.test_commands import run
from tests.exporter.reading import LAB

SCENARIO = LAB / "06-ph1-proposal-mismatch"
LOGS = [str(SCENARIO / "a.log"), str(SCENARIO / "b.log")]


def told(*logs: str) -> list[tuple[str, str]]:
    """Run `history`: reasons that the other end told, and which log did."""
    rows = json.loads(run("history", "--format", "json", "--time-zone", "UTC", *logs).stdout)["negotiations"]
    return sorted((row["reason"], Path(row["told_by"]).name) for row in rows if row.get("told_by"))


@pytest.mark.parametrize("logs", [LOGS, LOGS[::-1]], ids=["a first", "b first"])
def test_each_end_is_told_by_the_other(logs: list[str]) -> None:
    assert told(*logs) == [("proposal_mismatch", "a.log"), ("proposal_mismatch", "b.log")]


def test_one_end_alone_is_told_nothing() -> None:
    assert told(LOGS[0]) == []


def test_both_ends_are_one_unit_that_is_not_shared_and_strangers_are_two() -> None:
    zone = read_zone("UTC")
    (unit,) = units(survey(LOGS, zone), lambda _path: "")
    assert unit.both_ends
    alone = units(survey([LOGS[0]], zone), lambda _path: "")
    assert [unit.both_ends for unit in alone] == [False]


def test_an_outage_is_explained_by_the_other_end(tmp_path: Path) -> None:
    """As the rows of `negotiations` are: it stays down for what the other end names."""
    log = tmp_path / "a.log"
    established = "2026-11-24 04:03:00: INFO: IPsec-SA established: ESP/Tunnel 192.168.0.40[500]->192.168.0.41[500]"
    pair = [f"{established} spi={spi}(0x{spi:x})\n" for spi in (10, 11)]
    gone = [f"2026-11-24 04:03:30: INFO: purged IPsec-SA spi={spi}.\n" for spi in (10, 11)]
    log.write_text("".join([*pair, *gone, Path(LOGS[0]).read_text()]))
    arguments = ("history", "--table", "outages", "--format", "jsonl", "--time-zone", "UTC", str(log))
    (alone,) = map(json.loads, run(*arguments).stdout.splitlines())
    (both,) = map(json.loads, run(*arguments, LOGS[1]).stdout.splitlines())
    assert (alone["told_by"], both["told_by"]) == (None, LOGS[1])
    assert (alone["begin"], alone["line"]) == (both["begin"], both["line"]) == ("2026-11-24T04:03:30+00:00", 3)


def test_newest_first_logs_of_both_ends_tell_the_same(tmp_path: Path) -> None:
    turned = []
    for log in LOGS:
        path = tmp_path / Path(log).name
        path.write_text("".join(reversed(Path(log).read_text().splitlines(keepends=True))))
        turned.append(str(path))
    assert told(*turned) == told(*LOGS)


def test_a_log_that_cannot_be_put_in_order_is_named_once(tmp_path: Path) -> None:
    hours = ["08", "09", "06", "07", "04", "05", "02", "03"]
    log = tmp_path / "mixed.log"
    log.write_text("".join(f"2026-01-15 {hour}:30:00: INFO: begin Aggressive mode.\n" for hour in hours))
    done = run("events", "--time-zone", "UTC", str(log))
    assert done.returncode == 0
    assert done.stderr.count(b"times fall and rise") == 1
