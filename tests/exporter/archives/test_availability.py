"""Availability by hand: each way of counting against numbers that a person can check."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.archives.availability_rows import AvailabilityRows, Planned
from racoon_exporter.archives.deduplication import LinesOnce
from racoon_exporter.archives.reading import Reading
from racoon_exporter.archives.selection import Selection
from racoon_exporter.archives.survey import survey
from racoon_exporter.availability.spans import common, gaps, seconds, union, without
from racoon_exporter.report.maintenance import read_windows
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.zone import read_zone

PEER = "198.51.100.7"
TICK = "INFO: received Vendor ID: DPD"


def up(spi: int, peer: str = PEER) -> tuple[str, str]:
    """A pair of SAs begins; its SPIs are `spi` and the next."""
    first, second = (
        f"INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->{peer}[500] spi={one}(0x{one:x})" for one in (spi, spi + 1)
    )
    return first, second


def expired(spi: int, peer: str = PEER) -> tuple[str, str]:
    """A pair expires: first softly, then for good."""
    return (
        f"INFO: IPsec-SA expired: ESP/Tunnel {peer}[500]->192.0.2.1[500] spi={spi}(0x{spi:x})",
        f"INFO: IPsec-SA expired: ESP/Tunnel 192.0.2.1[500]->{peer}[500] spi={spi + 1}(0x{spi + 1:x})",
    )


def purged(*spis: int) -> tuple[str, ...]:
    return tuple(f"INFO: purged IPsec-SA spi={spi}." for spi in spis)


def log(*told: tuple[str, tuple[str, ...] | str], day: str = "2026-01-15") -> str:
    """Write lines of a day at `08:30` or `08:30:02`."""
    lines = []
    for clock, said in told:
        stamp = clock if " " in clock else f"{day} {clock}"
        stamp += ":00" if stamp.count(":") == 1 else ""
        lines += [f"{stamp}: {text}\n" for text in ((said,) if isinstance(said, str) else said)]
    return "".join(lines)


def every(begin: int, end: int, minutes: int = 10) -> list[tuple[str, str]]:
    """A log that says something every few minutes, from hour to hour."""
    return [(f"{minute // 60:02d}:{minute % 60:02d}", TICK) for minute in range(begin * 60, end * 60 + 1, minutes)]


def counted(
    text: str, tmp_path: Path, *, planned: Planned = (), peer: str = PEER, zone: str = "UTC", **settings: Any
) -> dict[str, Any]:
    """Count the availability of the peer."""
    path = tmp_path / "racoon.log"
    path.write_text(text)
    work = AvailabilityRows(Reading(zone_name=zone, **settings), planned=planned)
    once = LinesOnce(tuple(survey([str(path)], read_zone(zone))))
    rows = [row for rows in work.rounds(once, 0, 1) for row in rows]
    return next(one for _, _, text in rows for one in json.loads(text)["peers"] if one["address"] == peer)


def merged(*lines: tuple[str, tuple[str, ...] | str]) -> str:
    return log(*sorted(lines, key=lambda item: item[0]))


def hours(peer: dict[str, Any]) -> tuple[float, ...]:
    return tuple(round(peer[key] / 3600, 3) for key in ("up", "down", "unknown", "planned"))


def test_a_rekey_is_up(tmp_path: Path) -> None:
    text = merged(*every(8, 12), ("08:00", up(10)), ("09:00", expired(10)), ("09:00:01", up(20)), ("09:15", expired(10)))
    told = counted(text, tmp_path)
    assert hours(told) == (4.0, 0.0, 0.0, 0.0)
    assert (told["share"], told["outages"], told["flaps"]) == (1.0, [], 0)


def test_a_gap_between_two_pairs_is_an_outage(tmp_path: Path) -> None:
    text = merged(*every(8, 12), ("08:00", up(10)), ("09:00", purged(10, 11)), ("10:00", up(20)))
    told = counted(text, tmp_path)
    assert hours(told) == (3.0, 1.0, 0.0, 0.0)
    assert told["share"] == pytest.approx(0.75)
    assert (told["flaps"], told["longest"], told["mttr"], told["mtbf"]) == (1, 3600.0, 3600.0, 3 * 3600.0)


def test_an_outage_names_its_line_in_a_log_that_is_newest_first(tmp_path: Path) -> None:
    lines = merged(*every(8, 12), ("08:00", up(10)), ("09:00:30", purged(10, 11)), ("10:00", up(20))).splitlines(keepends=True)
    told = counted("".join(reversed(lines)), tmp_path)
    assert "purged" in (tmp_path / "racoon.log").read_text().splitlines()[told["outages"][0][7] - 1]


def test_pairs_that_overlap_count_once(tmp_path: Path) -> None:
    text = merged(*every(8, 12), ("08:00", up(10)), ("08:30", up(20)), ("09:00", purged(10, 11)), ("10:00", purged(20, 21)))
    assert hours(counted(text, tmp_path)) == (2.0, 2.0, 0.0, 0.0)


def test_one_direction_alone_is_down(tmp_path: Path) -> None:
    """A delete from the peer takes the outbound SA only."""
    text = merged(*every(8, 12), ("08:00", up(10)), ("09:00", "INFO: purged IPsec-SA proto_id=ESP spi=11."), ("11:00", up(20)))
    told = counted(text, tmp_path)
    assert hours(told) == (2.0, 2.0, 0.0, 0.0)
    assert told["outages"][0][3] == "deleted_by_peer"


def test_a_roaming_peer_that_left_is_not_down(tmp_path: Path) -> None:
    knowledge = Knowledge({PEER: Expectation("laptop", "roaming")})
    text = merged(*every(8, 12), ("08:00", up(10)), ("09:00", purged(10, 11)))
    told = counted(text, tmp_path, knowledge=knowledge)
    assert hours(told) == (1.0, 0.0, 0.0, 0.0)
    assert (told["outages"], told["name"]) == ([], "laptop")


def test_a_gap_of_the_log_is_not_known(tmp_path: Path) -> None:
    text = merged(*every(6, 9), *every(14, 18), ("08:00", up(10)), ("15:00", expired(10)), ("15:00:01", up(20)))
    told = counted(text, tmp_path)
    assert hours(told) == (5.0, 0.0, 5.0, 0.0)
    assert told["share"] == 1.0


def test_a_silence_after_the_last_sa_ended_is_down(tmp_path: Path) -> None:
    """A gateway that only answers has nothing to say while nobody asks."""
    text = merged(*every(6, 9), *every(14, 18), ("08:00", up(10)), ("09:00:30", purged(10, 11)), ("15:00", up(20)))
    told = counted(text, tmp_path)
    assert told["unknown"] == 0
    assert told["down"] == 6 * 3600 - 30


def test_planned_work_counts_neither_way(tmp_path: Path) -> None:
    planned = read_windows("2026-01-15T09:00 2026-01-15T10:00  # new cables\n", read_zone("UTC"))
    text = merged(*every(8, 12), ("08:00", up(10)), ("09:00", purged(10, 11)), ("10:30", up(20)))
    told = counted(text, tmp_path, planned=planned)
    assert hours(told) == (2.5, 0.5, 0.0, 1.0)
    assert told["share"] == pytest.approx(2.5 / 3)


def test_an_orderly_stop_of_racoon_is_planned(tmp_path: Path) -> None:
    banner = "INFO: @(#)ipsec-tools 0.8.2 (http://ipsec-tools.sourceforge.net)"
    text = merged(
        *every(8, 9),
        *every(11, 12),
        ("08:00", up(10)),
        ("09:00:01", "INFO: racoon process 77 shutdown"),
        ("11:00:01", banner),
        ("11:30", up(20)),
    )
    told = counted(text, tmp_path)
    assert told["planned"] == 2 * 3600
    assert told["up"] == 3600 + 1 + 1800
    assert told["down"] == 1800 - 1


def test_a_crash_of_racoon_is_no_planned_work(tmp_path: Path) -> None:
    banner = "INFO: @(#)ipsec-tools 0.8.2 (http://ipsec-tools.sourceforge.net)"
    text = merged(*every(8, 12), ("08:00", banner), ("08:10", up(10)), ("09:00:01", banner))
    assert counted(text, tmp_path)["planned"] == 0


def test_a_peer_counts_from_its_first_sa_on(tmp_path: Path) -> None:
    text = log(*every(0, 23), day="2026-01-14") + merged(*every(8, 12), ("10:00", up(10)))
    told = counted(text, tmp_path)
    assert hours(told) == (2.0, 0.0, 0.0, 0.0)


def test_an_expected_peer_that_was_never_heard_of_is_down(tmp_path: Path) -> None:
    knowledge = Knowledge({PEER: Expectation("branch")})
    told = counted(log(*every(8, 12)), tmp_path, knowledge=knowledge)
    assert hours(told) == (0.0, 4.0, 0.0, 0.0)
    assert told["share"] == 0.0


def test_summer_time_neither_adds_nor_takes_an_hour(tmp_path: Path) -> None:
    """In the night to 2026-10-25 the hour from two to three comes twice in Berlin: from one to four are four hours."""
    clocks = [f"2026-10-25 {hour:02d}:{minute:02d}" for hour in (1, 2, 2, 3, 4) for minute in range(0, 60, 10)][:25]
    text = log(("2026-10-25 01:00", up(10)), *((clock, TICK) for clock in clocks))
    assert hours(counted(text, tmp_path, zone="Europe/Berlin")) == (4.0, 0.0, 0.0, 0.0)


def test_a_clock_that_steps_makes_no_time_negative(tmp_path: Path) -> None:
    back = log(*every(9, 12), ("12:00", up(10)), ("11:00", TICK), ("11:30", purged(10, 11)), ("11:40", up(20)), ("13:00", TICK))
    told = counted(back, tmp_path)
    assert min(hours(told)) >= 0
    assert told["share"] is not None
    assert 0 <= told["share"] <= 1


def test_a_log_without_information_knows_nothing(tmp_path: Path) -> None:
    knowledge = Knowledge({PEER: Expectation("branch")})
    text = log(*((f"{hour:02d}:00", "NOTIFY: the packet is retransmitted by 198.51.100.7[500].") for hour in range(8, 12)))
    told = counted(text, tmp_path, knowledge=knowledge)
    assert (told["share"], told["known"]) == (None, 0)


def test_a_window_cuts_what_it_does_not_hold(tmp_path: Path) -> None:
    begin = datetime.fromisoformat("2026-01-15T09:30:00+00:00").timestamp()
    text = merged(*every(8, 12), ("08:00", up(10)), ("09:00", purged(10, 11)), ("10:00", up(20)))
    told = counted(text, tmp_path, selection=Selection(since=begin, until=begin + 3600))
    assert hours(told) == (0.5, 0.5, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-15T09:00\n", "1: expected begin, end"),
        ("# none\n2026-01-15T09:00 soon\n", "2: 'soon' is no time"),
        ("2026-01-15T09:00 2026-01-15T08:00\n", "1: the window ends before it begins"),
    ],
)
def test_a_wrong_window_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_windows(text, read_zone("UTC"))


def test_spans() -> None:
    assert union([(5, 6), (1, 2), (2, 3)]) == [(1, 3), (5, 6)]
    assert common([(1, 4), (6, 9)], [(3, 7)]) == [(3, 4), (6, 7)]
    assert without([(1, 9)], [(2, 3), (8, 12)]) == [(1, 2), (3, 8)]
    assert gaps([(0, 2), (4, 5)], 1, 7) == [(2, 4), (5, 7)]
    assert seconds([(1, 2), (4, 6)]) == 3
