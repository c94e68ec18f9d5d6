"""IPsec SAs: pairs with true direction, soft and hard expiry, deletes, bundles, and what no line tells."""

import json
from datetime import UTC

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from tests.exporter.reading import (
    BANNER,
    I1,
    I2,
    L,
    P,
    Q,
    ipsec,
    knowing,
    negotiations,
    peer_of,
    read_lines,
    sa,
    start,
    told,
    up,
)

PAIR = (f"08:30:02 {start()}", f"08:30:03 {up()}", f"08:30:04 {start(phase=2)}", f"08:30:04 {sa(1001)}", f"08:30:04 {sa(2002)}")


def test_the_first_sa_of_a_pair_is_inbound_although_both_lines_read_the_same() -> None:
    one, other = ipsec(read_lines(*PAIR))
    assert (one.spi, one.direction, one.source, one.destination) == (1001, "in", P, L)
    assert (other.spi, other.direction, other.source, other.destination) == (2002, "out", L, P)
    assert one.protocol == other.protocol == "esp"
    assert one.mode == other.mode == "tunnel"


def test_before_0_8_the_arrow_is_true() -> None:
    engine = read_lines(
        "08:30:00 INFO: @(#)ipsec-tools 0.7.3 (http://ipsec-tools.sourceforge.net)",
        f"08:30:04 INFO: initiate new phase 2 negotiation: {L}[0]<=>{P}[0]",
        f"08:30:04 INFO: IPsec-SA established: ESP/Tunnel {P}[0]->{L}[0] spi=1001(0x3e9)",
        f"08:30:04 INFO: IPsec-SA established: ESP/Tunnel {L}[0]->{P}[0] spi=2002(0x7d2)",
        f"08:40:04 INFO: IPsec-SA established: ESP/Tunnel {L}[0]->{P}[0] spi=2003(0x7d3)",
    )
    assert [(one.spi, one.direction) for one in ipsec(engine)] == [(1001, "in"), (2002, "out"), (2003, "out")]


def test_pairs_whose_true_arrows_came_in_the_wrong_order_are_of_their_own_negotiations() -> None:
    """Syslog may turn round two lines of one moment: the inbound half that is left is not the next pair's."""
    pairs = [
        (sa(1, inbound=True), sa(2)),
        (sa(4), sa(3, inbound=True)),
        (sa(6), sa(5, inbound=True)),
        (sa(8), sa(7, inbound=True)),
    ]
    engine = read_lines(
        *(
            line
            for hour, pair in enumerate(pairs)
            for line in (f"0{hour}:30:04 {start(phase=2)}", *(f"0{hour}:30:05 {half}" for half in pair))
        )
    )
    established = {key: count for key, count in peer_of(engine).counters.items() if key[0] == "phase2_established"}
    assert established == {("phase2_established", "initiator"): 4}


def test_a_bundle_is_one_phase_2() -> None:
    engine = read_lines(
        f"08:30:04 {start(phase=2)}",
        f"08:30:04 {sa(11, protocol='AH')}",
        f"08:30:04 {sa(12, protocol='ESP')}",
        f"08:30:04 {sa(21, protocol='AH')}",
        f"08:30:04 {sa(22, protocol='ESP')}",
    )
    assert [(one.protocol, one.direction) for one in ipsec(engine)] == [
        ("ah", "in"),
        ("esp", "in"),
        ("ah", "out"),
        ("esp", "out"),
    ]
    assert peer_of(engine).counters["phase2_established", "initiator"] == 1


def test_the_first_expiry_is_soft_and_the_second_the_end() -> None:
    dying = read_lines(*PAIR, f"09:18:04 {sa(1001, event='expired', inbound=True)}")
    one = ipsec(dying)[0]
    assert (one.state, one.ended) == ("dying", None)
    assert peer_of(dying).phase2_up
    ended = read_lines(f"09:30:04 {sa(1001, event='expired', inbound=True)}", engine=dying)
    one = ipsec(ended)[0]
    assert (one.state, one.end) == ("ended", "expired")
    assert one.ended is not None
    assert one.dying is not None
    assert one.ended - one.dying == pytest.approx(720)
    assert not peer_of(ended).phase2_up


def test_a_rekey_is_no_flap() -> None:
    engine = read_lines(
        *PAIR,
        f"09:18:04 {sa(1001, event='expired', inbound=True)}",
        f"09:18:04 {start(phase=2)}",
        f"09:18:04 {sa(2002, event='expired')}",
        f"09:18:05 {sa(1003)}",
        f"09:18:05 {sa(2004)}",
        f"09:30:04 {sa(1001, event='expired', inbound=True)}",
        f"09:30:04 {sa(2002, event='expired')}",
    )
    peer = peer_of(engine)
    assert peer.phase2_up
    assert peer.counters["phase2_flaps",] == 0
    assert peer.counters["phase2_established", "initiator"] == 2


def test_a_larval_sa_ends_no_sa() -> None:
    engine = read_lines(
        *PAIR,
        f"08:31:04 INFO: IPsec-SA expired: ESP/Tunnel {L}[500]->{P}[500] ",
        f"08:31:05 {sa(777, event='expired', inbound=True)}",
    )
    assert {one.spi for one in ipsec(engine)} == {1001, 2002}
    assert peer_of(engine).phase2_up


def test_a_delete_from_the_peer_takes_the_outbound_half_only() -> None:
    engine = read_lines(*PAIR, "08:35:00 INFO: purged IPsec-SA proto_id=ESP spi=2002.")
    inbound, outbound = ipsec(engine)
    assert inbound.ended is None
    assert outbound.end == "deleted_by_peer"
    assert not peer_of(engine).phase2_up
    assert peer_of(engine).counters["phase2_flaps",] == 1


def test_a_delete_from_the_peer_tells_the_direction_where_the_inbound_line_was_lost() -> None:
    engine = read_lines(*PAIR[:3], PAIR[4], "08:40:00 INFO: purged IPsec-SA proto_id=ESP spi=2002.")
    (one,) = ipsec(engine)
    assert (one.direction, one.source, one.destination, one.end) == ("out", L, P, "deleted_by_peer")
    assert peer_of(engine).counters["phase2_flaps",] == 0


def test_the_expiry_corrects_both_of_a_pair_whose_lines_came_in_the_wrong_order() -> None:
    engine = read_lines(*PAIR[:3], PAIR[4], PAIR[3], f"08:54:04 {sa(1001, event='expired', inbound=True)}")
    assert {one.spi: (one.direction, one.source) for one in ipsec(engine)} == {1001: ("in", P), 2002: ("out", L)}
    assert peer_of(engine).phase2_up
    assert peer_of(engine).counters["phase2_flaps",] == 0


def test_losing_phase_1_does_not_end_phase_2() -> None:
    engine = read_lines(
        *PAIR,
        f"08:40:00 INFO: ISAKMP-SA expired {L}[500]-{P}[500] spi:{I1}",
        f"08:40:00 INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}",
    )
    assert peer_of(engine).phase2_up


def test_the_expiry_tells_the_true_direction_where_lines_were_lost() -> None:
    engine = read_lines(
        f"08:30:04 {start(phase=2)}",
        f"08:30:04 {sa(2002)}",  # the inbound half's line was lost
        f"09:18:04 {sa(2002, event='expired')}",
    )
    assert ipsec(engine)[0].direction == "out"


def test_initial_contact_names_why_old_sas_went() -> None:
    engine = read_lines(*PAIR, f"08:35:00 [{P}] INFO: received INITIAL-CONTACT", "08:35:00 INFO: purging spi=2002.")
    assert ipsec(engine)[1].end == "initial_contact"


def test_a_dead_peer_takes_everything_with_that_cause() -> None:
    engine = read_lines(
        *PAIR,
        f"08:35:00 [{P}] INFO: DPD: remote (ISAKMP-SA spi={I1}) seems to be dead.",
        f"08:35:00 INFO: purging ISAKMP-SA spi={I1}.",
        "08:35:00 INFO: purged IPsec-SA spi=2002.",
        "08:35:00 INFO: purged IPsec-SA spi=1001.",
        f"08:35:00 INFO: purged ISAKMP-SA spi={I1}.",
        f"08:35:00 INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}",
    )
    assert [one.end for one in ipsec(engine)] == ["dead_peer", "dead_peer"]
    assert peer_of(engine).counters["dead_peers",] == 1
    assert peer_of(engine).counters["phase2_flaps",] == 1


def test_two_sas_of_the_same_spi_are_told_apart_by_their_peers() -> None:
    engine = read_lines(
        f"08:30:04 {sa(1001)}",
        f"08:30:04 {sa(1001, peer=Q)}",
        f"09:18:04 {sa(1001, event='expired', peer=Q, inbound=True)}",
        f"09:30:04 {sa(1001, event='expired', peer=Q, inbound=True)}",
    )
    assert {one.peer: one.end for one in ipsec(engine)} == {P: None, Q: "expired"}


def test_sas_of_one_spi_are_found_and_kept_in_their_order_when_the_oldest_has_ended() -> None:
    """A restart in between changes nothing."""
    third, another = "203.0.113.77", "203.0.113.78"

    def over(peer: str, minute: int) -> list[str]:
        return [f"08:{minute}:0{second} {sa(1001, event='expired', peer=peer, inbound=True)}" for second in (4, 9)]

    engine = told(f"08:30:04 {sa(1001)}", f"08:30:04 {sa(1001, peer=Q)}", f"08:31:04 {sa(7, peer=another)}", *over(P, 35))
    again = Engine(UTC)
    restore(again, json.loads(json.dumps(to_json(engine))))
    for one in (engine, again):
        told(f"08:36:00 {sa(1001, peer=third)}", engine=one)
        (racoon,) = one.state.racoons.values()
        assert [(each.spi, each.peer) for each in racoon.ipsec] == [(1001, Q), (7, another), (1001, third)]
        assert [each.peer for each in racoon.ipsec.of_name(1001)] == [Q, third]
        told(*over(third, 38), *over(Q, 39), engine=one)
        assert [each.spi for each in racoon.ipsec] == [7]
        assert racoon.ipsec.of_name(1001) == []
    assert json.dumps(to_json(again)["state"]) == json.dumps(to_json(engine)["state"])


def test_the_signal_that_ends_racoon_ends_its_sas_before_its_last_line() -> None:
    engine = read_lines(
        f"08:30:00 {BANNER}", *PAIR, "08:35:00 INFO: caught signal 15", "08:35:07 INFO: racoon process 7 shutdown"
    )
    first = ipsec(engine)[0]
    run = engine.state.history()["daemon"][0]
    assert first.end == "restart"
    assert first.ended is not None
    assert run.stopped - first.ended == pytest.approx(7)
    assert run.end == "shutdown"


def test_sas_outlive_a_crash_until_they_expire() -> None:
    engine = read_lines(f"08:30:00 {BANNER}", *PAIR, f"08:50:00 {BANNER}")
    racoon = next(iter(engine.state.racoons.values()))
    assert racoon.counters["daemon_crashes",] == 1
    assert [one.ended for one in ipsec(engine)] == [None, None]
    assert peer_of(engine).phase2_up


def test_what_no_line_ends_is_bounded_by_the_known_lifetime() -> None:
    engine = read_lines(*PAIR, "12:00:00 INFO: unsupported PF_KEY message REGISTER", knowledge=knowing(lifetime=3600))
    read_lines(f"12:00:01 {start()}", engine=engine)
    first = ipsec(engine)[0]
    assert first.end == "lifetime"
    assert first.established is not None
    assert first.ended == first.established + 3600
    assert not peer_of(engine).phase2_up


def test_an_sa_that_speaks_after_its_presumed_end_lives() -> None:
    engine = read_lines(*PAIR, f"09:40:00 {start()}", knowledge=knowing(lifetime=3600))
    assert ipsec(engine)[0].end == "lifetime"
    read_lines(f"10:06:04 {sa(1001, event='expired', inbound=True)}", engine=engine)
    revived = next(one for one in ipsec(engine) if one.spi == 1001)
    assert (revived.end, revived.state) == (None, "dying")
    read_lines(f"10:30:04 {sa(1001, event='expired', inbound=True)}", engine=engine)
    counters = peer_of(engine).counters
    assert {key: count for key, count in counters.items() if key[0] == "ipsec_sa_ended"} == {("ipsec_sa_ended", "lifetime"): 2}


def test_lifetimes_are_learned_from_sas_that_ran_out() -> None:
    engine = read_lines(
        *PAIR,
        f"09:18:04 {sa(1001, event='expired', inbound=True)}",
        f"09:30:04 {sa(1001, event='expired', inbound=True)}",
        f"09:31:00 {sa(1005)}",
        f"09:31:00 {sa(2006)}",
        f"12:00:00 {start()}",
    )
    later = next(one for one in ipsec(engine) if one.spi == 1005)
    assert later.end == "lifetime"
    assert later.established is not None
    assert later.ended == later.established + 3600


def test_a_purge_by_command_says_so() -> None:
    engine = read_lines(
        *PAIR,
        f"08:33:00 {up(I2)}",
        f"08:35:00 INFO: admin delete-sa {L}[0] {P}[0]",
        f"08:35:00 INFO: purging ISAKMP-SA spi={I1}.",
        "08:35:00 INFO: purged IPsec-SA spi=2002.",
        f"08:35:00 INFO: keeping IPsec-SA spi=1001 - found valid ISAKMP-SA spi={I2}.",
        f"08:35:00 INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}",
    )
    ends = {one.spi: one.end for one in ipsec(engine)}
    assert ends == {1001: None, 2002: "deleted_locally"}


def test_somebody_elses_delete_is_believed() -> None:
    engine = read_lines(*PAIR, f"08:35:00 ERROR: pfkey DELETE received: ESP {L}[500]->{P}[500] spi=2002(0x7d2)")
    assert ipsec(engine)[1].end == "deleted_in_kernel"


REFUSED = "ERROR: pfkey ADD failed: Invalid argument"
GIVEN_UP = f"ERROR: {P} give up to get IPsec-SA due to time up to wait."
RETRY = (f"08:30:10 {start(phase=2)}", f"08:30:10 {sa(1003)}", f"08:30:10 {sa(2004)}")


@pytest.mark.parametrize(
    ("lines", "directions", "failed"),
    [
        pytest.param([f"08:30:04 {REFUSED}", *RETRY], "in in out", ["kernel_error", None], id="the kernel refused it"),
        pytest.param(RETRY, "in in out", [None, None], id="its line was lost"),
        pytest.param([f"08:30:10 {sa(2002)}"], "in out", [None], id="it is late"),
        pytest.param([f"08:30:04 {REFUSED}", f"08:30:34 {GIVEN_UP}"], "in", ["kernel_error"], id="racoon gives up"),
        pytest.param([f"08:30:04 {REFUSED}", f"08:45:00 {start()}"], "in", ["kernel_error"], id="racoon says no more of it"),
        pytest.param([f"08:45:00 {start()}"], "in", [None], id="nothing is said of it"),
    ],
)
def test_half_a_pair_spoils_no_later_one(lines: list[str], directions: str, failed: list[str | None]) -> None:
    engine = read_lines(f"08:30:04 {start(phase=2)}", f"08:30:04 {sa(1001)}", *lines)
    assert [one.direction for one in ipsec(engine)] == directions.split()
    assert [one.reason for one in negotiations(engine) if one.phase == 2] == failed


def test_two_pairs_whose_lines_interleave_with_a_start_are_told_apart() -> None:
    engine = read_lines(
        f"08:30:04 {start(phase=2)}",
        f"08:30:04 {sa(1001)}",
        f"08:30:04 {start('respond', phase=2)}",
        f"08:30:05 {sa(2002)}",
        f"08:30:05 {sa(1003)}",
        f"08:30:05 {sa(2004)}",
    )
    assert {one.spi: one.direction for one in ipsec(engine)} == {1001: "in", 2002: "out", 1003: "in", 2004: "out"}
    assert peer_of(engine).counters["phase2_established", "initiator"] == 1
    assert peer_of(engine).counters["phase2_established", "responder"] == 1


def test_a_restart_of_the_exporter_within_a_bundle_counts_nothing_twice() -> None:
    lines = [sa(11, protocol="AH"), sa(12, protocol="ESP"), sa(21, protocol="AH"), sa(22, protocol="ESP")]
    for cut in range(len(lines)):
        before = read_lines(f"08:30:04 {start(phase=2)}", *(f"08:30:04 {line}" for line in lines[:cut]))
        after = Engine(UTC)
        restore(after, json.loads(json.dumps(to_json(before))))
        read_lines(*(f"08:30:04 {line}" for line in lines[cut:]), engine=after)
        counters = peer_of(after).counters
        assert {key: count for key, count in counters.items() if key[0] == "phase2_established"} == {
            ("phase2_established", "initiator"): 1
        }
        assert [one.direction for one in ipsec(after)] == ["in", "in", "out", "out"]


def short_pair(clock: str, soft: str, hard: str, spi: int) -> list[str]:
    """A pair that lives for five minutes, from its beginning to its end."""
    one, other = spi, spi + 1
    return [
        *(f"{clock} {line}" for line in (start(phase=2), sa(one), sa(other))),
        *(f"{when} {sa(ended, event='expired', inbound=ended == one)}" for when in (soft, hard) for ended in (one, other)),
    ]


def test_pairs_of_other_lifetimes_are_not_ended_by_what_short_ones_taught() -> None:
    """Nothing was flushed while a short pair lived, so a long one that did not expire with it is alive."""
    first, second = short_pair("08:30:04", "08:34:04", "08:35:04", 11), short_pair("08:34:05", "08:38:05", "08:39:05", 13)
    story = [*first[:3], f"08:30:05 {start(phase=2)}", f"08:30:05 {sa(21)}", f"08:30:05 {sa(22)}", *first[3:5], *second[:3]]
    engine = read_lines(*story, *first[5:], *second[3:], f"08:50:00 {start('respond', Q)}")
    assert [one.spi for one in ipsec(engine) if one.ended is None] == [21, 22]
    assert peer_of(engine).phase2_up
    assert peer_of(engine).counters["phase2_flaps",] == 0
    soft = [f"09:18:05 {line}" for line in (sa(21, event="expired", inbound=True), sa(22, event="expired"))]
    renewal = [f"09:18:06 {line}" for line in (start(phase=2), sa(23), sa(24))]
    read_lines(*soft, *renewal, f"09:40:00 {start('respond', Q)}", engine=engine)
    assert peer_of(engine).phase2_lifetime == 3600
    assert [one.spi for one in ipsec(engine) if one.ended is None] == [23, 24]
    assert peer_of(engine).counters["phase2_flaps",] == 0


def test_a_flush_between_two_lives_proves_nothing() -> None:
    """The short pair that expired was established after the long one: both kinds may have been flushed in between."""
    first, second = short_pair("08:10:04", "08:14:04", "08:15:04", 11), short_pair("08:32:00", "08:36:00", "08:37:00", 13)
    flushed = [f"08:30:05 {start(phase=2)}", f"08:30:05 {sa(21)}", f"08:30:05 {sa(22)}"]
    engine = read_lines(*first, *flushed, *second, f"08:50:00 {start('respond', Q)}")
    assert [one.end for one in ipsec(engine) if one.spi in {21, 22}] == ["lifetime", "lifetime"]


@pytest.mark.parametrize(
    "teardown",
    [
        pytest.param((f"[{Q}] INFO: received INITIAL-CONTACT", "INFO: purging spi=2002."), id="initial contact"),
        pytest.param((f"INFO: purging ISAKMP-SA spi={I2}.", "INFO: purged IPsec-SA spi=2002."), id="teardown"),
    ],
)
def test_of_equal_spis_that_of_the_peer_that_is_torn_down_goes(teardown: tuple[str, str]) -> None:
    others = (up(I2, Q), start(peer=Q, phase=2), sa(3003, peer=Q), sa(2002, peer=Q))
    engine = read_lines(*PAIR, *(f"08:30:05 {line}" for line in others), *(f"08:31:00 {line}" for line in teardown))
    assert [(one.peer, one.spi) for one in ipsec(engine) if one.ended is not None] == [(Q, 2002)]
    assert peer_of(engine).phase2_up


@pytest.mark.parametrize("second", ["08:31:00", "08:29:00"], ids=["at once", "on a clock that was set back"])
def test_an_sa_that_lived_for_no_time_says_nothing_of_how_long_others_live(second: str) -> None:
    expiries = (f"{second} {sa(3003, event='expired')}", f"{second} {sa(3003, event='expired')}")
    engine = read_lines(*PAIR, f"08:31:00 {sa(3003)}", *expiries, f"08:50:00 {start(peer=Q)}")
    assert peer_of(engine).phase2_lifetime is None
    assert {one.spi: one.end for one in ipsec(engine)} == {1001: None, 2002: None, 3003: "expired"}
