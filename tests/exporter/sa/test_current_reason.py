"""One reason at a time: the most telling of what is broken now, and none where nothing is."""

from __future__ import annotations

import pytest

from racoon_exporter.sa import Peer
from racoon_exporter.sa.current_reason import FAILING_SECONDS, current_trouble, note_failure

T = 1_700_000_000.0


def failed(*reasons: str, phase: int = 1, apart: float = 60.0) -> Peer:
    peer = Peer("192.0.2.1")
    for number, reason in enumerate(reasons):
        note_failure(peer, phase, T + apart * number, reason)
    return peer


@pytest.mark.parametrize("phase", [1, 2])
@pytest.mark.parametrize(
    ("reasons", "apart", "told"),
    [
        (("timeout",), 60, "timeout"),
        (("psk_mismatch", "malformed_packet"), 60, "psk_mismatch"),
        (("malformed_packet", "psk_mismatch", "malformed_packet"), 60, "psk_mismatch"),
        (("id_mismatch", "timeout", "timeout"), 60, "id_mismatch"),
        (("id_mismatch", "timeout"), 901, "timeout"),
        (("id_mismatch", *["timeout"] * 16), 60, "timeout"),
        (("id_mismatch", "timeout", "id_mismatch", *["timeout"] * 14), 60, "id_mismatch"),
        (("proposal_mismatch", "psk_mismatch"), 60, "psk_mismatch"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, tuple) else None,
)
def test_the_most_telling_reason_of_the_same_trouble_stands(
    reasons: tuple[str, ...], apart: float, told: str, phase: int
) -> None:
    peer = failed(*reasons, phase=phase, apart=apart)
    trouble = current_trouble(peer, T + apart * len(reasons), permanent=True)
    assert trouble == (T + apart * (len(reasons) - 1), phase, told)


def test_what_came_up_in_between_ends_the_trouble() -> None:
    peer = failed("psk_mismatch")
    peer.phase1_last_established = T + 10
    note_failure(peer, 1, T + 20, "timeout")
    assert current_trouble(peer, T + 30, permanent=True) == (T + 20, 1, "timeout")


def test_nothing_is_told_of_a_peer_that_came_up_since() -> None:
    peer = failed("psk_mismatch")
    peer.phase2_last_established, peer.phase2_up = T + 10, True
    assert current_trouble(peer, T + 30, permanent=True) is None


@pytest.mark.parametrize(("up", "permanent", "told"), [(False, True, True), (True, True, False), (False, False, False)])
def test_an_old_failure_is_told_of_permanent_peers_that_are_down(*, up: bool, permanent: bool, told: bool) -> None:
    peer = failed("timeout")
    peer.phase2_up = up
    assert current_trouble(peer, T + FAILING_SECONDS - 1, permanent=permanent) is not None
    assert (current_trouble(peer, T + FAILING_SECONDS, permanent=permanent) is not None) is told


def test_a_phase_1_that_failed_stands_for_the_phase_2_that_lacked_it() -> None:
    peer = failed("psk_mismatch")
    note_failure(peer, 2, T + 30, "no_phase1")
    assert current_trouble(peer, T + 40, permanent=True) == (T, 1, "psk_mismatch")
