"""Every sample gives exactly the records that its comments promise, in every family of messages."""

from __future__ import annotations

from typing import Final

import pytest

from racoon_parsers.message import Message
from racoon_parsers.messages import FAMILIES, TABLES, read_rows
from racoon_parsers.template import Hole

from .samples import FOLDER, NOTHING, Sample, described, normal, read_samples, records_of

SAMPLES: Final = {
    path.stem: tuple(read_samples(path)) for path in sorted(FOLDER.glob("*.log")) if path.stem in {*TABLES, "foreign"}
}
ALL: Final = [sample for samples in SAMPLES.values() for sample in samples]


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.place)
def test_a_sample_gives_the_records_it_must(sample: Sample) -> None:
    expected = [line for line in sample.expected if line != NOTHING]
    records = records_of(sample.lines)
    likes = [*expected, *[""] * len(records)]
    assert [described(record, like) for record, like in zip(records, likes, strict=False)] == [
        normal(line) for line in expected
    ]


def _sampled() -> set[str]:
    return {record.message.template for sample in ALL for record in records_of(sample.lines) if record.message}


def _reads_values(row: Message) -> bool:
    return row.has_values and any(isinstance(piece, Hole) and piece.field and piece.field.values for piece in row.pieces)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_that_carries_values_has_a_sample(name: str) -> None:
    sampled = _sampled()
    missing = [row.template for row in read_rows(name) if _reads_values(row) and row.template not in sampled]
    assert missing == [], f"write the event, and below it a line of it, into tests/samples/{name}.log"


def test_every_family_has_samples() -> None:
    assert [family for family in FAMILIES if not SAMPLES.get(family)] == [], "tests/samples has a file for each family"


def test_there_are_lines_that_must_not_match() -> None:
    negative = [sample for sample in ALL if NOTHING in sample.expected or "unknown" in sample.expected]
    assert len(negative) >= 20
