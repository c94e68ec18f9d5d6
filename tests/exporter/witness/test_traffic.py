"""Traffic never falls: not at a rekey, a restart, a replaced SA, a look that was cut; and equals what kernels counted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.witness.traffic import Owner, Traffic
from racoon_parsers.kernel import KernelSa

OURS, PEER = "192.0.2.1", "192.0.2.2"


def sa(spi: int, bytes_: int, *, packets: int = 0, inbound: bool = True, integrity: int = 0) -> KernelSa:
    ends = (PEER, OURS) if inbound else (OURS, PEER)
    return KernelSa(*ends, "esp", spi, bytes=bytes_, packets=packets, integrity=integrity)


def owner(sa: KernelSa) -> Owner | None:
    return Owner("gw", PEER, "in" if sa.destination == OURS else "out")


IN = Owner("gw", PEER, "in")


def looked(*looks: tuple[KernelSa, ...], traffic: Traffic | None = None, complete: bool = True) -> Traffic:
    traffic = traffic or Traffic()
    for look in looks:
        traffic = traffic.after("gw", look, owner, complete=complete)
    return traffic


def test_an_sa_counts_from_its_first_look_with_what_it_had() -> None:
    assert looked((sa(1, 500, packets=5),)).totals[IN]["bytes"] == 500


def test_what_an_sa_carried_stays_after_a_rekey() -> None:
    traffic = looked((sa(1, 500),), (sa(1, 700), sa(2, 10)), (sa(2, 60),))
    assert traffic.totals[IN]["bytes"] == 760


def test_an_sa_that_is_missing_once_and_comes_back_is_not_counted_twice_if_the_look_was_cut() -> None:
    traffic = looked((sa(1, 500),))
    cut = looked((), traffic=traffic, complete=False)
    assert looked((sa(1, 600),), traffic=cut).totals[IN]["bytes"] == 600


def test_counts_that_fell_are_those_of_another_sa_under_the_same_spi() -> None:
    assert looked((sa(1, 500),), (sa(1, 20),)).totals[IN]["bytes"] == 520


def test_a_look_changes_nothing_of_what_was_before_it() -> None:
    before = looked((sa(1, 500),))
    looked((sa(1, 900),), traffic=before)
    assert before.totals[IN]["bytes"] == 500


def test_directions_and_errors_are_told_apart() -> None:
    traffic = looked((sa(1, 5, integrity=2), sa(9, 7, inbound=False)))
    assert traffic.totals[IN]["integrity"] == 2
    assert traffic.totals[Owner("gw", PEER, "out")]["bytes"] == 7


def test_larval_sas_count_nothing() -> None:
    assert looked((replace(sa(1, 500), state="larval"),)).totals == {}


def test_a_restart_goes_on_where_it_stopped() -> None:
    traffic = looked((sa(1, 500),))
    again = Traffic.from_json(json.loads(json.dumps(traffic.to_json())))
    assert looked((sa(1, 650),), traffic=again).totals[IN]["bytes"] == 650


@pytest.mark.parametrize(
    "given_",
    [
        {"totals": [["gw", PEER, "sideways", [0] * 5]], "last": []},
        {"totals": [["gw", PEER, "in", [0] * 4]], "last": []},
        {"totals": [["gw", PEER, "in", [-1, 0, 0, 0, 0]]], "last": []},
        {"totals": [["gw", PEER, "in", ["1", 0, 0, 0, 0]]], "last": []},
    ],
    ids=["a direction that is none", "too few counts", "a count below nothing", "a count that is text"],
)
def test_mangled_counts_are_refused(given_: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="none"):
        Traffic.from_json(given_)


@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 10**6)), max_size=4), max_size=12), st.data())
def test_totals_never_fall_whatever_is_seen_and_whenever_it_starts_anew(
    looks: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    traffic, before = Traffic(), 0
    for look in looks:
        sas = tuple(sa(spi, count) for spi, count in look)
        traffic = looked(sas, traffic=traffic, complete=data.draw(st.booleans()))
        total = sum(counts["bytes"] for counts in traffic.totals.values())
        assert total >= before
        before = total
        if data.draw(st.booleans()):
            traffic = Traffic.from_json(json.loads(json.dumps(traffic.to_json())))


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 1000)), max_size=40))
def test_totals_equal_what_the_kernels_sas_carried_up_to_the_last_look_at_each(steps: list[tuple[int, int]]) -> None:
    """A kernel with three SAs, each carrying some bytes at a time, looked at after each."""
    kernel = {1: 0, 2: 0, 3: 0}
    traffic = Traffic()
    for spi, carried in steps:
        kernel[spi] += carried
        traffic = looked(tuple(sa(one, count) for one, count in kernel.items()), traffic=traffic)
    assert sum(counts["bytes"] for counts in traffic.totals.values()) == sum(kernel.values())
