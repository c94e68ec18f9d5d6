"""The console output that began this project, message by message and as one log."""

from __future__ import annotations

from datetime import UTC
from typing import Final

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.source.contract import Block
from racoon_exporter.source.files.fingerprint import Fingerprint
from racoon_exporter.source.files.position import Position

from .samples import FOLDER, described, normal, read_samples, records_of

SAMPLES: Final = tuple(read_samples(FOLDER / "seed.log"))
AS_POSTED: Final = tuple(line for sample in SAMPLES for line in sample.lines)
AS_PRINTED: Final = tuple(line.replace("]192.168.0.40[", "]<=>192.168.0.40[") for line in AS_POSTED)
PEER: Final = "192.168.0.40"


def _at(number: int, line: str) -> str:
    """Give a line a time, as a log file has one."""
    return f"2005-04-21 10:00:{number:02d}: {line}"


@pytest.mark.parametrize(
    "lines",
    [AS_POSTED, AS_PRINTED, tuple(_at(number, line) for number, line in enumerate(AS_PRINTED))],
    ids=["without joiners", "with joiners", "with times"],
)
def test_each_message_gives_its_values(lines: tuple[str, ...]) -> None:
    expected = [text for sample in SAMPLES for text in sample.expected]
    records = records_of(lines)
    assert len(lines) == len(records) == len(expected) == 16
    assert [described(record, like) for record, like in zip(records, expected, strict=True)] == [
        normal(text) for text in expected
    ]


def test_the_joiners_are_missing_in_what_was_posted() -> None:
    assert sum("<=>" in line for line in AS_PRINTED) == 2
    assert not any("<=>" in line for line in AS_POSTED)


@pytest.mark.parametrize("lines", [AS_POSTED, AS_PRINTED], ids=["without joiners", "with joiners"])
@pytest.mark.parametrize("timed", [True, False], ids=["with times", "without times"])
def test_the_log_brings_the_peer_up(lines: tuple[str, ...], timed: bool) -> None:  # noqa: FBT001  a table case
    engine = Engine(UTC)
    text = "".join(f"{_at(number, line) if timed else line}\n" for number, line in enumerate(lines))
    engine.feed(Block("racoon.log", text.encode(), 1, Position(0, 0, 0, 0, 0, Fingerprint(0, ""))))
    engine.finish()
    (racoon,) = engine.state.racoons.values()
    peer = racoon.peers[PEER]
    (isakmp,) = engine.state.isakmp_sas()
    assert (isakmp.peer, isakmp.cookies, isakmp.ended) == (PEER, "2698c81446191f6c:9b9127e3b6956065", None)
    assert peer.phase2_up
    assert {(sa.spi, sa.peer, sa.direction, sa.ended) for sa in engine.state.ipsec_sas()} == {
        (78608282, PEER, "in", None),
        (118550227, PEER, "out", None),
    }
    assert peer.counters["certificate_problems", "3", "crl_missing"] == 2
    assert [run.version for run in engine.state.history()["daemon"]] == ["0.5"]
    assert engine.unparsed.total() == 0
