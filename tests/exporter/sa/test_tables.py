"""The state tables hold both ways: each arrow happens, and no event class and no passing of time does anything else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.sa import Knowledge
from racoon_exporter.sa.findings import Findings, believed, take_findings
from racoon_exporter.sa.handlers import HANDLERS
from racoon_exporter.sa.model import Negotiation
from racoon_exporter.sa.tables import (
    ALIVE,
    IPSEC,
    IPSEC_EVENTS,
    ISAKMP,
    ISAKMP_EVENTS,
    NEGOTIATION,
    NEGOTIATION_EVENTS,
    Cause,
    move,
)
from racoon_parsers.events import EVENT_TYPES
from tests.exporter.reading import BANNER, I1, I3, LISTENS, L, P, Q, ipsec, knowing, negotiations, phase1, sa, start, told, up

SHUTDOWN = "INFO: racoon process 7 shutdown"
QUEUED = f"INFO: IPsec-SA request for {P} queued due to no phase1 found."
ASKED = "INFO: Sending Xauth request"
REFUSED = 'INFO: login failed for user "mallory"'
KERNEL = "ERROR: pfkey update failed."
RENEWED = f"INFO: renegotiating phase1 to {P} due to active phase2"
NO_PHASE1 = f"[{P}] ERROR: phase2 negotiation failed due to time up waiting for phase1. ESP {P}[0]->{L}[0] "

LINES = {
    "auth_failed": "WARNING: Signature verification failed: data mismatch",
    "cert_error": "ERROR: certificate has expired(10) at depth:0 SubjectName:/CN=x",
    "id_mismatch": "ERROR: Expecting IP address type in main mode, but FQDN.",
    "no_config": f"ERROR: no configuration found for {P}.",
    "no_policy": "ERROR: no policy found for spid:7.",
    "proposal_mismatch": f"[{P}] ERROR: failed to get valid proposal.",
    "malformed_packet": "ERROR: attr AUTH must be present for AH.",
    "unexpected_packet": "ERROR: Invalid payload type=99",
    "notify_received": f"[{P}] ERROR: notification NO-PROPOSAL-CHOSEN received in informational exchange.",
    "xauth_error": "ERROR: No more addresses available",
    "kernel_error": KERNEL,
    "crypto_error": "ERROR: key length is not allowed",
    "negotiation_error": "ERROR: failed to get CR.",
    "phase1_start": start(),
    "phase1_mode": "INFO: begin Identity Protection mode.",
    "phase1_established": up(),
    "phase1_rekey": RENEWED,
    "phase1_expired": f"INFO: ISAKMP-SA expired {L}[500]-{P}[500] spi:{I1}",
    "phase1_purge": f"INFO: purging ISAKMP-SA spi={I1}.",
    "phase1_purged": f"INFO: purged ISAKMP-SA spi={I1}.",
    "phase1_deleted": f"INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}",
    "phase1_failed": f"[{P}] ERROR: phase1 negotiation failed.",
    "phase2_queued": QUEUED,
    "phase2_start": start(phase=2),
    "phase2_failed": NO_PHASE1,
    "phase2_expired": "WARNING: PF_KEY EXPIRE message received from kernel for SA being negotiated. Stopping negotiation.",
    "phase2_rekey": f"[{P}] ERROR: failed to begin ipsec sa re-negotication.",
    "ipsec_sa_established": sa(1001),
    "ipsec_sa_expired": sa(1001, event="expired", inbound=True),
    "ipsec_sa_purged": "INFO: purged IPsec-SA spi=1001.",
    "ipsec_sa_deleted": f"ERROR: pfkey DELETE received: ESP {P}[500]->{L}[500] spi=1001(0x3e9)",
    "dpd_dead": f"[{P}] INFO: DPD: remote (ISAKMP-SA spi={I1}) seems to be dead.",
    "initial_contact": f"[{P}] INFO: received INITIAL-CONTACT",
    "admin_command": f"INFO: Flushing all SAs for peer {P}",
    "nat_detection": "INFO: NAT detected: ME PEER",
    "natt_info": f"INFO: NAT-T: ports changed to: {P}[4500]<->{L}[4500]",
    "xauth_start": ASKED,
    "xauth_login_ok": 'INFO: login succeeded for user "alice"',
    "xauth_login_failed": REFUSED,
    "config_error": "ERROR: fatal parse failure (1 errors)",
    "daemon_start": BANNER,
    "daemon_listen": LISTENS,
    "daemon_shutdown": SHUTDOWN,
    "daemon_signal": "INFO: caught signal 15",
}
"""A line of each class, about the peer, cookies and SPI of the stories where it is about any."""


class Machine(NamedTuple):
    """A kind of thing that has states."""

    table: Mapping[Any, Mapping[Any, str]]
    causes: Mapping[Any, Cause]
    look: Callable[[Engine], Sequence[Any]]


class Story(NamedTuple):
    """Lines that lead to a state; the last of them comes at 08:54."""

    lines: tuple[str, ...]
    knowledge: Knowledge | None = None


NEGOTIATIONS = Machine(NEGOTIATION, NEGOTIATION_EVENTS, negotiations)
ISAKMP_SAS = Machine(ISAKMP, ISAKMP_EVENTS, phase1)
IPSEC_SAS = Machine(IPSEC, IPSEC_EVENTS, ipsec)
MACHINES = {"negotiation": NEGOTIATIONS, "ISAKMP SA": ISAKMP_SAS, "IPsec SA": IPSEC_SAS}

AN_HOUR = knowing(P, phase1_lifetime=3600)
HALF_AN_HOUR = knowing(P, lifetime=1800)
STORIES: dict[tuple[str, str], tuple[Story, ...]] = {
    ("negotiation", "waiting"): (Story((f"08:54:00 {QUEUED}",)),),
    ("negotiation", "negotiating"): (
        Story((f"08:54:00 {start()}",)),
        Story((f"08:54:00 {start('respond')}",)),
        Story((f"08:54:00 {start(phase=2)}",)),
        Story((f"08:54:00 {start('respond', phase=2)}",)),
        Story((f"08:54:00 {start(phase=2)}", f"08:54:00 {sa(2002)}")),
        Story((f"08:54:00 {start(phase=2)}", f"08:54:00 {sa(2002)}", f"08:54:00 {KERNEL}")),
    ),
    ("negotiation", "established"): (
        Story((f"08:54:00 {start('respond')}", f"08:54:00 {ASKED}", f"08:54:00 {up()}")),
        Story((f"08:54:00 {start(phase=2)}", f"08:54:00 {sa(2002)}", f"08:54:00 {sa(3003)}")),
    ),
    ("negotiation", "failed"): (Story((f"08:53:00 {start()}", f"08:54:00 [{P}] ERROR: phase1 negotiation failed.")),),
    ("negotiation", "abandoned"): (Story((f"08:53:00 {start()}", f"08:54:00 {SHUTDOWN}")),),
    ("ISAKMP SA", "established"): (
        Story((f"08:54:00 {up()}",)),
        Story((f"08:54:00 {ASKED}", f"08:54:00 {up()}")),
        Story((f"08:54:00 {up()}",), AN_HOUR),
    ),
    ("ISAKMP SA", "dying"): (
        Story((f"08:30:00 {up()}", f"08:54:00 {RENEWED}")),
        Story((f"08:30:00 {ASKED}", f"08:30:00 {up()}", f"08:54:00 {RENEWED}")),
        Story((f"08:30:00 {up()}", f"08:54:00 {RENEWED}"), AN_HOUR),
    ),
    ("ISAKMP SA", "purging"): (
        Story((f"08:30:00 {up()}", f"08:54:00 INFO: purging ISAKMP-SA spi={I1}.")),
        Story((f"08:30:00 {ASKED}", f"08:30:00 {up()}", f"08:54:00 INFO: purging ISAKMP-SA spi={I1}.")),
    ),
    ("ISAKMP SA", "ended"): (
        Story((f"08:53:00 {up()}", f"08:54:00 INFO: ISAKMP-SA expired {L}[500]-{P}[500] spi:{I1}")),
        Story((f"07:30:00 {up()}", f"08:54:00 {LISTENS}"), AN_HOUR),
    ),
    ("IPsec SA", "mature"): (Story((f"08:54:00 {sa(1001)}",)), Story((f"08:54:00 {sa(1001)}",), HALF_AN_HOUR)),
    ("IPsec SA", "dying"): (
        Story((f"08:30:00 {sa(1001)}", f"08:54:00 {sa(1001, event='expired', inbound=True)}")),
        Story((f"08:30:00 {sa(1001)}", f"08:54:00 {sa(1001, event='expired', inbound=True)}"), HALF_AN_HOUR),
    ),
    ("IPsec SA", "ended"): (
        Story((f"08:30:00 {sa(1001)}", "08:54:00 INFO: purged IPsec-SA spi=1001.")),
        Story((f"07:30:00 {sa(1001)}", f"08:54:00 {LISTENS}"), HALF_AN_HOUR),
    ),
}
NOON = 1768478400.0
NAMELESS = "ERROR: phase1 negotiation failed due to time up. 8f1b2c3d4e5f6071:0000000000000000"
LATER: dict[tuple[str, str, str], Story] = {
    ("negotiation", "negotiating", "failed"): Story(
        (f"08:54:00 {start()}", f"08:54:00 {start(peer=Q)}", f"08:54:50 {NAMELESS}", f"08:55:00 {up(I3, Q)}")
    ),
    ("negotiation", "negotiating", "half_left"): Story(
        (f"08:54:00 {start(phase=2)}", f"08:54:00 {sa(2002)}", f"08:54:40 {sa(1001)}")
    ),
    ("negotiation", "negotiating", "half_failed"): Story(
        (f"08:54:00 {start(phase=2)}", f"08:54:00 {sa(2002)}", f"08:54:00 {KERNEL}", f"08:54:40 {sa(1001)}")
    ),
    ("ISAKMP SA", "established", "flushed"): Story((f"08:54:00 {up()}", f"08:54:01 INFO: Flushing SA for {L} -> {P}")),
    ("ISAKMP SA", "dying", "flushed"): Story(
        (f"08:30:00 {up()}", f"08:54:00 {RENEWED}", f"08:54:01 INFO: Flushing SA for {L} -> {P}")
    ),
    ("ISAKMP SA", "purging", "flushed"): Story(
        (
            f"08:30:00 {up()}",
            f"08:54:00 INFO: purging ISAKMP-SA spi={I1}.",
            f"08:54:01 INFO: Flushing SA for {L} -> {P}",
        )
    ),
    ("ISAKMP SA", "established", "crowded_out"): Story((f"08:54:00 {up()}", f"08:54:01 {up(I3)}")),
    ("ISAKMP SA", "dying", "crowded_out"): Story((f"08:30:00 {up()}", f"08:54:00 {RENEWED}", f"08:54:01 {up(I3)}")),
    ("ISAKMP SA", "purging", "crowded_out"): Story(
        (f"08:30:00 {up()}", f"08:54:00 INFO: purging ISAKMP-SA spi={I1}.", f"08:54:01 {up(I3)}")
    ),
    ("IPsec SA", "mature", "crowded_out"): Story((f"08:54:00 {sa(1001)}", f"08:54:01 {sa(2002)}")),
    ("IPsec SA", "dying", "crowded_out"): Story(
        (f"08:30:00 {sa(1001)}", f"08:54:00 {sa(1001, event='expired', inbound=True)}", f"08:54:01 {sa(2002)}")
    ),
    ("IPsec SA", "mature", "hard_expired"): Story(
        (f"08:24:00 {sa(1001)}", f"08:50:00 {BANNER}", f"08:54:00 {sa(1001, event='expired', inbound=True)}"), HALF_AN_HOUR
    ),
}
"""Arrows that need more than one line, or more time, after the state was reached."""


BY: dict[str, Callable[[Cause], bool]] = {
    "lines": lambda cause: bool(cause.classes),
    "time": lambda cause: cause.by_time,
    "a witness": lambda cause: cause.by_witness,
}


def arrows(by: str) -> list[object]:
    return [
        pytest.param(name, state, event, following, id=f"{name}: {state} {event}")
        for name, machine in MACHINES.items()
        for state, events in machine.table.items()
        for event, following in events.items()
        if BY[by](machine.causes[event])
    ]


def before(story: Story) -> Engine:
    return told(f"07:00:00 {BANNER}", *story.lines, knowledge=story.knowledge)


def first(machine: Machine, engine: Engine) -> str:
    """The state of the thing that the story is about; later ones may have begun before the first line."""
    found = [one for one in machine.look(engine) if machine is not NEGOTIATIONS or one.begun is not None]
    state: str = found[0].state
    return state


def reachable(machine: Machine, state: str, allows: Callable[[Cause], bool]) -> set[str]:
    """The states that a line, or time, may lead to: what is brought back to life may move on at once."""
    arrows = {event: following for event, following in machine.table[state].items() if allows(machine.causes[event])}
    back = reachable(machine, arrows["heard_of"], allows) if "heard_of" in arrows else set()
    return {*arrows.values(), *back}


def after(name: str, story: Story, *lines: str) -> str:
    return first(MACHINES[name], told(*lines, engine=before(story)))


@pytest.mark.parametrize(("name", "state"), STORIES)
def test_the_stories_lead_to_their_states(name: str, state: str) -> None:
    assert {first(MACHINES[name], before(story)) for story in STORIES[name, state]} == {state}


@pytest.mark.parametrize(("name", "state", "event", "following"), arrows("lines"))
def test_a_line_moves_it_as_the_table_says(
    name: str, state: str, event: str, following: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if event == "crowded_out":
        monkeypatch.setattr("racoon_exporter.sa.negotiations.MOST_UNDER_WAY", 1)
        monkeypatch.setattr("racoon_exporter.sa.isakmp.IsakmpSas.most_of_peer", 1)
        monkeypatch.setattr("racoon_exporter.sa.ipsec.IpsecSas.most_of_peer", 1)
    classes = MACHINES[name].causes[event].classes
    told_by = {
        after(name, story, f"08:54:01 {LINES[kind]}", "08:54:10 INFO: received Vendor ID: DPD")
        for story in STORIES[name, state]
        for kind in classes
    }
    later = LATER.get((name, state, event))
    told_by |= set() if later is None else {first(MACHINES[name], before(later))}
    onwards = reachable(MACHINES[name], following, lambda cause: bool(set(cause.classes) & set(classes)))
    assert told_by & ({following} | (onwards - {state} if event == "heard_of" else set()))


@pytest.mark.parametrize(("name", "state", "event", "following"), arrows("time"))
def test_time_moves_it_as_the_table_says(name: str, state: str, event: str, following: str) -> None:
    assert following in {after(name, story, f"20:54:01 {LISTENS}") for story in STORIES[name, state]}, event


def witnessed_gone(story: Story) -> Engine:
    """What is left after a witness saw none of the SAs there were."""
    engine = before(story)
    (racoon,) = engine.state.racoons.values()
    known = believed(racoon)
    gone = Findings(known.gateway, dict.fromkeys(known.ipsec, NOON), vanished_isakmp=dict.fromkeys(known.isakmp, NOON))
    take_findings(racoon, gone)
    return engine


@pytest.mark.parametrize(("name", "state", "event", "following"), arrows("a witness"))
def test_a_witness_moves_it_as_the_table_says(name: str, state: str, event: str, following: str) -> None:
    assert {first(MACHINES[name], witnessed_gone(story)) for story in STORIES[name, state]} == {following}, event


@pytest.mark.parametrize(("name", "state"), STORIES)
def test_a_witness_does_nothing_that_the_table_does_not_say(name: str, state: str) -> None:
    machine = MACHINES[name]
    allowed = {following for event, following in machine.table[state].items() if machine.causes[event].by_witness}
    for story in STORIES[name, state]:
        assert first(machine, witnessed_gone(story)) in (allowed or {state})


@pytest.mark.parametrize("kind", HANDLERS)
@pytest.mark.parametrize(("name", "state"), STORIES)
def test_no_line_does_what_the_table_does_not_say(name: str, state: str, kind: str) -> None:
    assert kind in LINES, f"give a line of the class {kind} to LINES"
    machine = MACHINES[name]
    allowed = reachable(machine, state, lambda cause: kind in cause.classes)
    for story in STORIES[name, state]:
        assert after(name, story, f"08:54:01 {LINES[kind]}") in allowed | {state}


@pytest.mark.parametrize(("name", "state"), STORIES)
def test_time_does_nothing_that_the_table_does_not_say(name: str, state: str) -> None:
    machine = MACHINES[name]
    allowed = reachable(machine, state, lambda cause: cause.by_time)
    for story in STORIES[name, state]:
        assert after(name, story, f"20:54:01 {LISTENS}") in allowed | {state}


@pytest.mark.parametrize("kind", LINES)
def test_the_line_of_a_class_is_one(kind: str) -> None:
    assert [key[2] for key in told(f"08:00:00 {LINES[kind]}").messages] == [kind]


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_every_event_has_its_cause_and_its_arrows(machine: Machine) -> None:
    used = {event for events in machine.table.values() for event in events}
    assert used == set(machine.causes)
    assert {kind for cause in machine.causes.values() for kind in cause.classes} <= set(EVENT_TYPES)
    assert {following for events in machine.table.values() for following in events.values()} <= set(machine.table)


def test_an_sa_is_alive_until_it_has_ended() -> None:
    assert {*ISAKMP, *IPSEC} - {"ended"} == set(ALIVE)


def test_an_event_that_a_state_does_not_know_changes_nothing() -> None:
    negotiation = Negotiation(1, "", None, P, None, None, None, state="established")
    assert not move(NEGOTIATION, negotiation, "came_up")
    assert negotiation.state == "established"
