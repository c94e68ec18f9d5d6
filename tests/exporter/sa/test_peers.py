"""Peers: who gets series of his own, and who gives way."""

import json
from collections import Counter

import pytest

from racoon_exporter.sa import Knowledge, Limits, SaState
from racoon_exporter.sa.peer_places import PeerPlaces
from racoon_exporter.sa.peers import Peers
from tests.exporter.reading import L, P, Q, knowing
from tests.steps import steps

S = [f"203.0.113.{number}" for number in range(1, 9)]


def peers(**limits: int) -> Peers:
    return Peers(knowing(P, limits=Limits(**limits)), Counter())


def test_beyond_the_limit_of_strangers_they_are_counted_together() -> None:
    known = peers(strangers=2)
    assert [known.heard_of(address, 0.0).address for address in S[:4]] == [*S[:2], "other", "other"]
    assert known.heard_of(P, 0.0).address == P


def test_a_stranger_silent_for_an_hour_gives_way_and_one_that_spoke_does_not() -> None:
    known = peers(strangers=2)
    known.heard_of(S[0], 0.0)
    known.heard_of(S[1], 0.0)
    known.heard_of(S[0], 3000.0)
    assert known.heard_of(S[2], 3599.0).address == "other"
    assert known.heard_of(S[2], 3600.0).address == S[2]
    assert set(known) == {S[0], S[2], "other"}


def test_who_completed_a_phase_1_is_no_stranger_and_leaves_his_place() -> None:
    known = peers(strangers=1)
    known.heard_of(S[0], 0.0)
    known.acquaint(S[0], 0.0)
    assert known.heard_of(S[1], 1.0).address == S[1]
    assert known.heard_of(S[2], 10_000.0).address == S[2]
    assert set(known) == {S[0], S[2]}


def test_all_gateways_together_have_a_bounded_number_of_peers() -> None:
    """Whoever writes the log names any peer at any gateway: of strangers half of it, so that others find a place."""
    state = SaState(knowing(P, limits=Limits(peers=12, gateways=1, history=0)))
    racoons = [state.racoon(f"gw{number}", "racoon", "") for number in range(3)]
    for number in range(12):
        racoons[number % 3].peers.heard_of(f"203.0.113.{number}", 0.0)
    assert state.unnamed_peers == 6
    for number in range(12):
        racoons[number % 3].peers.acquaint(f"198.18.0.{number}", 0.0)
    assert state.unnamed_peers == 12
    assert {racoon.peers.acquaint("198.18.1.1", 0.0).address for racoon in racoons} == {"other"}
    assert {racoon.peers.heard_of(P, 0.0).address for racoon in racoons} == {P}
    again = SaState.from_json(json.loads(json.dumps(state.to_json())), state.knowledge)
    assert again.unnamed_peers == 12
    assert again.racoon("gw0", "racoon", "").peers.acquaint("198.18.1.1", 0.0).address == "other"


def test_a_place_among_all_peers_is_free_again_when_one_goes() -> None:
    taken = [1, 2]
    places = PeerPlaces(lambda: len(taken))

    def take() -> bool:
        found = places.take(3)
        taken.extend([3] * found)
        return found

    assert [take() for _ in range(3)] == [True, False, False]
    taken.pop()
    tried = [take() for _ in range(3000)]
    assert tried.count(True) == 1
    assert not any(tried[:1000])


def test_what_is_refused_among_all_peers_is_seldom_counted() -> None:
    asked = 0

    def count() -> int:
        nonlocal asked
        asked += 1
        return 3

    places = PeerPlaces(count)
    assert not any(places.take(3) for _ in range(10_000))
    assert asked == 10


def test_an_old_log_is_read_with_all_its_peers() -> None:
    state = SaState(Knowledge(limits=Limits(peers=11, gateways=3)))
    for number in range(33):
        state.racoon(f"gw{number % 3}", "racoon", "").peers.acquaint(f"198.18.0.{number}", 0.0)
    assert state.unnamed_peers == 33


def test_a_stranger_costs_the_same_however_many_peers_there_are() -> None:
    def one_more(number: int) -> int:
        known = Peers(knowing(P, limits=Limits(strangers=2, peers=100_000)), Counter())
        for place in range(number):
            known.acquaint(f"2001:db8::{place:x}", 0.0)
        for address in S[:4]:
            known.heard_of(address, 0.0)
        return steps(lambda: known.heard_of(S[5], 1.0))

    assert one_more(2000) == one_more(2)


@pytest.mark.parametrize(
    ("source", "destination", "ends"),
    [
        pytest.param(L, P, (L, P), id="ours on the left"),
        pytest.param(P, L, (L, P), id="ours on the right"),
        pytest.param(Q, P, (Q, P), id="a peer on the right"),
        pytest.param(P, Q, (Q, P), id="a peer on the left"),
        pytest.param(S[0], S[1], (S[0], S[1]), id="neither is known"),
    ],
)
def test_which_end_is_ours(source: str, destination: str, ends: tuple[str, str]) -> None:
    known = peers()
    known.locals.add(L)
    known.heard_of(P, 0.0)
    assert known.ends(source, destination) == ends
