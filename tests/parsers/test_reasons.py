"""The table of reasons: whole, without holes, and the only home of what follows from it."""

from __future__ import annotations

import pytest

from racoon_parsers.messages import catalogue
from racoon_parsers.reasons import (
    AUTHENTICATION,
    REASONS,
    Reason,
    more_telling,
    told,
    zero_for_expected,
)
from racoon_parsers.reasons.reason import ADVICE, PHASES

reasons = pytest.mark.parametrize("reason", [pytest.param(reason, id=name) for name, reason in REASONS.items()])


@reasons
def test_what_is_said_is_whole_sentences(reason: Reason) -> None:
    said = [reason.told, *(text for key, text in ADVICE.items() if key[0] == reason.name)]
    for part in (part for text in said for part in text):
        assert part.endswith((".", "?"))
        assert part[0].isupper() or part.startswith("racoon")


def test_what_is_said_otherwise_is_of_a_reason_its_phase_and_a_method() -> None:
    for (name, phase, method), text in ADVICE.items():
        assert phase in REASONS[name].phases
        assert method in {"", *AUTHENTICATION.values()}
        assert told(name, phase, method) == text


@reasons
@pytest.mark.parametrize("phase", PHASES)
def test_phase_2_never_speaks_of_pre_shared_keys_and_a_signature_is_no_key(reason: Reason, phase: int) -> None:
    """A phase 2 stands on a phase 1 whose keys were right; a gateway with certificates is not told to compare keys."""
    said = told(reason.name, phase, "signature").advice
    if phase == 1:
        assert "ompare the pre-shared keys" not in said or 1 not in reason.phases
        assert "keys differ" not in said
    elif 2 in reason.phases:
        assert "pre-shared" not in said + told(reason.name, 2).advice + told(reason.name, 2, "psk").advice


def test_only_a_peer_that_never_answered_is_said_to_have_never_answered() -> None:
    saying = {name for name in REASONS for phase in PHASES if "never answered" in " ".join(told(name, phase))}
    assert saying == {"no_response"}
    assert not [row.template for row in catalogue().messages if "never answered" in row.gloss]


def test_the_more_telling_reason_wins_and_one_of_a_newer_version_tells_least() -> None:
    assert more_telling("timeout", "peer_refused") == "peer_refused"
    assert more_telling("struck_by_lightning", "timeout") == "timeout"
    assert more_telling(None, "timeout") == "timeout"


def test_a_refusal_we_could_not_read_yields_to_every_cause_our_own_side_names() -> None:
    """Stronger than silence, weaker than a named cause."""
    weaker = {name for name in REASONS if more_telling(name, "peer_refused") == "peer_refused"} - {"peer_refused"}
    assert weaker == {"no_phase1", "no_response", "timeout", "unknown"}


@reasons
def test_a_reason_with_an_alert_of_its_own_begins_at_zero(reason: Reason) -> None:
    """A counter that first appears at 1 shows no increase."""
    alerted = {int(counted) for counted, _ in reason.alerts if counted.isdecimal()}
    assert alerted <= reason.zero_for_expected <= reason.phases
    assert all((reason.name in zero_for_expected(phase)) == (phase in reason.zero_for_expected) for phase in PHASES)
