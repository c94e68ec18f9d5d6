"""All keys of the configuration file at once: each is read, and shown to people."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from racoon_exporter.config.file import is_config, read_config
from racoon_exporter.yaml_document import Problem, Section

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))]
EXAMPLES = [
    text for page in PAGES for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if is_config(text)
]
SHOWN = frozenset(
    word
    for page in PAGES
    for word in re.findall(r"`([a-z_0-9]+)(?:: [^`]*)?`|\b([a-z_0-9]+):(?=\s|$)", page)
    for word in word
    if word
)


class Mapped(dict[str, Any]):
    """Keys of a section that remember which were asked for."""

    def __init__(self, known: Mapping[str, Any], asked: set[str]) -> None:
        super().__init__(known)
        self._asked = asked

    def get(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._asked.add(str(key))
        return super().__contains__(key)


@pytest.fixture
def keys_asked(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, frozenset[str]], set[str]]:
    """Read every documented example; gives the keys that were asked for, by section and the keys it may have."""
    found: dict[tuple[str, frozenset[str]], set[str]] = {}
    make = Section.__init__

    def made(
        self: Section,
        name: str,
        node: yaml.Node | None,
        problems: list[Problem],
        keys: Collection[str] | None = None,
        line: int | None = None,
    ) -> None:
        make(self, name, node, problems, keys, line)
        asked = found.setdefault((name, frozenset(keys)), set()) if keys is not None else set()
        monkeypatch.setattr(self, "_nodes", Mapped(self._nodes, asked))
        monkeypatch.setattr(self, "_lines", Mapped(self._lines, asked))

    monkeypatch.setattr(Section, "__init__", made)
    for text in EXAMPLES:
        read_config(text, DOCS)
    return found


def test_every_key_that_may_be_written_is_read(keys_asked: dict[tuple[str, frozenset[str]], set[str]]) -> None:
    assert len(keys_asked) > 10, "the examples of docs/*.md are found"
    unread = {name: keys - asked for (name, keys), asked in keys_asked.items() if not keys <= asked}
    assert unread == {}, "these keys are taken and then ignored: read them in config/file.py, or beside what has its section"


def test_every_key_that_may_be_written_is_documented(keys_asked: dict[tuple[str, frozenset[str]], set[str]]) -> None:
    missing = {name: keys - SHOWN for name, keys in keys_asked if not keys <= SHOWN}
    assert missing == {}, (
        "docs/configuration.md shows each key in its example; what a source or witness alone has stands on its page"
    )
