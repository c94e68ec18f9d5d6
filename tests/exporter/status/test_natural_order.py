from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.sa import Expectation
from racoon_exporter.wording.natural_order import natural
from tests.exporter.status.engines import Gateway


def test_numbers_are_compared_as_numbers() -> None:
    names = [
        "10.0.0.10",
        "10.0.0.9",
        "branch-10",
        "Branch-2",
        "10.0.0.100",
        "2001:db8::a",
        "2001:db8::2",
        "branch-2b",
        "10.0.0.1",
    ]
    assert sorted(names, key=natural) == [
        "10.0.0.1",
        "10.0.0.9",
        "10.0.0.10",
        "10.0.0.100",
        "2001:db8::2",
        "2001:db8::a",
        "Branch-2",
        "branch-2b",
        "branch-10",
    ]


@given(st.text(), st.text())
def test_any_two_names_have_an_order(one: str, other: str) -> None:
    assert (natural(one) < natural(other)) is not (natural(one) >= natural(other))


def test_peers_of_a_state_stand_in_that_order() -> None:
    peers = {f"192.0.2.{number}": Expectation("") for number in range(1, 21)}
    shown = [peer.address for peer in Gateway(peers).view().peers]
    assert shown == [f"192.0.2.{number}" for number in range(1, 21)]
