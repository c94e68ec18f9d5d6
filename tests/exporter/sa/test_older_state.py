"""State files of older layouts are read: a log half read by an older exporter ends as if this one had read all of it."""

import gzip
import json
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.sa.checkpoint import VERSION
from tests.exporter.reading import block
from tests.exporter.test_checkpoints import outcome

LAYOUT_1: dict[str, Any] = json.loads(gzip.decompress((Path(__file__).parent / "state-layout-1.json.gz").read_bytes()))
"""A log, and what the exporter wrote down at some of its lines while its racoons had no parts (a file cannot be made anew)."""


def read(lines: list[str], engine: Engine, first: int = 1) -> Engine:
    engine.feed(block("".join(f"{line}\n" for line in lines).encode(), first=first))
    return engine


@pytest.mark.parametrize("kept", LAYOUT_1["cuts"], ids=lambda kept: f"line {kept['cut']}")
def test_a_log_goes_on_from_a_state_file_of_the_first_layout(kept: dict[str, Any]) -> None:
    log, cut = LAYOUT_1["log"], kept["cut"]
    whole = read(log, Engine(UTC))
    resumed = Engine(UTC)
    restore(resumed, json.loads(json.dumps(kept["engine"])))
    assert [racoon["version"] for racoon in to_json(resumed)["state"]["racoons"]] == [VERSION]
    read(log[cut:], resumed, cut + 1)
    whole.finish()
    resumed.finish()
    assert noted(outcome(resumed)) == noted(outcome(whole))


def noted(told: tuple[str, str]) -> tuple[list[str], str]:
    """Leave out what the older exporter did not note: since when each phase is as it is, and how long phase 1 took."""
    exposition, history = told
    new = re.compile(r"racoon_phase\d_(state_since|last_negotiation_duration)")
    return sorted(line for line in exposition.splitlines() if not new.match(line)), history
