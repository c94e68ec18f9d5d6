"""A decision about SAs can be read: no function of `sa/` makes more of them than a reader can hold.

ruff's C901 does not count `and`, `or` and comprehensions, and that is where the rules are. Branches are counted as radon does.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import racoon_exporter.sa

ROOT = Path(racoon_exporter.sa.__file__).parent
MOST = 12
"""Branches of a function; what has more wants a name for a part of it."""


def branches(function: ast.AST) -> int:
    found = 1
    for node in ast.walk(function):
        found += isinstance(node, ast.If | ast.IfExp | ast.For | ast.While | ast.ExceptHandler)
        if isinstance(node, ast.BoolOp):
            found += len(node.values) - 1
        if isinstance(node, ast.comprehension):
            found += 1 + len(node.ifs)
    return found


def functions() -> Iterator[tuple[str, int]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(ROOT).as_posix()} {node.name}", branches(node)


def test_each_function_makes_few_decisions() -> None:
    assert {name: count for name, count in functions() if count > MOST} == {}


def test_branches_are_counted_in_conditions_and_comprehensions() -> None:
    assert branches(ast.parse("def f(x): return [y for y in x if y and not x or 1] if x else 0")) == 6
