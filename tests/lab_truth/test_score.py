"""The scorer itself: hand-made truths and histories, in which each kind of error is found, and only there."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.lab_truth.compare import Score, compare, moment
from tests.lab_truth.score import LAB, ZONES, Allowed, default_command, main, read_limits, report
from tests.lab_truth.truth import Host, KernelSa, LogLine, hosts

HEAD = (
    "proto\tsrc\tdst\tspi\tspi_hex\tmode\tkernel_added\tkernel_soft_expired\tkernel_removed\thow_removed\t"
    "sampled_states\tlog_lines\n"
)
PHASE1_HEAD = "cookies\tremote\tside\texchange\tfirst_sampled\tlast_sampled\tstates\tmax_phase2\tlog_lines\n"
COOKIES = "0123456789abcdef:fedcba9876543210"
OTHER = "0123456789abcdef:0000000000000000"

REKEYED = (
    "esp\t192.0.2.2\t192.0.2.1\t1001\t0x3e9\ttransport\t2026-11-24T04:00:10.400\t2026-11-24T04:00:42.400\t"
    "2026-11-24T04:00:50.400\thard\tmature+dying\t"
    "04:00:10 IPsec-SA established; 04:00:42 IPsec-SA expired; 04:00:50 IPsec-SA expired\n"
)
OUTBOUND = (
    "esp\t192.0.2.1\t192.0.2.2\t1002\t0x3ea\ttransport\t2026-11-24T04:00:10.500\t-\t2026-11-24T04:00:30.100\tdeleted\t"
    "mature\t04:00:10 IPsec-SA established; 04:00:30 purged IPsec-SA\n"
)
FLUSHED = (
    "ah\t192.0.2.1\t192.0.2.2\t1003\t0x3eb\ttunnel\t2026-11-24T04:01:10.500\t-\t2026-11-24T04:01:20.100\tflush\tmature\t"
    "04:01:10 IPsec-SA established\n"
)
STOPPED = FLUSHED.replace("1003\t0x3eb", "1004\t0x3ec").replace("04:01:20.100", "04:02:00.900")
UNLOGGED = FLUSHED.replace("1003\t0x3eb", "1005\t0x3ed").replace("04:01:10 IPsec-SA established", "-")
LARVAL = "esp\t192.0.2.2\t192.0.2.1\t1006\t0x3ee\ttransport\t-\t-\t2026-11-24T04:01:20\thard (never added: larval)\tlarval\t-\n"
LOG = """\
2026-11-24 04:00:00: INFO: @(#)ipsec-tools 0.9.1 (https://example.org)
2026-11-24 04:00:00: INFO: 192.0.2.1[500] used as isakmp port (fd=6)
2026-11-24 04:02:00: INFO: caught signal 15
2026-11-24 04:02:01: INFO: racoon process 7 shutdown
"""


def row(spi: int, /, **changes: Any) -> dict[str, Any]:
    """Return what a right history says of an SA above."""
    inbound = spi == 1001
    ends = {1001: "04:00:50", 1002: "04:00:30", 1003: None, 1004: "04:02:00", 1005: None}
    return {
        "gateway": None,
        "protocol": "esp" if spi < 1003 else "ah",
        "mode": "transport" if spi < 1003 else "tunnel",
        "source": "192.0.2.2" if inbound else "192.0.2.1",
        "destination": "192.0.2.1" if inbound else "192.0.2.2",
        "spi": spi,
        "peer": "192.0.2.2",
        "direction": "in" if inbound else "out",
        "established": "2026-11-24T04:00:10+00:00" if spi < 1003 else "2026-11-24T05:01:10+01:00",
        "dying": "2026-11-24T04:00:42Z" if inbound else None,
        "ended": f"2026-11-24T{ends[spi]}+00:00" if ends[spi] else None,
        "end": "expired" if ends[spi] else None,
    } | changes


def phase1(**changes: Any) -> dict[str, Any]:
    return {
        "cookies": COOKIES,
        "role": "initiator",
        "exchange": "main",
        "established": "2026-11-24T04:00:09+00:00",
        "ended": None,
        "end": None,
    } | changes


@pytest.fixture(name="scenario")
def _scenario(tmp_path: Path) -> Path:
    directory = tmp_path / "99-made-up"
    directory.mkdir()
    (directory / "a.sa-truth.tsv").write_text(HEAD + REKEYED + OUTBOUND + FLUSHED + STOPPED + UNLOGGED + LARVAL)
    (directory / "a.phase1-truth.tsv").write_text(
        PHASE1_HEAD
        + f"{OTHER}\t192.0.2.2[500]\tI\tM\t-\t-\t3\t0\t-\n"
        + f"{COOKIES}\t192.0.2.2[500]\tI\tM\t-\t-\t7,9\t1\t04:00:09 ISAKMP-SA established 192.0.2.1[500]\n"
    )
    (directory / "a.log").write_text(LOG)
    return directory


@pytest.fixture(name="host")
def _host(scenario: Path) -> Host:
    (host,) = hosts(scenario, "UTC")
    return host


def scored(host: Host, *rows: dict[str, Any], sas: tuple[dict[str, Any], ...] | None = None) -> Score:
    return compare(host, {"ipsec": list(rows), "phase1": list(sas if sas is not None else (phase1(),))})


GOOD = tuple(row(spi) for spi in (1001, 1002, 1003, 1004))


def found(score: Score) -> list[tuple[str, str]]:
    return [(violation.spi, violation.what) for violation in score.violations]


def test_the_truth_is_read(host: Host) -> None:
    assert host.kernel is not None
    assert host.isakmp is not None
    assert [(sa.protocol, sa.spi) for sa in host.kernel] == [
        ("esp", 1001),
        ("esp", 1002),
        ("ah", 1003),
        ("ah", 1004),
        ("ah", 1005),
    ]
    first = host.kernel[0]
    assert (first.source, first.destination, first.mode) == ("192.0.2.2", "192.0.2.1", "transport")
    assert first.soft_expired == datetime(2026, 11, 24, 4, 0, 42, 400_000, tzinfo=UTC)
    assert (host.addresses, host.scenario, host.name) == (frozenset({"192.0.2.1"}), "99-made-up", "a")
    assert [(sa.cookies, sa.established, sa.role, sa.exchange) for sa in host.isakmp] == [
        (OTHER, False, "initiator", "main"),
        (COOKIES, True, "initiator", "main"),
    ]


def test_a_right_history_has_no_violation(host: Host) -> None:
    score = scored(host, *GOOD)
    assert score.violations == []
    assert (score.kernel, score.shown, score.matched, score.listed) == (5, 4, 4, 4)
    assert (score.recall, score.precision) == (1.0, 1.0)
    assert {what: round(worst, 1) for what, worst in score.worst.items()} == {"established": 0.5, "dying": 0.4, "ended": 0.9}
    assert (score.phase1, score.phase1_matched, score.phase1_unsampled) == (1, 1, 0)
    assert score.ends == {"expired": 3, "None": 1}


def test_a_silent_removal_is_told_apart(host: Host) -> None:
    (endless,) = scored(host, *GOOD).silences
    assert (endless.sa.spi, endless.end, endless.late) == (1003, "None", None)
    late = scored(host, *GOOD[:2], row(1003, ended="2026-11-24T04:01:50+00:00"), GOOD[3])
    assert (late.violations, [silence.late for silence in late.silences]) == ([], [29.9])
    early = scored(host, *GOOD[:2], row(1003, ended="2026-11-24T04:01:15+00:00"), GOOD[3])
    assert [silence.late for silence in early.silences] == [-5.1]
    assert "1003" in report([early], [])[0]
    assert "-5.1" in report([early], [])[0]


def test_a_missing_and_an_extra_association_are_found(host: Host) -> None:
    score = scored(host, *GOOD[:3], row(1001, spi=4711), row(1002))
    assert sorted(found(score)) == [("1002", "extra"), ("1004", "missing"), ("4711", "extra")]
    assert (score.recall, score.precision) == (0.75, 0.6)


def test_an_association_the_log_could_not_show_may_be_missing_or_there(host: Host) -> None:
    assert scored(host, *GOOD, row(1005)).violations == []


def test_a_larval_association_is_extra(host: Host) -> None:
    assert found(scored(host, *GOOD, row(1001, spi=1006))) == [("1006", "extra")]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"source": "192.0.2.1", "destination": "192.0.2.2"}, "direction", id="ends turned round"),
        pytest.param({"direction": "out"}, "direction", id="direction"),
        pytest.param({"mode": "tunnel"}, "mode", id="mode"),
        pytest.param({"established": None}, "established", id="no beginning"),
        pytest.param({"established": "2026-11-24T04:00:13+00:00"}, "established", id="begins late"),
        pytest.param({"dying": None}, "dying", id="no soft expiry"),
        pytest.param({"dying": "2026-11-24T04:00:50+00:00"}, "dying", id="soft expiry late"),
        pytest.param({"ended": "2026-11-24T04:00:42+00:00"}, "ended", id="soft expiry taken for the end"),
        pytest.param({"ended": None}, "ended", id="no end"),
    ],
)
def test_each_error_is_found(host: Host, changes: dict[str, Any], what: str) -> None:
    score = scored(host, row(1001, **changes), *GOOD[1:])
    assert found(score) == [("1001", what)]


def test_a_wrong_protocol_is_missing_and_extra(host: Host) -> None:
    assert sorted(found(scored(host, row(1001, protocol="ah"), *GOOD[1:]))) == [("1001", "extra"), ("1001", "missing")]


def test_a_soft_expiry_that_never_was_is_found(host: Host) -> None:
    assert found(scored(host, GOOD[0], row(1002, dying="2026-11-24T04:00:20+00:00"), *GOOD[2:])) == [("1002", "dying")]


def test_an_end_while_the_kernel_still_has_it_is_found(host: Host) -> None:
    assert host.kernel is not None
    alive = replace(host, kernel=(replace(host.kernel[0], removed=None),))
    assert found(scored(alive, GOOD[0])) == [("1001", "ended")]
    assert scored(alive, row(1001, ended=None)).violations == []


def test_ports_case_and_encapsulation_make_no_difference(host: Host) -> None:
    dressed = row(1001, protocol="ESP-UDP", mode="Transport", source="192.0.2.2[4500]", destination="192.0.2.1[4500]")
    assert scored(host, dressed, *GOOD[1:]).violations == []


@pytest.mark.parametrize(
    ("sas", "violations"),
    [
        pytest.param((), [(COOKIES, "phase1-missing")], id="missing"),
        pytest.param((phase1(established=None),), [(COOKIES, "phase1-missing")], id="not established"),
        pytest.param((phase1(role="responder"),), [(COOKIES, "phase1-role")], id="role"),
        pytest.param((phase1(exchange="aggressive"),), [(COOKIES, "phase1-exchange")], id="exchange"),
        pytest.param((phase1(exchange=None),), [], id="exchange not known"),
        pytest.param((phase1(), phase1()), [(COOKIES, "phase1-extra")], id="twice"),
        pytest.param((phase1(), phase1(cookies="1:2")), [], id="never sampled"),
    ],
)
def test_phase_1_is_compared(host: Host, sas: tuple[dict[str, Any], ...], violations: list[tuple[str, str]]) -> None:
    assert found(scored(host, *GOOD, sas=sas)) == violations


@pytest.mark.parametrize(
    ("ended", "wrong"),
    [
        pytest.param("2026-11-24T04:00:14Z", False, id="between the samples"),
        pytest.param("2026-11-24T04:00:07Z", True, id="while it was listed"),
        pytest.param("2026-11-24T04:00:23Z", True, id="long after it was not"),
        pytest.param(None, True, id="never"),
    ],
)
def test_the_end_of_phase_1_lies_between_the_samples(scenario: Path, ended: str | None, wrong: bool) -> None:  # noqa: FBT001 - a table's case
    head = PHASE1_HEAD.replace("states\tmax_phase2\tlog_lines", "next_sample_without\tstates")
    row = f"{COOKIES}\t192.0.2.2[500]\tI\tM\t2026-11-24T04:00:09\t2026-11-24T04:00:12\t2026-11-24T04:00:18\t9\n"
    (scenario / "a.phase1-truth.tsv").write_text(head + row)
    (host,) = hosts(scenario, "UTC")
    assert [what for _, what in found(scored(host, *GOOD, sas=(phase1(ended=ended),)))] == ["phase1-ended"] * wrong


def test_a_line_is_near_whatever_the_zone() -> None:
    at = datetime(2026, 10, 25, 0, 59, 59, 500_000, tzinfo=UTC)
    assert LogLine(3 * 3600, "IPsec-SA expired").near(at)  # 03:00:00 of local time
    assert LogLine(int(2.5 * 3600), "IPsec-SA expired").near(at)
    assert not LogLine(3 * 3600 + 3, "IPsec-SA expired").near(at)


def test_both_readings_of_a_repeated_hour_count(scenario: Path) -> None:
    (scenario / "a.log").write_text("2026-10-25 02:30:00: INFO: caught signal 15\n")
    (host,) = hosts(scenario, "Europe/Berlin")
    assert host.daemon == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))


@pytest.mark.parametrize("upwards", [True, False], ids=["highest newest", "highest oldest"])
def test_rotated_logs_come_oldest_first(scenario: Path, upwards: bool) -> None:  # noqa: FBT001 - a table's case
    early, late = ("1", "2") if upwards else ("2", "1")
    (scenario / f"a.log.{early}.gz").write_bytes(gzip.compress(b"2026-11-24 03:00:00: INFO: a\n"))
    (scenario / f"a.log.{late}").write_text("no time here\n2026-11-24 03:30:00: INFO: b\n")
    (scenario / "a.second.log").write_text("2026-11-24 02:00:00: INFO: another racoon\n")
    (host,) = hosts(scenario, "UTC")
    assert [path.name for path in host.logs] == [f"a.log.{early}.gz", f"a.log.{late}", "a.log"]


def test_a_host_nobody_watched_is_left_out(scenario: Path) -> None:
    (scenario / "b.sa-truth.tsv").write_text(HEAD)
    (scenario / "b.log").write_text(LOG)
    (scenario / "c.sa-truth.tsv").write_text(HEAD + REKEYED)  # no log
    assert [host.name for host in hosts(scenario, "UTC")] == ["a"]


def test_what_was_not_recorded_is_not_compared(scenario: Path) -> None:
    (scenario / "a.sa-truth.tsv").unlink()
    (host,) = hosts(scenario, "UTC")
    assert host.kernel is None
    assert scored(host, *GOOD).violations == []
    assert found(scored(host, *GOOD, sas=())) == [(COOKIES, "phase1-missing")]


def test_a_known_violation_is_excepted_and_an_idle_exception_named(host: Host) -> None:
    score = scored(host, *GOOD[:3])
    limit = Allowed("99-made-up", "*", "1004", "missing", "because")
    assert not report([score], [])[1]
    assert report([score], [limit])[1]
    assert not report([score], [replace(limit, what="extra")])[1]
    assert "no longer needed:\n99-made-up * 1004 missing" in report([scored(host, *GOOD)], [limit])[0]
    assert "no longer needed" not in report([scored(host, *GOOD)], [replace(limit, scenario="98-other")])[0]


def test_a_limit_without_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "limits.tsv"
    file.write_text("scenario\thost\tspi\twhat\twhy\n1\t*\t*\tdying\t\n")
    with pytest.raises(ValueError, match="without reason"):
        read_limits(file)


def test_the_limits_name_recorded_scenarios() -> None:
    limits = read_limits(Path(__file__).with_name("limits.tsv"))
    assert all((LAB / limit.scenario).is_dir() for limit in limits)


def test_times_are_read_in_every_form() -> None:
    at = datetime(2026, 11, 24, 4, tzinfo=UTC)
    assert moment("2026-11-24T04:00:00Z") == moment("2026-11-24T05:00:00+01:00") == moment(at.timestamp()) == at
    assert moment(None) is None


def run(scenario: Path, tmp_path: Path, history: str, *options: str) -> tuple[int, str]:
    fake = tmp_path / "fake.py"
    fake.write_text(f"import sys\nprint({history!r})\nprint(sys.argv[1:], file=sys.stderr)\n")
    result = CliRunner().invoke(main, [str(scenario), "--command", f"{sys.executable} {fake}", *options])
    return result.exit_code, result.output


def test_the_command_succeeds_when_all_is_right(scenario: Path, tmp_path: Path) -> None:
    code, output = run(scenario, tmp_path, json.dumps({"ipsec": GOOD, "phase1": [phase1()]}))
    assert code == 0
    assert "99-made-up  a       5         4         4        0        100.0" in output
    assert "0 missed, 0 excepted" in output


def test_the_command_fails_when_a_limit_is_missed(scenario: Path, tmp_path: Path) -> None:
    code, output = run(scenario, tmp_path, json.dumps({"ipsec": GOOD[1:], "phase1": []}))
    assert code == 1
    assert "2 missed" in output
    assert "1001" in output


def test_the_command_fails_when_there_is_nothing_to_score(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty", tmp_path, "{}")[0] == 1


def test_the_program_is_found() -> None:
    assert default_command()[0].endswith("racoon-exporter")


def perfect(host: Host) -> dict[str, list[dict[str, Any]]]:
    """Return what a history without error says, made from the truth; whole seconds, as in a log."""

    def said(at: datetime | None) -> str | None:
        return None if at is None else at.replace(microsecond=0).isoformat()

    def direction(sa: KernelSa) -> str:
        return "out" if sa.source in host.addresses else "in"

    ipsec = [
        {
            "protocol": sa.protocol,
            "mode": sa.mode,
            "source": sa.source,
            "destination": sa.destination,
            "spi": sa.spi,
            "direction": direction(sa),
            "established": said(sa.added),
            "dying": said(sa.soft_expired),
            "ended": said(sa.removed) if sa.end_logged(host.daemon) else None,
            "end": sa.how_removed,
        }
        for sa in host.kernel or ()
    ]
    sas = [
        {
            "cookies": sa.cookies,
            "role": sa.role,
            "exchange": sa.exchange,
            "established": "2026-11-24T04:00:00Z",
            "ended": said(sa.gone),
        }
        for sa in host.isakmp or ()
        if sa.established
    ]
    return {"ipsec": ipsec, "phase1": sas}


RECORDED = sorted(path for path in LAB.iterdir() if path.is_dir())


@pytest.mark.parametrize("directory", RECORDED, ids=lambda path: path.name)
def test_the_truth_itself_scores_full_marks(directory: Path) -> None:
    for host in hosts(directory, ZONES.get(directory.name, "UTC")):
        score = compare(host, perfect(host))
        assert score.violations == []
        assert score.recall in {None, 1.0}
        later = [each | {"established": moved(each["established"])} for each in perfect(host)["ipsec"]]
        shown = sum(sa.established_logged for sa in host.kernel or ())
        assert [what for _spi, what in found(compare(host, {"ipsec": later}))].count("established") == shown


def moved(text: str) -> str:
    return (datetime.fromisoformat(text) + timedelta(seconds=4)).isoformat()
