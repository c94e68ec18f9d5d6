"""What a failure line is counted under is the reason its row states; where not, the reason why stands here."""

from datetime import UTC

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.sa.model import UNATTRIBUTED
from racoon_parsers.message import Message
from racoon_parsers.messages import catalogue
from racoon_parsers.reasons import severity_and_reason
from tests.exporter.reading import block, failures
from tests.parsers.test_message_tables import sample_text

VERDICTS = {"phase1_failed": 1, "phase2_failed": 2, "phase2_rekey": 2, "phase2_expired": 2}
"""Classes whose lines end a negotiation, and its phase."""
OTHERWISE = {
    "PF_KEY EXPIRE message received from kernel for SA being negotiated. Stopping negotiation.": (
        "where a wish still waits, there was no phase 1; where quick mode has begun, its own end follows"
    ),
}
ROWS = [row for row in catalogue().messages if row.event in VERDICTS and row.reason and row.severity == "error"]


def counted(row: Message) -> dict[tuple[str, str], int]:
    """Read a row's text alone, behind the tag where it has one."""
    tag = "[198.51.100.7] " if row.tag == "yes" else ""
    engine = Engine(UTC)
    level = row.levels[0] if row.levels else "ERROR"
    engine.feed(block(f"2026-01-15 08:30:00: {tag}{level}: {sample_text(row)}\n".encode()))
    engine.finish()
    return failures(engine, VERDICTS[row.event])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.template)
def test_a_failure_is_counted_under_the_reason_of_its_row(row: Message) -> None:
    reasons = {reason for _, reason in counted(row)}
    _, stated = severity_and_reason(row, row.read(sample_text(row)))
    assert reasons <= {stated} or row.template in OTHERWISE


def test_the_exceptions_are_rows() -> None:
    assert set(OTHERWISE) <= {row.template for row in catalogue().messages}


@pytest.mark.parametrize(
    "row",
    [row for row in catalogue().messages if {"peer", "cookies"} <= row.read(sample_text(row))._asdict().keys()],
    ids=lambda row: row.template,
)
def test_a_message_with_peer_or_cookies_of_an_sa_is_never_unattributed(row: Message) -> None:
    values = row.read(sample_text(row))._asdict()
    if values["peer"] is None or values["cookies"] is None:
        return
    engine = Engine(UTC)
    engine.feed(block(f"2026-01-15 08:30:00: ERROR: {sample_text(row)}\n".encode()))
    engine.finish()
    (racoon,) = engine.state.racoons.values()
    assert UNATTRIBUTED not in racoon.peers
