"""`report` as a user runs it, and what its page holds."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.cli.output import Failure
from racoon_exporter.cli.report import replace
from racoon_exporter.report.drawing import calendar
from racoon_exporter.report.model import document
from racoon_exporter.report.page import page
from racoon_exporter.report.text import percent
from racoon_exporter.zone import read_zone
from tests.exporter.archives.year import Script, write

UTC = read_zone("UTC")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [str(log) for log in write(Script(gateways=2, peers=2), tmp_path_factory.mktemp("report"))]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "racoon_exporter", *arguments], capture_output=True, text=True, check=False)


def test_the_numbers_are_those_of_the_contract(logs: list[str]) -> None:
    done = run("report", "--format", "json", "--expect-peer", "10.0.0.1=paris", *logs)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert set(report) >= {"method", "since", "until", "peers", "fleet", "reasons", "daemons", "certificates", "crypto"}
    peer = next(peer for peer in report["peers"] if peer["address"] == "10.0.0.1")
    assert (peer["peer"], peer["kind"], peer["gateway"]) == ("paris", "permanent", peer["gateway"])
    assert set(peer) >= {
        "availability",
        "known_seconds",
        "up_seconds",
        "down_seconds",
        "unknown_seconds",
        "planned_seconds",
        "outages",
        "longest_seconds",
        "mttr_seconds",
        "mtbf_seconds",
        "flaps",
        "failures",
    }
    assert set(peer["outages"][0]) == {"begin", "end", "seconds", "end_cause", "reason", "told_by", "file", "line"}
    assert peer["up_seconds"] + peer["down_seconds"] == pytest.approx(peer["known_seconds"] - peer["planned_seconds"])
    assert report["crypto"][0]["exchange"] == "main"


def test_other_forms_say_the_same(logs: list[str]) -> None:
    report = json.loads(run("report", "--format", "json", *logs).stdout)
    rows = list(csv.DictReader(io.StringIO(run("report", "--format", "csv", *logs).stdout)))
    assert [row["address"] for row in rows] == [peer["address"] for peer in report["peers"]]
    assert [int(row["outages"]) for row in rows] == [len(peer["outages"]) for peer in report["peers"]]
    text = run("report", "--format", "md", *logs).stdout
    assert text.index("## How it is counted") < text.index("## Summary") < text.index("## Peers")


def test_outages_are_a_table_of_history_as_well(logs: list[str]) -> None:
    report = json.loads(run("report", "--format", "json", *logs).stdout)
    rows = [json.loads(line) for line in run("history", "--table", "outages", "--format", "jsonl", *logs).stdout.splitlines()]
    assert sorted(row["begin"] for row in rows) == sorted(one["begin"] for peer in report["peers"] for one in peer["outages"])
    reasons = run("history", "--table", "outages", "--format", "csv", "--reason", "no_response", *logs).stdout.splitlines()
    assert 1 < len(reasons) < len(rows) + 1


def test_a_file_is_replaced_whole(logs: list[str], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the last one")
    assert run("report", "--output", str(path), *logs).returncode == 0
    text = path.read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "interrupt"])
def test_a_file_that_cannot_be_written_is_left_as_it_was(
    fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("the last one")

    def fail(*_arguments: object) -> None:
        raise fault

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((Failure, KeyboardInterrupt)):
        replace(path, "a new one")
    assert path.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    path, link = tmp_path / "report.html", tmp_path / "link.html"
    link.symlink_to(path.name)
    replace(link, "the first")
    replace(link, "the last")
    assert (link.is_symlink(), path.read_text()) == (True, "the last")


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    """As root, `--output /dev/full` would else put a file in the place of the device."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with os.fdopen(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8") as reader:
        replace(fifo, "a report")
        assert reader.read() == "a report"
    assert fifo.is_fifo()
    with pytest.raises(Failure, match="Is a directory"):
        replace(tmp_path, "a report")
    assert list(tmp_path.iterdir()) == [fifo]


def test_a_wrong_window_is_wrong_usage(logs: list[str], tmp_path: Path) -> None:
    windows = tmp_path / "windows.txt"
    windows.write_text("tomorrow\n")
    done = run("report", "--maintenance", str(windows), *logs)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"racoon-exporter: {windows}:1: ")


def test_a_report_of_longer_than_there_were_computers_begins_with_them(tmp_path: Path) -> None:
    path = tmp_path / "racoon.log"
    path.write_text("2026-10-01 00:00:00: INFO: @(#)ipsec-tools 0.8.2 (http://ipsec-tools.sourceforge.net)\n")
    done = run("report", "--format", "json", "--time-zone", "UTC", "--since", "999999w", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1970-01-01T00:00:00+00:00" in done.stdout


@pytest.mark.parametrize("since", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00Z"])
def test_a_time_that_another_zone_cannot_write_is_refused(since: str, logs: list[str], tmp_path: Path) -> None:
    done = run("report", "--format", "json", "--time-zone", "America/New_York", "--since", since, *logs)
    assert done.returncode == 2
    assert "is no time" in done.stderr
    windows = tmp_path / "windows.txt"
    windows.write_text(f"{since} 2026-01-01\n")
    done = run("report", "--maintenance", str(windows), *logs)
    assert done.stderr.startswith(f"racoon-exporter: {windows}:1: ")


def fragment(peers: int = 1, name: str = "branch", outages: int = 20) -> dict[str, Any]:
    """A gateway as a worker tells of it, over a year."""
    year = 365 * 86400.0
    begins = [number * year / outages for number in range(1, outages)]
    ups = list(zip([0.0, *(begin + 600 for begin in begins)], [*begins, year], strict=True))
    told = [[begin, begin + 600, 600.0, "dead_peer", "no_response", None, "/var/log/racoon.log", 17] for begin in begins]
    return {
        "gateway": "gw",
        "window": [0.0, year],
        "known": [[0.0, year]],
        "planned": [],
        "daemons": [[0.0, None, "0.8.2", None]],
        "strangers": 0,
        "unattributed": 0,
        "peers": [
            {
                "address": f"10.0.{number // 256}.{number % 256}",
                "name": f"{name}{number}",
                "kind": "permanent",
                "exchange": "main",
                "established": year,
                "share": 0.99,
                "known": year,
                "up": year * 0.99,
                "down": year * 0.01,
                "unknown": 0.0,
                "planned": 0.0,
                "longest": 600.0,
                "mttr": 600.0,
                "mtbf": year / 20,
                "flaps": outages - 1,
                "failures": {"no_response": 3},
                "first": 0.0,
                "last": year,
                "up_spans": ups,
                "outages": told,
            }
            for number in range(peers)
        ],
    }


def test_a_thousand_peers_and_a_year_can_be_mailed() -> None:
    given = [fragment(1000, outages=60)]
    assert len(page(document(given, UTC), given, UTC).encode()) <= 2 << 20


def test_the_page_needs_nothing_else_and_says_method_first() -> None:
    given = [fragment()]
    text = page(document(given, UTC), given, UTC)
    assert "<script" not in text
    assert not re.search(r"(?:src|@import|url\()", text)
    assert text.index("How it is counted") < text.index("Summary") < text.index("Peers") < text.index("Outages")
    assert "/var/log/racoon.log:17" in text
    assert "runbooks/" in text


def test_a_name_that_a_peer_chose_is_text() -> None:
    given = [fragment(name="<img src=x onerror=alert(1)>\x1b[31m")]
    text = page(document(given, UTC), given, UTC)
    assert "<img" not in text
    assert "\x1b" not in text
    assert "&lt;img" in text


def test_nothing_known_is_said_and_not_counted() -> None:
    report = document([], UTC)
    assert (report["since"], report["fleet"]["availability"]) == (None, None)
    assert "not known available" not in page(report, [], UTC)


@pytest.mark.parametrize(
    ("since", "until", "named"),
    [
        ("2026-11-24", "2026-11-24", ["2026-11"]),
        ("2026-11-20", "2026-12-03", ["2026-12"]),
        ("2026-10-03", "2026-12-03", ["2026-10", "2026-11", "2026-12"]),
        ("2026-11-01", "2026-11-30", ["2026-11"]),
    ],
)
def test_the_days_of_a_calendar_stand_below_their_months(since: str, until: str, named: list[str]) -> None:
    window = (datetime.fromisoformat(f"{since}T08:00Z").timestamp(), datetime.fromisoformat(f"{until}T20:00Z").timestamp())
    assert re.findall(r"<text[^>]*>([^<]*)<", str(calendar([], [window], window, UTC))) == named


@pytest.mark.parametrize(
    ("share", "written"),
    [(None, "not known"), (0.0, "0.0000 %"), (0.0157, "1.5700 %"), (0.9999999, "99.9999 %"), (1.0, "100 %")],
)
def test_availability_is_cut_and_never_rounded_up(share: float | None, written: str) -> None:
    assert percent(share) == written
