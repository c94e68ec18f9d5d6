"""Two ends, one story: a failure that one log sees as silence takes the cause that the other end's log names."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.history import tables
from racoon_exporter.sa import timers, two_ends
from racoon_exporter.source.files.one_shot import blocks_of
from tests.exporter.reading import LAB, block, failures
from tests.steps import steps

A, B, C = "192.0.2.1", "198.51.100.7", "203.0.113.9"
"""Two gateways, and one whose log nobody reads."""
COOKIES = "8f1b2c3d4e5f6071:0000000000000000"
ANSWERED = "8f1b2c3d4e5f6071:a1b2c3d4e5f60718"
REFUSES = (f"[{A}] ERROR: failed to get valid proposal.", f"[{A}] ERROR: phase1 negotiation failed.")


def begin(role: str, local: str, peer: str, phase: int = 1) -> str:
    return f"INFO: {role} new phase {phase} negotiation: {local}[500]<=>{peer}[500]"


def listens(local: str) -> str:
    return f"INFO: {local}[500] used as isakmp port (fd=6)"


def timed_out(cookies: str = COOKIES) -> str:
    return f"ERROR: phase1 negotiation failed due to time up. {cookies}"


def tell(engine: Engine, source: str, *lines: str) -> None:
    """Let a gateway's log go on: `08:30:02 INFO: …`."""
    text = "".join(f"2026-01-15 {line.replace(' ', ': ', 1)}\n" for line in lines)
    engine.feed(block(text.encode(), source))
    engine.flush(source)


def gateways(*, catching_up: bool = False) -> Engine:
    engine = Engine(UTC)
    engine.state.two_ends.catching_up = catching_up
    tell(engine, "a", f"08:00:00 {listens(A)}")
    tell(engine, "b", f"08:00:00 {listens(B)}")
    return engine


def stories(engine: Engine) -> list[tuple[int, str, str | None, str | None]]:
    """What failed: phase, peer, reason, and who told it."""
    rows = engine.state.history()["negotiations"]
    return [(one.phase, one.peer, one.reason, one.told_by) for one in rows if one.outcome == "failed"]


def counted(engine: Engine) -> dict[tuple[str, str], int]:
    """Failures by peer and reason, of which the gateways' totals are the sum."""
    of_peers = failures(engine, 1)
    totals: Counter[str] = Counter()
    for racoon in engine.state.racoons.values():
        totals.update({key[2]: count for key, count in racoon.counters.items() if key[:2] == ("gateway_failures", "1")})
    reasons: Counter[str] = Counter()
    for (_, reason), count in of_peers.items():
        reasons[reason] += count
    assert totals == reasons
    return of_peers


def test_silence_takes_the_cause_that_the_other_end_named_before() -> None:
    engine = gateways()
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}")
    tell(engine, "b", f"08:30:00 {begin('respond', B, A)}", *(f"08:30:00 {line}" for line in REFUSES))
    tell(engine, "a", f"08:30:50 {timed_out()}")
    assert (1, B, "proposal_mismatch", "b") in stories(engine)
    assert counted(engine) == {(A, "proposal_mismatch"): 1, (B, "proposal_mismatch"): 1}


def test_all_that_wait_are_counted_however_many_looks_are_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "FEW", 2)
    engine = gateways()
    for number in range(8):
        tell(engine, "a", f"08:30:{number:02} {begin('initiate', A, B)}", f"08:31:{number:02} [{B}] {timed_out()}")
    assert counted(engine) == {}
    tell(engine, "a", "08:40:00 INFO: caught signal 1")
    assert counted(engine) == {(B, "no_response"): 8}


def test_silence_waits_a_minute_for_the_cause_and_counts_once() -> None:
    engine = gateways()
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out()}")
    assert counted(engine) == {}
    assert stories(engine) == [(1, B, "no_response", None)]
    tell(engine, "b", f"08:30:00 {begin('respond', B, A)}", *(f"08:30:00 {line}" for line in REFUSES))
    assert counted(engine) == {(A, "proposal_mismatch"): 1, (B, "proposal_mismatch"): 1}
    tell(engine, "a", "08:50:00 INFO: caught signal 1")
    assert counted(engine) == {(A, "proposal_mismatch"): 1, (B, "proposal_mismatch"): 1}


def test_a_cause_that_comes_late_is_told_and_not_counted_again() -> None:
    engine = gateways()
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out()}", "08:32:00 INFO: caught signal 1")
    assert counted(engine) == {(B, "no_response"): 1}
    tell(engine, "b", f"08:30:00 {begin('respond', B, A)}", *(f"08:30:00 {line}" for line in REFUSES))
    assert counted(engine) == {(B, "no_response"): 1, (A, "proposal_mismatch"): 1}
    assert (1, B, "proposal_mismatch", "b") in stories(engine)


def test_a_peer_whose_log_nobody_reads_keeps_nobody_waiting() -> None:
    engine = gateways()
    tell(engine, "a", f"08:30:00 {begin('initiate', A, C)}", f"08:30:50 {timed_out()}")
    assert counted(engine) == {(C, "no_response"): 1}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((begin("respond", B, C), f"[{C}] ERROR: failed to get valid proposal."), id="with another peer"),
        pytest.param((begin("initiate", B, A), f"[{A}] ERROR: failed to get valid proposal."), id="in the same role"),
        pytest.param((begin("respond", B, A, 2), f"[{A}] ERROR: no proposal chosen."), id="in another phase"),
    ],
)
def test_another_negotiation_s_cause_is_not_taken(lines: tuple[str, str]) -> None:
    engine = gateways()
    tell(engine, "b", *(f"08:30:00 {line}" for line in (*lines, "ERROR: phase1 negotiation failed.")))
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out()}", "08:40:00 INFO: caught signal 1")
    assert (1, B, "no_response", None) in stories(engine)


def test_the_cause_of_another_hour_is_not_taken() -> None:
    engine = gateways()
    tell(engine, "b", f"07:30:00 {begin('respond', B, A)}", *(f"07:30:00 {line}" for line in REFUSES))
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out()}", "08:40:00 INFO: caught signal 1")
    assert (1, B, "no_response", None) in stories(engine)


def test_cookies_tell_more_than_addresses() -> None:
    """Both ends time out; an XAuth failure of other cookies at the same time is another negotiation's."""
    engine = gateways()
    tell(
        engine,
        "b",
        f"08:30:00 {begin('respond', B, A)}",
        "08:30:00 ERROR: couldn't find the pskey.",
        f"08:30:50 {timed_out('8f1b2c3d4e5f6071:ffffffffffffffff')}",
    )
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out(ANSWERED)}")
    engine.finish()
    assert (1, B, "timeout", None) in stories(engine)


def test_two_hosts_of_one_log_are_two_ends() -> None:
    engine = Engine(UTC)
    lines = [
        f"Jan 15 08:30:00 west racoon: {begin('initiate', A, B)}",
        f"Jan 15 08:30:00 east racoon: {begin('respond', B, A)}",
        *(f"Jan 15 08:30:00 east racoon: {line}" for line in REFUSES),
        f"Jan 15 08:30:50 west racoon: {timed_out()}",
    ]
    engine.feed(block("".join(f"{line}\n" for line in lines).encode()))
    engine.finish()
    assert (1, B, "proposal_mismatch", "east") in stories(engine)


def test_while_old_logs_are_read_time_that_passed_in_one_of_them_says_nothing() -> None:
    engine = gateways(catching_up=True)
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out()}", "20:00:00 INFO: caught signal 1")
    assert counted(engine) == {}
    tell(engine, "b", f"08:30:00 {begin('respond', B, A)}", *(f"08:30:00 {line}" for line in REFUSES))
    engine.state.two_ends.caught_up()
    assert counted(engine) == {(A, "proposal_mismatch"): 1, (B, "proposal_mismatch"): 1}


def test_once_all_is_read_what_nobody_could_explain_is_counted() -> None:
    engine = gateways(catching_up=True)
    tell(engine, "a", f"08:30:00 {begin('initiate', A, C)}", f"08:30:50 {timed_out()}")
    tell(engine, "b", f"08:30:00 {begin('initiate', B, A)}", f"08:30:50 {timed_out()}")
    engine.state.two_ends.caught_up()
    assert counted(engine) == {(C, "no_response"): 1}
    tell(engine, "b", "08:32:00 INFO: caught signal 1")
    assert counted(engine) == {(C, "no_response"): 1, (A, "no_response"): 1}


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_restart_in_between_changes_nothing(cut: int) -> None:
    steps = [
        ("a", f"08:30:00 {begin('initiate', A, B)}"),
        ("b", f"08:30:00 {begin('respond', B, A)}"),
        ("a", f"08:30:50 {timed_out()}"),
        ("b", f"08:31:00 {REFUSES[0]}"),
        ("b", f"08:31:00 {REFUSES[1]}"),
        ("a", "08:50:00 INFO: caught signal 1"),
    ]
    engine = gateways()
    for step, (source, line) in enumerate(steps):
        if step == cut:
            saved = json.loads(json.dumps(to_json(engine)))
            engine = Engine(UTC)
            restore(engine, saved)
        tell(engine, source, line)
    assert counted(engine) == {(A, "proposal_mismatch"): 1, (B, "proposal_mismatch"): 1}
    assert (1, B, "proposal_mismatch", "b") in stories(engine)


def test_the_last_failure_of_a_peer_has_the_cause_as_well() -> None:
    engine = gateways()
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}", f"08:30:50 {timed_out()}")
    tell(engine, "b", f"08:30:00 {begin('respond', B, A)}", *(f"08:30:00 {line}" for line in REFUSES))
    peer = next(racoon for racoon in engine.state.racoons.values() if racoon.stream == "a").peers[B]
    assert (peer.phase1_last_reason, peer.phase1_last_told_by) == ("proposal_mismatch", "b")


# recordings: both ends of every scenario

TOLD = {
    "05-psk-missing": {("a", 1, "psk_missing", "b"): 2},
    "06-ph1-auth-mismatch": {("a", 1, "proposal_mismatch", "b"): 1, ("b", 1, "proposal_mismatch", "a"): 1},
    "06-ph1-exchange-mismatch": {("a", 1, "no_config", "b"): 1, ("b", 1, "no_config", "a"): 1},
    "06-ph1-proposal-mismatch": {("a", 1, "proposal_mismatch", "b"): 1, ("b", 1, "proposal_mismatch", "a"): 1},
    "08-no-policy": {("a", 2, "no_policy", "b"): 1},
    "08-no-remote-section": {("b", 1, "no_config", "a"): 1},
    "09-identifier-mismatch-responder": {("a", 1, "id_mismatch", "b"): 1},
    "10-cert-expired": {("b", 2, "certificate_expired", "a"): 1},
    "10-cert-revoked": {("b", 2, "certificate_revoked", "a"): 1},
    "10-cert-unknown-ca": {("b", 2, "certificate_invalid", "a"): 1},
    "14-key-missing": {("a", 1, "signature_invalid", "b"): 1, ("b", 1, "local_config", "a"): 2},
    "old-0.5pre+0.8.2-21-interop-failures": {
        ("a", 1, "proposal_mismatch", "b"): 1,
        ("b", 1, "proposal_mismatch", "a"): 1,
        ("a", 2, "proposal_mismatch", "b"): 1,
    },
    "old-0.5pre-06-ph1-proposal-mismatch": {("a", 1, "proposal_mismatch", "b"): 1},
    "old-0.5pre-22-agg-psk-missing": {("a", 1, "psk_missing", "b"): 1},
    "old-0.6.3-05-psk-missing": {("a", 1, "psk_missing", "b"): 1},
    "old-0.6.3-06-ph1-proposal-mismatch": {("a", 1, "proposal_mismatch", "b"): 1},
    "old-0.6.3-07-ph2-pfs-mismatch": {("a", 2, "proposal_mismatch", "b"): 2},
    "old-0.7.3-06-ph1-proposal-mismatch": {("a", 1, "proposal_mismatch", "b"): 1},
    "old-0.7.3-14-config-errors": {("a", 1, "no_config", "b"): 1},
}
"""What one end tells the other: who did not know, phase, reason, and who told. Where nothing stands, nothing is told."""
BOTH = sorted(path.parent.name for path in LAB.glob("*/a.log") if path.with_name("b.log").exists())


def read_both(logs: Iterable[Path]) -> Engine:
    engine = Engine(UTC)
    engine.state.two_ends.catching_up = True
    for path in logs:
        for part in blocks_of(str(path)):
            engine.feed(part)
    engine.finish()
    return engine


def in_any_order(engine: Engine) -> dict[str, list[str]]:
    """The whole history; what happened at one second stands in the order of reading."""
    return {name: sorted(map(str, rows)) for name, rows in tables(engine.state).items()}


@pytest.mark.parametrize("scenario", BOTH)
def test_each_end_of_a_recording_learns_what_the_other_knows(scenario: str) -> None:
    logs = [LAB / scenario / "a.log", LAB / scenario / "b.log"]
    forwards, backwards = read_both(logs), read_both(reversed(logs))
    assert in_any_order(forwards) == in_any_order(backwards)
    told = Counter(
        (f"{'b' if Path(one.told_by).stem == 'a' else 'a'}", one.phase, one.reason, Path(one.told_by).stem)
        for one in forwards.state.history()["negotiations"]
        if one.told_by is not None
    )
    assert told == TOLD.get(scenario, {})


@pytest.mark.parametrize("scenario", BOTH)
def test_each_failure_of_a_recording_counts_once_under_its_reason(scenario: str) -> None:
    engine = read_both([LAB / scenario / "b.log", LAB / scenario / "a.log"])
    rows = Counter(
        (one.phase, one.peer, one.reason) for one in engine.state.history()["negotiations"] if one.outcome == "failed"
    )
    totals: Counter[tuple[int, str, str | None]] = Counter()
    for racoon in engine.state.racoons.values():
        for peer in racoon.peers.values():
            for key, number in peer.counters.items():
                if key[0] in {"phase1_failures", "phase2_failures"}:
                    totals[int(key[0][5]), peer.address, key[1]] += number
    assert totals == rows


def test_what_is_kept_is_bounded_and_still_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racoon_exporter.sa.two_ends._MOST_KEPT", 3)
    monkeypatch.setattr("racoon_exporter.sa.two_ends._MOST_PEERS", 2)
    engine = gateways(catching_up=True)
    peers = [B, B, B, B, B, "198.51.100.8", "198.51.100.9"]
    for minute, peer in enumerate(peers):
        tell(engine, "a", f"08:{minute:02}:00 {begin('initiate', A, peer)}", f"08:{minute:02}:50 {timed_out()}")
    racoon = next(racoon for racoon in engine.state.racoons.values() if racoon.stream == "a")
    assert len(racoon.failures.uncounted) == 2
    assert sum(counted(engine).values()) == 5
    engine.finish()
    assert counted(engine) == {(B, "no_response"): 5, ("198.51.100.8", "no_response"): 1, ("198.51.100.9", "no_response"): 1}


def test_a_refused_login_is_a_failure_of_the_end_that_refused() -> None:
    engine = gateways()
    up = f"INFO: ISAKMP-SA established {{}}[500]-{{}}[500] spi:{ANSWERED}"
    tell(engine, "b", f"08:30:00 {begin('respond', B, A)}")
    tell(engine, "a", f"08:30:00 {begin('initiate', A, B)}")
    tell(engine, "b", "08:30:01 INFO: Sending Xauth request", f"08:30:01 {up.format(B, A)}")
    tell(engine, "a", f"08:30:01 {up.format(A, B)}")
    tell(engine, "b", '08:30:02 INFO: login failed for user "mallory"')
    assert stories(engine) == [(1, A, "xauth_failed", None)]
    assert failures(engine, 1) == {(A, "xauth_failed"): 1}


# what a line costs


def unexplained(number: int) -> Engine:
    """Many gateways that say they own the same address, and failed with ours without a cause; ours has many addresses."""
    engine = Engine(UTC)
    tell(engine, "ours", *(f"08:00:00 {listens(f'10.{each >> 8}.{each & 255}.1')}" for each in range(number)))
    for each in range(number):
        lines = (listens(B), begin("initiate", B, "10.0.0.1"), timed_out())
        tell(engine, f"other-{each}", *(f"08:00:00 {line}" for line in lines))
    return engine


@pytest.mark.parametrize(
    "lines",
    [
        ("ERROR: exchange Identity Protection not allowed in any applicable rmconf.",),
        (f"[{B}] ERROR: exchange Identity Protection not allowed in any applicable rmconf.",),
        (begin("initiate", A, B), timed_out()),
        (f"[{B}] ERROR: failed to get sainfo.", f"[{B}] ERROR: failed to pre-process ph2 packet (side: 1, status: 1)."),
    ],
    ids=["refusal of nobody", "refusal of a peer", "silence", "phase 2"],
)
def test_a_failure_costs_no_more_where_many_gateways_have_many_addresses(
    lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a thousand gateways and four thousand addresses a line took two seconds."""
    monkeypatch.setattr(two_ends, "_MOST_COMPARED", 32)
    few, many = unexplained(80), unexplained(640)
    costs = [
        steps(lambda engine=engine: tell(engine, "ours", *(f"08:05:00 {line}" for line in lines)))  # type: ignore[misc]
        for engine in (few, many)
    ]
    assert costs[1] < 2 * costs[0]


def test_a_silence_that_gives_way_to_newer_ones_is_told_nothing() -> None:
    engine = gateways()
    more = (f"203.0.{each >> 8}.{each & 255}" for each in range(600))
    for peer in more:
        tell(engine, "c", f"08:30:00 {listens(peer)}")
        tell(engine, "a", f"08:30:00 {begin('initiate', A, peer)}", f"08:30:01 {timed_out()}")
    about = engine.state.two_ends._silent_about
    racoon = next(one for one in engine.state.racoons.values() if one.stream == "a")
    assert about.keys() == {peer for _, peer in racoon.failures.silent}
    engine.state.forget([racoon.key])
    assert not about
