"""What a regular expression may cost: the degree of the polynomial that bounds its steps by the length of the text.

The steps of a backtracking matcher are bounded from the expression alone. Of each part two figures are kept: in how many
ways it can match from one place, and how many steps trying all of them takes. What follows a part is tried once for each
way of what stands before it, so two unbounded repetitions side by side are quadratic, unless the first gives nothing back
(`*+`, `(?>…)`). A bound that is not met by some text is still a bound: no text can cost more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from re import _constants as sre, _parser  # isort: skip # the one thing that knows the syntax as `re` does

UNBOUNDED: Final = 99
"""Degree of what has no polynomial bound."""


class Growth(NamedTuple):
    """`factor * length ** degree`."""

    degree: int
    factor: int

    def __add__(self, other: object) -> Growth:
        assert isinstance(other, Growth)
        if self.degree == other.degree:
            return Growth(self.degree, self.factor + other.factor)
        return max(self, other)

    def __mul__(self, other: object) -> Growth:
        assert isinstance(other, Growth)
        return Growth(min(self.degree + other.degree, UNBOUNDED), self.factor * other.factor)


ONE: Final = Growth(0, 1)


class Cost(NamedTuple):
    """What a part of an expression costs from one place in the text."""

    ways: Growth
    steps: Growth


_CHARACTERS: Final = frozenset({sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY})


def cost_of(expression: str, flags: int = 0) -> Cost:
    """Bound the cost of matching at one place; a search tries every place, which is one degree more."""
    return _sequence(_parser.parse(expression, flags))


def _sequence(parts: Any) -> Cost:
    ways, steps = ONE, ONE
    for part in parts:
        cost = _part(*part)
        steps += ways * cost.steps
        ways *= cost.ways
    return Cost(ways, steps + ways)


def _part(kind: Any, given: Any) -> Cost:
    if kind in _CHARACTERS or kind is sre.AT:
        return Cost(ONE, ONE)
    return _COSTS[kind](given)


def _branch(branches: list[Cost]) -> Cost:
    ways, steps = branches[0]
    for branch in branches[1:]:
        ways, steps = ways + branch.ways, steps + branch.steps
    return Cost(ways, steps)


def _repeat(least: int, most: Any, body: Any) -> Cost:
    ways, steps = _sequence(body)
    if most is sre.MAXREPEAT:
        if ways != ONE or (steps.degree and not _consumes_what_it_costs(body)):
            return Cost(Growth(UNBOUNDED, 1), Growth(UNBOUNDED, 1))
        return Cost(Growth(1, 1), Growth(1, steps.factor))
    if ways == ONE:
        return Cost(Growth(0, int(most) - least + 1), Growth(steps.degree, int(most) * steps.factor))
    total = Cost(ONE, ONE)
    for _ in range(int(most)):
        total = Cost(ONE + total.ways * ways, total.steps + total.ways * steps)
    return total


def _consumes_what_it_costs(body: Any) -> bool:
    """Whether a repetition's body is a plain row of characters and possessive repetitions.

    Then all its rounds together cost what they consume, and the last one, which fails, once more.
    """
    return all(
        kind in _CHARACTERS
        or (kind is sre.POSSESSIVE_REPEAT and _sequence(given[2]).ways == ONE and _consumes_what_it_costs(given[2]))
        for kind, given in body
    )


_COSTS: Final[dict[Any, Callable[[Any], Cost]]] = {
    sre.ASSERT: lambda given: Cost(ONE, _sequence(given[1]).steps),
    sre.ASSERT_NOT: lambda given: Cost(ONE, _sequence(given[1]).steps),
    sre.SUBPATTERN: lambda given: _sequence(given[-1]),
    sre.ATOMIC_GROUP: lambda given: Cost(ONE, _sequence(given).steps),
    sre.GROUPREF: lambda _given: Cost(ONE, ONE),  # what is looked for is no longer than what matched
    sre.BRANCH: lambda given: _branch([_sequence(branch) for branch in given[1]]),
    sre.MAX_REPEAT: lambda given: _repeat(*given),
    sre.MIN_REPEAT: lambda given: _repeat(*given),
    sre.POSSESSIVE_REPEAT: lambda given: Cost(ONE, _repeat(*given).steps),
}


def pattern_cost(pattern: re.Pattern[str]) -> Cost:
    """Bound the cost of a compiled pattern."""
    return cost_of(pattern.pattern, pattern.flags)
