"""State's time is the log's, and goes forward only: nobody sets it back to date what is told late."""

import ast
from collections.abc import Iterator
from pathlib import Path

import racoon_exporter

ROOT = Path(racoon_exporter.__file__).parent


def assignments(name: str) -> Iterator[tuple[str, str]]:
    """Where an attribute of that name is set: module and function."""
    for path in sorted(ROOT.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store):
                        yield path.relative_to(ROOT).as_posix(), function.name


def test_only_a_line_or_a_restart_sets_the_time() -> None:
    assert set(assignments("now")) == {
        ("sa/racoon.py", "__init__"),
        ("sa/racoon.py", "advance"),
        ("sa/checkpoint.py", "racoon_from_json"),
        ("sa/checkpoint.py", "without_sas"),
    }


def test_only_the_state_tables_move_what_has_a_state() -> None:
    moves = {place for place in assignments("state") if place[0].startswith("sa/")}
    assert moves == {("sa/tables.py", "move")}
