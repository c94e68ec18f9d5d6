"""MikroTik RouterOS: what its log tells of SAs, and what it leaves unknown."""

from __future__ import annotations

from datetime import UTC

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.sa.model import Peer
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.trust import doubts
from tests.exporter.reading import I1, I2, L, P, Q, block, failures, ipsec, negotiations, phase1

RULE = "topics=ipsec,!debug,!packet"


def routeros(*lines: str, engine: Engine | None = None, knowledge: Knowledge | None = None) -> Engine:
    """Read lines as the console prints them: `08:00:01 ipsec,info …`, on one day in UTC."""
    engine = engine or Engine(UTC, knowledge=knowledge)
    engine.feed(block("".join(f"2026-01-15 {line}\n" for line in lines).encode()))
    engine.finish()
    return engine


def begins(at: str, port: int = 500, peer: str = P) -> str:
    return f"{at} ipsec,info respond new phase 1 (Identity Protection): {L}[500]<=>{peer}[{port}]"


def up(at: str, cookies: str = I1, port: int = 500, local: int = 500, peer: str = P) -> str:
    return f"{at} ipsec,info ISAKMP-SA established {L}[{local}]-{peer}[{port}] spi:{cookies}"


def pair(at: str, inbound: int, outbound: int, peer: str = P) -> tuple[str, ...]:
    return (
        f"{at} ipsec respond new phase 2 negotiation: {L}[500]<=>{peer}[500]",
        f"{at} ipsec IPsec-SA established: ESP/Tunnel {peer}[500]->{L}[500] spi={inbound:#x}",
        f"{at} ipsec IPsec-SA established: ESP/Tunnel {L}[500]->{peer}[500] spi={outbound:#x}",
    )


def purged(at: str, spi: int) -> str:
    return f"{at} ipsec purged IPsec-SA proto_id=ESP spi={spi:#x}"


def only_peer(engine: Engine) -> Peer:
    (racoon,) = engine.state.racoons.values()
    return racoon.peers[P]


def phase2_up(engine: Engine) -> dict[tuple[str, ...], float]:
    return dict(collect(engine, OwnState())[0].values["racoon_phase2_up"])


def test_phase_1_tells_its_exchange_in_one_line_and_counts_once() -> None:
    engine = routeros(begins("08:00:00"), up("08:00:01"))
    (one,) = negotiations(engine)
    assert (one.role, one.exchange, one.outcome, one.cookies) == ("responder", "main", "established", I1)
    assert only_peer(engine).counters["phase1_negotiations", "responder", "main"] == 1


def test_a_teardown_of_three_lines_ends_one_sa() -> None:
    engine = routeros(
        begins("08:00:00"),
        up("08:00:01"),
        f"09:00:00 ipsec,info purging ISAKMP-SA {L}[500]<=>{P}[500] spi={I1}.",
        f"09:00:00 ipsec purged ISAKMP-SA {L}[500]<=>{P}[500] spi={I1}.",
        f"09:00:00 ipsec,info ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1} rekey:1",
    )
    assert [(sa.cookies, sa.end) for sa in phase1(engine)] == [(I1, "purged")]
    assert sum(count for key, count in only_peer(engine).counters.items() if key[0] == "phase1_ended") == 1


def test_ports_tell_two_clients_behind_one_nat_apart() -> None:
    engine = routeros(
        begins("08:00:00"),
        up("08:00:01", I1, 1024, 4500),
        begins("08:02:00", 1030),
        up("08:02:01", I2, 1031, 4500),
        f"08:09:00 ipsec,info purging ISAKMP-SA {L}[4500]<=>{P}[1031] spi={I2}.",
        f"08:09:00 ipsec,info ISAKMP-SA deleted {L}[4500]-{P}[1031] spi:{I2} rekey:1",
    )
    assert [(sa.cookies, sa.end is None) for sa in phase1(engine)] == [(I1, True), (I2, False)]
    assert only_peer(engine).nat is True


def test_spis_in_hexadecimal_tie_the_purges_that_name_no_peer() -> None:
    engine = routeros(begins("08:00:00"), up("08:00:01"), *pair("08:00:02", 0x6B352F8, 0x4CF17B6F))
    assert only_peer(engine).phase2_up
    engine = routeros(purged("08:30:00", 0x4CF17B6F), purged("08:30:00", 0x6B352F8), engine=engine)
    assert [(sa.direction, sa.spi, sa.end) for sa in ipsec(engine)] == [
        ("in", 0x6B352F8, "purged"),
        ("out", 0x4CF17B6F, "purged"),
    ]
    assert not only_peer(engine).phase2_up


def test_phase_2_is_unknown_and_never_0_until_a_line_of_it_comes() -> None:
    knowledge = Knowledge({P: Expectation("branch"), Q: Expectation("other")})
    engine = routeros(begins("08:00:00"), up("08:00:01"), knowledge=knowledge)
    samples, _ = collect(engine, OwnState())
    assert samples.values["racoon_phase2_up"] == {}
    assert samples.values["racoon_log_level_quiet"] == {("",): 1.0}
    engine = routeros(*pair("08:00:02", 1, 2), engine=engine)
    assert phase2_up(engine) == {("", "branch"): 1.0, ("", "other"): 0.0}
    assert collect(engine, OwnState())[0].values["racoon_log_level_quiet"] == {("",): 0.0}


def test_the_page_says_that_phase_2_is_unknown_and_names_the_rule() -> None:
    engine = routeros(begins("08:00:00"), up("08:00:01"))
    facts = take_facts(engine, ())
    said = [doubt for doubt in doubts(facts, 1768464002.0) if RULE in doubt.text]
    assert [doubt.serious for doubt in said] == [True]
    engine = routeros(*pair("08:00:02", 1, 2), engine=engine)
    assert not [doubt for doubt in doubts(take_facts(engine, ()), 1768464003.0) if RULE in doubt.text]


def test_a_restart_of_the_exporter_does_not_forget_that_phase_2_is_told() -> None:
    engine = routeros(begins("08:00:00"), up("08:00:01"), *pair("08:00:02", 1, 2))
    again = Engine.like(engine)
    restore(again, to_json(engine))
    assert phase2_up(again) == {("", P): 1.0}


def test_a_reboot_is_the_end_of_everything() -> None:
    engine = routeros(begins("08:00:00"), up("08:00:01"), *pair("08:00:02", 1, 2), "08:10:00 system,info router rebooted")
    assert [sa.end for sa in phase1(engine)] == ["restart"]
    assert [sa.end for sa in ipsec(engine)] == ["restart", "restart"]
    (racoon,) = engine.state.racoons.values()
    assert racoon.counters["daemon_starts",] == 1
    assert racoon.counters["daemon_crashes",] == 0


def test_a_reboot_without_shutdown_is_a_crash() -> None:
    engine = routeros(
        up("08:00:01"), "08:10:00 system,error,critical router was rebooted without proper shutdown, probably power outage"
    )
    (racoon,) = engine.state.racoons.values()
    assert racoon.counters["daemon_crashes",] == 1


def test_a_wrong_password_is_why_phase_1_timed_out() -> None:
    engine = routeros(
        begins("08:00:00"),
        f"08:00:01 ipsec,error {P} parsing packet failed, possible cause: wrong password",
        f"08:01:00 ipsec,error phase1 negotiation failed due to time up {L}[500]<=>{P}[500] {I1}",
    )
    assert failures(engine, 1) == {(P, "psk_mismatch"): 1}


def test_ikev2_is_counted_and_changes_nothing() -> None:
    engine = routeros(
        begins("08:00:00"),
        f"08:00:00 ipsec,info new ike2 SA (R): rw {L}[500]-{Q}[500] spi:71f8a6bf3799c574:8e1e04b9a491820b",
        up("08:00:01"),
        f"08:00:01 ipsec IPsec-SA established: {Q}[4500]->{L}[4500] spi=0x4ad1f4",
        f"08:00:02 ipsec,error identity not found for responder: ADDR4:{L} peer: ADDR4:{P}",
        f"08:05:00 ipsec,info killing ike2 SA: rw {L}[4500]-{Q}[4500] spi:71f8a6bf3799c574:8e1e04b9a491820b",
    )
    (racoon,) = engine.state.racoons.values()
    assert (list(racoon.peers), ipsec(engine), failures(engine, 1)) == ([P], [], {})
    assert sum(count for key, count in engine.messages.items() if key[2] == "ikev2") == 3


def test_a_second_rules_copies_with_a_prefix_count_once() -> None:
    line = begins("08:00:00")
    copy = line.replace("ipsec,info ", "ipsec,info gw1: ")
    refused = f"08:00:00 ipsec,error {P} failed to get valid proposal."
    engine = routeros(line, copy, refused, refused.replace("ipsec,error ", "ipsec,error gw1: "), line, copy)
    assert only_peer(engine).counters["phase1_negotiations", "responder", "main"] == 2
    assert engine.messages["ERROR", "error", "proposal_mismatch"] == 1
