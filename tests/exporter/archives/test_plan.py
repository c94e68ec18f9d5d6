"""Logs that tell of the same gateways are read one after the other, others side by side."""

import gzip
from pathlib import Path

from racoon_exporter.archives.plan import in_share, units
from racoon_exporter.archives.survey import survey
from racoon_exporter.zone import read_zone


def planned(tmp_path: Path, logs: dict[str, str], gateway_of: dict[str, str] | None = None) -> list[list[str]]:
    for name, text in logs.items():
        data = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    samples = survey([str(tmp_path / name) for name in logs], read_zone("UTC"))
    named = {str(tmp_path / name): gateway for name, gateway in (gateway_of or {}).items()}
    return [[Path(log.path).name for log in unit.logs] for unit in units(samples, lambda path: named.get(path, ""))]


def own(day: int, second: int = 0) -> str:
    return f"2026-01-{day:02d} 08:30:{second:02d}: INFO: caught signal 15\n"


def syslog(host: str, day: int) -> str:
    return f"2026-01-{day:02d}T08:30:02+00:00 {host} racoon: INFO: caught signal 15\n"


def test_each_log_without_hosts_is_a_gateway_of_its_own(tmp_path: Path) -> None:
    assert planned(tmp_path, {"a.log": own(1), "b.log": own(2)}) == [["a.log"], ["b.log"]]


def test_rotations_are_read_from_the_oldest_line_on(tmp_path: Path) -> None:
    logs = {"a.log": own(9), "b.log": own(4), "a.log.1": own(8), "a.log.2.gz": own(7)}
    assert planned(tmp_path, logs) == [["a.log.2.gz", "a.log.1", "a.log"], ["b.log"]]


def test_logs_of_any_name_that_name_the_same_host_belong_together(tmp_path: Path) -> None:
    logs = {"monday.log": syslog("gw1", 5), "tuesday.log": syslog("gw1", 6), "other.log": syslog("gw2", 5)}
    assert planned(tmp_path, logs) == [["monday.log", "tuesday.log"], ["other.log"]]


def test_a_log_of_several_hosts_ties_theirs_together(tmp_path: Path) -> None:
    logs = {"one.log": syslog("gw1", 5), "two.log": syslog("gw2", 5), "both.log": syslog("gw1", 6) + syslog("gw2", 6)}
    assert planned(tmp_path, logs) == [["one.log", "two.log", "both.log"]]


def test_logs_that_are_said_to_be_of_one_gateway_belong_together(tmp_path: Path) -> None:
    logs = {"a.log": own(9), "b.log": own(4)}
    assert planned(tmp_path, logs, {"a.log": "berlin", "b.log": "berlin"}) == [["b.log", "a.log"]]


def test_copies_belong_together_though_some_grew_on_and_logs_that_begin_alike_do_not(tmp_path: Path) -> None:
    logs = {"a.log": own(1) + own(2), "b.log": own(1) + own(3), "copy-of-b.gz": own(1) + own(3) + own(4), "c.log": own(4)}
    assert planned(tmp_path, logs) == [["a.log"], ["b.log", "copy-of-b.gz"], ["c.log"]]


def test_each_gateway_is_in_one_share() -> None:
    names = [f"gw{number}" for number in range(100)]
    shares = [[name for name in names if in_share(name, share, 3)] for share in range(3)]
    assert sorted(name for share in shares for name in share) == sorted(names)
    assert all(shares)
