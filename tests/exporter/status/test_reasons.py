from __future__ import annotations

from pathlib import Path

import pytest

from racoon_exporter.wording import reasons
from racoon_exporter.wording.reasons import RUNBOOKS, explain
from racoon_parsers.reasons import FAILURE_REASONS, told

ROOT = Path(__file__).parents[3]
PAGES = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}


@pytest.mark.parametrize("phase", [1, 2])
@pytest.mark.parametrize("reason", FAILURE_REASONS)
def test_every_reason_has_a_meaning_advice_and_a_runbook_that_exists(reason: str, phase: int) -> None:
    explained = explain(reason, phase)
    assert (explained.gloss, explained.advice) == told(reason, phase)
    assert explained.runbook.removeprefix(RUNBOOKS).removesuffix(f"#{reason}") in PAGES


def test_a_reason_of_a_newer_version_is_unknown() -> None:
    assert explain("struck_by_lightning", 2) == explain("unknown", 2)


def test_every_runbook_that_the_code_names_exists() -> None:
    folder = Path(reasons.__file__).parent
    named = {
        word.strip("\"'(),")
        for path in folder.glob("*.py")
        for word in path.read_text(encoding="utf-8").replace('"', ' " ').split()
        if word.startswith("Racoon") and word.isidentifier() and word != "Racoon"
    }
    assert named
    assert named <= PAGES | {"RacoonExporter"}
