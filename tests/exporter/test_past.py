"""What is kept of the past is bounded, whoever writes the log; what was let go is unknown, and nothing else."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC

import pytest

from racoon_exporter.availability import log
from racoon_exporter.availability.log import GatewayLog, Lived, PeerLog, together
from racoon_exporter.availability.past import MOST_SECONDS, Bounds, Past
from racoon_exporter.availability.past_json import past_to_json, restore_past
from racoon_exporter.availability.peer import availability
from racoon_exporter.engine import Engine
from racoon_exporter.sa import DaemonRun, IpsecSa, Negotiation
from racoon_parsers.messages import catalogue
from racoon_parsers.record import Origin
from racoon_parsers.stems import Stem

PEER = "198.51.100.7"
FEW = Bounds(gateways=3, peers=4, pieces=40, of_peer=10, silences=4, untidy=1)
DAY = 86400.0


def sas(begin: float, end: float, peer: str = PEER, cause: str = "expired") -> list[IpsecSa]:
    return [
        IpsecSa("", "ESP", None, "a", "b", 1, peer, way, begin, ended=end, end=cause, state="ended") for way in ("in", "out")
    ]


def test_lives_apart_are_put_together_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes back makes each life one of its own; then one that touches another joins it, again and again."""
    looked = 0

    def counting(lives: list[Lived]) -> list[Lived]:
        nonlocal looked
        looked += len(lives)
        return together(lives)

    monkeypatch.setattr(log, "together", counting)
    peer = PeerLog()
    for number in range(1023):
        peer.add("in", -2.0 * number, 1.0 - 2.0 * number, None, None)
    for _ in range(500):
        peer.add("in", -999.5, -999.2, None, None)
    assert looked <= 4 * 1523
    assert len(together(peer.lived["in"])) == 1023


def test_lapses_are_bounded_where_a_clock_was_set_back() -> None:
    gateway = GatewayLog()
    gateway.newest = 0.0
    gateway.lapsed += map(float, range(1, 10_000))
    gateway.forget_lapses()
    assert len(gateway.lapsed) == log._MOST_LAPSED
    assert gateway.lapsed[-1] == 9999.0


def failed(at: float, peer: str = PEER, reason: str = "timeout") -> Negotiation:
    return Negotiation(1, "", None, peer, None, None, at, ended=at, state="failed", reason=reason)


def kept(*records: object, bounds: Bounds | None = FEW, until: float = 0.0, expected: bool = False) -> Past:
    past = Past(bounds)
    past.line("", 0.0, "INFO", lambda: True)
    past.line("", until, "INFO", lambda: False)
    past.keep(records, lambda _gateway, _address: expected)
    return past


def test_a_year_of_rekeys_is_one_span() -> None:
    rekeys = [sa for hour in range(24 * 365) for sa in sas(hour * 3600.0, hour * 3600.0 + 3700)]
    past = kept(*rekeys, until=365 * DAY)
    peer = past.of("").peers[PEER]
    assert (peer.pieces, peer.kept_from) == (2, None)
    counted = availability(peer, known=past.of("").known(), planned=(), window=(0.0, 365 * DAY))
    assert counted is not None
    assert counted.share == 1.0


def test_what_is_older_than_a_year_and_a_month_is_let_go() -> None:
    past = kept(*sas(0.0, 100.0), *sas(1000.0, MOST_SECONDS + 500), until=MOST_SECONDS + 500)
    assert [life.begin for life in past.of("").peers[PEER].lived["in"]] == [1000.0]


def test_of_a_peer_that_flaps_the_newest_outages_are_kept_and_what_was_before_is_unknown() -> None:
    flaps = [sa for number in range(100) for sa in sas(number * 100.0, number * 100.0 + 50)]
    past = kept(*flaps, until=10_000.0)
    peer = past.of("").peers[PEER]
    assert peer.pieces <= FEW.of_peer
    assert peer.kept_from is not None
    counted = availability(peer, known=past.of("").known(), planned=(), window=(0.0, 9_950.0))
    whole = availability(
        kept(*flaps, bounds=None, until=10_000.0).of("").peers[PEER],
        known=[(peer.kept_from, 10_000.0)],
        planned=(),
        window=(peer.kept_from, 9_950.0),
    )
    assert counted is not None
    assert whole is not None
    assert (counted.up, counted.down, counted.unknown) == (whole.up, whole.down, peer.kept_from)


def test_failures_of_every_second_for_changing_reasons_take_no_more_room_than_a_peer_has() -> None:
    told = [failed(float(number), reason=("timeout", "peer_refused")[number % 2]) for number in range(1000)]
    past = kept(*sas(0.0, 900.0), *told, until=1000.0)
    peer = past.of("").peers[PEER]
    assert peer.pieces <= FEW.of_peer
    assert [life.begin for life in peer.lived["in"]] == [0.0], "reasons give way, not the time it was up"


def test_strangers_leave_nothing_and_those_that_are_expected_their_failures() -> None:
    knocks = [failed(1.0, f"192.0.2.{number}") for number in range(200)]
    assert kept(*knocks).of("").peers == {}
    assert len(kept(*knocks, bounds=replace(FEW, peers=1000, pieces=1000), expected=True).of("").peers) == 200


def test_peers_and_pieces_of_all_are_bounded() -> None:
    many = [sa for number in range(50) for sa in sas(float(number), number + 0.5, f"192.0.2.{number}")]
    assert list(kept(*many).of("").peers) == [f"192.0.2.{number}" for number in range(46, 50)]
    crowd = [sa for peer in range(4) for number in range(5) for sa in sas(number * 10.0, number * 10.0 + 5, f"192.0.2.{peer}")]
    past = kept(*crowd, bounds=replace(FEW, pieces=20))
    assert sum(peer.pieces for peer in past.of("").peers.values()) <= 20


def test_gateways_are_bounded_and_the_one_that_was_silent_longest_gives_way() -> None:
    past = Past(FEW)
    for number in range(10):
        past.line(f"gw-{number}", float(number), "INFO", lambda: False)
    assert list(past.gateways) == ["gw-7", "gw-8", "gw-9"]


def test_silences_that_are_none_are_let_go_and_those_that_are_stay_unknown() -> None:
    past, now = Past(FEW), 0.0
    for number in range(30):
        for _ in range(5):  # a line each minute
            now += 60
            past.line("", now, "INFO", lambda: True)
        now += 86_400 if number == 28 else 1000
        if past.line("", now, "INFO", lambda: True):
            past.forget_silences("", ())
    log = past.of("")
    assert len(log.silences) <= FEW.silences + 1
    assert sum(end - begin for begin, end in log.known()) == pytest.approx(now - 60 - 86_400)


def test_runs_are_bounded_and_what_was_before_is_unknown() -> None:
    runs = [DaemonRun("", number * 10.0, number * 10.0 + 5, end="shutdown") for number in range(50)]
    log = kept(*runs, until=1000.0).of("")
    assert len(log.runs) == FEW.silences
    assert log.known()[0][0] == log.kept_from == 455.0


def test_the_past_goes_into_a_state_file_and_back() -> None:
    past = kept(*sas(0.0, 50.0), *sas(70.0, 90.0, cause="lifetime"), failed(60.0), DaemonRun("", 1.0, 2.0), until=2000.0)
    fresh = Past(FEW)
    restore_past(fresh, json.loads(json.dumps(past_to_json(past))))
    assert past_to_json(fresh) == past_to_json(past)
    assert fresh.of("").known() == past.of("").known()


def test_a_gateway_that_is_quiet_is_known_until_it_was() -> None:
    log = GatewayLog(first=0.0, last=1000.0, newest=1000.0, informed=True)
    log.quiet([600.0, None], [])
    assert log.known() == [(0.0, 1000.0)]
    log.quiet([600.0, 700.0], [500.0])
    assert log.known() == [(0.0, 600.0)]
    log.quiet([600.0], [500.0, 650.0])
    assert log.known() == [(0.0, 1000.0)], "it told of an SA since"
    log.quiet([float("-inf")], [])
    assert log.known() == []


def test_a_copy_of_a_log_is_like_it_and_shares_nothing_that_changes() -> None:
    past = kept(*sas(0.0, 3600.0), failed(7200.0), until=90_000.0)
    log = past.gateways[""]
    log.runs.append(DaemonRun("", 1.0))
    log.lapsed.append(2.0)
    log.silences.append((3.0, 4.0))
    log.rhythm[3] += 1
    copy = log.copy()
    assert copy == log
    assert type(copy.rhythm) is type(log.rhythm)
    for part in fields(GatewayLog):
        value = getattr(log, part.name)
        if isinstance(value, (list, dict)):
            assert value, part.name
            assert getattr(copy, part.name) is not value, part.name


def test_a_line_of_information_tells_that_a_log_names_sas_though_another_of_its_second_came_before() -> None:
    """After a restart between the two it did."""
    engine, origin = Engine(UTC), Origin("gw-1", "racoon", "")
    for level in ("WARNING", "INFO"):
        engine.note(100.0, origin, Stem(level, "", catalogue().messages[0], "", None))
    assert engine.past.of("gw-1").informed
