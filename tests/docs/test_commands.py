"""What the Makefile, its parts and CI call is there: what is called where it was runs no more, in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILES = (
    ROOT / "Makefile",
    *sorted(path for folder in ("dashboards", "packaging", "tests") for path in (ROOT / folder).rglob("*.mk")),
)
CALLERS = (*MAKEFILES, *sorted((ROOT / ".ci").iterdir()))
DOCS = (ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md")))

_PATH = r"(?:tests|docs|dashboards|packaging|exporter|parsers|\.ci)/[\w./*-]*\w"
_NAMED = re.compile(rf"(?<![\w./$)-]){_PATH}")
_WRITTEN = re.compile(rf">\s*({_PATH})")
_MODULE = re.compile(r"python -m (tests(?:\.\w+)+)")
_TARGET = re.compile(r"^([a-z][a-z0-9 -]*):(?!=)", re.MULTILINE)
_MADE = re.compile(r"(?:^|`|&& )\s*(?:[A-Z_]+=\S+ )*make (?:--[a-z-]+ (?:\d+ )?)*([a-z][a-z0-9-]*)", re.MULTILINE)


def targets() -> set[str]:
    return {name for path in MAKEFILES for names in _TARGET.findall(path.read_text()) for name in names.split()}


def missing_paths(text: str) -> Iterator[str]:
    """Give what a text names and neither is there nor is written by the text itself."""
    written = set(_WRITTEN.findall(text))
    yield from (named for named in _NAMED.findall(text) if named not in written and not any(ROOT.glob(named)))


@pytest.mark.parametrize("caller", CALLERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_called_is_there(caller: Path) -> None:
    text = caller.read_text()
    assert list(missing_paths(text)) == []
    modules = [ROOT / name.replace(".", "/") for name in _MODULE.findall(text)]
    assert [path for path in modules if not (path.is_dir() or path.with_suffix(".py").exists())] == []


@pytest.mark.parametrize("text", [*CALLERS, *DOCS], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_to_be_made_is_a_target(text: Path) -> None:
    assert set(_MADE.findall(text.read_text())) <= targets()


def test_a_path_that_moved_away_is_found() -> None:
    assert list(missing_paths("pytest tests/torture tests/exporter/source/model\n")) == ["tests/exporter/source/model"]
