"""The picture of the rooms is that of the code."""

import re
from importlib.resources import files
from pathlib import Path

from tests.docs.written import ROOT

TITLE = "## The rooms of SA state, and the way of one line through them"


def test_every_module_of_sa_state_stands_in_its_picture() -> None:
    section = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition(TITLE)[2].partition("\n## ")[0]
    named = {Path(name).name for name in re.findall(r"[\w/]+\.py\b", section)}
    modules = {path.name for path in Path(str(files("racoon_exporter.sa"))).rglob("*.py")} - {"__init__.py", "blame.py"}
    assert modules - named == set(), f"name it where it belongs, in docs/architecture.md: {TITLE[3:]}"
    beside = {path.name for path in Path(str(files("racoon_exporter"))).rglob("*.py")}
    assert named - beside == set(), "no module is named so any more"
