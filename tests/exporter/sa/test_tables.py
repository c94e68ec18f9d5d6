"""Every arrow of the state tables happens: the lines that lead to a state, then the line of the event, give the next state."""

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.sa.tables import ALIVE, IPSEC_TRANSITIONS, ISAKMP_TRANSITIONS, NEGOTIATION_TRANSITIONS
from tests.exporter.reading import BANNER, I1, L, P, ipsec, negotiations, phase1, read_lines, sa, start, up

SHUTDOWN = "INFO: racoon process 7 shutdown"
QUEUED = f"INFO: IPsec-SA request for {P} queued due to no phase1 found."
RUNS = f"08:00:00 {BANNER}"

ISAKMP_STATES = {
    "established": ("08:30:00 INFO: Sending Xauth request", f"08:30:00 {up()}"),
    "dying": (f"08:30:00 {up()}", f"08:54:00 INFO: renegotiating phase1 to {P} due to active phase2"),
    "purging": (f"08:30:00 {up()}", f"08:54:00 INFO: purging ISAKMP-SA spi={I1}."),
}
ISAKMP_EVENTS = {
    "phase1_rekey": f"INFO: renegotiating phase1 to {P} due to active phase2",
    "phase1_purge": f"INFO: purging ISAKMP-SA spi={I1}.",
    "phase1_purged": f"INFO: purged ISAKMP-SA spi={I1}.",
    "phase1_expired": f"INFO: ISAKMP-SA expired {L}[500]-{P}[500] spi:{I1}",
    "phase1_deleted": f"INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}",
    "xauth_login_failed": 'INFO: login failed for user "mallory"',
    "daemon_signal": "INFO: caught signal 15",
    "daemon_shutdown": SHUTDOWN,
    "daemon_start": BANNER,
}
IPSEC_STATES = {
    "mature": (f"08:30:00 {sa(1001)}",),
    "dying": (f"08:30:00 {sa(1001)}", f"08:54:00 {sa(1001, event='expired', inbound=True)}"),
}
IPSEC_EVENTS = {
    "ipsec_sa_expired": sa(1001, event="expired", inbound=True),
    "ipsec_sa_purged": "INFO: purged IPsec-SA spi=1001.",
    "ipsec_sa_deleted": f"ERROR: pfkey DELETE received: ESP {P}[500]->{L}[500] spi=1001(0x3e9)",
    "daemon_signal": "INFO: caught signal 2",
    "daemon_shutdown": SHUTDOWN,
}
NEGOTIATION_STORIES = {
    ("waiting", "phase2_start"): (QUEUED, start(phase=2)),
    ("waiting", "phase2_failed"): (
        QUEUED,
        f"[{P}] ERROR: phase2 negotiation failed due to time up waiting for phase1. ESP {P}[0]->{L}[0] ",
    ),
    ("waiting", "phase2_expired"): (
        QUEUED,
        "WARNING: PF_KEY EXPIRE message received from kernel for SA being negotiated. Stopping negotiation.",
    ),
    ("waiting", "phase2_rekey"): (QUEUED, f"[{P}] ERROR: failed to begin ipsec sa re-negotication."),
    ("waiting", "daemon_shutdown"): (QUEUED, SHUTDOWN),
    ("negotiating", "phase1_established"): (start(), up()),
    ("negotiating", "ipsec_sa_established"): (start(phase=2), sa(1001), sa(2002)),
    ("negotiating", "phase1_failed"): (start(), f"[{P}] ERROR: phase1 negotiation failed."),
    ("negotiating", "phase2_failed"): (start(phase=2), f"ERROR: {P} give up to get IPsec-SA due to time up to wait."),
    ("negotiating", "daemon_shutdown"): (start(), SHUTDOWN),
    ("established", "xauth_login_failed"): (
        start("respond"),
        "INFO: Sending Xauth request",
        up(),
        'INFO: login failed for user "mallory"',
    ),
}


def arrows(table: dict[str, dict[str, str]]) -> list[object]:
    return [
        pytest.param(state, event, following, id=f"{state} {event} {following}")
        for state, events in table.items()
        for event, following in events.items()
    ]


def run(*lines: str) -> Engine:
    return read_lines(RUNS, *lines)


@pytest.mark.parametrize(("state", "event", "following"), arrows(ISAKMP_TRANSITIONS))
def test_an_isakmp_sa_moves_as_the_table_says(state: str, event: str, following: str) -> None:
    engine = run(*ISAKMP_STATES[state])
    assert [one.state for one in phase1(engine)] == [state]
    read_lines(f"08:54:01 {ISAKMP_EVENTS[event]}", engine=engine)
    assert [one.state for one in phase1(engine)] == [following]


@pytest.mark.parametrize(("state", "event", "following"), arrows(IPSEC_TRANSITIONS))
def test_an_ipsec_sa_moves_as_the_table_says(state: str, event: str, following: str) -> None:
    engine = run(*IPSEC_STATES[state])
    assert [one.state for one in ipsec(engine)] == [state]
    read_lines(f"08:54:01 {IPSEC_EVENTS[event]}", engine=engine)
    assert [one.state for one in ipsec(engine)] == [following]


@pytest.mark.parametrize(("state", "event", "following"), arrows(NEGOTIATION_TRANSITIONS))
def test_a_negotiation_moves_as_the_table_says(state: str, event: str, following: str) -> None:
    *before, last = (f"08:30:00 {line}" for line in NEGOTIATION_STORIES[state, event])
    engine = run(*before)
    assert [one.state for one in negotiations(engine)] == [state]
    read_lines(last, engine=engine)
    assert [one.state for one in negotiations(engine)] == [following]


def test_what_the_tables_do_not_name_changes_nothing() -> None:
    for state, lines in ISAKMP_STATES.items():
        for event, line in ISAKMP_EVENTS.items():
            if event not in ISAKMP_TRANSITIONS[state]:
                engine = read_lines(f"08:54:01 {line}", engine=run(*lines))
                assert [one.state for one in phase1(engine)] == [state], (state, event)


def test_states_that_are_alive_are_those_with_arrows() -> None:
    assert set(ALIVE) == set(ISAKMP_TRANSITIONS) | set(IPSEC_TRANSITIONS)
