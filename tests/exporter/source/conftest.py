"""A log in a temporary directory, and a source that reads it and is closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from racoon_exporter.source import FileSource
from tests.exporter.source.files.logs import Log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "racoon.log")


@pytest.fixture
def source(log: Log) -> Iterator[FileSource]:
    source = FileSource(log.name)
    yield source
    source.close()
