"""What a state file's check makes of rows by type is what is made of them one by one: a start need not make them twice."""

from dataclasses import fields
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine, to_json
from racoon_exporter.sa import SaState
from racoon_exporter.sa.model import HISTORY, Negotiation, as_made, from_json
from racoon_exporter.sa.model import to_json as row_of
from racoon_exporter.source import Block
from racoon_exporter.state_schema import check_engine
from tests.exporter.reading import start, told

LOGS = sorted(log for log in (Path(__file__).parents[2] / "scenarios").rglob("*.log") if log.stat().st_size < 32 * 1024)


def values(record: Any) -> list[tuple[str, type, object]]:
    return [(each.name, type(getattr(record, each.name)), getattr(record, each.name)) for each in fields(record)]


def test_records_made_by_type_are_those_made_one_by_one() -> None:
    compared = dict.fromkeys(HISTORY, 0)
    for log in LOGS:
        engine = Engine(UTC)
        engine.feed(Block(str(log), log.read_bytes(), 1, None))
        engine.flush()
        given = checkpoint.load(b"".join(checkpoint.encoded(to_json(engine))))
        one_by_one = SaState.from_json(given["state"]).archive
        by_type = SaState.from_json(given["state"], None, check_engine(given)["archive"]).archive
        for name in compared:
            rows = list(zip(getattr(one_by_one, name), getattr(by_type, name), strict=True))
            assert all(values(one) == values(other) for one, other in rows)
            compared[name] += len(rows)
    assert all(compared.values())


def row() -> dict[str, Any]:
    engine = told(f"08:30:00 {start()}")
    engine.flush()
    (negotiation,) = next(iter(engine.state.racoons.values())).negotiations
    return row_of(negotiation) | {"ended": 1.0, "state": "failed"}


def test_a_row_of_an_older_layout_is_read_as_such() -> None:
    older = row()
    del older["state"]
    (made,) = as_made(Negotiation, [older], [Negotiation(**older)])
    assert made.state == "abandoned"


def test_a_row_with_a_field_that_none_has_is_refused() -> None:
    newer = row()
    made = from_json(Negotiation, newer)
    with pytest.raises(TypeError, match="colour"):
        as_made(Negotiation, [newer | {"colour": "red"}], [made])
