"""The real rules with less patience: a mechanical change of durations, and of nothing else."""

import copy
import re
from typing import Any

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FACTOR = 60
"""An hour becomes a minute, a minute a second."""


def seconds(duration: str) -> int:
    """Return the seconds of a Prometheus duration of one unit, such as `3m`."""
    found = re.fullmatch(r"(\d+)([smhd])", duration)
    assert found is not None, duration
    return int(found[1]) * UNITS[found[2]]


def shortened(rules: dict[str, Any], factor: int = FACTOR) -> dict[str, Any]:
    """Return the rules with each `for` and `keep_firing_for` divided by `factor`. Expressions stay what they are."""
    changed = copy.deepcopy(rules)
    for group in changed["groups"]:
        for rule in group["rules"]:
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    rule[key] = f"{max(1, seconds(rule[key]) // factor)}s"
    return changed
