"""A state that was written down and read back goes on as if nothing had happened."""

import json
from datetime import UTC
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from racoon_exporter import history
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.sa import Limits, Negotiation
from racoon_exporter.sa.model import from_json
from tests.exporter.reading import I1, I2, L, P, Q, block, knowing, lab_logs, peer_of, read_lines, sa, start, told, up
from tests.exporter.test_scenarios import exposition

LOGS = {
    scenario: b"".join(path.read_bytes() for path in lab_logs(scenario, host))
    for scenario, host in (
        ("05-psk-mismatch-main", "a"),
        ("11-delete-restart", "a"),
        ("12-natt", "b"),
        ("15-anonymous-scan", "b"),
        ("21-xauth-modecfg", "b"),
        ("25-rekey-force", "a"),
    )
}


def knocked_over(engine: Engine) -> Engine:
    """The engine after a restart: only what JSON can hold is left."""
    kept = json.loads(json.dumps(to_json(engine)))
    fresh = Engine.like(engine)
    restore(fresh, kept)
    return fresh


@pytest.mark.parametrize("own", [True, False], ids=["as it is", "of an older version"])
def test_a_message_that_routeros_logs_by_two_rules_is_one_also_across_a_restart(*, own: bool) -> None:
    rules = [f"2026-01-15 08:30:02 ipsec,info {prefix}caught signal 15\n".encode() for prefix in ("", "gw1: ")]
    engine = Engine(UTC, reference_of=lambda _: 1_768_500_000.0)
    engine.feed(block(rules[0]))
    kept = json.loads(json.dumps(to_json(engine)))
    (reader,) = kept["readers"].values()
    if not own:  # it kept texts, which are forgotten
        reader["said"][1] = [["", "caught signal 15", ""]]
    fresh = Engine.like(engine)
    restore(fresh, kept)
    fresh.feed(block(rules[1]))
    fresh.finish()
    assert sum(fresh.messages.values()) == (1 if own else 2)


def outcome(engine: Engine) -> tuple[str, str]:
    return exposition(engine), json.dumps(history.tables(engine.state))


def read_with_restarts(log: bytes, cuts: list[int]) -> Engine:
    engine = Engine(UTC)
    lines = log.splitlines(keepends=True)
    bounds = [0, *sorted(cut % (len(lines) + 1) for cut in cuts), len(lines)]
    for begin, end in pairwise(bounds):
        if begin < end:
            engine.feed(block(b"".join(lines[begin:end]), first=begin + 1))
        engine = knocked_over(engine)
    engine.finish()
    return engine


@pytest.mark.parametrize("scenario", LOGS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 10_000), max_size=6))
def test_restarts_between_any_lines_change_nothing(scenario: str, cuts: list[int]) -> None:
    whole = Engine(UTC)
    whole.feed(block(LOGS[scenario]))
    whole.finish()
    assert outcome(read_with_restarts(LOGS[scenario], cuts)) == outcome(whole)


def test_a_restart_after_every_line_changes_nothing() -> None:
    log = LOGS["05-psk-mismatch-main"]
    whole = Engine(UTC)
    whole.feed(block(log))
    whole.finish()
    assert outcome(read_with_restarts(log, list(range(log.count(b"\n"))))) == outcome(whole)


RESTARTED: Final[dict[str, list[str]]] = {
    "a peer of which only IPsec SAs were seen": [f"08:30:00 {sa(1)}", f"08:30:00 {sa(2, inbound=True)}"],
    "SAs of one SPI with another between them": [
        *(f"08:30:00 {sa(1)}", f"08:30:01 {sa(2, peer=Q)}", f"08:30:02 {sa(3)}", f"08:30:03 {sa(1, protocol='AH')}"),
        f"08:30:04 {sa(4, inbound=True)}",
    ],
    "half a pair that was purged": [
        *(f"08:30:00 {start(phase=2)}", f"08:30:01 {sa(1, inbound=True)}", "08:30:02 INFO: purged IPsec-SA spi=1."),
        *(f"08:30:40 {start(phase=2)}", f"08:30:41 {sa(2)}", f"08:30:42 {sa(3)}"),
    ],
    "negotiations of several peers that time ends at once": [
        *(f"08:30:00 {start(peer=peer, phase=phase)}" for phase in (2, 1) for peer in (P, Q, P)),
        f"08:50:00 {up(I2, Q)}",
    ],
    "a negotiation that began after the clock stepped back": [
        *(f"18:30:00 {start()}", f"08:30:00 {start(peer=Q)}", f"08:50:00 {up(I1)}"),
    ],
}


@pytest.mark.parametrize("lines", RESTARTED.values(), ids=RESTARTED)
def test_restarts_leave_all_that_is_believed_as_it_is(lines: list[str]) -> None:
    """Also what no page shows yet: the order of SAs, who is no stranger, when a negotiation is looked at again."""
    whole = restarted = Engine(UTC)
    for line in lines:
        whole, restarted = told(line, engine=whole), knocked_over(told(line, engine=restarted))
        assert json.loads(json.dumps(to_json(restarted))) == json.loads(json.dumps(to_json(whole)))


def forged(spi: str) -> str:
    return f"08:30:00 INFO: IPsec-SA established: ESP/Tunnel {L}[500]->{P}[500] spi={spi}(0x0)"


EXPIRED: Final = f"INFO: ISAKMP-SA expired {L}[500]-{P}[500] spi:"
UNUSUAL: Final[dict[str, list[str]]] = {
    "an ISAKMP SA that ended before it began": [f"10:00:00 {up()}", f"09:00:00 {EXPIRED}{I1}"],
    "two of them, of one age": [
        line for one in (I1, I2) for line in (f"10:00:00 {up(one)}", f"09:00:00 {EXPIRED}{one}", f"09:30:00 {start()}")
    ],
    "a time-out before its beginning": [
        *(f"10:00:00 {up()}", f"10:00:00 {start()}"),
        f"09:00:00 ERROR: phase1 negotiation failed due to time up. {I1}",
    ],
    "SPIs of more than 32 bits": [forged(str(2**32)), forged("9999999999"), forged("9999999998"), forged("9999999999")],
    "an IPsec SA that expired before it began": [
        *(f"10:00:00 {sa(1)}", f"09:00:00 {sa(1, event='expired')}", f"08:00:00 {sa(1, event='expired')}"),
    ],
}


@pytest.mark.parametrize("lines", UNUSUAL.values(), ids=UNUSUAL)
def test_whatever_a_log_says_the_state_that_follows_from_it_is_believed(lines: list[str]) -> None:
    """Clocks are set back, and numbers are forged: none of it may cost all that is known at the next start."""
    engine = told(*lines)
    assert json.loads(json.dumps(to_json(knocked_over(engine)))) == json.loads(json.dumps(to_json(engine)))


def test_the_longest_lifetime_that_racoon_conf_can_say_is_believed_after_a_restart() -> None:
    engine = told(f"10:00:00 {up()}", f"10:00:00 {sa(1)}", knowledge=knowing(P, phase1_lifetime=999_999_999_999 * 3600.0))
    assert json.loads(json.dumps(to_json(knocked_over(engine)))) == json.loads(json.dumps(to_json(engine)))


def test_a_stream_keeps_its_format_over_a_restart() -> None:
    """A head that fits several formats is of the one that fitted before."""
    first = b"Jan 15 08:30:02 gw1 in:fo racoon[7]: INFO: begin Base mode.\n"
    second = b"Jan 15 08:30:03 gw1 info racoon[7]: INFO: caught signal 15\n"
    read = []
    for begin in (lambda engine: engine, knocked_over):
        engine = Engine(UTC, reference_of=lambda _: 1_768_500_000.0)
        engine.feed(block(first))
        engine = begin(engine)
        engine.feed(block(second, first=2))
        engine.finish()
        read.append((engine.messages, engine.unparsed))
    assert read[0] == read[1]


def test_a_negotiation_that_began_after_the_clock_stepped_back_is_given_up_in_time() -> None:
    engine = read_lines(f"18:30:00 {start()}", f"08:30:00 {start(peer=Q)}", "08:40:00 INFO: begin Aggressive mode.")
    assert [(one.peer, one.state) for one in engine.state.archive.negotiations] == [(Q, "abandoned")]


def test_a_torn_record_survives_a_restart_between_its_halves() -> None:
    engine = Engine(UTC)
    engine.feed(block(b"2026-01-15 08:30:02: INFO: ISAKMP-SA established\n"))
    engine = knocked_over(engine)
    engine.feed(block(f"{up().removeprefix('INFO: ISAKMP-SA established')}\n".encode(), first=2))
    engine.finish()
    assert peer_of(engine).counters["phase1_established", "unknown"] == 1


def test_strangers_are_bounded_and_leave_configured_peers_alone() -> None:
    knowledge = knowing("198.51.100.7", limits=Limits(strangers=10, peers=50, history=100))
    lines = []
    for number in range(3000):
        stranger = f"203.0.{number // 250}.{number % 250}"
        lines += [
            f"08:30:02 {start('respond', stranger)}",
            f"08:30:02 [{stranger}] ERROR: failed to get valid proposal.",
            f"08:30:02 [{stranger}] ERROR: phase1 negotiation failed.",
        ]
    engine = read_lines(*lines, f"08:30:03 {start()}", f"08:30:04 {up()}", knowledge=knowledge)
    (racoon,) = engine.state.racoons.values()
    assert len(racoon.peers) == 10 + 1 + 1  # strangers (`other` among them), nobody's, and the configured one
    assert racoon.counters["folded_peers",] == 3000 - 10
    failures = sum(
        count for peer in racoon.peers.values() for key, count in peer.counters.items() if key[0] == "phase1_failures"
    )
    assert failures == 3000
    assert peer_of(engine).counters["phase1_established", "initiator"] == 1
    assert len(engine.state.history()["negotiations"]) <= 100
    assert len(racoon.negotiations) == 0


def test_no_stranger_at_all_may_have_series_of_its_own() -> None:
    refused = "[203.0.113.1] ERROR: exchange Aggressive not allowed in any applicable rmconf."
    engine = read_lines(f"08:30:00 {refused}", knowledge=knowing(limits=Limits(strangers=0)))
    (racoon,) = engine.state.racoons.values()
    assert set(racoon.peers) == {"other"}


def test_a_long_idle_stranger_gives_way() -> None:
    knowledge = knowing(limits=Limits(strangers=1))
    refused = "ERROR: exchange Aggressive not allowed in any applicable rmconf."
    engine = read_lines(f"08:30:00 [203.0.113.1] {refused}", f"10:30:00 [203.0.113.2] {refused}", knowledge=knowledge)
    (racoon,) = engine.state.racoons.values()
    assert set(racoon.peers) == {"203.0.113.2"}


MOST = Limits().gateways


def said(host: str, hour: int = 8, cookie: int = 1) -> str:
    return f"2026-01-{15 + hour // 24}T{hour % 24:02}:30:00Z {host} racoon: {up(f'{cookie:016x}:a1b2c3d4e5f60718')}\n"


def test_hosts_that_lines_name_are_bounded() -> None:
    """Whoever may write to a syslog daemon names any host."""
    engine = Engine(UTC)
    engine.feed(block("".join(said(f"host{number}", cookie=number) for number in range(3 * MOST)).encode()))
    engine.flush()
    racoons = engine.state.racoons
    assert len(racoons) == MOST + 1
    (other,) = [racoon for racoon in racoons.values() if racoon.gateway == "other"]
    assert other.peers["198.51.100.7"].counters["phase1_established", "unknown"] == 2 * MOST
    assert sum(1 for racoon in racoons.values() if racoon.isakmp) == MOST + 1


def test_a_host_that_is_silent_for_a_day_gives_way() -> None:
    engine = Engine(UTC)
    lines = [said(f"host{number}", hour=8 + (number > 0)) for number in range(MOST)]
    engine.feed(block("".join([*lines, said("early", 31), said("late", 32), said("later", 32)]).encode()))
    engine.flush()
    gateways = {racoon.gateway for racoon in engine.state.racoons.values()}
    assert {"host1", "late", "other"} <= gateways
    assert not gateways & {"host0", "early", "later"}


@pytest.mark.parametrize(
    ("written", "state"),
    [
        pytest.param({"waiting": True}, "waiting", id="a wish"),
        pytest.param({}, "negotiating", id="under way"),
        pytest.param({"ended": 2.0, "outcome": "failed"}, "failed", id="with a verdict"),
        pytest.param({"ended": 2.0}, "abandoned", id="ended without a verdict"),
    ],
)
def test_a_negotiation_of_an_older_state_file_has_the_state_that_its_fields_said(written: dict[str, Any], state: str) -> None:
    fields = {"phase": 1, "gateway": "", "local": None, "peer": "198.51.100.7", "role": None, "exchange": None, "begun": 1.0}
    assert from_json(Negotiation, fields | written).state == state
