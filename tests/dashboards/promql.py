"""Enough of PromQL's surface to check queries: selectors with what stands around them, and label lists."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

KEYWORDS = frozenset(
    {"and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "bool", "offset", "inf", "nan"}
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_:][\w:]*|\{[^}]*\}|\[[^\]]*\]|\$\w+|\d+(?:\.\d+)?(?:e\d+|[smhdwy])?|\S')
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric as it is used: its matchers, its range if it has one, and the function right around it."""

    metric: str
    matchers: dict[str, tuple[str, str]]
    window: str | None
    function: str | None


def selectors(expr: str) -> Iterator[Selector]:
    """Yield each selector of `expr` in reading order."""
    tokens = _TOKEN.findall(expr)
    in_labels = False
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token in {"on", "by", "without", "ignoring", "group_left", "group_right"} and following == "(":
            in_labels = True
        if token == ")":
            in_labels = False
        if in_labels or not re.match(r"[A-Za-z_:]", token) or token in KEYWORDS or following == "(":
            continue
        if following in {"by", "without"} or (tokens[index - 1] in {"by", "without"} and index):
            continue
        matchers = {name: (operator, value[1:-1]) for name, operator, value in _MATCHER.findall(following)}
        after = index + 2 if following.startswith("{") else index + 1
        window = tokens[after][1:-1] if after < len(tokens) and tokens[after].startswith("[") else None
        function = tokens[index - 2] if window is not None and index >= 2 and tokens[index - 1] == "(" else None
        yield Selector(token, matchers, window, function)


def label_lists(expr: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each `on (…)`, `by (…)`, `without (…)` with its labels."""
    for word, inner in re.findall(r"\b(on|by|without|ignoring)\s*\(([^)]*)\)", expr):
        yield word, frozenset(label.strip() for label in inner.split(",") if label.strip())
