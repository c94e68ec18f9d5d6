"""Files that follow from tables: rendered from the code, committed, and compared.

`REWRITE_DOCS=1 python -m pytest tests/docs` writes them anew; a run that rewrote fails.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def check(path: Path, wanted: str) -> None:
    """Compare a file with what it should hold; write it anew, and fail, where that is asked for."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text == wanted:
        return
    name = path.relative_to(ROOT)
    if os.environ.get("REWRITE_DOCS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted, encoding="utf-8")
        pytest.fail(f"{name} rewritten: look at the difference, then run without REWRITE_DOCS")
    pytest.fail(f"{name} is not what follows from the tables: REWRITE_DOCS=1 python -m pytest tests/docs writes it anew")
