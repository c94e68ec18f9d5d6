"""How it is with each peer now, in metrics: since when, why, and the totals of a gateway, held against `history`."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import OwnState, Samples, collect
from racoon_exporter.sa import Expectation, Knowledge
from racoon_exporter.sa.model import IpsecSa, IsakmpSa
from tests.exporter.reading import (
    I1,
    I2,
    LAB,
    L,
    P,
    Q,
    failures,
    ipsec,
    knowing,
    lab_logs,
    peer_of,
    phase1,
    read_lines,
    read_logs,
    start,
    told,
    up,
)
from tests.exporter.reading import sa as ipsec_line

HOSTS = sorted((path.parent.name, path.name[0]) for path in LAB.glob("*/[ab].log") if path.parent.name != "28-clock-and-dst")
"""Every recorded host but those whose clock steps back, where the last change is not the one of the latest time."""
SINCE = "racoon_phase{}_state_since_timestamp_seconds"


def at(clock: str) -> float:
    return datetime.fromisoformat(f"2026-01-15T{clock}+00:00").timestamp()


def samples_of(engine: Engine) -> Samples:
    return collect(engine, OwnState())[0]


def since(engine: Engine, phase: int, peer: str = P) -> float | None:
    return samples_of(engine).values[SINCE.format(phase)].get(("", peer))


def changes(spans: Iterable[tuple[float, float | None, str]], needed: Sequence[str]) -> list[tuple[float, bool]]:
    """Say when a phase came up and went down: up while an SA of each needed direction is alive."""
    moments = sorted({time for begin, end, _ in spans for time in (begin, end) if time is not None})
    found: list[tuple[float, bool]] = []
    for moment in moments:
        come = {way for begin, end, way in spans if begin <= moment and (end is None or end >= moment)}
        stay = {way for begin, end, way in spans if begin <= moment and (end is None or end > moment)}
        for alive in (come, stay):  # an SA may end within its second
            is_up = alive.issuperset(needed)
            if is_up != (bool(found) and found[-1][1]):
                found.append((moment, is_up))
    return found


@pytest.mark.parametrize(("name", "host"), HOSTS)
def test_since_when_is_what_history_says(name: str, host: str) -> None:
    """The last change of each phase follows from the SAs of `history`, as far as a time of theirs is not mended later."""
    engine = read_logs(lab_logs(name, host), finish=False)
    samples = samples_of(engine)
    isakmp: list[IsakmpSa] = list(phase1(engine))
    sas: list[IpsecSa] = list(ipsec(engine))
    for gateway, peer in samples.values["racoon_phase1_up"]:
        spans = [(one.established, one.ended, "") for one in isakmp if one.peer == peer and one.established is not None]
        pairs = [(one.established, one.ended, one.direction or "") for one in sas if one.peer == peer and one.established]
        for phase, told_changes in ((1, changes(spans, [""])), (2, changes(pairs, ["in", "out"]))):
            shown = samples.values[SINCE.format(phase)].get((gateway, peer))
            is_up = samples.values[f"racoon_phase{phase}_up"][gateway, peer]
            assert (shown, bool(is_up)) == (told_changes[-1] if told_changes else (None, False))


def test_a_rekey_leaves_the_time_at_which_the_peer_came_up() -> None:
    engine = told(f"08:00:00 {up()}", f"08:00:01 {ipsec_line(1)}", f"08:00:01 {ipsec_line(2)}")
    told(f"08:30:00 {up(I2)}", f"08:30:01 {ipsec_line(3)}", f"08:30:01 {ipsec_line(4)}", engine=engine)
    assert since(engine, 1) == at("08:00:00")
    assert since(engine, 2) == at("08:00:01")


def test_an_expected_peer_that_never_was_up_is_down_since_the_log_begins() -> None:
    engine = read_lines(f"08:00:00 {start()}", f"09:00:00 {start()}", knowledge=knowing(P, Q))
    assert [since(engine, phase, peer) for phase in (1, 2) for peer in (P, Q)] == [at("08:00:00")] * 4


def test_of_a_stranger_that_never_was_up_it_is_not_said_since_when() -> None:
    assert since(read_lines(f"08:00:00 {start()}"), 2) is None


def test_nothing_is_said_before_the_first_line() -> None:
    assert since(Engine(UTC, knowledge=knowing(P)), 2) is None


def test_a_name_of_two_addresses_is_up_with_either_and_down_since_the_last() -> None:
    both = Knowledge({P: Expectation("hq"), Q: Expectation("hq")}, None)
    engine = told(f"08:00:00 {up(I1, P)}", f"08:10:00 {up(I2, Q)}", knowledge=both)
    assert since(engine, 1, "hq") == at("08:00:00")
    told(f"08:20:00 INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{I1}", engine=engine)
    assert since(engine, 1, "hq") == at("08:10:00")
    told(f"08:30:00 INFO: ISAKMP-SA deleted {L}[500]-{Q}[500] spi:{I2}", engine=engine)
    assert since(engine, 1, "hq") == at("08:30:00")


def test_a_name_of_two_addresses_has_one_reason() -> None:
    both = Knowledge({P: Expectation("hq"), Q: Expectation("hq")}, None)
    engine = read_lines(
        *(
            f"08:0{minute}:00 {line}"
            for minute, peer in enumerate((P, Q))
            for line in (
                start("respond", peer),
                f"[{peer}] ERROR: no suitable proposal found." if peer == Q else f"ERROR: couldn't find the pskey for {P}.",
                f"[{peer}] ERROR: failed to get valid proposal.",
                f"[{peer}] ERROR: failed to pre-process ph1 packet (side: 1, status 1).",
                f"[{peer}] ERROR: phase1 negotiation failed.",
            )
        ),
        knowledge=both,
    )
    assert {address for address, _ in failures(engine, 1)} == {P, Q}
    assert samples_of(engine).values["racoon_peer_reason"] == {("", "hq", "1", "proposal_mismatch"): 1}


def test_a_state_file_of_an_older_version_tells_of_an_sa_that_is_alive() -> None:
    engine = told(f"08:00:00 {up()}")
    kept = json.loads(json.dumps(to_json(engine)))
    for field in ("phase1_up", "phase1_since"):
        del kept["state"]["racoons"][0]["peers"]["peers"][0][field]
    resumed = Engine(UTC)
    restore(resumed, kept)
    assert since(resumed, 1) == at("08:00:00")


@pytest.mark.parametrize("path", sorted(LAB.glob("*/a.log")), ids=lambda path: str(path.parent.name))
def test_the_totals_of_a_gateway_are_those_of_its_peers(path: Path) -> None:
    engine = read_logs([path])
    values = samples_of(engine).values
    for phase in (1, 2):
        of_reason: dict[str, float] = {}
        for (_, reason), number in failures(engine, phase).items():
            of_reason[reason] = of_reason.get(reason, 0) + number
        shown = {labels[2]: value for labels, value in values["racoon_gateway_failures"].items() if labels[1] == str(phase)}
        assert {reason: value for reason, value in shown.items() if value} == of_reason
    assert sum(values["racoon_gateway_flaps"].values()) == sum(values["racoon_phase2_flaps"].values())


def test_the_last_negotiation_that_came_up_tells_how_long_it_took() -> None:
    engine = told(f"08:00:00 {start()}", f"08:00:03 {up()}")
    assert samples_of(engine).values["racoon_phase1_last_negotiation_duration_seconds"] == {("", P): 3.0}
    assert peer_of(engine).phase1_duration == 3.0
