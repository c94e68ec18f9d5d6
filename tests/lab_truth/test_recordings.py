"""What `history` tells of every recording is what the kernel and racoonctl saw, within the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from racoon_exporter.history import COLUMNS, tables
from tests.exporter.reading import read_logs
from tests.lab_truth.compare import compare
from tests.lab_truth.score import HERE, LAB, ZONES, read_limits
from tests.lab_truth.truth import hosts

if TYPE_CHECKING:
    from pathlib import Path

RECORDED = sorted(path for path in LAB.iterdir() if path.is_dir())
LIMITS = read_limits(HERE / "limits.tsv")


@pytest.mark.parametrize("directory", RECORDED, ids=lambda path: path.name)
def test_a_recording_is_told_as_it_was(directory: Path) -> None:
    zone = ZONES.get(directory.name, "UTC")
    used = []
    for host in hosts(directory, zone):
        told = tables(read_logs(host.logs, zone=ZoneInfo(zone)).state, ZoneInfo(zone))
        assert set(told) == set(COLUMNS)
        for violation in compare(host, told).violations:
            allowed = next((limit for limit in LIMITS if limit.fits(violation)), None)
            assert allowed is not None, violation
            used.append(allowed)
    assert [limit for limit in LIMITS if limit.scenario == directory.name and limit not in used] == []
