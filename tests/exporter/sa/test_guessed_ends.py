"""A log that begins in mid-life: which end is ours follows from the pair, and from whatever line proves it later."""

import json
from datetime import UTC

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from tests.exporter.reading import LAB, block, ipsec, told

G, A, B = "192.0.2.1", "198.51.100.7", "203.0.113.9"
"""A gateway and two peers."""


def arrow(source: str, destination: str, spi: int, *, port: str = "[500]", event: str = "established") -> str:
    return f"INFO: IPsec-SA {event}: ESP/Tunnel {source}{port}->{destination}{port} spi={spi}(0x{spi:x})"


OLD = (arrow(A, G, 1001), arrow(G, A, 2002))
NEW = (arrow(G, A, 1001), arrow(G, A, 2002))


def sas(engine: Engine) -> list[tuple[int, str | None, str, str, str]]:
    return sorted((sa.spi, sa.direction, sa.peer, sa.source, sa.destination) for sa in ipsec(engine))


TRUE = [(1001, "in", A, A, G), (2002, "out", A, G, A)]


def peers(engine: Engine) -> dict[str, bool]:
    (racoon,) = engine.state.racoons.values()
    return {peer.address: peer.phase2_up for peer in racoon.peers.values()}


@pytest.mark.parametrize("port", ["[500]", "[4500]", ""], ids=["ports", "NAT-T", "no ports"])
@pytest.mark.parametrize("old", [True, False], ids=["old style", "new style"])
def test_a_pair_of_one_second_tells_which_end_is_ours(old: bool, port: str) -> None:  # noqa: FBT001 - a table's case
    first = arrow(A, G, 1001, port=port) if old else arrow(G, A, 1001, port=port)
    engine = told(f"08:30:00 {first}", f"08:30:00 {arrow(G, A, 2002, port=port)}")
    assert sas(engine) == TRUE
    assert peers(engine) == {A: True}


@pytest.mark.parametrize(
    "head",
    [
        "2026-01-15 08:30:00: ",
        "Jan 15 08:30:00 gw racoon: ",
        "Jan 15 08:30:00 gw racoon[417]: ",
        "<29>Jan 15 08:30:00 gw racoon: ",
        "2026-01-15T08:30:00+00:00 gw racoon: ",
        "Foreground mode.\n",
    ],
)
def test_under_every_head(head: str) -> None:
    engine = Engine(UTC)
    engine.feed(block("".join(f"{head}{line}\n" for line in OLD).encode()))
    engine.finish()
    assert sas(engine) == TRUE


def test_several_peers_from_the_first_line() -> None:
    others = (arrow(B, G, 3003), arrow(G, B, 4004))
    engine = told(*(f"08:30:00 {line}" for line in (*OLD, *others)))
    assert sas(engine) == [*TRUE, (3003, "in", B, B, G), (4004, "out", B, G, B)]
    assert peers(engine) == {A: True, B: True}


def test_a_bundle_is_two_pairs() -> None:
    lines = [line.replace("ESP", protocol) for line in OLD for protocol in ("AH", "ESP")]
    engine = told(*(f"08:30:00 {line}" for line in lines))
    assert sorted({(sa.protocol, sa.direction, sa.peer) for sa in ipsec(engine)}) == [
        ("ah", "in", A),
        ("ah", "out", A),
        ("esp", "in", A),
        ("esp", "out", A),
    ]


def test_two_phase_2_of_one_second_are_two_pairs() -> None:
    lines = (arrow(A, G, 1001), arrow(A, G, 3003), arrow(G, A, 2002), arrow(G, A, 4004))
    engine = told(*(f"08:30:00 {line}" for line in lines))
    assert sas(engine) == [*TRUE, (3003, "in", A, A, G), (4004, "out", A, G, A)]
    assert peers(engine) == {A: True}


LATER = [
    pytest.param(f"INFO: {G}[500] used as isakmp port (fd=6)", id="sockets"),
    pytest.param(f"INFO: initiate new phase 2 negotiation: {G}[500]<=>{A}[500]", id="a start"),
    pytest.param(f"INFO: ISAKMP-SA established {G}[500]-{A}[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718", id="a phase 1"),
    pytest.param(f"INFO: ISAKMP-SA expired {G}[500]-{A}[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718", id="the end of one"),
]


@pytest.mark.parametrize("line", LATER)
def test_a_later_line_mends_what_was_guessed(line: str) -> None:
    """The two lines of the pair stand apart, so that they tell nothing."""
    engine = told(f"08:30:00 {OLD[0]}")
    assert peers(engine) == {G: False}
    told(f"08:35:00 {line}", f"08:40:00 {OLD[1]}", engine=engine)
    assert sas(engine) == TRUE
    assert peers(engine) == {A: True}


@pytest.mark.parametrize("line", LATER)
def test_what_is_over_is_mended_as_well_and_counted_for_the_right_peer(line: str) -> None:
    engine = told(
        f"08:30:00 {OLD[0]}",
        "08:31:00 INFO: purged IPsec-SA spi=1001.",
        f"08:35:00 {line}",
    )
    assert sas(engine) == TRUE[:1]
    (racoon,) = engine.state.racoons.values()
    assert G not in racoon.peers
    assert racoon.peers[A].counters["ipsec_sa_ended", "purged"] == 1


@pytest.mark.parametrize("line", LATER)
def test_a_right_guess_stays(line: str) -> None:
    engine = told(f"08:30:00 {NEW[0]}", f"08:35:00 {line}", f"08:40:00 {arrow(A, G, 1001, event='expired')}")
    assert sas(engine) == TRUE[:1]
    assert peers(engine) == {A: False}


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_restart_in_between_changes_nothing(cut: int) -> None:
    lines = [f"08:30:00 {OLD[0]}", f"08:30:30 {arrow(B, G, 3003)}", f"08:35:00 INFO: {G}[500] used as isakmp port (fd=6)"]
    saved = json.loads(json.dumps(to_json(told(*lines[:cut]))))
    engine = Engine(UTC)
    restore(engine, saved)
    told(*lines[cut:], engine=engine)
    assert sas(engine) == [*TRUE[:1], (3003, "in", B, B, G)]
    assert peers(engine) == {A: False, B: False}


def test_phase_2_that_came_up_is_counted_once_for_its_peer() -> None:
    engine = told(*(f"08:30:00 {line}" for line in OLD))
    (racoon,) = engine.state.racoons.values()
    assert racoon.peers[A].counters["phase2_established", "unknown"] == 1


@pytest.mark.parametrize("host", ["a", "b"])
@pytest.mark.parametrize(
    "scenario",
    ["old-0.5pre-12-tunnel-ah-esp", "old-0.6.3-17-soak-chaos", "old-0.7.3-17-soak-chaos", "02-rekey", "16-tunnel-ah"],
)
def test_wherever_a_recording_begins_its_sas_are_the_same(scenario: str, host: str) -> None:
    """Begun at each established line that is the first of a pair: same peers, same directions; never the gateway itself."""
    lines = (LAB / scenario / f"{host}.log").read_bytes().splitlines(keepends=True)
    whole = {(sa.spi, sa.established): (sa.peer, sa.direction) for sa in ipsec(read(lines))}
    inbound = {f"spi={spi}(".encode() for (spi, _), (_, direction) in whole.items() if direction == "in"}
    beginnings = [
        place for place, line in enumerate(lines) if b"IPsec-SA established" in line and any(spi in line for spi in inbound)
    ]
    assert beginnings
    for begin in beginnings[:: max(1, len(beginnings) // 12)]:
        begun = ipsec(read(lines[begin:]))
        assert {(sa.spi, sa.established): (sa.peer, sa.direction) for sa in begun}.items() <= whole.items(), lines[begin]


def read(lines: list[bytes]) -> Engine:
    engine = Engine(UTC)
    engine.feed(block(b"".join(lines)))
    engine.finish()
    return engine


def test_an_ended_sa_that_a_checkpoint_has_written_already_is_turned_round_in_the_next_as_well() -> None:
    engine = told(f"08:30:00 {arrow(G, A, 1001)}", f"08:40:00 {arrow(G, A, 1001, event='expired')}")
    engine.feed(block(b"2026-01-15 20:00:00: INFO: caught signal 15\n2026-01-15 20:00:01: INFO: racoon shutdown\n"))
    engine.finish()
    (ended,) = to_json(engine)["state"]["archive"]["ipsec"]
    engine.feed(block(f"2026-01-15 21:00:00: INFO: initiate new phase 2 negotiation: {A}[500]<=>{G}[500]\n".encode()))
    engine.finish()
    (turned,) = to_json(engine)["state"]["archive"]["ipsec"]
    assert (ended["peer"], turned["peer"]) == (A, G)
    again = Engine(UTC)
    restore(again, json.loads(json.dumps(to_json(engine))))
    assert sas(again) == sas(engine)
