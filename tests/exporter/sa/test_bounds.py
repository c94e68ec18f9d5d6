"""However many SAs somebody makes, few are kept: the oldest give way, and are counted."""

import json
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Limits, shared_bounds, timers
from racoon_exporter.sa.ipsec import IpsecSas
from racoon_exporter.sa.isakmp import IsakmpSas
from racoon_exporter.sa.racoon import Racoon
from tests.exporter.reading import I1, I2, P, Q, block, knowing, peer_of, sa, told, up


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IpsecSas, "most_of_peer", 20)
    monkeypatch.setattr(IpsecSas, "most", 50)
    monkeypatch.setattr(IsakmpSas, "most_of_peer", 4)
    monkeypatch.setattr(IsakmpSas, "most", 10)
    monkeypatch.setattr(timers, "FEW", 100)


def the_racoon(engine: Engine) -> Racoon:
    (one,) = engine.state.racoons.values()
    return one


def flood(count: int, peers: list[str], engine: Engine | None = None) -> Engine:
    lines = [
        f"08:{number // 60 % 60:02}:{number % 60:02} {sa(number + 1, peer=peers[number % len(peers)])}"
        for number in range(count)
    ]
    return told(*lines, engine=engine, knowledge=knowing(P, lifetime=3600.0))


def test_the_oldest_sas_of_a_peer_give_way_and_are_counted() -> None:
    engine = flood(500, [P])
    kept = the_racoon(engine).ipsec.of_peer[P]
    assert [one.spi for one in kept] == list(range(481, 501))
    samples, _ = collect(engine, OwnState())
    assert samples.values["racoon_exporter_dropped_sas"] == {("",): 480.0}


def test_a_flood_of_one_peer_takes_no_sa_of_another() -> None:
    engine = told(f"07:59:00 {sa(7, peer=Q)}", knowledge=knowing(P))
    flood(500, [P], engine)
    assert [one.spi for one in the_racoon(engine).ipsec.of_peer[Q]] == [7]


def test_the_sas_of_many_peers_are_bounded_in_all() -> None:
    engine = flood(600, [f"198.51.{number // 250}.{number % 250 + 1}" for number in range(300)])
    assert len(the_racoon(engine).ipsec.named) == 50
    assert sum(map(len, the_racoon(engine).ipsec.of_peer.values())) == 50


def test_sas_of_one_spi_are_bounded_as_others_are() -> None:
    peers = [f"198.51.{number // 250}.{number % 250 + 1}" for number in range(300)]
    engine = told(*(f"08:30:00 {sa(7, peer=peer)}" for peer in peers))
    assert [one.peer for one in the_racoon(engine).ipsec] == peers[-50:]
    assert len(the_racoon(engine).ipsec) == sum(map(len, the_racoon(engine).ipsec.of_peer.values())) == 50


def test_isakmp_sas_are_bounded_too() -> None:
    engine = told(*(f"08:30:{number:02} {up(f'{number:016x}:1111111111111111')}" for number in range(30)))
    assert len(the_racoon(engine).isakmp.named) == 4
    told(
        *(f"08:31:{number:02} {up(f'{number:016x}:2222222222222222', f'203.0.113.{number}')}" for number in range(30)),
        engine=engine,
    )
    assert len(the_racoon(engine).isakmp.named) == 10


def test_an_isakmp_sa_that_is_torn_down_gives_way_as_others_do() -> None:
    cookies = [f"{number:016x}:1111111111111111" for number in range(5)]
    engine = told(
        *(f"08:30:00 {up(name)}" for name in cookies[:4]),
        f"08:30:01 INFO: purging ISAKMP-SA spi={cookies[0]}.",
        f"08:30:01 {up(cookies[4])}",
    )
    assert list(the_racoon(engine).isakmp.named) == cookies[1:]
    assert the_racoon(engine).counters["dropped_sas",] == 1


def test_timers_of_sas_that_are_over_do_not_pile_up() -> None:
    """Each would keep its SA in memory until its lifetime has passed."""
    assert len(the_racoon(flood(2000, [P])).timers) <= 400


def test_a_clock_that_goes_back_piles_up_no_timers() -> None:
    """Each SA is to be looked at sooner than the last, and their peer is always there."""
    hours = [f"{hour:02}:{minute:02}:00" for hour in range(23, -1, -1) for minute in range(59, -1, -1)]
    lines = [f"{time} {sa(number + 1)}" for number, time in enumerate(hours)]
    assert len(the_racoon(told(*lines, knowledge=knowing(P, lifetime=3600.0))).timers) <= 200


def test_what_is_written_does_not_grow_with_the_flood() -> None:
    few, many = (len(str(to_json(flood(count, [P]))["state"]["racoons"])) for count in (200, 2000))
    assert many < 1.1 * few


def test_a_rekey_is_no_flood() -> None:
    engine = told(f"08:30:00 {up()}", *(f"08:31:00 {sa(number)}" for number in (1, 2)))
    assert the_racoon(engine).counters["dropped_sas",] == 0
    assert peer_of(engine).phase2_up
    assert the_racoon(engine).isakmp.named.keys() == {I1}


def test_a_state_file_that_would_fill_the_memory_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"x" * 1001)
    with pytest.raises(checkpoint.StateFileError, match="too large"):
        checkpoint.read(path, 1000)


# labels that a log may invent


def test_a_level_that_is_no_racoons_is_one_of_others() -> None:
    engine = Engine(UTC)
    for number in range(50):
        engine.feed(block(f"Jan 15 08:30:02 mac racoon[490] <Level{number}>: caught signal 15\n".encode()))
    engine.finish()
    assert {level for level, _, _ in engine.messages} == {"other"}


def test_a_certificate_code_that_openssl_has_not_is_one_of_others() -> None:
    problem = "ERROR: certificate is odd({code}) at depth:0 SubjectName:/CN=a"
    engine = told(f"08:30:00 {up()}", *(f"08:30:0{code % 10} {problem.format(code=9000 + code)}" for code in range(50)))
    racoon_ = the_racoon(engine)
    codes = {key[1] for peer in racoon_.peers.values() for key in peer.counters if key[0] == "certificate_problems"}
    assert codes <= {"other"}


def test_configured_peers_have_no_series_at_each_host_that_lines_name() -> None:
    """A thousand invented hosts times a thousand configured peers would be millions of series."""
    engine = Engine(UTC, knowledge=knowing(*(f"10.0.{number // 250}.{number % 250 + 1}" for number in range(1000))))
    for number in range(200):
        engine.feed(block(f"Jan 15 08:30:02 host{number} racoon: INFO: caught signal 15\n".encode()))
    engine.finish()
    samples, _ = collect(engine, OwnState())
    assert len(samples.values["racoon_peer_expected"]) == 20_000


def test_a_clock_that_goes_back_and_forth_sets_no_looks_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racoon_exporter.sa.negotiations.MOST_UNDER_WAY", 8)
    heard = [f"08:3{number % 2}:00 [198.51.100.7] ERROR: failed to get valid proposal." for number in range(400)]
    engine = told("08:30:00 INFO: initiate new phase 1 negotiation: 192.0.2.1[500]<=>198.51.100.7[500]", *heard)
    negotiations = the_racoon(engine).negotiations
    assert len(negotiations) == 1
    assert len(negotiations._looks) <= 4 * 8 + 1
    told("08:50:00 INFO: caught signal 1", engine=engine)
    assert [one.ended - (one.touched or 0.0) for one in engine.state.archive.negotiations if one.ended is not None] == [600.0]


@pytest.mark.parametrize("number", range(12, 24))
def test_a_clock_that_went_back_gives_up_in_time_however_many_looks_were_set(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("racoon_exporter.sa.negotiations.MOST_UNDER_WAY", 4)
    heard = [f"08:{40 - each % 2}:00 [198.51.100.7] ERROR: failed to get valid proposal." for each in range(2 * number)]
    engine = told("08:40:00 INFO: initiate new phase 1 negotiation: 192.0.2.1[500]<=>198.51.100.7[500]", *heard)
    told("08:20:00 [198.51.100.7] ERROR: failed to get valid proposal.", "08:30:00 INFO: caught signal 1", engine=engine)
    assert not the_racoon(engine).negotiations


def test_a_restart_counts_no_stranger_once_more() -> None:
    engine = Engine(UTC, knowledge=knowing(limits=Limits(strangers=0, peers=0)))
    told(f"08:30:00 {up()}", f"08:30:01 {up(I2, Q)}", engine=engine)
    the_racoon(engine).peers._folded.clear()  # as where more were folded than are remembered
    kept = json.loads(json.dumps(to_json(engine)))
    again = Engine(UTC, knowledge=engine.state.knowledge)
    restore(again, kept)
    assert json.loads(json.dumps(to_json(again))) == kept


def test_an_sa_that_comes_back_does_not_give_way_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """All racoons together have as many as they may."""
    monkeypatch.setattr(shared_bounds, "MOST", {"ipsec": 2, "isakmp": 2, "negotiations": 2})
    monkeypatch.setattr(shared_bounds, "_OF_A_GATEWAY", dict.fromkeys(("ipsec", "isakmp", "negotiations"), 0))
    engine = Engine(UTC, knowledge=knowing(P, lifetime=3600.0, limits=Limits(history=100, gateways=3)), strict=True)
    line = "2026-01-15T{}Z {} racoon: {}\n"
    lines = [line.format("08:30:00", "a", sa(1)), line.format("10:00:00", "a", "INFO: caught signal 1")]
    lines += [line.format("10:00:00", host, sa(2)) for host in ("b", "c")]
    lines += [
        line.format("10:00:01", "a", sa(1, event="expired", peer=P)),
        line.format("10:00:02", "a", "INFO: caught signal 1"),
    ]
    engine.feed(block("".join(lines).encode()))
    engine.flush()
    assert [one.spi for one in engine.state.ipsec_sas()].count(1) == 1
