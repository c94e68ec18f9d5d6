"""SAs that only their lifetime ended: a line about one brings it back, for both kinds alike, as long as it is remembered."""

from collections.abc import Callable, Sequence

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.sa import IpsecSa, IsakmpSa, Knowledge, Limits
from racoon_exporter.sa.configured import Expectation
from tests.exporter.reading import I1, LISTENS, L, P, Q, ipsec, peer_of, phase1, sa, told, up

LINES = {
    "ISAKMP SA": (f"07:30:00 {up()}", f"08:54:01 INFO: purging ISAKMP-SA spi={I1}."),
    "IPsec SA": (f"07:30:00 {sa(1001)}", f"08:54:01 {sa(1001, event='expired', inbound=True)}"),
}
LOOK: dict[str, Callable[[Engine], Sequence[IpsecSa | IsakmpSa]]] = {"ISAKMP SA": phase1, "IPsec SA": ipsec}
ENDED = {"ISAKMP SA": ("phase1_ended", "expired"), "IPsec SA": ("ipsec_sa_ended", "lifetime")}


def half_an_hour(history: int | None = None) -> Knowledge:
    expected = Expectation(P, phase1_lifetime=1800, phase2_lifetime=1800)
    return Knowledge({P: expected}, limits=Limits(history=history))


def states(kind: str, engine: Engine) -> list[str]:
    return [one.state for one in LOOK[kind](engine)]


@pytest.mark.parametrize("kind", LINES)
def test_a_line_about_one_brings_it_back_and_its_end_is_counted_once(kind: str) -> None:
    begins, speaks = LINES[kind]
    engine = told(begins, f"08:54:00 {LISTENS}", knowledge=half_an_hour())
    assert states(kind, engine) == ["ended"]
    told(speaks, engine=engine)
    assert states(kind, engine) != ["ended"]
    told("08:55:00 INFO: racoon process 7 shutdown", engine=engine)
    assert states(kind, engine) == ["ended"]
    assert peer_of(engine).counters[ENDED[kind]] == 1


@pytest.mark.parametrize("kind", LINES)
def test_one_that_is_remembered_no_longer_stays_ended(kind: str) -> None:
    """The archive is bounded: a line about what left it finds nothing, and raises nothing."""
    begins, speaks = LINES[kind]
    others = []
    for number in range(2, 8):
        cookies = f"{number:016x}:{number:016x}"
        others += [
            f"08:54:00 {up(cookies)}",
            f"08:54:00 INFO: ISAKMP-SA deleted {L}[500]-{P}[500] spi:{cookies}",
            f"08:54:00 {sa(2000 + number)}",
            f"08:54:00 INFO: purged IPsec-SA spi={2000 + number}.",
        ]
    engine = told(begins, f"08:53:00 {LISTENS}", *others, speaks, knowledge=half_an_hour(history=2))
    assert set(states(kind, engine)) == {"ended"}


def test_sas_that_time_ends_together_are_over_in_the_order_of_their_ends() -> None:
    """A peer's SAs are looked at together, and a line may come hours after several looks were due."""
    known = Knowledge({peer: Expectation(peer, phase2_lifetime=1800) for peer in (P, Q)})
    begins = [f"08:0{minute}:00 {sa(1000 + minute, peer=(P, Q)[minute % 2])}" for minute in range(6)]
    engine = told(*begins, f"12:00:00 {LISTENS}", knowledge=known)
    assert [one.spi for one in engine.state.archive.ipsec] == [1000 + minute for minute in range(6)]
    assert [one.end for one in engine.state.archive.ipsec] == ["lifetime"] * 6
