"""What 0.5 to 0.7 do that later versions do not: refusals without a last word, SAs that go at SIGHUP or by name."""

import pytest

from tests.exporter.reading import I1, I2, L, P, Q, failures, ipsec, negotiations, phase1, sa, start, told, up

REFUSED = "ERROR: failed to process packet."
REJECTED = "ERROR: failed to get valid proposal."
OVER = "ERROR: phase1 negotiation failed."
PORT, NATT = f"INFO: {L}[500] used as isakmp port (fd=5)", f"INFO: {L}[500] used for NAT-T"


def banner(version: str) -> str:
    return f"INFO: @(#)ipsec-tools {version} (http://ipsec-tools.sourceforge.net)"


def test_a_first_packet_that_is_refused_ends_its_negotiation() -> None:
    lines = [f"08:30:{second} {line}" for second in ("00", "10", "20") for line in (start("respond"), REJECTED, REFUSED)]
    engine = told(*lines)
    assert failures(engine, 1) == {(P, "proposal_mismatch"): 3}
    assert [one.state for one in negotiations(engine)] == ["failed"] * 3


def test_a_refusal_of_two_peers_at_once_is_each_one_s_own() -> None:
    engine = told(
        *(f"08:30:00 {line}" for line in (start("respond"), REJECTED, REFUSED)),
        *(f"08:30:00 {line}" for line in (start("respond", Q), f"ERROR: couldn't find the pskey for {Q}.", REFUSED)),
    )
    assert failures(engine, 1) == {(P, "proposal_mismatch"): 1, (Q, "psk_missing"): 1}


def test_a_refusal_that_is_said_twice_counts_once() -> None:
    engine = told(*(f"08:30:00 {line}" for line in (start("respond"), REJECTED, REFUSED, OVER)))
    assert failures(engine, 1) == {(P, "proposal_mismatch"): 1}


def test_a_later_packet_that_is_refused_waits_for_the_last_word() -> None:
    engine = told(f"08:30:00 {start('respond')}", f"08:30:09 ERROR: couldn't find the pskey for {P}.", f"08:30:09 {REFUSED}")
    assert failures(engine, 1) == {}
    assert failures(told(f"08:30:09 {OVER}", engine=engine), 1) == {(P, "psk_missing"): 1}


@pytest.mark.parametrize(
    ("version", "ends"),
    [("0.5pre", ["deleted_locally"]), ("0.6.3", ["deleted_locally"]), ("0.7.3", [None]), ("0.8.2", [None])],
)
def test_sockets_that_are_opened_again_tell_of_a_reload(version: str, ends: list[str | None]) -> None:
    engine = told(
        *(f"08:00:00 {line}" for line in (banner(version), PORT, NATT)),
        f"08:00:01 {up()}",
        f"08:00:02 {sa(1001, inbound=True)}",
        f"08:30:00 {PORT}",
        f"08:30:00 {NATT}",
    )
    assert [one.end for one in phase1(engine)] == ends
    assert [one.end for one in ipsec(engine)] == [None]


def test_sockets_that_are_opened_at_a_start_or_for_a_new_address_tell_nothing() -> None:
    engine = told(
        f"08:00:00 {banner('0.6.3')}",
        f"08:00:00 {PORT}",
        f"08:00:01 {up()}",
        "08:30:00 INFO: 192.0.2.77[500] used as isakmp port (fd=9)",
    )
    assert [one.end for one in phase1(engine)] == [None]


def test_a_line_about_an_sa_that_a_reload_seemed_to_take_is_believed() -> None:
    """Sockets are opened again where an address comes or goes, too, and that takes no SA."""
    engine = told(
        f"08:00:00 {banner('0.6.3')}",
        f"08:00:00 {PORT}",
        f"08:00:01 {up()}",
        f"08:30:00 {PORT}",
        f"09:00:01 INFO: ISAKMP-SA expired {L}[500]-{P}[500] spi:{I1}",
    )
    assert [one.end for one in phase1(engine)] == ["expired"]


def test_flushing_the_sa_of_a_pair_ends_it_and_no_other() -> None:
    engine = told(f"08:00:00 {up()}", f"08:00:00 {up(I2, Q)}", f"08:10:00 INFO: Flushing SA for {L} -> {P}")
    assert [(one.peer, one.end) for one in phase1(engine)] == [(Q, None), (P, "deleted_locally")]


def test_each_line_of_a_flush_ends_one_sa() -> None:
    flushed = f"INFO: Flushing SA for {L} -> {P}"
    engine = told(
        f"08:00:00 {up()}", f"08:05:00 {up(I2)}", f"08:10:00 INFO: Flushing all SA for peer {P}", *[f"08:10:00 {flushed}"] * 2
    )
    assert [one.end for one in phase1(engine)] == ["deleted_locally"] * 2


@pytest.mark.parametrize(
    ("age", "state"), [pytest.param(50, "ended", id="50 s: a lifetime"), pytest.param(48, "dying", id="48 s: 80 % of a minute")]
)
def test_after_a_crash_the_first_expiry_may_be_the_last(age: int, state: str) -> None:
    """The soft one may have come while no racoon ran; a lifetime is a round number of seconds."""
    engine = told(
        f"08:00:00 {banner('0.5pre')}",
        f"08:30:00 {sa(1001)}",
        f"08:30:45 {banner('0.5pre')}",
        f"08:30:{age:02} {sa(1001, event='expired', inbound=True)}",
    )
    assert [one.state for one in ipsec(engine)] == [state]
