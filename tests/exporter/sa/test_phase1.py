"""Phase 1: negotiations, their reasons, ISAKMP SAs and how they end."""

import json
from datetime import UTC

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from tests.exporter.reading import (
    BANNER,
    I1,
    I2,
    I3,
    LISTENS,
    L,
    P,
    Q,
    failures,
    knowing,
    negotiations,
    peer_of,
    phase1,
    read_lines,
    start,
    told,
    up,
)

NO_ANSWER = "8f1b2c3d4e5f6071:0000000000000000"


def gone(cookies: str = I1) -> tuple[str, str]:
    return tuple(f"INFO: ISAKMP-SA {word} {L}[500]-{P}[500] spi:{cookies}" for word in ("expired", "deleted"))  # type: ignore[return-value]


def test_a_negotiation_is_the_object_between_its_start_and_the_established_line() -> None:
    engine = read_lines(f"08:30:02 {start()}", "08:30:02 INFO: begin Identity Protection mode.", f"08:30:04 {up()}")
    (negotiation,) = negotiations(engine)
    assert (negotiation.role, negotiation.exchange, negotiation.cookies) == ("initiator", "main", I1)
    assert (negotiation.outcome, negotiation.reason) == ("established", None)
    (sa,) = phase1(engine)
    assert (sa.local, sa.peer, sa.role, sa.exchange) == (L, P, "initiator", "main")
    assert peer_of(engine).counters["phase1_negotiations", "initiator", "main"] == 1


def test_expired_and_deleted_of_the_same_cookies_are_one_ending() -> None:
    expired, deleted = gone()
    engine = read_lines(f"08:30:00 {start()}", f"08:30:00 {up()}", f"08:31:00 {expired}", f"08:31:00 {deleted}")
    (sa,) = phase1(engine)
    assert sa.end == "expired"
    assert peer_of(engine).counters["phase1_ended", "expired"] == 1


@pytest.mark.parametrize(
    ("lifetime", "after", "end"),
    [
        pytest.param(3600, "09:30:00", "expired", id="its configured lifetime was over"),
        pytest.param(3600, "08:47:00", "deleted_by_peer", id="a whole minute, but not its lifetime"),
        pytest.param(None, "08:30:36", "deleted_by_peer", id="no lifetime that anybody chooses"),
        pytest.param(None, "08:31:00", "expired", id="a whole minute and nothing known"),
    ],
)
def test_expired_also_stands_for_a_delete_of_the_peer(lifetime: float | None, after: str, end: str) -> None:
    expired, deleted = gone()
    engine = read_lines(
        f"08:30:00 {up()}", f"{after} {expired}", f"{after} {deleted}", knowledge=knowing(P, phase1_lifetime=lifetime)
    )
    assert phase1(engine)[0].end == end


def lives(cookies: str, begin: str, end: str | None = None) -> list[str]:
    """An ISAKMP SA from its beginning to its end, by expiry or by a delete of the peer."""
    return [f"{begin} {up(cookies)}", *(f"{end} {line}" for line in gone(cookies) if end)]


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(lives(I2, "08:30:00", "08:31:00"), id="once after a minute"),
        pytest.param([*lives(I2, "08:30:00", "08:30:19"), *lives(I3, "08:31:00", "08:31:19")], id="twice after the same time"),
    ],
)
def test_a_delete_of_the_peer_does_not_end_later_isakmp_sas(before: list[str]) -> None:
    engine = read_lines(*before, *lives(I1, "08:40:00"), f"08:55:00 {start('respond', Q)}")
    assert [one.cookies for one in engine.state.isakmp_sas()] == [I1]
    read_lines(*(f"09:11:17 {line}" for line in gone()), engine=engine)
    assert [one.end for one in phase1(engine) if one.cookies == I1] == ["deleted_by_peer"]


def test_an_isakmp_sa_whose_end_was_not_logged_ends_by_a_proven_lifetime_unless_a_line_speaks_of_it() -> None:
    proof = [*lives(I2, "08:30:00", "08:35:00"), *lives(I3, "08:36:00", "08:41:00")]
    engine = read_lines(*proof, *lives(I1, "08:42:00"), f"08:55:00 {start('respond', Q)}")
    assert [(one.cookies, one.end) for one in phase1(engine)][-1] == (I1, "expired")
    assert not list(engine.state.isakmp_sas())
    after = Engine(UTC)
    restore(after, json.loads(json.dumps(to_json(engine))))
    read_lines(f"08:56:00 INFO: purging ISAKMP-SA spi={I1}.", engine=after)
    assert [one.cookies for one in after.state.isakmp_sas()] == [I1]
    read_lines(*(f"08:56:00 {line}" for line in gone()), engine=after)
    assert [(one.end, one.ended) for one in phase1(after) if one.cookies == I1] == [("purged", 1768467360.0)]
    assert sum(count for key, count in peer_of(after).counters.items() if key[0] == "phase1_ended") == 3


def test_a_zero_responder_cookie_means_that_the_peer_never_answered() -> None:
    engine = read_lines(f"08:30:02 {start()}", f"08:30:52 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}")
    assert failures(engine, 1) == {(P, "no_response"): 1}
    assert negotiations(engine)[0].cookies == NO_ANSWER


def test_a_peer_that_answered_and_stopped_is_a_timeout() -> None:
    engine = read_lines(f"08:30:02 {start('respond')}", f"08:30:52 ERROR: phase1 negotiation failed due to time up. {I1}")
    assert failures(engine, 1) == {(P, "timeout"): 1}


def test_the_most_telling_evidence_is_the_reason() -> None:
    engine = read_lines(
        f"08:30:02 {start()}",
        "08:30:03 WARNING: unable to get certificate CRL(3) at depth:0 SubjectName:/CN=x",
        "08:30:03 ERROR: certificate has expired(10) at depth:0 SubjectName:/CN=x",
        "08:30:03 WARNING: ",
        f"08:30:03 [{P}] ERROR: the peer's certificate is not verified.",
        "08:30:13 ERROR: certificate has expired(10) at depth:0 SubjectName:/CN=x",
        f"08:30:13 [{P}] ERROR: the peer's certificate is not verified.",
        f"08:30:52 ERROR: phase1 negotiation failed due to time up. {I1}",
    )
    assert failures(engine, 1) == {(P, "certificate_expired"): 1}
    peer = peer_of(engine)
    assert peer.counters["certificate_problems", "10", "certificate_expired"] == 2
    assert peer.counters["certificate_problems", "3", "crl_missing"] == 1


def test_a_negotiation_that_errs_and_then_succeeds_leaves_no_failure() -> None:
    engine = read_lines(
        f"08:30:02 {start()}", f"08:30:03 [{P}] ERROR: failed to process ph1 packet (side: 0, status: 6).", f"08:30:12 {up()}"
    )
    assert failures(engine, 1) == {}


def test_evidence_before_its_tagged_line_belongs_to_that_peer() -> None:
    engine = read_lines(
        f"08:30:00 {start('respond', Q)}",
        f"08:30:01 {start('respond')}",
        "08:30:01 ERROR: no suitable proposal found.",
        f"08:30:01 [{P}] ERROR: failed to get valid proposal.",
        f"08:30:01 [{P}] ERROR: failed to pre-process ph1 packet (side: 1, status 1).",
        f"08:30:01 [{P}] ERROR: phase1 negotiation failed.",
        f"08:30:50 ERROR: phase1 negotiation failed due to time up. {I2}",
    )
    assert failures(engine, 1) == {(P, "proposal_mismatch"): 1, (Q, "timeout"): 1}


def test_overlapping_time_outs_go_by_their_age() -> None:
    engine = read_lines(
        f"08:30:00 {start()}",
        f"08:30:20 {start(peer=Q)}",
        f"08:30:50 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}",
        f"08:31:00 {up(I3, Q)}",
    )
    assert failures(engine, 1) == {(P, "no_response"): 1}


def test_what_two_peers_could_claim_is_nobodys() -> None:
    engine = read_lines(
        f"08:30:00 {start()}",
        f"08:30:00 {start(peer=Q)}",
        f"08:30:50 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}",
        "08:32:00 INFO: received Vendor ID: DPD",
        f"08:32:00 {start('respond')}",
    )
    assert failures(engine, 1) == {("unattributed", "no_response"): 1}


def test_the_other_coming_up_tells_whose_time_out_it_was() -> None:
    engine = read_lines(
        f"08:30:00 {start()}",
        f"08:30:00 {start(peer=Q)}",
        f"08:30:50 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}",
        f"08:31:00 {up(I3, Q)}",
    )
    assert failures(engine, 1) == {(P, "no_response"): 1}
    assert [one.ended for one in negotiations(engine) if one.peer == P] == [1768465850.0]


def test_where_racoon_is_more_patient_than_by_default_time_outs_still_find_their_peers() -> None:
    """Main mode with two peers whose keys differ: each failed, for its own reason, at the time of its line."""
    engine = read_lines(
        f"08:30:00 {start('respond')}",
        f"08:30:03 {start('respond', Q)}",
        "08:30:08 ERROR: HASH mismatched",
        f"08:30:08 [{Q}] ERROR: failed to process ph1 packet (side: 1, status: 6).",
        f"08:31:40 ERROR: phase1 negotiation failed due to time up. {I1}",
        f"08:31:43 ERROR: phase1 negotiation failed due to time up. {I2}",
        f"08:40:00 {start()}",
    )
    assert failures(engine, 1) == {(P, "timeout"): 1, (Q, "psk_mismatch"): 1}
    assert [one.ended - one.begun for one in negotiations(engine) if one.begun and one.ended] == [100.0, 100.0]


@pytest.mark.parametrize("rest", [(), ("purged", "deleted")], ids=["the kernel held no SA", "in full"])
def test_a_teardown_that_begins_ends_the_isakmp_sa(rest: tuple[str, ...]) -> None:
    words = {"purged": f"purged ISAKMP-SA spi={I1}.", "deleted": f"ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}"}
    engine = read_lines(
        f"08:30:01 {up()}",
        f"08:31:02 [{P}] INFO: DPD: remote (ISAKMP-SA spi={I1}) seems to be dead.",
        f"08:31:02 INFO: purging ISAKMP-SA spi={I1}.",
        *(f"08:31:02 INFO: {words[word]}" for word in rest),
        f"08:35:00 {start()}",
    )
    assert [(one.end, one.ended) for one in phase1(engine)] == [("dead_peer", 1768465862.0)]


def test_if_all_that_could_fail_did_each_peer_has_its_failure() -> None:
    engine = read_lines(
        f"08:30:00 {start()}",
        f"08:30:00 {start(peer=Q)}",
        f"08:30:50 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}",
        "08:30:50 ERROR: phase1 negotiation failed due to time up. 0123456789abcdef:0000000000000000",
        f"08:31:00 {start(peer=Q)}",
    )
    assert failures(engine, 1) == {(P, "no_response"): 1, (Q, "no_response"): 1}


def test_a_failure_whose_start_was_never_seen_is_not_given_to_one_that_has_just_begun() -> None:
    engine = read_lines(
        f"08:30:00 {start()}", f"08:30:01 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}", f"08:30:02 {up()}"
    )
    assert failures(engine, 1) == {("unattributed", "no_response"): 1}


def test_a_refusal_without_a_start_line_counts_once_for_all_retries() -> None:
    refused = f"[{P}] ERROR: exchange Identity Protection not allowed in any applicable rmconf."
    engine = read_lines(*(f"08:30:{second:02d} {refused}" for second in (2, 12, 22, 32, 42)))
    assert failures(engine, 1) == {(P, "no_config"): 1}
    again = read_lines(f"08:32:00 {refused}", engine=engine)
    assert failures(again, 1) == {(P, "no_config"): 2}


def test_a_send_error_belongs_to_what_has_just_begun() -> None:
    engine = read_lines(
        f"08:30:00 {start(peer=Q)}",
        f"08:30:05 {start()}",
        "08:30:05 ERROR: sendmsg (Operation not permitted)",
        f"08:30:05 ERROR: phase1 negotiation failed due to send error. {NO_ANSWER}",
    )
    assert failures(engine, 1) == {(P, "send_error"): 1}


def test_two_isakmp_sas_of_a_rekey_live_side_by_side() -> None:
    expired, deleted = gone()
    engine = read_lines(
        f"08:30:00 {up()}",
        f"08:54:00 INFO: renegotiating phase1 to {P} due to active phase2",
        f"08:54:00 {start()}",
        f"08:54:01 {up(I2)}",
    )
    assert [sa.state for sa in engine.state.isakmp_sas()] == ["dying", "established"]
    read_lines(f"09:00:00 {expired}", f"09:00:00 {deleted}", engine=engine)
    assert [sa.cookies for sa in engine.state.isakmp_sas()] == [I2]


def test_a_refused_xauth_login_takes_the_isakmp_sa_and_is_a_failure() -> None:
    engine = read_lines(
        f"08:30:00 {start('respond')}",
        "08:30:00 INFO: Sending Xauth request",
        f"08:30:00 {up()}",
        "08:30:00 INFO: Using port 0",
        '08:30:01 INFO: login failed for user "mallory"',
    )
    assert failures(engine, 1) == {(P, "xauth_failed"): 1}
    assert negotiations(engine)[0].outcome == "failed"
    assert phase1(engine)[0].end == "deleted_locally"


def test_a_login_that_was_never_answered_does_not_hide_whose_login_fails() -> None:
    engine = read_lines(
        *(f"08:30:00 {line}" for line in (start("respond"), "INFO: Sending Xauth request", up())),
        *(f"08:40:00 {line}" for line in (start("respond", Q), "INFO: Sending Xauth request", up(I2, Q))),
        '08:40:01 INFO: login failed for user "mallory"',
    )
    assert failures(engine, 1) == {(Q, "xauth_failed"): 1}
    assert [(one.peer, one.end) for one in phase1(engine)] == [(P, None), (Q, "deleted_locally")]


@pytest.mark.parametrize("refusal", ["couldn't find configuration.", "not acceptable Aggressive mode"])
def test_a_first_packet_refused_without_an_address_is_not_blamed_on_the_peer_that_negotiates(refusal: str) -> None:
    """0.7 and older: the packet is of somebody whose negotiation did not begin, whoever else negotiates."""
    engine = read_lines(
        f"08:30:00 {start(peer=Q)}",
        f"08:30:05 ERROR: {refusal}",
        f"08:30:15 ERROR: {refusal}",
        f"08:31:00 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}",
    )
    assert failures(engine, 1) == {(Q, "no_response"): 1, ("unattributed", "no_config"): 1}


def test_a_refused_phase_2_is_not_laid_upon_the_only_phase_1_that_negotiates() -> None:
    engine = read_lines(
        f"08:30:00 {start('respond', Q)}",
        "08:36:30 ERROR: failed to get sainfo.",
        f"08:37:00 ERROR: phase1 negotiation failed due to time up. {I1}",
    )
    assert failures(engine, 1) == {(Q, "timeout"): 1}
    assert failures(engine, 2) == {("unattributed", "no_config"): 1}


def test_each_of_two_refused_phase_2_has_the_reason() -> None:
    told = f"[{P}] ERROR: notification NO-PROPOSAL-CHOSEN received in informational exchange."
    given_up = f"ERROR: {P} give up to get IPsec-SA due to time up to wait."
    engine = read_lines(
        f"08:30:00 {up()}",
        f"08:30:04 {start(phase=2)}",
        f"08:30:04 {start(phase=2)}",
        f"08:30:04 {told}",
        f"08:30:04 {told}",
        f"08:30:34 {given_up}",
        f"08:30:34 {given_up}",
    )
    assert failures(engine, 2) == {(P, "proposal_mismatch"): 2}


def test_a_refused_phase_2_keeps_its_reason_while_another_of_the_peer_comes_up() -> None:
    pair = [f"INFO: IPsec-SA established: ESP/Tunnel {L}[500]->{P}[500] spi={spi}(0x{spi:x})" for spi in (1001, 2002)]
    engine = read_lines(
        f"08:30:00 {up()}",
        f"08:30:04 {start(phase=2)}",
        f"08:30:04 [{P}] ERROR: notification NO-PROPOSAL-CHOSEN received in informational exchange.",
        *(f"08:30:05 {line}" for line in (start(phase=2), *pair)),
        f"08:30:34 ERROR: {P} give up to get IPsec-SA due to time up to wait.",
    )
    assert failures(engine, 2) == {(P, "proposal_mismatch"): 1}
    assert [one.outcome for one in negotiations(engine) if one.phase == 2] == ["failed", "established"]


def test_a_phase_2_that_errs_before_it_comes_up_is_not_taken_for_one_that_waits() -> None:
    pair = [f"INFO: IPsec-SA established: ESP/Tunnel {L}[500]->{P}[500] spi={spi}(0x{spi:x})" for spi in (1001, 2002)]
    engine = read_lines(
        f"08:30:00 {start(phase=2)}",
        *(f"08:30:20 {line}" for line in (start("respond", phase=2), "ERROR: not matched", *pair)),
        f"08:30:30 ERROR: {P} give up to get IPsec-SA due to time up to wait.",
    )
    assert failures(engine, 2) == {(P, "timeout"): 1}
    assert [one.outcome for one in negotiations(engine)] == ["failed", "established"]


def test_a_start_that_fails_on_its_configuration_is_no_crash() -> None:
    engine = read_lines(
        f"08:30:00 {BANNER}",
        '08:30:00 ERROR: /etc/racoon/racoon.conf:21: "e" syntax error',
        "08:30:00 ERROR: fatal parse failure (1 errors)",
        f"08:31:00 {BANNER}",
        f"08:31:00 {LISTENS}",
    )
    (racoon,) = engine.state.racoons.values()
    assert racoon.counters["daemon_crashes",] == 0
    assert racoon.counters["daemon_starts",] == 2
    assert racoon.counters["config_errors",] == 2


def test_a_restart_ends_isakmp_sas_and_leaves_negotiations_without_a_verdict() -> None:
    engine = read_lines(
        f"08:30:00 {BANNER}", f"08:30:01 {up()}", f"08:30:02 {start(peer=Q)}", "08:30:03 INFO: racoon process 7 shutdown"
    )
    assert phase1(engine)[0].end == "restart"
    assert negotiations(engine)[-1].outcome is None
    assert failures(engine, 1) == {}


def test_a_failure_that_is_told_late_changes_no_later_one() -> None:
    """A time-out that could be either peer's turns out to be Q's, after Q's next negotiation has failed for another reason."""
    before = (
        f"08:50:00 {start()}",
        f"08:50:00 {start(peer=Q)}",
        f"08:50:50 ERROR: phase1 negotiation failed due to time up. {NO_ANSWER}",
        f"08:50:52 {start(peer=Q)}",
        f"08:50:55 [{Q}] ERROR: phase1 negotiation failed.",
    )
    engine = told(*before)
    last = peer_of(engine, Q)
    assert (last.phase1_last_failure, last.phase1_last_reason) == (1768467055.0, "unknown")
    engine = read_lines(f"08:51:00 {up()}", engine=engine)
    assert failures(engine, 1) == {(Q, "unknown"): 1, (Q, "no_response"): 1}
    assert (last.phase1_last_failure, last.phase1_last_reason) == (1768467055.0, "unknown")
    ends = [one.ended for one in engine.state.archive.negotiations]
    assert ends == sorted(ends, key=lambda end: end or 0.0)


def test_a_time_out_that_names_its_peer_is_that_peer_s() -> None:
    """Dialects print the address before the level, others both ends in the line; two peers of one age are told apart by it."""
    engine = read_lines(
        f"08:30:00 {start()}",
        f"08:30:00 {start(peer=Q)}",
        f"08:30:50 [{Q}] ERROR: phase1 negotiation failed due to time up. 8f1b2c3d4e5f6071:0000000000000000",
    )
    assert failures(engine, 1) == {(Q, "no_response"): 1}
